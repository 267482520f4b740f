"""Ends the tool where it can end when it is told to, and nowhere else.

A signal handler that raises does so between any two instructions. In `subprocess.Popen.poll` that leaves a
lock held which everybody who waits for the process then waits for; in a pool of threads it leaves a future
that never ends. So the handlers here only take note, and what waits looks.
"""

from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import FIRST_EXCEPTION, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future
    from types import FrameType

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SLICE: Final = 0.05  # seconds between two looks


@dataclass(slots=True)
class _Told:
    """What signals have said to this process; there is one, as there is one of each signal's handlers.

    Attributes:
        times: How often it was told to end.
        raises: A signal interrupts whatever is under way, because it may take any time.
    """

    times: int = 0
    raises: bool = False


_told: Final = _Told()


@contextmanager
def termination_interrupts() -> Iterator[None]:
    """While inside, SIGINT, SIGTERM and SIGHUP are noted, and end every wait of the harness.

    What was noted is forgotten afterwards. In another thread than the main one it does nothing, as Python
    knows of signals in that one only.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def note(_number: int, _frame: FrameType | None) -> None:
        _told.times += 1
        if _told.raises:
            _told.raises = False
            raise KeyboardInterrupt

    # A signal that is ignored stays so: that is how nohup keeps a tool running.
    numbers = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _told.times = 0


@contextmanager
def at_once(*, anew: bool = False) -> Iterator[None]:
    """While inside, a signal interrupts whatever runs: code of others, which looks at nothing of ours.

    Args:
        anew: What was noted before does not count, as when what was found until then is still to be told.

    Raises:
        KeyboardInterrupt: The process was told to end.
    """
    _told.raises = True
    try:
        if not anew:
            check()
        yield
    finally:
        _told.raises = False


def noticed() -> bool:
    """Whether the process was told to end."""
    return _told.times > 0


def insisted() -> bool:
    """Whether it was told so again, by somebody who does not want to wait for an orderly end."""
    return _told.times > 1


def check() -> None:
    """Go on, unless the process was told to end.

    Raises:
        KeyboardInterrupt: It was.
    """
    if noticed():
        raise KeyboardInterrupt


def pause(seconds: float) -> None:
    """Wait.

    Raises:
        KeyboardInterrupt: The process was told to end.
    """
    until = time.monotonic() + seconds
    check()
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(_SLICE, left))
        check()


def settle(futures: Iterable[Future[Any]], timeout: float | None = None) -> None:
    """Wait until all of them are done.

    Args:
        futures: What is under way.
        timeout: Seconds; None for as long as it takes.

    Raises:
        Exception: What one of them raised.
        KeyboardInterrupt: The process was told to end.
        TimeoutError: They took longer.
    """
    until = None if timeout is None else time.monotonic() + timeout
    pending = set(futures)
    while pending:
        left = _SLICE if until is None else min(_SLICE, max(0.0, until - time.monotonic()))
        done, pending = wait(pending, left, FIRST_EXCEPTION)
        for future in done:
            future.result()
        check()
        if pending and until is not None and time.monotonic() >= until:
            raise TimeoutError
