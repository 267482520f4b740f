"""What the requests of a run came to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TypedDict

from garrison_harness.load.histogram import Histogram, HistogramRecord

TOO_MANY_REQUESTS = 429
UNFINISHED = "no reply before the run ended"
OTHER_KINDS = "other errors"
MOST_KINDS = 50
"""Kinds of error that are told apart; a locustfile can make a new message for every request."""

MOST_EXAMPLES = 3
"""Paths that are kept for a kind of error: enough to try it by hand."""

_PATH_LENGTH = 60  # characters, so that a path fits a line of the report


class TallyRecord(TypedDict):
    """A tally as it goes through JSON."""

    requests: int
    errors: int
    limited: int
    task_errors: int
    received: int
    resent: int
    statuses: dict[str, int]
    kinds: dict[str, int]
    examples: dict[str, list[str]]
    latency: HistogramRecord


@dataclass(slots=True)
class Tally:
    """Counts of requests, errors and statuses, and the latencies.

    Attributes:
        requests: Requests that were sent, whatever became of them.
        errors: Those that failed, and tasks that ended in an exception. A reply of 429 is a refusal in order,
            so it is no error.
        limited: Replies of 429.
        task_errors: Exceptions that a task of a locustfile raised; part of `errors`, not of `requests`.
        received: Bytes of the replies' content.
        resent: How often a request was sent again because its connection closed without a reply.
        statuses: Replies by status code.
        kinds: Errors by kind.
        examples: The first few paths by kind of error, shortened where they are long.
        latency: From sending a request to the end of its reply.
    """

    requests: int = 0
    errors: int = 0
    limited: int = 0
    task_errors: int = 0
    received: int = 0
    resent: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    latency: Histogram = field(default_factory=Histogram)

    def reply(
        self, seconds: float, *, status: int, error: str | None = None, path: str = "", received: int = 0
    ) -> None:
        """Count a request that ended.

        Args:
            seconds: Its latency.
            status: The reply's status code, 0 where there was none.
            error: The kind of error, None for success.
            path: What was asked for, empty where that is not known.
            received: Bytes of its content.
        """
        self.requests += 1
        self.received += received
        self.latency.record(seconds)
        if status:
            self.statuses[status] += 1
        if status == TOO_MANY_REQUESTS:
            self.limited += 1
        if error is not None:
            self._error(error, path)

    def unfinished(self, seconds: float, path: str = "") -> None:
        """Count a request that was cut off with no reply; its latency so far is the least it can be."""
        self.reply(seconds, status=0, error=UNFINISHED, path=path)

    def task_error(self, kind: str) -> None:
        """Count an exception that a task raised outside any request."""
        self.task_errors += 1
        self._error(kind)

    def _error(self, kind: str, path: str = "") -> None:
        self.errors += 1
        kind = self._kind(kind, 1)
        if path:
            self._example(kind, path if len(path) <= _PATH_LENGTH else f"{path[: _PATH_LENGTH - 3]}...")

    def _kind(self, kind: str, count: int) -> str:
        if kind not in self.kinds and len(self.kinds) >= MOST_KINDS:
            kind = OTHER_KINDS
        self.kinds[kind] += count
        return kind

    def _example(self, kind: str, path: str) -> None:
        known = self.examples.setdefault(kind, [])
        if path not in known and len(known) < MOST_EXAMPLES:
            known.append(path)

    def merge(self, other: Tally) -> None:
        """Add what another tally counted; every count is the same as if all had been counted here."""
        self.requests += other.requests
        self.errors += other.errors
        self.limited += other.limited
        self.task_errors += other.task_errors
        self.received += other.received
        self.resent += other.resent
        self.statuses.update(other.statuses)
        self.latency.merge(other.latency)
        for kind, count in other.kinds.items():
            here = self._kind(kind, count)
            for path in other.examples.get(kind, ()):
                self._example(here, path)

    @property
    def error_share(self) -> float:
        """Errors per attempt, 0 to 1."""
        return self.errors / max(1, self.requests + self.task_errors)

    @property
    def limited_share(self) -> float:
        """Replies of 429 per request, 0 to 1."""
        return self.limited / max(1, self.requests)

    def to_record(self) -> TallyRecord:
        """The tally in JSON's types."""
        return {
            "requests": self.requests,
            "errors": self.errors,
            "limited": self.limited,
            "task_errors": self.task_errors,
            "received": self.received,
            "resent": self.resent,
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "kinds": dict(self.kinds.most_common()),
            "examples": self.examples,
            "latency": self.latency.to_record(),
        }

    @classmethod
    def from_record(cls, record: TallyRecord) -> Tally:
        """The tally that `to_record` described."""
        return cls(
            requests=record["requests"],
            errors=record["errors"],
            limited=record["limited"],
            task_errors=record["task_errors"],
            received=record["received"],
            resent=record["resent"],
            statuses=Counter({int(status): count for status, count in record["statuses"].items()}),
            kinds=Counter(record["kinds"]),
            examples=record["examples"],
            latency=Histogram.from_record(record["latency"]),
        )
