"""Sorts replies by what their status means for a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from garrison_harness.load.tally import TOO_MANY_REQUESTS

if TYPE_CHECKING:
    from garrison_harness.load.tally import Tally

_NO_REPLY: Final = 0
_UNAVAILABLE: Final = 503


@dataclass(frozen=True, slots=True)
class StatusClass:
    """Statuses that mean the same.

    Attributes:
        name: As people call it.
        look: The class that the style sheet draws it by.
    """

    name: str
    look: str


_FINE = StatusClass("2xx", "fine")
_MOVED = StatusClass("1xx and 3xx", "moved")
_LIMITED = StatusClass("429 too many requests", "limited")
_REFUSED = StatusClass("other 4xx", "refused")
_OVERLOADED = StatusClass("503 unavailable", "overloaded")
_FAILED = StatusClass("other 5xx", "failed")
_SILENT = StatusClass("no reply", "silent")
_OTHER = StatusClass("not HTTP", "foreign")

CLASSES: Final = (_FINE, _OTHER, _MOVED, _LIMITED, _REFUSED, _OVERLOADED, _FAILED, _SILENT)
"""From what is well to what is worst."""

_BAD: Final = (_REFUSED, _OVERLOADED, _FAILED)


def class_of(status: int) -> StatusClass:
    """What a status belongs to.

    Args:
        status: The code, 0 where no reply came.
    """
    if status == TOO_MANY_REQUESTS:
        return _LIMITED
    if status == _UNAVAILABLE:
        return _OVERLOADED
    match status // 100:
        case 0:
            return _SILENT
        case 2:
            return _FINE
        case 4:
            return _REFUSED
        case 5:
            return _FAILED
    return _MOVED


def by_class(tally: Tally) -> dict[StatusClass, int]:
    """How many requests came to each class that there is, in the order of the classes.

    Args:
        tally: What the requests came to.
    """
    found = dict.fromkeys(CLASSES, 0)
    for status, count in tally.statuses.items():
        found[class_of(status)] += count
    # Without a status is what got no reply, and what speaks another protocol: that is well unless it failed.
    rest = max(0, tally.requests - sum(tally.statuses.values()))
    failed = sum(count for status, count in tally.statuses.items() if class_of(status) in _BAD)
    silent = min(rest, max(0, tally.errors - tally.task_errors - failed))
    found[_SILENT] += silent
    found[_OTHER] += rest - silent
    return {kind: count for kind, count in found.items() if count}
