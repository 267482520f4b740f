"""Writing accepted findings into their file, which people keep by hand too."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from garrison_harness.baseline import Entry, entries_of, text_of
from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_HEADING: Final = """\
# Findings of `garrison check` that are accepted for now. Each counts again after the day it expires on.
"""
_ADVICE: Final = "write each of its entries as an [[accepted]] table, or add to it by hand"


def write_entries(path: Path, entries: Sequence[Entry]) -> None:
    """Add entries at the end of a file, or in place of those about the same; all else stays as it is.

    Whatever goes wrong, the file is as it was: the new text is read as the next audit will read it, and takes
    the place of the old one as a whole.

    Args:
        path: The file; made where there is none.
        entries: What to add.

    Raises:
        UsageFault: It cannot be written, or could not be read afterwards.
    """
    if path.exists() and not path.is_file():
        # Such as /dev/null, which would be replaced for the whole system.
        raise UsageFault(f"cannot write {path}: it is no file")
    before = text_of(path) if path.exists() else _HEADING
    old = entries_of(before, path)
    new = {entry.subject: entry for entry in entries}
    text = _merged(before, old, new)
    wanted = [entry for entry in old if entry.subject not in new] + list(new.values())
    try:
        content = text.encode("utf-8")
        written = entries_of(text, path)
    except UnicodeEncodeError as error:
        bad = text[error.start : error.end]
        raise UsageFault(f"cannot write {path}: {bad!r} in an entry is no text") from error
    except UsageFault as fault:
        raise UsageFault(f"cannot add to {path}: {_ADVICE}: {fault}") from fault
    if _without_lines(written) != _without_lines(wanted):
        raise UsageFault(f"cannot add to {path}: {_ADVICE}")
    try:
        _put(path, content)
    except OSError as error:
        raise UsageFault(f"cannot write {path}: {error.strerror}") from error


def _merged(before: str, old: Sequence[Entry], new: dict[tuple[str, str, str], Entry]) -> str:
    lines = before.split("\n")
    first = {entry.subject: entry.line for entry in reversed(old)}
    ends = [*(entry.line - 1 for entry in old), len(lines)][1:]
    # From the end, so that the numbers of the lines before stay true.
    for entry, end in reversed(list(zip(old, ends, strict=True))):
        if entry.subject in new:
            start = entry.line - 1
            block = [new[entry.subject]] if first[entry.subject] == entry.line else []
            lines[start : _last(lines, start, end)] = map(_table, block)
    text = "\n".join(lines)
    if text and not text.endswith("\n"):
        text += "\n"
    return text + "".join(f"\n{_table(entry)}\n" for subject, entry in new.items() if subject not in first)


def _last(lines: Sequence[str], start: int, end: int) -> int:
    """Where an entry ends: what follows its last field may be a remark on the next one."""
    while end > start + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    return end


def _table(entry: Entry) -> str:
    fields = {
        "check": entry.check,
        "where": entry.where,
        "message": entry.message,
        "reason": entry.reason,
        "owner": entry.owner,
    }
    lines = [f"{name} = {_string(value)}" for name, value in fields.items() if value]
    return "\n".join(("[[accepted]]", *lines, f"expires = {entry.expires.isoformat()}"))


def _string(value: str) -> str:
    # A string of JSON, where letters stay letters, is one of TOML, which has DEL escaped too.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _without_lines(entries: Sequence[Entry]) -> set[Entry]:
    return {replace(entry, line=1) for entry in entries}


def _put(path: Path, content: bytes) -> None:
    """Write a file as a whole, or not at all.

    Raises:
        OSError: The system refuses.
    """
    real = path.resolve()
    new = real.with_name(f".{real.name}.{os.getpid()}")
    try:
        new.write_bytes(content)
        if real.exists():
            shutil.copymode(real, new)
        new.replace(real)
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)
