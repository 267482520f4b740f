"""What happened second by second, exactly, in bounded memory."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict

from garrison_harness.load.arrivals import Arrivals, ArrivalsRecord
from garrison_harness.load.tally import Tally, TallyRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_SECONDS = 600
"""Entries that a series keeps: beyond them, two neighbours become one, so that an hour has steps of 8 s."""

_EDGE = 1e-6  # seconds; what takes no time at all belongs to the second that ends with it
_SLIVER = 0.02  # of a step; an interval shorter than that is the rest of the one before


class SecondRecord(TypedDict):
    """An interval as it goes through JSON."""

    at: float
    width: float
    users: int
    cpu: float
    waited: float
    busiest: float
    arrivals: ArrivalsRecord
    tally: TallyRecord


@dataclass(slots=True, kw_only=True)
class Second:
    """What happened in one interval, which is a second where a run is not long.

    Attributes:
        at: The end of the interval, in seconds since the first user.
        width: How long it was, in seconds.
        users: Users that were there at its end.
        cpu: What the load processes used of one core, as a share: 2.0 is two cores.
        waited: How long they were ready to run and had no core, as a share of the interval.
        busiest: Both together, of the busiest of them.
        arrivals: What became of its arrivals.
        tally: What the requests that ended in it came to.
    """

    at: float
    width: float
    users: int = 0
    cpu: float = 0.0
    waited: float = 0.0
    busiest: float = 0.0
    arrivals: Arrivals = field(default_factory=Arrivals)
    tally: Tally = field(default_factory=Tally)

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.tally.requests / self.width if self.width else 0.0

    def append(self, later: Second) -> None:
        """Take in the interval that followed this one."""
        width = self.width + later.width
        if width:
            self.cpu = (self.cpu * self.width + later.cpu * later.width) / width
            self.waited = (self.waited * self.width + later.waited * later.width) / width
            self.busiest = (self.busiest * self.width + later.busiest * later.width) / width
        self.at, self.width, self.users = later.at, width, later.users
        self._count(later)

    def join(self, other: Second) -> None:
        """Take in what another load process did at the same time."""
        self.at, self.width = max(self.at, other.at), max(self.width, other.width)
        self.users += other.users
        self.cpu += other.cpu
        self.waited += other.waited
        self.busiest = max(self.busiest, other.busiest)
        self._count(other)

    def _count(self, other: Second) -> None:
        self.arrivals.merge(other.arrivals)
        self.tally.merge(other.tally)

    def copy(self) -> Second:
        """The same, to be added to."""
        return Second.from_record(self.to_record())

    def to_record(self) -> SecondRecord:
        """The interval in JSON's types."""
        return {
            "at": self.at,
            "width": self.width,
            "users": self.users,
            "cpu": self.cpu,
            "waited": self.waited,
            "busiest": self.busiest,
            "arrivals": self.arrivals.to_record(),
            "tally": self.tally.to_record(),
        }

    @classmethod
    def from_record(cls, record: SecondRecord) -> Second:
        """The interval that `to_record` described."""
        return cls(
            at=record["at"],
            width=record["width"],
            users=record["users"],
            cpu=record["cpu"],
            waited=record["waited"],
            busiest=record["busiest"],
            arrivals=Arrivals.from_record(record["arrivals"]),
            tally=Tally.from_record(record["tally"]),
        )


class SeriesRecord(TypedDict):
    """A series as it goes through JSON."""

    step: int
    seconds: list[SecondRecord]


@dataclass(slots=True, kw_only=True)
class Series:
    """Intervals in the order of time; those in which nothing was told are not there.

    Attributes:
        step: How long an interval is, in seconds: 1, 2, 4, ...
        slots: The intervals by number: the middle of slot n is from `n * step` up to `(n + 1) * step`.
    """

    step: int = 1
    slots: dict[int, Second] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Second]:
        return iter(self.slots.values())

    def __len__(self) -> int:
        return len(self.slots)

    def add(self, second: Second) -> None:
        """Take in the next interval of the same run, which becomes the series' own."""
        slot = self._slot(second)
        # The end of a run is seldom the end of a second to the millisecond.
        if self.slots and second.width < _SLIVER * self.step:
            slot = min(slot, max(self.slots))
        if slot in self.slots:
            self.slots[slot].append(second)
        else:
            self.slots[slot] = second
        self._fit()

    def merge(self, other: Series) -> None:
        """Take in a series of the same time, from another load process."""
        other = Series.from_record(other.to_record())
        while self.step != other.step:
            min(self, other, key=lambda one: one.step).widen()
        for slot, second in other.slots.items():
            if slot in self.slots:
                self.slots[slot].join(second)
            else:
                self.slots[slot] = second
        self.slots = dict(sorted(self.slots.items()))
        self._fit()

    def widen(self) -> None:
        """Make the step twice as long: two neighbours become one, and nothing is lost."""
        self.step *= 2
        seconds, self.slots = list(self), {}
        for second in seconds:
            slot = self._slot(second)
            if slot in self.slots:
                self.slots[slot].append(second)
            else:
                self.slots[slot] = second

    def _slot(self, second: Second) -> int:
        # By its middle: what is told a little late still belongs to the second that it tells of.
        return max(0, math.floor((second.at - max(_EDGE, second.width / 2)) / self.step))

    def _fit(self) -> None:
        while len(self.slots) > MOST_SECONDS:
            self.widen()

    def to_record(self) -> SeriesRecord:
        """The series in JSON's types."""
        return {"step": self.step, "seconds": [second.to_record() for second in self]}

    @classmethod
    def from_record(cls, record: SeriesRecord) -> Series:
        """The series that `to_record` described."""
        made = cls(step=record["step"])
        for second in map(Second.from_record, record["seconds"]):
            made.slots[made._slot(second)] = second
        return made
