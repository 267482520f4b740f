"""What the load process tells once a second: one line of JSON each, that the parent adds up."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from garrison_harness.load.seen import Seen, SeenRecord
from garrison_harness.load.spent import add_spent

Ended = Literal["running", "finished", "stopped", "refused", "lost"]
"""`running` in between; `finished` after the whole duration; `stopped` when the load process was told to
stop; `refused` when it cannot do what was asked of it; `lost` when one of several is gone before its time."""


class DeltaRecord(SeenRecord):
    """A delta as it goes through JSON: one line of the stream."""

    ended: Ended
    fault: str
    at: float
    width: float
    users: int


@dataclass(slots=True, kw_only=True)
class Delta(Seen):
    """What a load process, or several at the same time, saw since the last delta.

    Attributes:
        ended: Whether more is to come, and how it ended if not.
        fault: Why it was refused, or who is lost, one line; empty otherwise.
        at: The end of the interval, in seconds since the first user started.
        width: How long the interval was, in seconds.
        users: Users at its end.
    """

    ended: Ended = "running"
    fault: str = ""
    at: float = 0.0
    width: float = 0.0
    users: int = 0

    @property
    def busiest(self) -> float:
        """How long the busiest of the load processes ran, or waited for a core, in seconds."""
        return max((one.cpu + one.waited for one in self.processes), default=self.cpu + self.waited)

    def merge(self, other: Delta) -> None:
        """Take in what another load process saw in the same time; how it ended stays with this one."""
        self.join(other)
        self.at, self.width = max(self.at, other.at), max(self.width, other.width)
        self.users += other.users
        self.samples = sorted([*self.samples, *other.samples], key=lambda sample: sample.at)
        add_spent(self.processes, other.processes)

    def to_line(self) -> str:
        """The delta as a line of the stream, with its newline."""
        record: DeltaRecord = {
            **self.seen_record(),
            "ended": self.ended,
            "fault": self.fault,
            "at": self.at,
            "width": self.width,
            "users": self.users,
        }
        return json.dumps(record, separators=(",", ":")) + "\n"

    @classmethod
    def from_line(cls, line: str | bytes) -> Delta:
        """The delta that `to_line` described."""
        record: DeltaRecord = json.loads(line)
        found = cls(
            ended=record["ended"],
            fault=record["fault"],
            at=record["at"],
            width=record["width"],
            users=record["users"],
        )
        found.read(record)
        return found
