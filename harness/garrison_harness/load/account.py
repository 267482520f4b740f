"""Everything that a run saw: by name, by tag, and second by second."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict

from garrison_harness.load.arrivals import Arrivals, ArrivalsRecord
from garrison_harness.load.names import merge_names, merged, read_names, record_names
from garrison_harness.load.sample import Sample, SampleRecord, thinned
from garrison_harness.load.series import Second, Series, SeriesRecord
from garrison_harness.load.spent import Spent, SpentRecord, add_spent
from garrison_harness.load.tally import Tally, TallyRecord
from garrison_harness.load.watch.observed import Observed, ObservedRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from garrison_harness.load.delta import Delta

MOST_SAMPLES = 5000
"""Samples that a run keeps; of more, every second ordinary one goes."""


class AccountRecord(TypedDict):
    """An account as it goes through JSON."""

    duration: float
    cpu: float
    waited: float
    addresses: int
    users_peak: int
    began: float
    arrivals: ArrivalsRecord
    names: dict[str, TallyRecord]
    tags: dict[str, TallyRecord]
    series: SeriesRecord
    samples: list[SampleRecord]
    observed: ObservedRecord
    processes: list[SpentRecord]


@dataclass(slots=True, kw_only=True)
class Account:
    """What the deltas of a run come to.

    Attributes:
        duration: Time since the first user started, in seconds.
        cpu: CPU time that the load processes used meanwhile, in seconds.
        waited: How long they were ready to run and had no core, in seconds.
        addresses: Source addresses that the users spoke from, 0 where the system picked them.
        users_peak: The most users that were there at the end of a second.
        began: When the first user started, by `time.monotonic` of the machine; 0 before.
        arrivals: What became of the arrivals of the open model.
        names: Requests by name: the method, a space, and the name that Locust has for it.
        tags: Requests by tag; those without a tag are in none.
        series: The same second by second.
        samples: Replies that were kept.
        observed: What the promises need to know of all replies.
        processes: The CPU time of each load process, where there are several.
    """

    duration: float = 0.0
    cpu: float = 0.0
    waited: float = 0.0
    addresses: int = 0
    users_peak: int = 0
    began: float = 0.0
    arrivals: Arrivals = field(default_factory=Arrivals)
    names: dict[str, Tally] = field(default_factory=dict)
    tags: dict[str, Tally] = field(default_factory=dict)
    series: Series = field(default_factory=Series)
    samples: list[Sample] = field(default_factory=list)
    observed: Observed = field(default_factory=Observed)
    processes: list[Spent] = field(default_factory=list)

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
        self.duration = max(self.duration, delta.at)
        self.cpu += delta.cpu
        self.waited += delta.waited
        self.addresses = max(self.addresses, delta.addresses)
        self.users_peak = max(self.users_peak, delta.users)
        self.began = delta.began
        self.arrivals.merge(delta.arrivals)
        self._take(delta.names, delta.tags, delta.samples)
        self.observed.merge(delta.observed)
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
        self.duration = max(self.duration, other.duration)
        self.cpu += other.cpu
        self.waited += other.waited
        self.addresses += other.addresses
        self.began = min(self.began or other.began, other.began or self.began)
        self.arrivals.merge(other.arrivals)
        self._take(other.names, other.tags, other.samples)
        self.observed.merge(other.observed)
        self.series.merge(other.series)
        self.users_peak = max([self.users_peak, other.users_peak, *(second.users for second in self.series)])

    def _each(self) -> list[Spent]:
        return self.processes or ([Spent(cpu=self.cpu, waited=self.waited)] if self.duration else [])

    def _take(self, names: Mapping[str, Tally], tags: Mapping[str, Tally], samples: Iterable[Sample]) -> None:
        merge_names(self.names, names)
        merge_names(self.tags, tags)
        self.samples.extend(samples)
        if len(self.samples) > MOST_SAMPLES:
            self.samples = thinned(self.samples)

    def to_record(self) -> AccountRecord:
        """The account in JSON's types."""
        return {
            "duration": self.duration,
            "cpu": self.cpu,
            "waited": self.waited,
            "addresses": self.addresses,
            "users_peak": self.users_peak,
            "began": self.began,
            "arrivals": self.arrivals.to_record(),
            "names": record_names(self.names),
            "tags": record_names(self.tags),
            "series": self.series.to_record(),
            "samples": [sample.to_record() for sample in self.samples],
            "observed": self.observed.to_record(),
            "processes": [one.to_record() for one in self.processes],
        }

    @classmethod
    def from_record(cls, record: AccountRecord) -> Account:
        """The account that `to_record` described."""
        return cls(
            duration=record["duration"],
            cpu=record["cpu"],
            waited=record["waited"],
            addresses=record["addresses"],
            users_peak=record["users_peak"],
            began=record["began"],
            arrivals=Arrivals.from_record(record["arrivals"]),
            names=read_names(record["names"]),
            tags=read_names(record["tags"]),
            series=Series.from_record(record["series"]),
            samples=list(map(Sample.from_record, record["samples"])),
            observed=Observed.from_record(record["observed"]),
            processes=list(map(Spent.from_record, record["processes"])),
        )
