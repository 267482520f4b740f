"""What the machine itself did while a run went on, as far as Linux tells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

_STAT: Final = Path("/proc/stat")
_SCHEDSTAT: Final = Path("/proc/self/schedstat")
_NANOSECONDS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuTimes:
    """CPU time of all cores since the machine started, in ticks.

    Attributes:
        total: All of it, spent or idle.
        stolen: What the host gave to others while something here wanted to run.
    """

    total: int
    stolen: int

    def stolen_until(self, later: CpuTimes) -> float:
        """The share of the time between two readings that was stolen, 0 to 1."""
        passed = later.total - self.total
        return (later.stolen - self.stolen) / passed if passed > 0 else 0.0


def read_cpu_times(stat: str | None = None) -> CpuTimes | None:
    """The times so far (proc_stat(5)); None where the system does not tell.

    Args:
        stat: The text of `/proc/stat`, which is read unless given.
    """
    try:
        first = (_STAT.read_text(encoding="ascii") if stat is None else stat).splitlines()[0].split()
        # user nice system idle iowait irq softirq steal; guest time is part of user time already.
        ticks = list(map(int, first[1:9]))
    except (OSError, ValueError, IndexError):
        return None
    return CpuTimes(total=sum(ticks), stolen=ticks[7]) if len(ticks) == 8 else None


def waited_for_cpu() -> float:
    """How long this process was ready to run so far and had no core, in seconds; 0 where that is not told.

    It is the second field of the schedstat of the main thread, in nanoseconds (sched-stats.rst of Linux).
    """
    try:
        return int(_SCHEDSTAT.read_text(encoding="ascii").split()[1]) / _NANOSECONDS
    except (OSError, ValueError, IndexError):
        return 0.0
