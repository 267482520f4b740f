"""Cuts a run that had no rounds into parts, so that another run can be held against it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison_harness.load.compare.slices import Slice
from garrison_harness.load.tally import Tally

if TYPE_CHECKING:
    from garrison_harness.load.compare.cpu import CpuTrack
    from garrison_harness.load.series import Series

MOST_PARTS = 10
"""Parts of a run: neighbours have some of their luck in common, the less the longer they are."""


def cut(series: Series, cpu: CpuTrack | None = None) -> tuple[Slice, ...]:
    """A run in parts of the same length, whole intervals of its series; none shorter than one of those.

    Args:
        series: The run.
        cpu: What the target used meanwhile, where it was read.
    """
    seconds = list(series)
    if not seconds:
        return ()
    total = seconds[-1].at
    count = max(1, min(MOST_PARTS, int(total / series.step)))
    groups: dict[int, list[int]] = {}
    for number, second in enumerate(seconds):
        middle = second.at - second.width / 2
        groups.setdefault(min(count - 1, int(middle / total * count)), []).append(number)
    parts, begin = [], 0.0
    for members in groups.values():
        tally = Tally()
        for number in members:
            tally.merge(seconds[number].tally)
        end = seconds[members[-1]].at
        used = cpu.used(begin, end) if cpu else None
        parts.append(Slice.of(tally, duration=end - begin, cpu=used))
        begin = end
    return tuple(parts)
