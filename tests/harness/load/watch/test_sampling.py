"""What the load process keeps of the replies, and counts of all of them."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from garrison_harness.load.account import MOST_SAMPLES, Account
from garrison_harness.load.delta import Delta
from garrison_harness.load.driving.sampling import _GENERATION, Sampler
from garrison_harness.load.plan import Plan
from garrison_harness.load.sample import Sample
from garrison_harness.load.watch.watching import CLIENT, Watching

if TYPE_CHECKING:
    from pathlib import Path

ID = "x-request-id"


@dataclass
class Answer:
    """A reply as Locust's clients give it."""

    status_code: int = 200
    headers: dict[str, Any] | None = field(default_factory=dict)
    content: bytes = b""
    error: Exception | None = None
    history: list[Answer] = field(default_factory=list)
    request: Any = None


def tell(
    sampler: Sampler, answer: Answer, *, client: str | None = None, path: str = "/", ago: float = 0.001
) -> None:
    """Tell of one request as Locust does."""
    sampler.on_request(
        request_type="GET",
        name=path,
        start_time=time.time() - ago,
        response_time=1.0,
        response_length=0,
        response=answer,
        context={} if client is None else {CLIENT: client},
        url=f"http://127.0.0.1:8000{path}",
        exception=answer.error,
    )


def test_ordinary_replies_are_kept_now_and_then() -> None:
    """Of a burst of ordinary replies one is kept, with the headers that promises are about and no other."""
    sampler = Sampler(Watching(sample_every=60.0))
    for _ in range(100):
        tell(
            sampler,
            Answer(headers={"content-type": "a/b", "set-cookie": "session=secret"}, content=b"page"),
            path="/a?b",
        )
    samples, observed = sampler.take()
    assert len(samples) == 1
    assert (samples[0].method, samples[0].path, samples[0].status, samples[0].body) == (
        "GET",
        "/a?b",
        200,
        "",
    )
    assert samples[0].headers == (("content-type", "a/b"),)
    assert (observed.ids, observed.clients) == (0, {})
    assert sampler.take() == ([], type(observed)())


def test_every_error_is_kept_up_to_a_bound() -> None:
    """The first hundred of each status with the beginning of what they say, and then a few a second."""
    sampler = Sampler(Watching(sample_every=60.0))
    tell(sampler, Answer())
    for _ in range(150):
        for status in (429, 500, 503):
            tell(sampler, Answer(status, content=b"{" + b"x" * 5000))
        tell(sampler, Answer(0, headers=None, error=ConnectionResetError()))
    samples, _ = sampler.take()
    counts = {status: sum(one.status == status for one in samples) for status in (200, 429, 500, 503, 0)}
    assert counts[200] == 1
    assert all(100 <= counts[status] < 140 for status in (429, 500, 503, 0))
    assert {len(one.body) for one in samples if one.status == 500} == {1024}
    assert {one.fault for one in samples if not one.status} == {"ConnectionResetError"}


def test_reply_that_lacks_a_header_is_kept_whatever_its_turn() -> None:
    """One in a thousand replies without what all quiet ones have does not go unseen."""
    sampler = Sampler(Watching(sample_every=60.0, required=("x-frame-options", ID)))
    full = {"x-frame-options": "DENY", ID: "1"}
    for number in range(1000):
        tell(sampler, Answer(headers=full if number != 700 else {ID: "1"}), path=f"/{number}")
    samples, _ = sampler.take()
    assert [one.path for one in samples] == ["/0", "/700"]


def test_ids_of_all_replies_are_compared() -> None:
    """An id that comes again is counted and told, across two takes as well."""
    sampler = Sampler(Watching(id_header=ID))
    for number in range(1000):
        tell(sampler, Answer(headers={ID: str(number)}))
    _, observed = sampler.take()
    assert (observed.ids, observed.repeated) == (1000, 0)
    tell(sampler, Answer(headers={ID: "17"}), path="/again")
    _, observed = sampler.take()
    assert (observed.ids, observed.repeated, observed.repeats) == (0, 1, [f"GET /again: {ID} 17"])


def test_ids_are_remembered_beyond_a_full_generation() -> None:
    """Memory is bounded, and an id that came up to 200,000 replies ago is still known."""
    sampler = Sampler(Watching(id_header=ID))
    for number in range(_GENERATION + 10):
        sampler._identify({ID: str(number)}, None, "GET", "/")
    assert len(sampler._ids) == 10
    tell(sampler, Answer(headers={ID: "11"}))
    assert sampler.take()[1].repeated == 1


