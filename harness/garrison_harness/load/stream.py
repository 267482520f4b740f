"""The stream from the load process to the parent: a file that one appends to, and the other follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison_harness.load.delta import Delta

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "stream.jsonl"


def tell(path: Path, delta: Delta) -> None:
    """Append a delta, in one write: a reader finds a line without its newline where the writer was killed."""
    append(path, delta.to_line())


def append(path: Path, line: str) -> None:
    """Append a delta that is a line already."""
    with path.open("a", encoding="utf-8") as stream:
        stream.write(line)


class Follower:
    """Reads what was appended to a stream since the last look."""

    def __init__(self, path: Path) -> None:
        """Follow a file, which need not exist yet."""
        self._path = path
        self._read = 0
        self._rest = b""

    def deltas(self) -> list[Delta]:
        """The deltas that have come in the meantime; what is not a whole line yet waits for the next look."""
        try:
            with self._path.open("rb") as stream:
                stream.seek(self._read)
                fresh = stream.read()
        except FileNotFoundError:
            return []
        self._read += len(fresh)
        *lines, self._rest = (self._rest + fresh).split(b"\n")
        return [Delta.from_line(line) for line in lines]
