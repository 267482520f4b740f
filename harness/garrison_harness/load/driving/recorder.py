"""Keeps the tally while Locust runs; for the load process only, since Locust patches who imports it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from gevent import GreenletExit, getcurrent
from locust.exception import CatchResponseError, StopUser

from garrison_harness.load.driving.url_paths import path_of
from garrison_harness.load.names import IN_TASKS, MOST_NAMES, place
from garrison_harness.load.tally import TOO_MANY_REQUESTS, Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gevent import Greenlet


def describe(error: BaseException | None) -> str:
    """The type and the first words of an exception, on one line."""
    text = shorten(error)
    return f"{type(error).__name__}: {text}" if text else name_of(error)


def name_of(error: BaseException | None) -> str:
    """The type of an exception, with what else it takes to know what happened.

    That is the module for a name such as that of `zlib.error`, and the system's words for one that only says
    that the system refused something.
    """
    kind = type(error)
    if kind is OSError and isinstance(error, OSError) and error.strerror:
        return f"OSError: {error.strerror}"
    return f"{kind.__module__}.{kind.__name__}" if kind.__name__.islower() else kind.__name__


def shorten(error: BaseException | None) -> str:
    """The first words of an exception, on one line."""
    return " ".join(str(error).split())[:100]


class Recorder:
    """Listens to Locust's events: its own statistics round latencies to milliseconds.

    Attributes:
        names: What the requests came to since they were last taken, by name.
        tags: The same, by tag.
        closed_at: When the last requests had to be started, by `time.monotonic`; None before.
        stopped: The run is ended before its time.
        under_way: Requests that are being sent or waited for.
        resent: Requests that were sent again since one last ended.
        last: When the last request ended, by `time.monotonic`; 0 before the first.
    """

    def __init__(self, expected: tuple[int, ...]) -> None:
        self.names: dict[str, Tally] = {}
        self.tags: dict[str, Tally] = {}
        self.closed_at: float | None = None
        self.stopped = False
        self.under_way = 0
        self.resent = 0
        self.last = 0.0
        # How long the arrival waited whose task a greenlet runs, until the task's first request.
        self._waited: dict[object, float] = {}
        # The tallies of `names`, by what Locust tells: one look-up per request instead of a new string.
        self._places: dict[tuple[str, str], Tally] = {}
        # A status that Locust calls an error, and that is none here unless the locustfile says so.
        self._orderly = {*expected, TOO_MANY_REQUESTS}

    @property
    def closed(self) -> bool:
        """Whether no more requests are to be started."""
        return self.closed_at is not None

    def close(self) -> None:
        """Let no more requests be started."""
        self.closed_at = time.monotonic()

    def on_request(
        self,
        *,
        request_type: str,
        name: str,
        response_time: float,
        response_length: int | None = None,
        response: Any = None,
        context: Mapping[str, Any] | None = None,
        url: str | None = None,
        exception: Exception | None = None,
        **_event: Any,
    ) -> None:
        """Count one request; `response_time` is in milliseconds, with a fraction, and `url` is absolute.

        Its tags are those of the context that the request was made with: `context={"tags": ["write"]}`.
        """
        status = getattr(response, "status_code", 0) or 0
        error, path = None, ""
        if exception is not None and (error := self._error(exception, status)) is not None:
            path = path_of(url)
        seconds, received = response_time / 1000, response_length or 0
        if self._waited:
            seconds += self._waited.pop(getcurrent(), 0.0)
        tally = self._place(request_type, name)
        tally.reply(seconds, status=status, error=error, path=path, received=received)
        if self.resent:
            tally.resent += self.resent
            self.resent = 0
        if context:
            for tag in context.get("tags", ()):
                tally = place(self.tags, tag)
                tally.reply(seconds, status=status, error=error, path=path, received=received)
        self.last = time.monotonic()

    def _error(self, exception: Exception, status: int) -> str | None:
        if isinstance(exception, CatchResponseError):
            return shorten(exception)  # the locustfile's own words
        if status in self._orderly:
            return None
        return f"HTTP {status}" if status >= 400 else name_of(exception)

    def _place(self, request_type: str, name: str) -> Tally:
        tally = self._places.get((request_type, name))
        if tally is None:
            tally = place(self.names, f"{request_type} {name}")
            if len(self._places) < MOST_NAMES:
                self._places[request_type, name] = tally
        return tally

    def arrived(self, waited: float) -> None:
        """Note that a greenlet begins the task of an arrival, so many seconds after its time."""
        self._waited[getcurrent()] = waited

    def left(self, greenlet: object) -> None:
        """Forget a greenlet that ended."""
        self._waited.pop(greenlet, None)

    def on_user_error(self, *, exception: Exception, **_event: Any) -> None:
        """Count a task that ended in an exception."""
        place(self.names, IN_TASKS).task_error(f"in a task: {describe(exception)}")

    def on_spawn_failure(self, spawning: Greenlet[..., object]) -> None:
        """Count that no more users were started, because one could not be."""
        place(self.names, IN_TASKS).task_error(f"starting users: {describe(spawning.exception)}")

    def account(self, request: Callable[..., Any]) -> Callable[..., Any]:
        """A user's `request` that starts nothing after the end, and counts what the end cuts off.

        Locust kills a user that it saw waiting, even if a request has begun since, and forgets what it cuts
        off: a frozen target would look fast, and free of errors.
        """

        def accounted(*arguments: Any, **options: Any) -> Any:
            if self.closed_at is not None:
                raise StopUser
            self.under_way += 1
            started = time.monotonic()
            try:
                return request(*arguments, **options)
            except GreenletExit:
                # As Locust's clients take them: the method, then a path or a URL.
                method, url = (*arguments, *(options.get(name, "") for name in ("method", "url")))[:2]
                name = f"{method} {options.get('name') or url}"
                waited = self._waited.pop(getcurrent(), 0.0)
                self._on_cut_off(waited + time.monotonic() - started, name, path_of(url))
                raise
            finally:
                self.under_way -= 1

        return accounted

    def _on_cut_off(self, seconds: float, name: str, path: str) -> None:
        # What a person cut off says nothing about the target.
        if not self.stopped:
            place(self.names, name).unfinished(seconds, path)
            self.last = time.monotonic()

    def take(self) -> tuple[dict[str, Tally], dict[str, Tally]]:
        """What was counted since the last time, by name and by tag."""
        taken = self.names, self.tags
        self.names, self.tags, self._places = {}, {}, {}
        return taken
