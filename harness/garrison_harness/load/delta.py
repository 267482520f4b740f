"""What the load process tells once a second: one line of JSON each, that the parent adds up."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Literal, TypedDict

from garrison_harness.load.arrivals import Arrivals, ArrivalsRecord
from garrison_harness.load.names import merge_names, read_names, record_names
from garrison_harness.load.sample import Sample, SampleRecord
from garrison_harness.load.spent import Spent, SpentRecord, add_spent
from garrison_harness.load.tally import Tally, TallyRecord
from garrison_harness.load.watch.observed import Observed, ObservedRecord

Ended = Literal["running", "finished", "stopped", "refused", "lost"]
"""`running` in between; `finished` after the whole duration; `stopped` when the load process was told to
stop; `refused` when it cannot do what was asked of it; `lost` when one of several is gone before its time."""


class DeltaRecord(TypedDict):
    """A delta as it goes through JSON: one line of the stream."""

    ended: Ended
    fault: str
    began: float
    at: float
    width: float
    users: int
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
class Delta:
    """What a load process, or several at the same time, saw since the last delta.

    Attributes:
        ended: Whether more is to come, and how it ended if not.
        fault: Why it was refused, or who is lost, one line; empty otherwise.
        began: When the first user started, by `time.monotonic` of the machine.
        at: The end of the interval, in seconds since then.
        width: How long the interval was, in seconds.
        users: Users at its end.
        cpu: CPU time that the load processes used in it, in seconds.
        waited: How long they were ready to run and had no core, in seconds; 0 where the system does not tell.
        addresses: Source addresses that users spoke from so far, 0 where the system picked them.
        arrivals: What became of the arrivals.
        names: Requests that ended in it, by name.
        tags: The same, by tag.
        samples: Replies that are kept.
        observed: What the promises need to know of all replies.
        processes: The CPU time of each load process, where there are several.
    """

    ended: Ended = "running"
    fault: str = ""
    began: float = 0.0
    at: float = 0.0
    width: float = 0.0
    users: int = 0
    cpu: float = 0.0
    waited: float = 0.0
    addresses: int = 0
    arrivals: Arrivals = field(default_factory=Arrivals)
    names: dict[str, Tally] = field(default_factory=dict)
    tags: dict[str, Tally] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    observed: Observed = field(default_factory=Observed)
    processes: list[Spent] = field(default_factory=list)

    @property
    def busiest(self) -> float:
        """How long the busiest of the load processes ran, or waited for a core, in seconds."""
        return max((one.cpu + one.waited for one in self.processes), default=self.cpu + self.waited)

    def merge(self, other: Delta) -> None:
        """Take in what another load process saw in the same time; how it ended stays with this one."""
        self.began = min(self.began or other.began, other.began or self.began)
        self.at, self.width = max(self.at, other.at), max(self.width, other.width)
        self.users += other.users
        self.cpu += other.cpu
        self.waited += other.waited
        self.addresses += other.addresses
        self.arrivals.merge(other.arrivals)
        merge_names(self.names, other.names)
        merge_names(self.tags, other.tags)
        self.samples = sorted([*self.samples, *other.samples], key=lambda sample: sample.at)
        self.observed.merge(other.observed)
        add_spent(self.processes, other.processes)

    def to_line(self) -> str:
        """The delta as a line of the stream, with its newline."""
        record: DeltaRecord = {
            "ended": self.ended,
            "fault": self.fault,
            "began": self.began,
            "at": self.at,
            "width": self.width,
            "users": self.users,
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
        return json.dumps(record, separators=(",", ":")) + "\n"

    @classmethod
    def from_line(cls, line: str | bytes) -> Delta:
        """The delta that `to_line` described."""
        record: DeltaRecord = json.loads(line)
        return cls(
            ended=record["ended"],
            fault=record["fault"],
            began=record["began"],
            at=record["at"],
            width=record["width"],
            users=record["users"],
            cpu=record["cpu"],
            waited=record["waited"],
            addresses=record["addresses"],
            arrivals=Arrivals.from_record(record["arrivals"]),
            names=read_names(record["names"]),
            tags=read_names(record["tags"]),
            samples=list(map(Sample.from_record, record["samples"])),
            observed=Observed.from_record(record["observed"]),
            processes=list(map(Spent.from_record, record["processes"])),
        )
