"""Events as lines: of JSON for programs, of text for people; whatever is in them, each stays one line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, MutableMapping
from datetime import datetime
from itertools import islice
from typing import Any, Final

import orjson

# What an empty pipe takes at once (Linux, pipe(7)), and longer than any event that says something.
LONGEST_LINE: Final = 64 * 1024
SHORTENINGS: Final = (4096, 256)
MOST_ITEMS: Final = 100
DEEPEST: Final = 5

# What terminals obey or read in another order, and what some readers take for the end of a line: C1 controls
# (ECMA-48), separators, and marks of direction (UAX #9). JSON itself escapes only what is below a blank.
UNSAFE: Final = re.compile("[\x80-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")

OPTIONS: Final = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE

Event = MutableMapping[str, Any]


def render_json(_logger: object, _name: str, event: Event) -> bytes:
    """A structlog processor: the event as one line of JSON with its end, whatever its values are."""
    try:
        line = orjson.dumps(event, default=repr, option=OPTIONS)
    except (TypeError, ValueError, RecursionError):
        line = orjson.dumps(printable(event), option=OPTIONS)
    if len(line) > LONGEST_LINE:
        line = _shortened(event)
    return line if line.isascii() else UNSAFE.sub(_escape, line.decode()).encode()


def escape_texts(_logger: object, _name: str, event: Event) -> Event:
    """A structlog processor: what the console renderer writes as it is, made harmless.

    That is the event's name and a stack trace, which stands below the line: indented, so that none of its
    lines looks like an event.
    """
    event["event"] = escaped(str(event.get("event", "")))
    text = event.pop("exception.stacktrace", None)
    if text is not None:
        event["exception"] = "\n".join(f"    {escaped(line)}" for line in str(text).rstrip("\n").split("\n"))
    return event


def encode_line(_logger: object, _name: str, text: str) -> bytes:
    """A structlog processor: a rendered text as the bytes of a line."""
    return text[:LONGEST_LINE].encode("utf-8", "backslashreplace") + b"\n"


def escaped(text: str) -> str:
    """A text with line ends, escape sequences and everything else escaped that cannot be seen."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def printable(value: object, longest: int | None = None, depth: int = DEEPEST) -> object:
    """A value that any JSON renderer takes: surrogates escaped, large integers and objects as text.

    Args:
        value: anything.
        longest: characters of a text that are kept; all unless given.
        depth: how far containers are followed.
    """
    if isinstance(value, str):
        text = value
    elif value is None or isinstance(value, bool | float | datetime) or _is_small(value):
        return value
    elif depth and isinstance(value, Mapping):
        return {
            str(printable(_text(key), longest)): printable(item, longest, depth - 1)
            for key, item in islice(value.items(), MOST_ITEMS)
        }
    elif depth and isinstance(value, list | tuple | set | frozenset):
        return [printable(item, longest, depth - 1) for item in _first(value)]
    else:
        text = _text(value)
    if longest is not None and len(text) > longest:
        text = f"{text[:longest]}[{len(text) - longest} characters left out]"
    return text.encode("utf-8", "backslashreplace").decode()


def _is_small(value: object) -> bool:
    """Whether it is an integer that every reader of JSON keeps (RFC 8259 section 6)."""
    return isinstance(value, int) and abs(value) < 2**53


def _first(items: Iterable[object]) -> Iterable[object]:
    return islice(items, MOST_ITEMS)


def _text(value: object) -> str:
    """What an object says of itself; its type where it fails to."""
    try:
        return str(value) if isinstance(value, str | int) else repr(value)
    except Exception:  # noqa: BLE001 - an app's class may do anything, and huge integers raise too
        return f"<{type(value).__qualname__}>"


def _shortened(event: Event) -> bytes:
    line = b""
    for longest in SHORTENINGS:
        line = orjson.dumps(printable(event, longest), option=OPTIONS)
        if len(line) <= LONGEST_LINE:
            return line
    kept = {name: event[name] for name in ("timestamp", "level", "event") if name in event}
    return orjson.dumps(printable({**kept, "left_out": len(line)}, SHORTENINGS[-1]), option=OPTIONS)


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
