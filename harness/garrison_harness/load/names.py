"""Tallies by the name of a request, or by a tag, bounded in number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison_harness.load.tally import Tally, TallyRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_NAMES = 200
"""Names of requests, and tags, that are told apart; a locustfile may name each request differently."""

OTHER_REQUESTS = "other requests"
"""What the rest is counted under."""

IN_TASKS = "tasks"
"""What exceptions are counted under that a task raised outside any request."""


def merged(tallies: Iterable[Tally]) -> Tally:
    """One tally of all of them."""
    total = Tally()
    for tally in tallies:
        total.merge(tally)
    return total


def place(tallies: dict[str, Tally], name: str) -> Tally:
    """The tally of a name, made if need be; that of all others once there are too many names."""
    tally = tallies.get(name)
    if tally is None:
        if len(tallies) >= MOST_NAMES:
            name = OTHER_REQUESTS
        tally = tallies.setdefault(name, Tally())
    return tally


def merge_names(tallies: dict[str, Tally], more: Mapping[str, Tally]) -> None:
    """Add tallies of the same names."""
    for name, tally in more.items():
        place(tallies, name).merge(tally)


def record_names(tallies: Mapping[str, Tally]) -> dict[str, TallyRecord]:
    """Tallies in JSON's types."""
    return {name: tally.to_record() for name, tally in tallies.items()}


def read_names(records: Mapping[str, TallyRecord]) -> dict[str, Tally]:
    """The tallies that `record_names` described."""
    return {name: Tally.from_record(record) for name, record in records.items()}
