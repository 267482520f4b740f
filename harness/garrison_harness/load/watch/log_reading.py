"""Reads what a target has logged, in bounded memory: who leaks, and which lines are torn."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from garrison_harness.finding import printable
from garrison_harness.report.hiding import hidden

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

MOST_BYTES: Final = 512 * 1024 * 1024
"""Bytes of one stream that are read: what a busy app writes in minutes."""

_PIECE: Final = 1024 * 1024  # bytes
_LONGEST: Final = 1024 * 1024  # bytes of a line
_PARSED: Final = 20_000  # lines that are parsed, at least
_EXAMPLES: Final = 2
_EXCERPT: Final = 60  # characters before a secret


@dataclass(slots=True)
class Lines:
    """Lines of one kind: how many, and the first few."""

    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, example: str) -> None:
        """Count one."""
        self.count += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(example)


@dataclass(slots=True)
class LogSeen:
    """What was seen of a log.

    Attributes:
        known: There is a log to look at.
        lines: Lines that were read.
        objects: Lines that begin as JSON objects do.
        torn: Those of them that are no whole object; where there are many lines, not all were tried.
        leaks: Lines with a secret, by the place that it was sent in.
        unread: Bytes that were too many to be read.
    """

    known: bool = False
    lines: int = 0
    objects: int = 0
    torn: Lines = field(default_factory=Lines)
    leaks: dict[str, Lines] = field(default_factory=dict)
    unread: int = 0

    def merge(self, other: LogSeen) -> None:
        """Take in what was seen of another stream of the same target."""
        self.known |= other.known
        self.lines += other.lines
        self.objects += other.objects
        self.unread += other.unread
        for place, lines in other.leaks.items():
            mine = self.leaks.setdefault(place, Lines())
            mine.count += lines.count
            mine.examples = [*mine.examples, *lines.examples][:_EXAMPLES]
        self.torn.count += other.torn.count
        self.torn.examples = [*self.torn.examples, *other.torn.examples][:_EXAMPLES]


def read_log(
    path: Path | None, start: int, end: int, needles: Mapping[bytes, str], given: Sequence[str] = ()
) -> LogSeen:
    """Read a part of a stream of the log.

    Args:
        path: The file; None where the log is not known.
        start: Where to begin, in bytes.
        end: Where to stop.
        needles: What no line may hold, with a word for it.
        given: Secrets of the person's own, which no report may show, as `secrets_of` gives them.
    """
    seen = LogSeen(known=path is not None)
    if path is None or not path.exists() or end <= start:
        return seen
    seen.unread = max(0, end - start - MOST_BYTES)
    stop = min(end, start + MOST_BYTES)
    # Of a great many lines every so manieth is parsed; a pause between requests tears none.
    stride = 1 + (stop - start) // (_PARSED * 1024)
    for number, line in enumerate(_lines(path, start, stop)):
        if not line.strip():
            continue
        seen.lines += 1
        for needle, place in needles.items():
            if needle in line:
                seen.leaks.setdefault(place, Lines()).add(_shown(line, needle, given))
        if line.startswith(b'{"'):
            seen.objects += 1
            # What is torn mostly shows at its end; the rest is for the parser.
            if not line.rstrip().endswith(b"}") or (number % stride == 0 and not _is_object(line)):
                seen.torn.add(f"log: {printable(hidden(line.decode(errors='replace'), given), 100)}")
    return seen


def _lines(path: Path, start: int, stop: int) -> Iterator[bytes]:
    """Whole lines; the last one may still be written, and what is behind `start` is somebody else's line."""
    with path.open("rb") as log:
        partial = False
        if start:
            log.seek(start - 1)
            partial = log.read(1) != b"\n"
        log.seek(start)
        rest = b""
        left = stop - start
        while left > 0 and (piece := log.read(min(_PIECE, left))):
            left -= len(piece)
            *lines, rest = (rest + piece).split(b"\n")
            if lines and partial:
                del lines[0]
                partial = False
            yield from lines
            rest = rest[:_LONGEST] if len(rest) > 2 * _LONGEST else rest


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _shown(line: bytes, needle: bytes, given: Sequence[str]) -> str:
    # Hidden before it is cut, since a cut leaves a part of a secret.
    before = hidden(line[: line.index(needle)].decode(errors="replace"), given)[-_EXCERPT:]
    return f"log: {printable(before, 2 * _EXCERPT)}(the secret)"
