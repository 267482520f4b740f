"""What a check may do on its stage, and what is recorded of it."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from garrison_harness.in_process import Hosted
from garrison_harness.probe import Budget, has_addresses
from garrison_harness.running import running
from garrison_harness.site import Quota
from garrison_harness.stage import Stage
from garrison_harness.target import parse_target
from tests.harness.apps import ticking_app
from tests.harness.commands import APPS, UVICORN
from tests.harness.recordings import SITE
from tests.neighbour import neighbour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.running import Running
    from garrison_harness.stage import Reached

GET = SITE.get("/")
SLOW = SITE.get("/slow")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="loopback addresses and /proc are Linux's")


@pytest.fixture
def app() -> Iterator[Hosted]:
    """The app, in this process."""
    ticking_app.ASKED.clear()
    with Hosted(ticking_app.app) as hosted:
        yield hosted


@pytest.fixture(scope="module")
def reached() -> Iterator[Running]:
    """The app behind a server, for those who leave it as it is."""
    with served() as running_app:
        yield running_app


@contextmanager
def served() -> Iterator[Running]:
    """The app behind a server."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.chdir(APPS)
        yield stack.enter_context(running(parse_target([*UVICORN, "ticking_app:app"])))


def stage_on(
    reached: Reached,
    *,
    addresses: bool = True,
    seconds: float = 20.0,
    number: int = 7,
    quota: Quota | None = None,
) -> Stage:
    """A stage of one check."""
    site = replace(SITE, authority=reached.base_url.partition("://")[2], addresses=addresses, quota=quota)
    budget = Budget(deadline=time.monotonic() + seconds, requests=200)
    stage = Stage(site=site, asker=reached.asker("", budget), budget=budget, number=number, block="127.31")
    stage.on(reached)
    return stage


def test_every_request_of_a_check_has_an_address_of_its_own(app: Hosted) -> None:
    """The third number is the check's, so that no two checks share one, and none is that of a proxy."""
    first, second = stage_on(app, number=7), stage_on(app, number=8)

    said = [first.ask(f"request {number}", GET).text for number in range(3)]
    others = [second.ask(f"request {number}", GET).text for number in range(3)]

    assert len({*said, *others}) == 6
    assert {address.rpartition(".")[0] for address in said} == {"127.31.7"}
    assert {address.rpartition(".")[0] for address in others} == {"127.31.8"}


def test_a_request_may_come_from_where_a_proxy_would_be(app: Hosted) -> None:
    """Servers trust a proxy on their own machine, and some continue the traces of nobody else."""
    assert stage_on(app).ask("near", replace(GET, near=True)).text == "127.0.0.1"


def test_requests_with_one_voice_come_from_one_address(app: Hosted) -> None:
    """As those of one client do, which a quota counts together."""
    stage = stage_on(app)

    said = {stage.ask(f"request {number}", replace(GET, voice=1)).text for number in range(3)}

    assert said == {"127.31.7.1"}


@linux_only
def test_the_addresses_are_those_of_the_connections(reached: Running) -> None:
    """What a server sees is what the stage says."""
    assert has_addresses(reached.host, reached.port)
    stage = stage_on(reached)

    assert stage.ask("page", replace(GET, voice=3)).text == "127.31.7.3"


@linux_only
def test_where_there_is_one_address_everybody_has_it(reached: Running) -> None:
    """The system picks it."""
    assert stage_on(reached, addresses=False).ask("page", GET).text == "127.0.0.1"


def test_who_is_turned_away_waits_and_asks_again(app: Hosted) -> None:
    """With one address for all, the quota is shared, so a check waits for as long as it is told."""
    stage = stage_on(app, addresses=False)
    start = time.monotonic()

    said = [stage.ask(f"request {number}", SITE.get("/quota")).status for number in range(6)]

    assert said == [200] * 6
    assert time.monotonic() - start >= 1.0


def test_who_wants_to_be_turned_away_does_not_wait(app: Hosted) -> None:
    """The requests of one client test a quota, and a check with an address of its own has it to itself."""
    one, many = stage_on(app, addresses=False), stage_on(app)
    quota = SITE.get("/quota")

    assert [one.ask(f"a {n}", replace(quota, voice=1)).status for n in range(5)][-1] == 429
    assert [many.ask(f"b {n}", replace(quota, voice=1)).status for n in range(5)][-1] == 429
    assert [many.ask(f"c {n}", quota).status for n in range(6)] == [200] * 6


def test_a_long_wait_is_not_waited_for(app: Hosted, capsys: pytest.CaptureFixture[str]) -> None:
    """A refusal that lasts for a minute is the reply."""
    ticking_app.ASKED["127.0.0.1"] = [time.monotonic() + 60] * 4
    stage = stage_on(app, addresses=False)

    with neighbour() as beside:
        assert stage.ask("request", SITE.get("/quota")).status == 429
        assert beside.seconds < 2
    assert capsys.readouterr().err.splitlines() == ["asked for /quota"]


