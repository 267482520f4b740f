"""One named check: bounded, shared, remembered."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from garrison.probes.check import Check, imported_check
from garrison.probes.notation import NamedCheck, parse_checks
from garrison.rules import NotationError
from garrison.settings import SettingsError
from tests.toolkit.driver import run
from tests.toolkit.probes.checked import Dependency, cache, database, refuses

if TYPE_CHECKING:
    from collections.abc import Callable

BOTH = pytest.mark.parametrize("function", [database, cache])


@pytest.fixture(autouse=True)
def _fresh() -> None:
    Dependency.reset()


def check(function: Callable[[], object], timeout: float = 1.0, lifetime: float = 60.0) -> Check:
    """A check with that function."""
    return Check("it", function, timeout, lifetime)


@BOTH
def test_a_check_passes_that_raises_nothing(function: Callable[[], object]) -> None:
    """Returning None or True is fine, in a coroutine function as in a plain one."""

    async def main() -> None:
        result = await check(function).ask()
        assert result.passed
        assert result.error is None

    run(main())


@BOTH
def test_a_check_fails_that_raises(function: Callable[[], object]) -> None:
    """What it raised is kept, for whoever may see it."""

    async def main() -> None:
        Dependency.error = ConnectionError("no route to the database")
        result = await check(function).ask()
        assert not result.passed
        assert result.error is Dependency.error

    run(main())


def test_a_check_fails_that_returns_false() -> None:
    """False is no, and so it is behind a partial or a lambda that gives something to wait for."""

    async def no() -> bool:
        return False

    async def main() -> None:
        assert not (await check(refuses).ask()).passed
        assert not (await check(partial(no)).ask()).passed
        assert not (await check(lambda: no()).ask()).passed  # noqa: PLW0108 - the wrapper is the case

    run(main())


@BOTH
def test_a_check_that_takes_too_long_fails_in_time(function: Callable[[], object]) -> None:
    """Whoever asks waits for the timeout and no longer."""

    async def main() -> None:
        Dependency.delay = 60
        began = time.monotonic()
        result = await check(function, timeout=0.05).ask()
        assert time.monotonic() - began < 20
        assert isinstance(result.error, TimeoutError)
        assert str(result.error) == "took longer than 50ms"

    run(main())


@BOTH
def test_a_timeout_of_its_own_is_told_as_it_is(function: Callable[[], object]) -> None:
    """What a driver raises when it has waited is not the end of the time that the check has."""

    async def main() -> None:
        Dependency.error = TimeoutError("no connection within 3 s")
        result = await check(function).ask()
        assert result.error is Dependency.error

    run(main())


@pytest.mark.parametrize("name", ["database", "needs_nothing", "Dependency"])
def test_a_check_that_can_be_called_without_arguments_is_taken(name: str) -> None:
    """Coroutine functions, defaults, and what is called to make an object."""
    assert callable(imported_check(f"tests.toolkit.probes.checked:{name}", "CHECKS"))


def test_compiled_code_is_taken() -> None:
    """It may have no signature to look at."""
    assert imported_check("builtins:dir", "CHECKS") is dir


def test_a_check_that_needs_an_argument_is_refused() -> None:
    """The error says which, because the check would fail each time that it is asked."""
    with pytest.raises(SettingsError) as caught:
        imported_check("tests.toolkit.probes.checked:needs_a_pool", "CHECKS")
    assert str(caught.value) == (
        "CHECKS: expected a function without arguments, found 'tests.toolkit.probes.checked:needs_a_pool'."
        " This one needs pool."
    )


def test_a_sync_check_that_hangs_holds_one_thread() -> None:
    """However often it is asked, no second thread is started, and it is fine when it comes back."""

    async def main() -> None:
        Dependency.delay = 60
        one = check(cache, timeout=0.02, lifetime=0)
        for _ in range(5):
            assert not (await one.ask()).passed
        assert Dependency.asked == 1
        Dependency.reset()
        async with asyncio.timeout(10):
            while not (await one.ask()).passed:
                pass

    run(main())


@BOTH
def test_all_who_ask_share_one_run(function: Callable[[], object]) -> None:
    """A hundred probes at once are one question, and so are those that come soon after."""

    async def main() -> None:
        Dependency.delay = 0.02
        one = check(function)
        results = await asyncio.gather(*(one.ask() for _ in range(100)))
        assert all(result is results[0] for result in results)
        assert await one.ask() is results[0]
        assert Dependency.asked == 1

    run(main())


def test_a_result_counts_for_its_lifetime() -> None:
    """After that the check is asked again; a failure is remembered no longer than a success."""
    now = 0.0
    one = Check("it", database, 1.0, 2.0, clock=lambda: now)

    async def main() -> None:
        nonlocal now
        Dependency.error = OSError("down")
        assert not (await one.ask()).passed
        Dependency.error = None
        now = 1.9
        assert not (await one.ask()).passed
        now = 2.0
        assert (await one.ask()).passed

    run(main())


def test_a_probe_that_goes_away_takes_nobody_along() -> None:
    """The question that a prober has asked is answered for the others when the prober gives up."""

    async def main() -> None:
        Dependency.delay = 0.05
        one = check(database)
        first, second = asyncio.create_task(one.ask()), asyncio.create_task(one.ask())
        await asyncio.sleep(0.01)
        first.cancel()
        assert (await second).passed
        assert first.cancelled()

    run(main())


def test_a_check_that_waits_for_what_is_cancelled_fails() -> None:
    """That is no end of the probe, which has an answer: no."""

    async def main() -> None:
        Dependency.error = asyncio.CancelledError()
        one = check(database)
        assert not (await one.ask()).passed
        assert str((await one.ask()).error) == "cancelled"

    run(main())


def test_an_exit_in_a_check_is_a_failure() -> None:
    """A library that calls `sys.exit` in a sync check does not take the process with it."""

    async def main() -> None:
        Dependency.error = SystemExit(3)
        result = await check(cache).ask()
        assert not result.passed
        assert "SystemExit" in str(result.error)

    run(main())


def test_checks_are_read_with_name_function_and_timeout() -> None:
    """`name=module:function`, and `within` where the usual timeout does not fit."""
    assert parse_checks(
        ("database=shop.health:database", " search = shop.health:probe.search within 250ms")
    ) == (
        NamedCheck(name="database", target="shop.health:database", timeout=None),
        NamedCheck(name="search", target="shop.health:probe.search", timeout=0.25),
    )


@pytest.mark.parametrize(
    "text",
    ["shop.health:database", "=shop:ping", "db=", "db=shop.ping", "d b=shop:ping", "db=shop:ping within soon",
     "db=shop:ping within 0s"],
)  # fmt: skip
def test_what_is_no_check_is_refused(text: str) -> None:
    """The error shows how one looks."""
    with pytest.raises(NotationError, match="such as 'database=shop"):
        parse_checks((text,))


def test_two_checks_of_one_name_are_refused() -> None:
    """Nobody could tell them apart in the log."""
    with pytest.raises(NotationError, match="each name of a check once"):
        parse_checks(("db=shop:one", "db=shop:two"))
