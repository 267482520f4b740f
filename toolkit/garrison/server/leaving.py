"""The end of a process whose app has left threads that go on."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading

_log = logging.getLogger("garrison")


def leave_after(seconds: float) -> None:
    """End this process with status 0 if it has not ended by then.

    Python joins all threads before a process ends, and a handler that was cancelled goes on in its own.

    Args:
        seconds: for threads to come to an end.
    """
    timer = threading.Timer(seconds, _leave)
    timer.daemon = True
    timer.start()


def _leave() -> None:
    names = [
        thread.name
        for thread in threading.enumerate()
        if not thread.daemon and thread is not threading.main_thread()
    ]
    _log.warning("threads_left", extra={"threads": ", ".join(names)})
    # What is not yet written or exported is registered there. No interpreter's end will call it any more.
    atexit._run_exitfuncs()  # noqa: SLF001 - as multiprocessing does before it leaves
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)
