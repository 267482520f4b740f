"""Reads what a kept reply says, and finds the quiet replies that it can be compared with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from garrison_harness.finding import printable
from garrison_harness.load.promise import Promise

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from garrison_harness.load.sample import Sample

MOST_EXAMPLES = 5
"""Examples of a broken promise that are told."""

_LENGTH = 100  # characters of an example


def values(sample: Sample, name: str) -> list[str]:
    """The values of every header of that name, in lower case, in order."""
    return [value.strip() for found, value in sample.headers if found == name]


def value(sample: Sample, name: str) -> str:
    """The header's values joined as RFC 9110 section 5.3 joins them, empty where there is none."""
    return ", ".join(values(sample, name))


def names(sample: Sample) -> frozenset[str]:
    """The names of its headers, in lower case."""
    return frozenset(name for name, _ in sample.headers)


def media_type(sample: Sample) -> str:
    """The type of the content in lower case, without parameters."""
    return value(sample, "content-type").partition(";")[0].strip().lower()


def kind(sample: Sample) -> str:
    """What a browser takes the content for: policies differ between pages, data and the rest."""
    found = media_type(sample)
    if found in {"text/html", "application/xhtml+xml"}:
        return "page"
    if found == "application/json" or found.endswith("+json"):
        return "data"
    return "text" if found == "text/plain" else "other"


def is_problem(sample: Sample) -> bool:
    """Whether it says that it is a problem document (RFC 9457)."""
    return media_type(sample) == "application/problem+json"


def is_error(sample: Sample) -> bool:
    """Whether it is an error with content; a reply to HEAD has none."""
    return sample.status >= 400 and sample.method != "HEAD"


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{number:,} {one if number == 1 else many}"


def summary(sample: Sample, fault: str) -> str:
    """Request, reply and what is wrong, in one line."""
    outcome = str(sample.status) if sample.status else f"no reply ({sample.fault or 'cut off'})"
    return printable(f"{sample.method} {sample.path} -> {outcome}: {fault}", _LENGTH)


@dataclass(slots=True)
class Faults:
    """What breaks a promise: how many replies, the first few, and what is wrong with them.

    Attributes:
        replies: Replies that break it.
        examples: A few of them, each told once.
        kinds: How many have which fault.
    """

    replies: int = 0
    examples: list[str] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)

    def add(self, sample: Sample, found: Iterable[str]) -> None:
        """Count a reply with its faults; one without any counts for nothing."""
        told = list(found)
        if not told:
            return
        self.replies += 1
        for fault in told:
            self.kinds[fault] = self.kinds.get(fault, 0) + 1
        line = summary(sample, "; ".join(told))
        if line not in self.examples and len(self.examples) < MOST_EXAMPLES:
            self.examples.append(line)

    def promise(self, name: str, title: str, *, judged: bool, detail: str) -> Promise:
        """What became of a promise.

        Args:
            name: Its id.
            title: What was promised.
            judged: Whether anything was seen that could break it.
            detail: What was seen.
        """
        return Promise(
            id=name,
            title=title,
            verdict="broken" if self.replies else "kept" if judged else "not judged",
            detail=detail,
            examples=tuple(self.examples),
        )

    def worst(self) -> str:
        """The faults, the most frequent first, in a few words."""
        ordered = sorted(self.kinds.items(), key=lambda pair: -pair[1])
        told = ", ".join(f"{fault} ({count})" for fault, count in ordered[:3])
        return f"{told}, and {len(ordered) - 3} more" if len(ordered) > 3 else told


class Quiet:
    """The replies that the app gave when nothing else was asked of it."""

    def __init__(self, replies: Sequence[Sample]) -> None:
        """Take the replies; those that never came say nothing."""
        self.replies = [reply for reply in replies if reply.status]
        self._exact: dict[tuple[str, str], list[Sample]] = {}
        for reply in self.replies:
            self._exact.setdefault((reply.method, reply.path), []).append(reply)

    @property
    def errors(self) -> list[Sample]:
        """Those that are errors with content."""
        return [reply for reply in self.replies if is_error(reply)]

    def asked(self, sample: Sample) -> list[Sample]:
        """The quiet replies to the very same request line."""
        return self._exact.get((sample.method, sample.path), [])

    def same(self, sample: Sample) -> list[Sample]:
        """Those of them with the same status and the same kind of content."""
        return [
            reply
            for reply in self.asked(sample)
            if reply.status == sample.status and kind(reply) == kind(sample)
        ]

    def with_error_of(self, sample: Sample) -> list[Sample]:
        """What an error can be compared with that nothing quiet equals: all with the same kind of content.

        Policies differ between pages and data, and nowhere else without a reason. Where no quiet error is of
        that kind, all replies count, so that only what is on each of them is expected.
        """
        alike = [reply for reply in self.replies if kind(reply) == kind(sample)]
        if any(is_error(reply) for reply in alike):
            return alike
        return self.replies if self.errors else []
