"""Where a check acts step by step: it asks, waits, stops its target, and everything is recorded."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from garrison_harness.exchange import Exchange, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from garrison_harness.exchange import Request
    from garrison_harness.probe import Budget
    from garrison_harness.site import Site

Fact = str | float | None

_SLICE = 0.05  # seconds between two looks at whether the audit was stopped
_MOST_TOGETHER = 64
_LONGEST_WAIT = 10.0  # seconds; a quota that lasts longer is not waited for
_MOST_TURNS = 3


class Asker(Protocol):
    """Whoever can put a request to the target."""

    def ask(self, request: Request, *, source: str | None = None) -> Reply:
        """Send a request and record what comes back; nothing that the target does is an exception."""


class Reached(Protocol):
    """A target that answers: a process that was started here, somebody else's, or an app in this process."""

    @property
    def base_url(self) -> str:
        """Scheme and authority, with no slash at the end."""

    def asker(self, name: str, budget: Budget) -> Asker:
        """Whoever puts requests to it, by the name that TLS asks for and within a budget."""

    def alive(self) -> bool:
        """Whether it can still answer."""

    def exit_status(self) -> int | None:
        """The exit status of its process, None while it runs or where there is none."""

    def log_tail(self, lines: int) -> list[str]:
        """The last lines that it wrote."""

    def log_size(self) -> tuple[int, int]:
        """How much it has written to its two streams so far, in bytes."""

    def log_since(self, start: tuple[int, int]) -> str:
        """What it has written since then."""

    def memory(self) -> int | None:
        """Its resident bytes, None where they are not known."""

    def terminate(self) -> None:
        """Ask it to stop."""


class Pending:
    """A request that is under way."""

    def __init__(self, thread: threading.Thread, replies: list[Reply]) -> None:
        """Take the thread that asks, and the list that it puts the reply into."""
        self._thread = thread
        self._replies = replies

    def alive(self) -> bool:
        """Whether there is no reply yet."""
        return self._thread.is_alive()

    def reply(self) -> Reply:
        """Wait for the reply, which is bounded by the asker."""
        self._thread.join()
        return self._replies[0]


class Stage:
    """What one check may do to its target.

    Attributes:
        site: What is known of the app.
        exchanges: What was asked so far, by label, in the order of asking.
        facts: What the check has noted that no reply tells, by name.
    """

    def __init__(self, *, site: Site, asker: Asker, budget: Budget, number: int, block: str = "") -> None:
        """Set the stage for one check.

        Args:
            site: What is known of the app.
            asker: Sends requests.
            budget: What the audit may still spend.
            number: The check's own, below 256, which tells its addresses from those of others.
            block: The first half of those addresses.
        """
        self.site = site
        self.exchanges: dict[str, Exchange] = {}
        self.facts: dict[str, Fact] = {}
        self._asker = asker
        self._budget = budget
        self._block = f"{block}.{number}"
        self._lock = threading.Lock()
        self._running: Reached | None = None
        self._log_start = (0, 0)

    def on(self, running: Reached | None) -> None:
        """Say which process is behind the target, and begin to keep its log.

        Args:
            running: The process; None where it is somebody else's.
        """
        self._running = running
        self._log_start = running.log_size() if running else (0, 0)

    def use(self, asker: Asker) -> None:
        """Ask through another asker from now on, as with a target of one's own."""
        self._asker = asker

    def ask(self, label: str, request: Request) -> Reply:
        """Send a request, and wait for its reply.

        Where the system has one loopback address only, everybody shares a quota: whoever is turned away waits
        for as long as the reply says, a few seconds at most, and asks again.

        Args:
            label: The name by which the judge finds it, new for each request.
            request: What to send.
        """
        source = self._place(label, request)
        at = time.monotonic()
        reply = self._asker.ask(request, source=source)
        turns = 0
        while not self.site.addresses and reply.status == 429 and request.voice is None:
            turns += 1
            wait = _seconds(reply.get("retry-after"))
            if turns > _MOST_TURNS or wait is None or wait > _LONGEST_WAIT:
                break
            self.pause(wait)
            at = time.monotonic()
            reply = self._asker.ask(request, source=source)
        self.exchanges[label] = Exchange(label=label, request=request, reply=reply, at=at)
        return reply

    def together(self, requests: Mapping[str, Request]) -> dict[str, Reply]:
        """Send several requests at the same time, at most 64 of them.

        Args:
            requests: By label.
        """
        with ThreadPoolExecutor(min(_MOST_TOGETHER, max(1, len(requests)))) as pool:
            for label, request in requests.items():
                self._place(label, request)
            asked = {label: pool.submit(self.ask, label, request) for label, request in requests.items()}
            return {label: future.result() for label, future in asked.items()}

    def begin(self, label: str, request: Request) -> Pending:
        """Send a request, and go on while it is under way.

        Args:
            label: The name by which the judge finds it.
            request: What to send.
        """
        self._place(label, request)
        replies: list[Reply] = []
        thread = threading.Thread(target=lambda: replies.append(self.ask(label, request)), daemon=True)
        thread.start()
        return Pending(thread, replies)

    def pause(self, seconds: float) -> None:
        """Wait, but not beyond the end of the audit."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self._budget.stopped():
            time.sleep(min(_SLICE, left))

    def rest(self) -> None:
        """Let a quota that everybody shares refill, where that takes a few seconds only."""
        quota = self.site.quota
        if not self.site.addresses and quota is not None and quota.period <= _LONGEST_WAIT:
            self.pause(quota.period)

    def until(self, true: Callable[[], bool], within: float) -> bool:
        """Wait until something is true, and say whether it became so in time.

        Args:
            true: Looked at again and again.
            within: Seconds.
        """
        deadline = time.monotonic() + within
        while not true():
            if time.monotonic() >= deadline or self._budget.stopped():
                return False
            self.pause(_SLICE)
        return True

    def note(self, name: str, value: Fact) -> None:
        """Keep what no reply tells for the judge.

        Args:
            name: Of the fact, new for each.
            value: The fact.
        """
        self.facts[name] = value

    def memory(self) -> int | None:
        """Resident bytes of the target's processes; None where they are not known."""
        return self._running.memory() if self._running else None

    def log(self) -> str:
        """What the target has written to its streams since this check began, empty for a URL."""
        return self._running.log_since(self._log_start) if self._running else ""

    def terminate(self) -> None:
        """Tell this check's own target to stop, as a process manager does (SIGTERM)."""
        if self._running is not None:
            self._running.terminate()

    def ended(self, within: float) -> int | None:
        """The exit status of this check's own target; None if it still runs after that many seconds."""
        running = self._running
        if running is None:
            return None
        self.until(lambda: running.exit_status() is not None, within)
        return running.exit_status()

    def _place(self, label: str, request: Request) -> str | None:
        """The address that a request comes from; the order of the labels is that of the placing."""
        with self._lock:
            known = self.exchanges.get(label)
            if known is None:
                unasked = Reply(failure="abandoned")
                self.exchanges[label] = Exchange(label=label, request=request, reply=unasked)
            position = list(self.exchanges).index(label)
        if not self.site.addresses or request.near:
            return None
        voice = request.voice if request.voice is not None else 20 + position % 230
        return f"{self._block}.{voice}"


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() else None