def test_id_that_the_client_chose_or_a_cache_kept_is_no_fault() -> None:
    """A request that names its id gets it back, and a stored reply has the id that it was stored with."""
    sampler = Sampler(Watching(id_header=ID))
    chosen = Answer(request=Answer(headers={ID: "mine"}), headers={ID: "mine"})
    for answer in (chosen, chosen, Answer(headers={ID: "mine", "age": "3"})):
        tell(sampler, answer)
    assert sampler.take()[1].repeated == 0
    tell(sampler, Answer(headers={ID: "mine"}))
    assert sampler.take()[1].repeated == 1


def test_clients_are_counted_where_a_quota_is_declared() -> None:
    """What passed before a client's first refusal is told by itself, with when it was asked."""
    sampler = Sampler(Watching(count_clients=True))
    for status in (200, 200, 429, 200, 503):
        tell(sampler, Answer(status), client="127.0.1.1", ago=3600.0)
    tell(sampler, Answer(history=[Answer(302)]), client="")
    tell(sampler, Answer())
    _, observed = sampler.take()
    before, after = observed.clients["127.0.1.1"]
    assert (before.passed, before.refused) == (2, 0)
    assert (after.passed, after.refused, after.unanswered) == (1, 1, 1)
    assert before.began < time.monotonic() - 1800, "it was sent before, by the clock on the wall"
    assert before.ended >= before.began + 3600
    assert (observed.clients[""][0].passed, observed.uncounted) == (2, 1)


def test_nothing_of_clients_is_counted_without_a_quota() -> None:
    """A load without --quota keeps no account of addresses."""
    sampler = Sampler(Watching())
    tell(sampler, Answer(), client="127.0.1.1")
    assert sampler.take()[1].clients == {}


def test_users_that_speak_no_http_are_left_alone() -> None:
    """A reply of which only the status is told is judged by nothing."""
    sampler = Sampler(Watching(id_header=ID, required=(ID,), count_clients=True))
    tell(sampler, Answer(400, headers=None))
    tell(sampler, Answer(0, headers=None))
    assert sampler.take()[0] == []


def test_long_run_keeps_few_samples() -> None:
    """Replies are kept ever more rarely: an hour of load is told by a few thousand."""
    sampler = Sampler(Watching(sample_every=0.05))
    pace, kept, now = sampler._ordinary, 0, 0.0
    while now < 3600:
        if now >= pace.next:
            pace.keep(now)
            kept += 1
        now += 0.01
    assert 2000 < kept < 3000


def test_samples_go_to_the_parent_with_the_next_delta(tmp_path: Path) -> None:
    """What is kept, and what is looked for, survives the way between the two processes."""
    sampler = Sampler(Watching(id_header=ID, count_clients=True))
    tell(sampler, Answer(503, headers={ID: "é", "Retry-After": "1"}, content=b"\xff{"), client="127.0.1.1")
    delta = Delta()
    delta.samples, delta.observed = sampler.take()
    again = Delta.from_line(delta.to_line())
    assert (again.samples, again.observed) == (delta.samples, delta.observed)
    assert ("retry-after", "1") in again.samples[0].headers
    plan = Plan(duration=1.0, watching=Watching(id_header=ID, required=("a", "b"), count_clients=True))
    plan.write(tmp_path / "plan.json")
    assert Plan.read(tmp_path / "plan.json") == plan


def test_long_search_for_the_capacity_keeps_what_is_rare() -> None:
    """However many replies are kept in all, refusals that come late are among them."""
    account = Account()
    for step in range(30):
        ordinary = [Sample(at=step, method="GET", path="/", status=200)] * 400
        refused = [Sample(at=step, method="GET", path="/", status=503)] * (10 if step > 25 else 0)
        account.add(Delta(at=step, samples=[*ordinary, *refused]))
    assert len(account.samples) <= MOST_SAMPLES
    assert sum(one.status == 503 for one in account.samples) == 40
    assert {one.at for one in account.samples} == set(range(30))


def test_sampling_needs_no_locust() -> None:
    """The parent may test it: nothing that patches the process is imported for it."""
    script = (
        "import sys, garrison_harness.load.driving.sampling, garrison_harness.load.watch.watch\n"
        "print([name for name in ('locust', 'gevent', 'geventhttpclient') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"
