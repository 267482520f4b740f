"""The parts of a run in JSON's types: by name, by tag, and interval by interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from garrison_harness.load.latencies import latency_of

if TYPE_CHECKING:
    from garrison_harness.load.arrivals import ArrivalsRecord
    from garrison_harness.load.series import Second
    from garrison_harness.load.tally import Tally


class ErrorRecord(TypedDict):
    """Errors of one kind: how many, and the first few paths that gave one; none for errors in tasks."""

    count: int
    paths: list[str]


class GroupRecord(TypedDict):
    """Requests of one name or tag; `received` is in bytes, and the rest as in the whole result."""

    requests: int
    errors: int
    error_kinds: dict[str, ErrorRecord]
    limited: int
    received: int
    statuses: dict[str, int]
    latency: dict[str, float] | None


class IntervalRecord(TypedDict):
    """What ended in one interval: `at` is its end in seconds since the first user, `width` how long it was.

    `users` is how many there were at its end, `cpu` what the load processes used of one core, as a share.
    """

    at: float
    width: float
    users: int
    cpu: float
    requests: int
    rate: float
    errors: int
    limited: int
    statuses: dict[str, int]
    arrivals: ArrivalsRecord
    latency: dict[str, float] | None


def error_kinds(tally: Tally) -> dict[str, ErrorRecord]:
    """Errors by kind, the most frequent first.

    Args:
        tally: What the requests came to.
    """
    return {
        kind: {"count": count, "paths": tally.examples.get(kind, [])}
        for kind, count in tally.kinds.most_common()
    }


def statuses(tally: Tally) -> dict[str, int]:
    """Replies by status code.

    Args:
        tally: What the requests came to.
    """
    return {str(status): count for status, count in sorted(tally.statuses.items())}


def group(tally: Tally) -> GroupRecord:
    """The requests of one name or tag.

    Args:
        tally: What they came to.
    """
    return {
        "requests": tally.requests,
        "errors": tally.errors,
        "error_kinds": error_kinds(tally),
        "limited": tally.limited,
        "received": tally.received,
        "statuses": statuses(tally),
        "latency": latency_of(tally.latency),
    }


def interval(second: Second) -> IntervalRecord:
    """One interval of a run.

    Args:
        second: What happened in it.
    """
    tally = second.tally
    return {
        "at": second.at,
        "width": second.width,
        "users": second.users,
        "cpu": second.cpu,
        "requests": tally.requests,
        "rate": second.rate,
        "errors": tally.errors,
        "limited": tally.limited,
        "statuses": statuses(tally),
        "arrivals": second.arrivals.to_record(),
        "latency": latency_of(tally.latency),
    }
