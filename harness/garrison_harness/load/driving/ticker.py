"""A timer for the hub that is late by microseconds; gevent's own is late by most of a millisecond.

The event loop waits with epoll, in whole milliseconds rounded up. Linux has timers that are files
(timerfd_create(2)), and epoll returns at once when one of them expires.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from gevent import get_hub

if TYPE_CHECKING:
    from collections.abc import Callable

_CLOCK_MONOTONIC = 1  # that of time.monotonic
_ABSOLUTE = 1  # TFD_TIMER_ABSTIME
_READABLE = 1


class _Time(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Setting(ctypes.Structure):
    _fields_ = (("interval", _Time), ("value", _Time))


class Ticker:
    """Calls back in the hub at a time; the callback must not block."""

    def __init__(self, callback: Callable[[], None]) -> None:
        """Make a timer that is not set yet."""
        self._callback = callback
        self._libc = ctypes.CDLL(None) if sys.platform == "linux" else None
        self._watcher: Any = None
        self._file = -1
        if self._libc is not None:
            self._file = self._libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._file >= 0:
            self._setting = _Setting()
            self._watcher = get_hub().loop.io(self._file, _READABLE)
            self._watcher.start(callback)

    def at(self, moment: float) -> None:
        """Call back at `moment`, by `time.monotonic`, or at once if it is past; a later call sets it anew."""
        if self._file < 0:
            self._stop()
            self._watcher = get_hub().loop.timer(max(0.0, moment - time.monotonic()))
            self._watcher.start(self._callback)
            return
        value = self._setting.value
        value.seconds = int(moment)
        # Nought would disarm it. Setting it forgets that it expired before, so that nothing has to be read.
        value.nanoseconds = max(1, int((moment - int(moment)) * 1e9))
        assert self._libc is not None  # noqa: S101 - for the type checker
        self._libc.timerfd_settime(self._file, _ABSOLUTE, ctypes.byref(self._setting), None)

    def close(self) -> None:
        """Call back no more."""
        self._stop()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _stop(self) -> None:
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            self._watcher = None
