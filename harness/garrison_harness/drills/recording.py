"""What a drill saw: every request with its times, the moments at which something changed, the log."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from garrison_harness.report.hiding import hidden

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Failure = Literal["", "refused", "reset", "cut", "malformed", "timeout", "not sent"]
"""Why there is no whole reply: no connection; one that ended before the reply, or within it; no HTTP; none in
time; or the load had no place for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request, in seconds since the load began.

    Attributes:
        due: When it was to be sent.
        began: When it was.
        ended: When its reply was whole, or it was known that there will be none.
        status: The status of the reply; 0 where there was none.
        failure: Why there is no whole reply; empty where there is one.
        headers: The header lines of an error (a status from 400 on) by lower-case name; empty otherwise.
        body: The beginning of the body of an error.
        size: Bytes of the body.
    """

    due: float
    began: float
    ended: float
    status: int = 0
    failure: Failure = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    size: int = 0

    @property
    def latency(self) -> float:
        """Seconds from when it was to be sent: a client that waits for its turn waits too."""
        return self.ended - self.due

    @property
    def outcome(self) -> str:
        """The status, or why there is none."""
        return self.failure or str(self.status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A drill, with nothing judged yet.

    Attributes:
        asks: The requests of the load, by the time at which they were due.
        broke: When something was broken, in seconds since the load began.
        mended: When that was over.
        recovered: When the app had the time that it may take to notice.
        facts: Numbers that are about this kind of drill.
        others: Requests beside the load, by what they were for.
        log: What the target wrote, by window: `before`, `during` and `after`.
    """

    asks: tuple[Ask, ...]
    broke: float
    mended: float
    recovered: float
    facts: Mapping[str, float] = field(default_factory=dict)
    others: Mapping[str, tuple[Ask, ...]] = field(default_factory=dict)
    log: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def without(self, secrets: Sequence[str]) -> Recording:
        """The same with nothing in the log that no report may show.

        Args:
            secrets: As `secrets_of` gives them.
        """
        log = {window: tuple(hidden(line, secrets) for line in lines) for window, lines in self.log.items()}
        return replace(self, log=log)

    @property
    def before(self) -> tuple[Ask, ...]:
        """What was over when something broke."""
        return tuple(ask for ask in self.asks if ask.ended < self.broke)

    @property
    def during(self) -> tuple[Ask, ...]:
        """What was under way then, and all that came until the app had recovered."""
        return tuple(ask for ask in self.asks if ask.ended >= self.broke and ask.due < self.recovered)

    @property
    def after(self) -> tuple[Ask, ...]:
        """What came later."""
        return tuple(ask for ask in self.asks if ask.ended >= self.broke and ask.due >= self.recovered)


def outcomes(asks: Iterable[Ask]) -> str:
    """How often each status and failure came, the most frequent first: `40 503, 2 reset`."""
    counts = Counter(ask.outcome for ask in asks)
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())


def percentile(asks: Iterable[Ask], percent: float) -> float:
    """The latency in seconds that so many percent of the requests kept, by nearest rank; 0 for none."""
    latencies = sorted(ask.latency for ask in asks)
    if not latencies:
        return 0.0
    rank = math.ceil(percent / 100 * len(latencies))
    return latencies[max(0, min(len(latencies), rank) - 1)]
