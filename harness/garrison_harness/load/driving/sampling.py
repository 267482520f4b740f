"""Keeps a share of the replies, and looks at each for what it must have; for the load process."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from garrison_harness.load.driving.url_paths import path_of
from garrison_harness.load.sample import BODY_LENGTH, Sample
from garrison_harness.load.watch.observed import MOST_CLIENTS, MOST_REPEATS, Observed
from garrison_harness.load.watch.stretch import Stretch
from garrison_harness.load.watch.watching import CLIENT, KEPT_HEADERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from locust import User

    from garrison_harness.load.watch.watching import Watching

_GENERATION = 200_000
"""Ids that are remembered, and as many from before them: twice the same comes soon, or is no accident."""

_ORDINARY = 300  # replies that are kept, after which the next ones are kept half as often
_ERRORS = 100  # the same, for errors of one status; the first of them are all kept
_ERRORS_EVERY = 0.2  # seconds between two of them from then on, and longer later


class _Pace:
    """How often replies of one kind are kept: ever less, so that an hour keeps little more than a minute."""

    __slots__ = ("_every", "_left", "_most", "_then", "next")

    def __init__(self, every: float, most: int, then: float) -> None:
        self.next = 0.0
        self._every = every
        self._left = self._most = most
        self._then = then

    def keep(self, now: float) -> None:
        self.next = now + self._every
        self._left -= 1
        if not self._left:
            self._left = self._most
            self._every = max(2 * self._every, self._then)


class Sampler:
    """Listens to Locust's event of a request."""

    def __init__(self, watching: Watching, *, clients: int = MOST_CLIENTS) -> None:
        """Look for what a run has to keep.

        Args:
            watching: What that is.
            clients: Of how many clients the requests are counted, at most.
        """
        self._watching = watching
        self._most_clients = clients
        self._required = frozenset(watching.required)
        self._ordinary = _Pace(watching.sample_every, _ORDINARY, then=0.0)
        self._others: dict[int | str, _Pace] = {}
        self._samples: list[Sample] = []
        self._observed = Observed()
        self._ids: set[int] = set()
        self._older: set[int] = set()
        self._clients: set[str] = set()
        self._refused: set[str] = set()
        self._began = 0.0
        self._wall_ahead = 0.0
        self.begin()

    def begin(self) -> None:
        """Count time from now on."""
        self._began = time.monotonic()
        # Locust tells by the clock on the wall when a request was sent.
        self._wall_ahead = time.time() - self._began

    def know(self, user: User, address: str) -> None:
        """Let a user tell with each of its requests from which address it speaks.

        Args:
            user: Before it makes any request.
            address: Its own; empty for the one that the system picks, which others have too.
        """
        if self._watching.count_clients:
            usual = user.context
            user.context = lambda: {**usual(), CLIENT: address}  # type: ignore[method-assign]

    def on_request(
        self,
        *,
        request_type: str,
        name: str,
        start_time: float,
        response: Any = None,
        context: Mapping[str, Any] | None = None,
        url: str | None = None,
        exception: BaseException | None = None,
        **_event: Any,
    ) -> None:
        """Look at one reply; `start_time` is when its request was sent, in seconds since the epoch."""
        now = time.monotonic()
        status = getattr(response, "status_code", 0) or 0
        headers = getattr(response, "headers", None)
        if headers is None and (status or getattr(response, "error", None) is None):
            return  # a user that makes no requests of HTTP, or wants nothing judged by its replies
        if self._watching.count_clients:
            self._count(context, start_time - self._wall_ahead, now, response)
        pace = self._ordinary
        if status:
            if self._watching.id_header:
                self._identify(headers, response, request_type, url)
            if self._required and not self._required.issubset(_names(headers)):
                pace = self._other("lacking")
            elif status >= 400:
                pace = self._other(status)
        else:
            pace = self._other(0)
        if now >= pace.next:
            pace.keep(now)
            self._samples.append(_sample(now - self._began, request_type, name, url, response, exception))

    def _other(self, kind: int | str) -> _Pace:
        found = self._others.get(kind)
        if found is None:
            found = self._others[kind] = _Pace(0.0, _ERRORS, then=_ERRORS_EVERY)
        return found

    def _identify(self, headers: Any, response: Any, method: str, url: str | None) -> None:
        name = self._watching.id_header
        found = headers.get(name)
        if not found:
            return
        identity = found if isinstance(found, str) else ", ".join(found)
        key = hash(identity)
        if key in self._ids or key in self._older:
            # What came out of a cache, or was chosen by the client, is no second reply of the same id.
            if "age" not in headers and _asked_with(response, name) != identity:
                self._observed.repeated += 1
                if len(self._observed.repeats) < MOST_REPEATS:
                    self._observed.repeats.append(f"{method} {path_of(url)}: {name} {identity}"[:100])
            return
        self._observed.ids += 1
        self._ids.add(key)
        if len(self._ids) >= _GENERATION:
            self._older, self._ids = self._ids, set()

    def _count(self, context: Mapping[str, Any] | None, sent: float, at: float, response: Any) -> None:
        client = context.get(CLIENT) if context else None
        if client is None:
            self._observed.uncounted += 1
            return
        if client not in self._clients:
            if len(self._clients) >= self._most_clients:
                return
            self._clients.add(client)
        stretches = self._observed.clients.get(client)
        if stretches is None:
            stretches = self._observed.clients[client] = [Stretch(began=sent, ended=at)]
        status = getattr(response, "status_code", 0) or 0
        # A redirect that was followed was a request of its own.
        for _ in getattr(response, "history", None) or ():
            stretches[-1].add(sent=sent, at=at, status=302)
        if status == 429 and client not in self._refused:
            # What passed before the first refusal is told by itself: it has to be the quota to the letter.
            self._refused.add(client)
            stretches.append(Stretch(began=sent, ended=at))
        stretches[-1].add(sent=sent, at=at, status=status)

    def take(self) -> tuple[list[Sample], Observed]:
        """What was kept and observed since the last time."""
        taken = self._samples, self._observed
        self._samples, self._observed = [], Observed()
        return taken


def _names(headers: Any) -> Iterable[str]:
    # FastHttpUser's headers are a dictionary by names in lower case; those of HttpUser are not.
    return headers if isinstance(headers, dict) else {name.lower() for name in headers}


def _asked_with(response: Any, name: str) -> object:
    """The header of the request that was answered."""
    sent = getattr(getattr(response, "request", None), "headers", None)
    return sent.get(name) if sent else None


def _sample(
    at: float, method: str, name: str, url: str | None, response: Any, exception: BaseException | None
) -> Sample:
    status = getattr(response, "status_code", 0) or 0
    found = response.headers.items() if status else ()
    headers = tuple((key.lower(), value) for key, value in found if key.lower() in KEPT_HEADERS)
    content = response.content if status >= 400 else b""
    return Sample(
        at=at,
        method=method,
        path=path_of(url),
        name=name,
        status=status,
        headers=headers,
        body=(content or b"")[:BODY_LENGTH].decode("utf-8", "replace"),
        fault=type(exception).__name__ if exception is not None and not status else "",
    )