@pytest.mark.parametrize(
    ("addresses", "period", "rests"), [(False, 1, True), (False, 19, False), (True, 10, False)]
)
def test_a_shared_quota_is_let_refill(app: Hosted, addresses: bool, period: int, rests: bool) -> None:
    """Before a check that tests it, unless that takes too long or the check has an address of its own."""
    start = time.monotonic()
    stage_on(app, addresses=addresses, quota=Quota(limit=4, period=period)).rest()

    assert (time.monotonic() - start >= period) is rests


def test_what_is_asked_is_recorded_in_its_order(app: Hosted) -> None:
    """By its label, with the request, the reply and the time."""
    stage = stage_on(app)
    stage.ask("second", GET)
    stage.ask("first", SLOW)

    assert list(stage.exchanges) == ["second", "first"]
    assert stage.exchanges["first"].request is SLOW
    assert stage.exchanges["first"].reply.elapsed >= 0.5
    assert stage.exchanges["first"].at >= stage.exchanges["second"].at


def test_requests_go_out_together(app: Hosted) -> None:
    """Ten that take half a second each take less in all than one by one, and are recorded in order."""
    stage = stage_on(app)
    start = time.monotonic()

    replies = stage.together({f"request {number}": SLOW for number in range(10)})

    assert [reply.status for reply in replies.values()] == [200] * 10
    assert list(stage.exchanges) == [f"request {number}" for number in range(10)]
    assert len({reply.text for reply in replies.values()}) == 10
    assert time.monotonic() - start < sum(reply.elapsed for reply in replies.values()) / 2


def test_one_goes_on_while_a_request_is_under_way(app: Hosted) -> None:
    """Its reply can be waited for later, and it is recorded when it was begun."""
    stage = stage_on(app)

    pending = stage.begin("slow", SLOW)
    under_way = pending.alive()
    quick = stage.ask("quick", GET)

    assert under_way
    assert quick.status == pending.reply().status == 200
    assert not pending.alive()
    assert list(stage.exchanges) == ["slow", "quick"]


def test_what_was_never_asked_counts_as_abandoned(app: Hosted) -> None:
    """A request that the end of the audit cut off is in the record as such."""
    stage = stage_on(app, seconds=-1)

    assert stage.ask("page", GET).failure == "abandoned"
    assert stage.together({"other": GET})["other"].failure == "abandoned"


def test_a_pause_ends_with_the_audit(app: Hosted) -> None:
    """Nobody waits beyond the time that an audit may take."""
    start = time.monotonic()
    stage = stage_on(app, seconds=0.3)

    with neighbour() as beside:
        stage.pause(60)

        assert beside.seconds < 2
    assert time.monotonic() - start >= 0.3
    assert not stage.until(lambda: False, 60)


def test_something_is_waited_for_until_it_is_true(app: Hosted) -> None:
    """Whether it became so in time is the answer."""
    stage = stage_on(app)
    soon = time.monotonic() + 0.2

    assert stage.until(lambda: time.monotonic() > soon, 5)
    assert not stage.until(lambda: False, 0.1)


def test_facts_are_kept_for_the_judge(app: Hosted) -> None:
    """What no reply tells is noted by name."""
    stage = stage_on(app)
    stage.note("growth", 1.5)

    assert stage.facts == {"growth": 1.5}


def test_an_app_in_process_has_neither_log_nor_memory(app: Hosted) -> None:
    """It has no process of its own, so nothing is said about one."""
    stage = stage_on(app)
    stage.ask("page", GET)
    stage.terminate()

    assert (stage.log(), stage.memory(), stage.ended(0.1)) == ("", None, None)
    assert stage.ask("page again", GET).status == 200


@linux_only
def test_a_check_sees_memory_and_log_of_its_target(reached: Running) -> None:
    """Of the log only what was written since it began; of the memory what all its processes hold."""
    before = stage_on(reached)
    before.ask("page", GET)
    stage = stage_on(reached)
    lean = stage.memory()
    stage.ask("fat", SITE.get("/fat"))
    fat = stage.memory()

    assert lean is not None
    assert fat is not None
    assert fat - lean > 50_000_000
    assert "asked for /fat" in stage.log()
    assert "asked for /\n" not in stage.log()
    assert "asked for /\n" in before.log()


def test_a_check_stops_its_target_and_learns_how_it_ended() -> None:
    """It is asked to stop, as a process manager does, and its exit status is known in time."""
    with served() as reached:
        stage = stage_on(reached)
        assert stage.ended(0.1) is None

        stage.terminate()

        assert stage.ended(10) in {0, -signal.SIGTERM}
