"""What hardening has to keep while load runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypedDict

Kept = Literal["kept", "broken", "not judged"]


class PromiseRecord(TypedDict):
    """A promise as it goes through JSON."""

    id: str
    title: str
    verdict: Kept
    detail: str
    examples: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """Whether one thing that holds in quiet also held under load; a broken one fails the run.

    Attributes:
        id: A short name that stays.
        title: What was promised, one line.
        verdict: `not judged` where there was nothing to keep, or too little was seen.
        detail: What was seen, one line.
        examples: A few replies that broke it.
    """

    id: str
    title: str
    verdict: Kept
    detail: str
    examples: tuple[str, ...] = ()

    def to_record(self) -> PromiseRecord:
        """The promise in JSON's types."""
        return {
            "id": self.id,
            "title": self.title,
            "verdict": self.verdict,
            "detail": self.detail,
            "examples": list(self.examples),
        }
