"""The CPU time of one load process of several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterable


class SpentRecord(TypedDict):
    """The CPU time of a load process as it goes through JSON."""

    cpu: float
    waited: float


@dataclass(slots=True, kw_only=True)
class Spent:
    """What a load process used.

    Attributes:
        cpu: CPU time, in seconds.
        waited: How long it was ready to run and had no core, in seconds.
    """

    cpu: float = 0.0
    waited: float = 0.0

    def to_record(self) -> SpentRecord:
        """The same in JSON's types."""
        return {"cpu": self.cpu, "waited": self.waited}

    @classmethod
    def from_record(cls, record: SpentRecord) -> Spent:
        """What `to_record` described."""
        return cls(cpu=record["cpu"], waited=record["waited"])


def add_spent(into: list[Spent], others: Iterable[Spent]) -> None:
    """Add what load processes used meanwhile, each to its own.

    Args:
        into: By the number of the process; it grows where there are more now.
        others: What they used, by the same number.
    """
    for number, other in enumerate(others):
        if number == len(into):
            into.append(Spent())
        into[number].cpu += other.cpu
        into[number].waited += other.waited
