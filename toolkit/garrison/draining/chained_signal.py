"""Puts the drain between SIGTERM and a server that would end at once."""

from __future__ import annotations

import asyncio
import signal
import threading
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from garrison.events import EventLog
    from garrison.lifecycle import Lifecycle

# How long replies still close their connections one by one, and endless ones end, before the server closes
# what is idle; a client whose request crosses that would not get a reply.
LINGER: Final = 1.0


class ChainedSignal:
    """Handles SIGTERM in front of uvicorn's own handler, which gets it when the drain delay is over.

    A second SIGTERM goes to uvicorn's handler at once. SIGINT stays uvicorn's, so that Ctrl-C does not wait.

    Args:
        lifecycle: of the process.
        log: where the events `draining` and `signals_not_chained` go.
    """

    def __init__(self, lifecycle: Lifecycle, log: EventLog) -> None:
        self._lifecycle = lifecycle
        self._log = log
        self._server: Callable[[int, FrameType | None], Any] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = False

    def install(self) -> None:
        """Take SIGTERM over; to be called in the event loop's thread when the app has started."""
        before = signal.getsignal(signal.SIGTERM)
        if _is_ours(before) or before == self._handle:
            return
        if threading.current_thread() is not threading.main_thread() or not _is_uvicorns(before):
            self._log.emit(
                "warning",
                "signals_not_chained",
                {"reason": "SIGTERM is not handled by uvicorn in this thread; use a drain file instead"},
            )
            return
        assert callable(before)  # noqa: S101 - for the type checker: a method of uvicorn's server
        self._server = before
        self._loop = asyncio.get_running_loop()
        signal.signal(signal.SIGTERM, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        loop, server = self._loop, self._server
        if server is None:
            return
        if self._told or loop is None or loop.is_closed():
            server(number, frame)
            return
        self._told = True
        # Not in the context of the request that the signal happens to interrupt.
        loop.call_soon_threadsafe(self._begin, loop, number, context=Context())

    def _begin(self, loop: asyncio.AbstractEventLoop, number: int) -> None:
        lifecycle = self._lifecycle
        self._log.emit("info", "draining", {"seconds": lifecycle.drain_delay})
        lifecycle.drain(loop)
        seconds = min(lifecycle.drain_delay + LINGER, lifecycle.remaining())
        loop.call_later(seconds, self._hand_on, number)

    def _hand_on(self, number: int) -> None:
        if self._server is not None:
            self._server(number, None)


def _is_uvicorns(handler: object) -> bool:
    """Whether a handler is a method of uvicorn's server, or of one that is made of it."""
    owner = getattr(handler, "__self__", None)
    return any(cls.__module__.partition(".")[0] == "uvicorn" for cls in type(owner).__mro__)


def _is_ours(handler: object) -> bool:
    """Whether `garrison run` handles it, which drains by itself."""
    owner = getattr(handler, "__self__", None)
    return type(owner).__module__.startswith("garrison.server")
