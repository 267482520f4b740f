"""Ends a run early, once a threshold is missed that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison_harness.load.judging import Evidence, judge

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison_harness.load.account import Account
    from garrison_harness.load.delta import Delta
    from garrison_harness.load.thresholds import Judgement, Threshold


class AbortWatch:
    """Listens to a run, and judges after each second what there is so far.

    Attributes:
        missed: What was missed when the run was told to end; None as long as it goes on.
    """

    def __init__(self, thresholds: Iterable[Threshold]) -> None:
        """Watch those of the thresholds that abort."""
        self._watched = [one for one in thresholds if one.abort_after is not None]
        self.missed: Judgement | None = None

    def __call__(self, account: Account, _delta: Delta) -> str | None:
        """Why the run is to end, one line; None where it goes on.

        Args:
            account: What was seen so far. Where nothing was measured yet, nothing is missed.
        """
        due = [one for one in self._watched if account.duration >= (one.abort_after or 0.0)]
        if self.missed is None and due:
            evidence = Evidence(account=account)
            judgements = (judge(threshold, evidence) for threshold in due)
            self.missed = next((one for one in judgements if one.actual is not None and not one.passed), None)
        if self.missed is None:
            return None
        return f"{self.missed.threshold.expression} was missed: {self.missed.describe()}"
