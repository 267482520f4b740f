"""Tells the records of a log from what an app prints beside it, by their form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_BREAK: Final = re.compile(r"\r\n|\r|\n")
_COLOUR: Final = re.compile(r"\x1b\[[\d;]*m")
_HEAD: Final = 120  # characters, within which a record says what it is
_TRACEBACK: Final = re.compile(r"Traceback \(most recent call last\)|^\s+at \S+[ (]|^\s+File \"")
_LONGEST_TRACEBACK: Final = 200  # lines
# What records begin with: JSON, logfmt, a date or a time in the usual forms, a level, the client's address as
# web servers write it, or a request line.
_RECORD: Final = re.compile(
    r"""\s*(?:
        \{\s*"
      | [A-Za-z_][\w.-]{0,30}=(?:"[^"]*"|\S*)\ [A-Za-z_][\w.-]{0,30}=
      | [\[<(]?\d{4}[-/]\d{2}[-/]\d{2}[T\ ,]
      | [\[<(]?(?:[A-Z][a-z]{2}\ +)?\d{1,2}[/\ ][A-Z][a-z]{2}[/\ :]
      | [A-Z][a-z]{2}\ +\d{1,2}\ \d\d:\d\d:\d\d
      | [\[<(]?\d{2}:\d{2}:\d{2}\b
      | (?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL)\b
      | (?i:[\[<(](?:trace|debug|info|notice|warn|warning|error|critical|fatal)\s*[\]>)])
      | (?i:(?:trace|debug|info|notice|warn|warning|error|critical|fatal):)
      | (?:\d{1,3}\.){3}\d{1,3}[\s:-]
      | [\da-f:]*:[\da-f:]+\ -[\ ]
      | "?(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE)\ +/
    )""",
    re.VERBOSE,
)


def lines_of(log: str) -> list[str]:
    """The lines of a log as whoever reads it sees them.

    Args:
        log: What a target wrote.
    """
    return _BREAK.split(log)


def is_record(line: str) -> bool:
    """Whether a line has the form of a log's record, which says when, how bad or about which request it is.

    Args:
        line: As the target wrote it.
    """
    return _RECORD.match(_COLOUR.sub("", line[:_HEAD])) is not None


def is_traceback(lines: Sequence[str], number: int) -> bool:
    """Whether a line belongs to a traceback, with the message of the exception that ends it.

    Args:
        lines: All of them.
        number: Which of them.
    """
    for line in reversed(lines[max(0, number - _LONGEST_TRACEBACK) : number + 1]):
        if _TRACEBACK.search(line):
            return True
        if is_record(line) or not line.strip():
            return False
    return False
