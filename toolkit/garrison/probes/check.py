"""One named check: run once for all who ask at the same time, bounded in time, and remembered briefly."""

from __future__ import annotations

import asyncio
import inspect
import threading
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, cast

from garrison.callables import imported
from garrison.settings import Problem, SettingsError
from garrison.units import Duration
from garrison.wording import render

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a check has found.

    Attributes:
        passed: whether it is fine.
        at: when, on the clock of the check.
        duration: how many seconds it took.
        error: what the check raised; a `TimeoutError` where it took too long; None where it raised nothing.
    """

    passed: bool
    at: float
    duration: float
    error: Exception | None = None


class Check:
    """Asks a function whether something is fine, such as a database.

    It is fine unless the function raises, returns False, or takes too long. A function that is no coroutine
    function runs in a thread of its own; while one of these hangs no second one is started.

    Args:
        name: how it is called in events and details.
        function: the check, without arguments.
        timeout: how many seconds it may take.
        lifetime: how many seconds a result counts.
        clock: seconds that never go back.

    Attributes:
        name: how it is called.
        result: the last one; None before the first.
    """

    def __init__(
        self,
        name: str,
        function: Callable[[], object],
        timeout: float,
        lifetime: float,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.name = name
        self.result: Result | None = None
        self._function = function
        self._timeout = timeout
        self._lifetime = lifetime
        self._clock = clock
        self._run: asyncio.Task[Result] | None = None
        self._hangs: asyncio.Future[object] | None = None

    async def ask(self) -> Result:
        """The last result while it counts, and otherwise a new one, which everybody who asks shares."""
        result = self.result
        if result is not None and self._clock() - result.at < self._lifetime:
            return result
        run = self._run
        if run is None or run.done() or run.get_loop() is not asyncio.get_running_loop():
            run = self._run = asyncio.create_task(self._ask())
        # Whoever stops waiting does not stop the check for the others.
        return await asyncio.shield(run)

    async def _ask(self) -> Result:
        started = self._clock()
        passed = False
        error: Exception | None = None
        try:
            async with asyncio.timeout(self._timeout) as limit:
                passed = await self._call() is not False
        except TimeoutError as late:
            # That of the limit says nothing; the check's own may.
            told = f"took longer than {render(self._timeout, Duration)}"
            error = TimeoutError(told) if limit.expired() else late
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Something that the check waited for was cancelled, and not the check.
            error = RuntimeError("cancelled")
        except Exception as failure:  # noqa: BLE001 - whatever a check raises is its answer
            error = failure
        now = self._clock()
        self.result = Result(passed=passed, at=now, duration=now - started, error=error)
        return self.result

    async def _call(self) -> object:
        if self._is_async():
            return await cast("Awaitable[object]", self._function())
        if self._hangs is None or self._hangs.done():
            self._hangs = in_thread(self._function)
        found = await asyncio.shield(self._hangs)
        # A plain function may give something to wait for, as a partial or a lambda does.
        return await found if inspect.isawaitable(found) else found

    def _is_async(self) -> bool:
        function = self._function
        return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004 - of an object that can be called
        )


def imported_check(text: str, setting: str) -> Callable[[], object]:
    """Import a check that a setting names.

    Args:
        text: an import string.
        setting: how the setting is called, for the error.

    Raises:
        SettingsError: it cannot be imported, or cannot be called without arguments.
    """
    function = imported(text, setting)
    needed: list[str] = []
    with suppress(TypeError, ValueError):  # compiled code may have no signature
        needed += (one.name for one in inspect.signature(function).parameters.values() if _is_needed(one))
    if needed:
        expected, hint = "a function without arguments", f"This one needs {', '.join(needed)}."
        raise SettingsError([Problem(name=setting, expected=expected, found=text, hint=hint)])
    return function


def _is_needed(parameter: inspect.Parameter) -> bool:
    return parameter.default is parameter.empty and parameter.kind not in {
        parameter.VAR_POSITIONAL,
        parameter.VAR_KEYWORD,
    }


def in_thread(function: Callable[[], object]) -> asyncio.Future[object]:
    """Run a function in a thread that keeps nobody from exiting, as those of an executor do.

    Args:
        function: without arguments.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[object] = loop.create_future()

    def settle(value: object, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
            # Nobody may be waiting any more, and that is no news.
            future.exception()
        else:
            future.set_result(value)

    def run() -> None:
        value, error = None, None
        try:
            value = function()
        except Exception as failure:  # noqa: BLE001 - whatever a check raises is its answer
            error = failure
        except BaseException as failure:  # noqa: BLE001 - SystemExit in a thread ends nothing but the thread
            error = RuntimeError(f"{type(failure).__qualname__}: {failure}")
        with suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(settle, value, error)

    thread = threading.Thread(target=partial(copy_context().run, run), daemon=True, name="garrison-check")
    thread.start()
    return future
