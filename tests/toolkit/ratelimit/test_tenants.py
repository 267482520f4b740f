"""Quotas of tenants: asked for once, remembered for a while, and never made up."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.ratelimit.quota import Quota, parse_quotas
from garrison.ratelimit.tenants import UNKNOWN, TenantQuotas

if TYPE_CHECKING:
    from collections.abc import Callable

SETTING = "GARRISON_RATE_LIMIT_LIMITS"


class Desk:
    """Knows the quotas of tenants, and counts who asks; an async one answers when it is told to.

    Attributes:
        asked: tenants, in the order of the questions.
        answers: tenant to answer; an exception is raised.
    """

    def __init__(self, **answers: object) -> None:
        self.asked: list[str] = []
        self.answers = answers
        self._open = asyncio.Event()

    def now(self, *who: str) -> object:
        """Answer at once."""
        self.asked.append("+".join(who))
        answer = self.answers.get(who[0], "100/minute")
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def later(self, *who: str) -> object:
        """Answer once the desk is open."""
        self.asked.append("+".join(who))
        await self._open.wait()
        answer = self.answers.get(who[0], "100/minute")
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def open(self) -> None:
        """Let all answers go."""
        self._open.set()


class Scene:
    """Quotas of tenants, and a clock that the test moves."""

    def __init__(self, call: Callable[..., object], *, bound: int = 100) -> None:
        self.now = 1000.0
        self.tenants = TenantQuotas(
            call, "fixed-window", setting=SETTING, ttl=60, bound=bound, clock=lambda: self.now
        )

    def ask(self, *who: str) -> tuple[Quota, ...] | None:
        """One question, in a loop of its own."""
        return asyncio.run(self.tenants.quotas_for(*who))


def test_a_tenant_has_what_the_callable_says() -> None:
    """The callable gets the parts of the identity, and its text is read as every other quota is."""
    desk = Desk(acme="1000/hour; 20/second as burst", free=None)
    scene = Scene(desk.now)
    assert scene.ask("acme", "192.0.2.7") == parse_quotas("1000/hour; 20/second as burst", "fixed-window")
    assert scene.ask("free") is None
    assert desk.asked == ["acme+192.0.2.7", "free"]


def test_an_async_callable_is_waited_for() -> None:
    """A callable that asks a database is as good as one that knows."""
    desk = Desk(acme="5/minute", free=None)
    desk.open()
    scene = Scene(desk.later)
    assert scene.ask("acme") == parse_quotas("5/minute", "fixed-window")
    assert scene.ask("free") is None


def test_answers_are_remembered_for_a_while() -> None:
    """A tenant is asked for once in a minute, also one without quotas, and gets a new plan after that."""
    desk = Desk(acme="5/minute", free=None)
    scene = Scene(desk.now)
    first = scene.ask("acme")
    scene.ask("free")
    desk.answers["acme"] = "6/minute"
    scene.now += 59.9
    assert scene.ask("acme") is first
    assert scene.tenants.cached("acme") is first
    assert scene.tenants.cached("free") is None
    scene.now += 0.1
    assert scene.tenants.cached("acme") is UNKNOWN
    assert scene.ask("acme") == parse_quotas("6/minute", "fixed-window")
    assert desk.asked == ["acme", "free", "acme"]


def test_tenants_of_one_plan_share_it() -> None:
    """The same text is the same tuple, for every tenant and at any time, because stores know it by sight."""
    scene = Scene(Desk().now)
    first = scene.ask("one")
    assert scene.ask("two") is first
    scene.now += 1000
    assert scene.ask("one") is first


def test_what_was_not_asked_is_not_known() -> None:
    """Looking asks nobody."""
    desk = Desk()
    scene = Scene(desk.now)
    assert scene.tenants.cached("acme") is UNKNOWN
    assert desk.asked == []


@pytest.mark.parametrize("name", ["now", "later"])
def test_who_asks_at_once_gets_one_answer(name: str) -> None:
    """Fifty requests of a tenant whose quotas are not known ask for them once."""

    async def run() -> None:
        desk = Desk()
        scene = Scene(getattr(desk, name))
        asking = [asyncio.create_task(scene.tenants.quotas_for("acme")) for _ in range(50)]
        asking.append(asyncio.create_task(scene.tenants.quotas_for("other")))
        await asyncio.sleep(0)
        desk.open()
        found = await asyncio.gather(*asking)
        assert all(quotas is found[0] for quotas in found)
        assert desk.asked == ["acme", "other"]
        assert scene.tenants._asking == {}

    asyncio.run(run())


def test_who_gives_up_takes_nothing_from_the_others() -> None:
    """When the client goes that asked first, those that wait with it get their answer all the same."""

    async def run() -> None:
        desk = Desk()
        scene = Scene(desk.later)
        first, second = [asyncio.create_task(scene.tenants.quotas_for("acme")) for _ in range(2)]
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first])
        third = asyncio.create_task(scene.tenants.quotas_for("acme"))
        await asyncio.sleep(0)
        desk.open()
        assert first.cancelled()
        assert await second is await third
        assert desk.asked == ["acme"]

    asyncio.run(run())


def test_an_answer_that_nobody_waits_for_is_remembered() -> None:
    """When every client has gone the answer is kept for the next one, and a failure is no complaint."""
    complaints: list[object] = []

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, found: complaints.append(found))
        desk = Desk(broken=5)
        scene = Scene(desk.later)
        asking = [asyncio.create_task(scene.tenants.quotas_for(who)) for who in ("acme", "broken")]
        await asyncio.sleep(0)
        while asking:
            asking[-1].cancel()
            await asyncio.wait([asking.pop()])
        desk.open()
        await asyncio.sleep(0.01)
        assert scene.tenants.cached("acme") == parse_quotas("100/minute", "fixed-window")
        gc.collect()

    asyncio.run(run())
    assert complaints == []


@pytest.mark.parametrize("name", ["now", "later"])
def test_a_failure_is_everybodys_and_not_remembered(name: str) -> None:
    """Whoever asks while the callable fails hears of it, and the next one asks again."""

    async def run() -> None:
        desk = Desk(acme=OSError("no database"))
        desk.open()
        scene = Scene(getattr(desk, name))
        found = await asyncio.gather(
            *(scene.tenants.quotas_for("acme") for _ in range(3)), return_exceptions=True
        )
        assert [str(error) for error in found] == ["no database"] * 3
        del desk.answers["acme"]
        assert await scene.tenants.quotas_for("acme") is not None

    asyncio.run(run())


def test_a_cancelled_callable_is_a_failure() -> None:
    """A callable whose own work was cancelled must not make the request look as if its client had gone."""

    async def run() -> None:
        desk = Desk(acme=asyncio.CancelledError())
        desk.open()
        scene = Scene(desk.later)
        with pytest.raises(RuntimeError, match=f"^{SETTING}: .*:Desk.later was cancelled$"):
            await scene.tenants.quotas_for("acme")
        del desk.answers["acme"]
        assert await scene.tenants.quotas_for("acme") is not None

    asyncio.run(run())


def test_who_is_cancelled_with_the_callable_is_cancelled() -> None:
    """When the event loop ends, a request ends with it, and is no failure."""

    async def run() -> None:
        scene = Scene(Desk().later)
        asker = asyncio.create_task(scene.tenants.quotas_for("acme"))
        await asyncio.sleep(0)
        for task in scene.tenants._asking.values():
            task.cancel()
        await asyncio.sleep(0)
        asker.cancel()
        await asyncio.wait([asker])
        assert asker.cancelled()

    asyncio.run(run())


@pytest.mark.parametrize("name", ["now", "later"])
@pytest.mark.parametrize(
    ("answer", "error", "found"),
    [
        (100, TypeError, "Desk.{} to return quotas such as '1000/hour; 20/second', or None .*, found 100$"),
        (b"5/minute", TypeError, "found b'5/minute'$"),
        (parse_quotas("5/minute"), TypeError, r"found \(Quota\("),
        ("5/fortnight", ValueError, "Desk.{} to return a quota such as 100/minute .*, found '5/fortnight'$"),
        ("", ValueError, "found ''$"),
    ],
)
def test_an_answer_that_is_none_is_told(
    answer: object, error: type[Exception], found: str, name: str
) -> None:
    """What is no text, or in no notation, is an error that names the setting, the callable and the answer."""
    desk = Desk(acme=answer)
    desk.open()
    scene = Scene(getattr(desk, name))
    with pytest.raises(error, match=f"^{SETTING}: expected .*:?{found.format(name)}"):
        scene.ask("acme")
    assert scene.tenants.cached("acme") is UNKNOWN


def test_a_callable_without_a_name_is_called_by_its_type() -> None:
    """An object that is called like a function is found in an error message too."""

    class Plans:
        def __call__(self, *who: str) -> int:
            return 5

    with pytest.raises(TypeError, match=r"test_tenants:.*Plans to return quotas"):
        Scene(Plans()).ask("acme")


def test_loops_do_not_wait_for_each_other(caplog: pytest.LogCaptureFixture) -> None:
    """Two loops at once each get an answer, and a loop that ends in the middle leaves nothing behind."""
    desks: list[Desk] = []

    async def call(*who: str) -> object:
        desk = Desk()
        desks.append(desk)
        return await desk.later(*who)

    scene = Scene(call)

    async def give_up() -> None:
        asyncio.create_task(scene.tenants.quotas_for("acme")).add_done_callback(lambda _: None)
        await asyncio.sleep(0.001)

    async def get() -> None:
        asking = asyncio.create_task(scene.tenants.quotas_for("acme"))
        await asyncio.sleep(0.001)
        assert len(desks) == 2
        thread = threading.Thread(target=lambda: asyncio.run(give_up()))
        thread.start()
        await asyncio.to_thread(thread.join)
        assert len(desks) == 3
        desks[1].open()
        assert await asking is not None

    asyncio.run(give_up())
    assert scene.tenants._asking == {}
    asyncio.run(get())
    assert scene.tenants._asking == {}
    assert caplog.records == []


@given(st.lists(st.one_of(st.sampled_from("abcd"), st.integers(1, 70)), max_size=50))
def test_memory_is_what_a_plain_list_would_be(moves: list[str | int]) -> None:
    """In any order of questions a tenant is asked for exactly when no answer is held, of two at most."""
    desk = Desk()
    scene = Scene(desk.now, bound=2)
    held: list[tuple[str, float]] = []

    async def run() -> None:
        for move in moves:
            if isinstance(move, int):
                scene.now += move
                continue
            times = [since for who, since in held if who == move]
            known = bool(times) and scene.now < times[0] + 60
            assert (scene.tenants.cached(move) is UNKNOWN) != known
            before = len(desk.asked)
            await scene.tenants.quotas_for(move)
            assert len(desk.asked) == before + (not known)
            if not known:
                held[:] = [*((who, since) for who, since in held if who != move), (move, scene.now)][-2:]
            assert len(scene.tenants) == len(held)

    asyncio.run(run())
