"""Everything that a run saw: by name, by tag, and second by second."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from garrison_harness.load.arrivals import Arrivals
from garrison_harness.load.names import merged
from garrison_harness.load.sample import thinned
from garrison_harness.load.seen import Seen, SeenRecord
from garrison_harness.load.series import Second, Series, SeriesRecord
from garrison_harness.load.spent import Spent, add_spent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison_harness.load.delta import Delta
    from garrison_harness.load.sample import Sample
    from garrison_harness.load.tally import Tally

MOST_SAMPLES = 5000
"""Samples that a run keeps; of more, every second ordinary one goes."""


class AccountRecord(SeenRecord):
    """An account as it goes through JSON."""

    duration: float
    users_peak: int
    series: SeriesRecord


@dataclass(slots=True, kw_only=True)
class Account(Seen):
    """What the deltas of a run come to.

    Attributes:
        duration: Time since the first user started, in seconds.
        users_peak: The most users that were there at the end of a second.
        series: What was seen, second by second.
    """

    duration: float = 0.0
    users_peak: int = 0
    series: Series = field(default_factory=Series)

    @property
    def tally(self) -> Tally:
        """All requests together; made anew each time."""
        return merged(self.names.values())

    @property
    def rate(self) -> float:
        """Requests per second."""
        requests = sum(tally.requests for tally in self.names.values())
        return requests / self.duration if self.duration else 0.0

    @property
    def busiest(self) -> Spent:
        """The CPU time of the load process that ran, or waited for a core, for longest."""
        each = self.processes or [Spent(cpu=self.cpu, waited=self.waited)]
        return max(each, key=lambda one: one.cpu + one.waited)

    def add(self, delta: Delta) -> None:
        """Take in what happened next."""
        self.take(delta)
        self.duration = max(self.duration, delta.at)
        self.addresses = max(self.addresses, delta.addresses)
        self.users_peak = max(self.users_peak, delta.users)
        self.began = delta.began
        self._keep(delta.samples)
        add_spent(self.processes, delta.processes)
        tally = merged(delta.names.values())
        # The last delta of a run often tells of no time at all.
        if delta.width or tally.requests or tally.task_errors:
            self.series.add(
                Second(
                    at=delta.at,
                    width=delta.width,
                    users=delta.users,
                    cpu=delta.cpu / delta.width if delta.width else 0.0,
                    waited=delta.waited / delta.width if delta.width else 0.0,
                    busiest=delta.busiest / delta.width if delta.width else 0.0,
                    arrivals=Arrivals.from_record(delta.arrivals.to_record()),
                    tally=tally,
                )
            )

    def merge(self, other: Account) -> None:
        """Take in what another load process saw at the same time."""
        self.processes = [*self._each(), *other._each()]
        self.join(other)
        self.duration = max(self.duration, other.duration)
        self._keep(other.samples)
        self.series.merge(other.series)
        self.users_peak = max([self.users_peak, other.users_peak, *(second.users for second in self.series)])

    def _each(self) -> list[Spent]:
        return self.processes or ([Spent(cpu=self.cpu, waited=self.waited)] if self.duration else [])

    def _keep(self, samples: Iterable[Sample]) -> None:
        self.samples.extend(samples)
        if len(self.samples) > MOST_SAMPLES:
            self.samples = thinned(self.samples)

    def to_record(self) -> AccountRecord:
        """The account in JSON's types."""
        return {
            **self.seen_record(),
            "duration": self.duration,
            "users_peak": self.users_peak,
            "series": self.series.to_record(),
        }

    @classmethod
    def from_record(cls, record: AccountRecord) -> Account:
        """The account that `to_record` described."""
        found = cls(
            duration=record["duration"],
            users_peak=record["users_peak"],
            series=Series.from_record(record["series"]),
        )
        found.read(record)
        return found
