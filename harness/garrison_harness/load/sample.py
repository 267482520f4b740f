"""One reply of a run that is kept whole, for what is judged after the run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Sequence

BODY_LENGTH = 1024
"""Characters of the body of an error that are kept."""

_FIRST = 100


class SampleRecord(TypedDict):
    """A sample as it goes through JSON."""

    at: float
    method: str
    path: str
    name: str
    status: int
    headers: list[list[str]]
    body: str
    fault: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A reply as it was seen while the load ran.

    Attributes:
        at: When it had come, in seconds since the first user.
        method: The method of the request.
        path: What was asked for, with the query.
        name: The name that the request is counted under, without the method.
        status: The status code, 0 where no reply came.
        headers: Names in lower case, and values, in the order received.
        body: The first part of the body, for replies that are errors; empty otherwise.
        fault: The type of the exception where no reply came; empty otherwise.
    """

    at: float
    method: str
    path: str
    name: str = ""
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    fault: str = ""

    def to_record(self) -> SampleRecord:
        """The sample in JSON's types."""
        return {
            "at": self.at,
            "method": self.method,
            "path": self.path,
            "name": self.name,
            "status": self.status,
            "headers": [list(pair) for pair in self.headers],
            "body": self.body,
            "fault": self.fault,
        }

    @classmethod
    def from_record(cls, record: SampleRecord) -> Sample:
        """The sample that `to_record` described."""
        return cls(
            at=record["at"],
            method=record["method"],
            path=record["path"],
            name=record["name"],
            status=record["status"],
            headers=tuple((name, value) for name, value in record["headers"]),
            body=record["body"],
            fault=record["fault"],
        )


def thinned(samples: Sequence[Sample]) -> list[Sample]:
    """About half of them: of each status the first hundred, and every second one of the others.

    Args:
        samples: In the order of time.
    """
    seen: Counter[int] = Counter()
    kept = []
    for sample in samples:
        seen[sample.status] += 1
        if seen[sample.status] <= _FIRST or seen[sample.status] % 2:
            kept.append(sample)
    return kept
