"""What Observatory says of a page, for reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from garrison_harness.observatory.scoring import Score

Https = Literal["real", "simulated", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """What Observatory would say of the page.

    Attributes:
        url: The page as a browser would name it.
        https: Whether it came over https, was asked for as a proxy in front of the app does that speaks https
            (`simulated`), or came over plain http.
        score: The score; None where there is nothing to score.
        reason: Why there is none; empty where there is one.
    """

    url: str
    https: Https
    score: Score | None = None
    reason: str = ""

    @property
    def how(self) -> str:
        """How the page was asked for, in words."""
        return {
            "real": "over https",
            "simulated": "as a proxy that speaks https asks",
            "none": "over plain http, which costs 40; --as-https has it scored as over https",
        }[self.https]

    def sentence(self) -> str:
        """All but what each rule contributes, in one sentence."""
        if self.score is None:
            return f"MDN HTTP Observatory: no page to score: {self.reason}"
        return f"MDN HTTP Observatory: {self.score.grade}, {self.score.total}/100, {self.how}"

    def contributions(self) -> tuple[tuple[str, int, bool], ...]:
        """What each rule gives or takes, the worst first: its name, its points, and whether they count."""
        if self.score is None:
            return ()
        rules = sorted(self.score.tests.items(), key=lambda rule: rule[1])
        return tuple((name, points, points <= 0 or self.score.bonus) for name, points in rules)

    @property
    def note(self) -> str:
        """Why some points do not count; empty where all do."""
        left_out = any(not counts for _, _, counts in self.contributions())
        return "points in brackets count from 90 on" if left_out else ""


def signed(points: int, *, counts: bool) -> str:
    """Points as they are written, in brackets where they do not count.

    Args:
        points: What a rule gives or takes.
        counts: Whether it does.
    """
    number = f"{points:+d}" if points else "0"
    return number if counts else f"({number})"
