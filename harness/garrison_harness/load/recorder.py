"""Keeps the tally while Locust runs; for the load process only, since Locust patches who imports it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gevent import GreenletExit
from locust.exception import CatchResponseError, StopUser

from garrison_harness.load.tally import TOO_MANY_REQUESTS, Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from gevent import Greenlet


def describe(error: BaseException | None) -> str:
    """The type and the first words of an exception, on one line."""
    text = shorten(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def shorten(error: BaseException | None) -> str:
    """The first words of an exception, on one line."""
    return " ".join(str(error).split())[:100]


def path_of(url: object) -> str:
    """Path and query of a URL, printable; empty where it is none, as users of other protocols have."""
    if not isinstance(url, str):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return path if path.isprintable() else ascii(path)[1:-1]


class Recorder:
    """Listens to Locust's events: its own statistics round latencies to milliseconds.

    Attributes:
        tally: What the requests came to so far.
        closed: No more requests are to be started.
        stopped: The run is ended before its time.
        under_way: Requests that are being sent or waited for.
        last: When the last request ended, by `time.perf_counter`; 0 before the first.
    """

    def __init__(self, expected: tuple[int, ...]) -> None:
        self.tally = Tally()
        self.closed = False
        self.stopped = False
        self.under_way = 0
        self.last = 0.0
        # A status that Locust calls an error, and that is none here unless the locustfile says so.
        self._orderly = {*expected, TOO_MANY_REQUESTS}

    def on_request(
        self,
        *,
        response_time: float,
        response: Any = None,
        url: str | None = None,
        exception: Exception | None = None,
        **_event: Any,
    ) -> None:
        """Count one request; `response_time` is in milliseconds, with a fraction, and `url` is absolute."""
        status = getattr(response, "status_code", 0) or 0
        error = None
        if isinstance(exception, CatchResponseError):
            error = shorten(exception)  # the locustfile's own words
        elif exception is not None and status not in self._orderly:
            error = f"HTTP {status}" if status >= 400 else type(exception).__name__
        self.tally.reply(response_time / 1000, status=status, error=error, path=path_of(url))
        self.last = time.perf_counter()

    def on_user_error(self, *, exception: Exception, **_event: Any) -> None:
        """Count a task that ended in an exception."""
        self.tally.task_error(f"in a task: {describe(exception)}")

    def on_spawn_failure(self, spawning: Greenlet[..., object]) -> None:
        """Count that no more users were started, because one could not be."""
        self.tally.task_error(f"starting users: {describe(spawning.exception)}")

    def account(self, request: Callable[..., Any]) -> Callable[..., Any]:
        """A user's `request` that starts nothing after the end, and counts what the end cuts off.

        Locust kills a user that it saw waiting, even if a request has begun since, and forgets what it cuts
        off: a frozen target would look fast, and free of errors.
        """

        def accounted(*arguments: Any, **options: Any) -> Any:
            if self.closed:
                raise StopUser
            self.under_way += 1
            started = time.perf_counter()
            try:
                return request(*arguments, **options)
            except GreenletExit:
                # As Locust's clients take them: the method, then a path or a URL.
                url = options.get("url", arguments[1] if len(arguments) > 1 else None)
                self._on_cut_off(time.perf_counter() - started, path_of(url))
                raise
            finally:
                self.under_way -= 1

        return accounted

    def _on_cut_off(self, seconds: float, path: str) -> None:
        # What a person cut off says nothing about the target.
        if not self.stopped:
            self.tally.unfinished(seconds, path)
            self.last = time.perf_counter()
