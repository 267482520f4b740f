"""From a value to its place on the paper."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Places values along one axis.

    Attributes:
        low: The value at the beginning of the axis.
        high: The value at its end, above `low`.
        start: Where the axis begins, in units of the drawing.
        end: Where it ends; below `start` where values grow upwards.
        logarithmic: Equal ratios take equal room, in place of equal differences.
    """

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """The place of a value; what lies beyond the axis is put at its end."""
        value = min(max(value, self.low), self.high)
        if self.logarithmic:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)
