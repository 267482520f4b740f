"""What a run does: the joint between the command and the process that makes the load."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Literal, TypedDict

from garrison_harness.load.tally import Tally, TallyRecord

if TYPE_CHECKING:
    from pathlib import Path

FINISH_GRACE = 10.0
"""How long requests under way at the end may take to finish, in seconds; then they count as errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that the load process needs to know.

    Attributes:
        base_url: Scheme and authority of the target; `at` fills it in once the target is up.
        users: Users that run at the same time.
        spawn_rate: Users started per second.
        rate: Requests per second of all users together; None for as fast as the replies come.
        duration: How long requests are started, in seconds.
        grace: How long the last ones may take to finish, in seconds.
        paths: What the users ask for, in turn; unused with a locustfile.
        locustfile: The file whose users run instead.
        expected: Status codes that are no error, beside those below 400 and 429.
        one_address: All users speak from the address that the system picks.
    """

    base_url: str = ""
    users: int
    spawn_rate: float
    rate: float | None = None
    duration: float
    grace: float = FINISH_GRACE
    paths: tuple[str, ...] = ("/",)
    locustfile: str | None = None
    expected: tuple[int, ...] = ()
    one_address: bool = False

    def at(self, base_url: str) -> Plan:
        """The same plan for a target that is up by now."""
        return replace(self, base_url=base_url)

    def write(self, path: Path) -> None:
        """Write the plan for the load process."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Plan:
        """Read what `write` wrote."""
        fields = json.loads(path.read_text(encoding="utf-8"))
        return cls(**fields | {"paths": tuple(fields["paths"]), "expected": tuple(fields["expected"])})


Ended = Literal["running", "finished", "stopped", "locustfile"]


class ReportRecord(TypedDict):
    """A report as it goes through JSON."""

    ended: Ended
    fault: str
    duration: float
    cpu: float
    addresses: int
    tally: TallyRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the load process saw, written every second and at the end.

    Attributes:
        ended: `running` in between; `finished` after the whole duration; `stopped` when it was told to stop;
            `locustfile` when the locustfile cannot be used.
        fault: What is wrong with the locustfile, one line.
        duration: Time since the first user started, in seconds.
        cpu: CPU time that the load process used meanwhile, in seconds.
        addresses: Source addresses that the users spoke from, 0 where the system picked them.
        tally: What the requests came to.
    """

    ended: Ended
    fault: str = ""
    duration: float = 0.0
    cpu: float = 0.0
    addresses: int = 0
    tally: Tally

    def write(self, path: Path) -> None:
        """Put the report in place in one step, so that a reader never finds half of one."""
        record: ReportRecord = {
            "ended": self.ended,
            "fault": self.fault,
            "duration": self.duration,
            "cpu": self.cpu,
            "addresses": self.addresses,
            "tally": self.tally.to_record(),
        }
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(record), encoding="utf-8")
        fresh.replace(path)

    @classmethod
    def read(cls, path: Path) -> Report | None:
        """Read what `write` wrote last; None if it never did."""
        try:
            record: ReportRecord = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return cls(
            ended=record["ended"],
            fault=record["fault"],
            duration=record["duration"],
            cpu=record["cpu"],
            addresses=record["addresses"],
            tally=Tally.from_record(record["tally"]),
        )
