"""What load processes see in some time, be it a second or the whole run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypedDict

from garrison_harness.load.arrivals import Arrivals, ArrivalsRecord
from garrison_harness.load.names import merge_names, read_names, record_names
from garrison_harness.load.sample import Sample, SampleRecord
from garrison_harness.load.spent import Spent, SpentRecord
from garrison_harness.load.tally import Tally, TallyRecord
from garrison_harness.load.watch.observed import Observed, ObservedRecord


class SeenRecord(TypedDict):
    """The same as it goes through JSON."""

    began: float
    cpu: float
    waited: float
    addresses: int
    arrivals: ArrivalsRecord
    names: dict[str, TallyRecord]
    tags: dict[str, TallyRecord]
    samples: list[SampleRecord]
    observed: ObservedRecord
    processes: list[SpentRecord]


@dataclass(slots=True, kw_only=True)
class Seen:
    """What was seen by one load process, or by several at the same time.

    Attributes:
        began: When the first user started, by `time.monotonic` of the machine; 0 before.
        cpu: CPU time that the load processes used meanwhile, in seconds.
        waited: How long they were ready to run and had no core, in seconds; 0 where the system does not tell.
        addresses: Source addresses that users spoke from so far, 0 where the system picked them.
        arrivals: What became of the arrivals of the open model.
        names: Requests that ended, by name: the method, a space, and the name that Locust has for it.
        tags: The same by tag; those without a tag are in none.
        samples: Replies that are kept.
        observed: What the promises need to know of all replies.
        processes: The CPU time of each load process, where there are several.
    """

    began: float = 0.0
    cpu: float = 0.0
    waited: float = 0.0
    addresses: int = 0
    arrivals: Arrivals = field(default_factory=Arrivals)
    names: dict[str, Tally] = field(default_factory=dict)
    tags: dict[str, Tally] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    observed: Observed = field(default_factory=Observed)
    processes: list[Spent] = field(default_factory=list)

    def take(self, other: Seen) -> None:
        """Take in the sums of what another one saw: all but addresses, samples and processes."""
        self.cpu += other.cpu
        self.waited += other.waited
        self.arrivals.merge(other.arrivals)
        merge_names(self.names, other.names)
        merge_names(self.tags, other.tags)
        self.observed.merge(other.observed)

    def join(self, other: Seen) -> None:
        """Take in the same of another load process, which spoke from addresses of its own."""
        self.take(other)
        self.began = min(self.began or other.began, other.began or self.began)
        self.addresses += other.addresses

    def seen_record(self) -> SeenRecord:
        """This part of it in JSON's types."""
        return {
            "began": self.began,
            "cpu": self.cpu,
            "waited": self.waited,
            "addresses": self.addresses,
            "arrivals": self.arrivals.to_record(),
            "names": record_names(self.names),
            "tags": record_names(self.tags),
            "samples": [sample.to_record() for sample in self.samples],
            "observed": self.observed.to_record(),
            "processes": [one.to_record() for one in self.processes],
        }

    def read(self, record: SeenRecord) -> None:
        """Be what `seen_record` described."""
        self.began = record["began"]
        self.cpu = record["cpu"]
        self.waited = record["waited"]
        self.addresses = record["addresses"]
        self.arrivals = Arrivals.from_record(record["arrivals"])
        self.names = read_names(record["names"])
        self.tags = read_names(record["tags"])
        self.samples = list(map(Sample.from_record, record["samples"]))
        self.observed = Observed.from_record(record["observed"])
        self.processes = list(map(Spent.from_record, record["processes"]))
