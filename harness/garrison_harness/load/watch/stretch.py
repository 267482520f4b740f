"""How many requests of one client were let through, stretch by stretch of time."""

from __future__ import annotations

from dataclasses import dataclass

MOST_STRETCHES = 300
"""Stretches that are kept for one client; beyond them, two neighbours become one."""

StretchRecord = list[float]
"""A stretch as it goes through JSON: its seven fields in order."""


@dataclass(slots=True, kw_only=True)
class Stretch:
    """What one client was answered in one stretch of time; times are in seconds, by `time.monotonic`.

    Attributes:
        began: When the first of its requests was sent.
        ended: When the last of its replies had come.
        passed: Replies that are no refusal.
        refused: Replies of 429.
        unanswered: Requests without a reply, and replies of 503: they may have counted or not.
        first_refusal: When the first 429 had come; meaningless where there is none.
        last_refusal: When the last one had.
    """

    began: float
    ended: float
    passed: int = 0
    refused: int = 0
    unanswered: int = 0
    first_refusal: float = 0.0
    last_refusal: float = 0.0

    def add(self, *, sent: float, at: float, status: int) -> None:
        """Count one request.

        Args:
            sent: When it was sent.
            at: When its reply had come.
            status: The status code, 0 where there was none.
        """
        self.began, self.ended = min(self.began, sent), max(self.ended, at)
        if status == 429:
            self.first_refusal = min(self.first_refusal, at) if self.refused else at
            self.last_refusal = max(self.last_refusal, at) if self.refused else at
            self.refused += 1
        elif status in {0, 503}:
            self.unanswered += 1
        else:
            self.passed += 1

    def append(self, later: Stretch) -> None:
        """Take in another stretch of the same client."""
        self.began, self.ended = min(self.began, later.began), max(self.ended, later.ended)
        if later.refused:
            known = self.refused > 0
            first, last = later.first_refusal, later.last_refusal
            self.first_refusal = min(self.first_refusal, first) if known else first
            self.last_refusal = max(self.last_refusal, last) if known else last
        self.passed += later.passed
        self.refused += later.refused
        self.unanswered += later.unanswered

    def to_record(self) -> StretchRecord:
        """The stretch in JSON's types."""
        counts = [self.passed, self.refused, self.unanswered]
        return [self.began, self.ended, *counts, self.first_refusal, self.last_refusal]

    @classmethod
    def from_record(cls, record: StretchRecord) -> Stretch:
        """The stretch that `to_record` described."""
        began, ended, passed, refused, unanswered, first_refusal, last_refusal = record
        return cls(
            began=began,
            ended=ended,
            passed=int(passed),
            refused=int(refused),
            unanswered=int(unanswered),
            first_refusal=first_refusal,
            last_refusal=last_refusal,
        )


def shortened(stretches: list[Stretch]) -> list[Stretch]:
    """The same, with neighbours joined until there are few enough; no count is lost.

    The first one stays as it is: what passes before the first refusal says the most about a quota.

    Args:
        stretches: Of one client, in any order.
    """
    first, *kept = sorted(stretches, key=lambda one: one.began)
    while len(kept) >= MOST_STRETCHES:
        joined = kept[::2]
        for earlier, later in zip(joined, kept[1::2], strict=False):
            earlier.append(later)
        kept = joined
    return [first, *kept]
