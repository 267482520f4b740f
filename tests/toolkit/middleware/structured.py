"""Reads the structured fields of quotas strictly: lists of strings with parameters (RFC 9651)."""

from __future__ import annotations

import base64
import re
from typing import Final, TypeAlias

Value: TypeAlias = int | str | bytes
Item: TypeAlias = tuple[str, dict[str, Value]]

# RFC 9651 sections 3.3.3, 3.1.2, 3.3.1 and 3.3.5.
STRING: Final = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
NAME: Final = re.compile(r"; *([a-z*][a-z0-9_.*-]*)=")
INTEGER: Final = re.compile(r"-?[0-9]{1,15}(?![0-9.])")
BYTES: Final = re.compile(r":([A-Za-z0-9+/]*={0,2}):")
COMMA: Final = re.compile(r"[ \t]*,[ \t]*")


def read_list(text: str) -> list[Item]:
    """The items of a List, each of which must be a String.

    Args:
        text: the value of the field.

    Raises:
        ValueError: it is not one.
    """
    items, place = [], 0
    while True:
        item, place = _item(text, place)
        items.append(item)
        if place == len(text):
            return items
        comma = COMMA.match(text, place)
        if comma is None or comma.end() == len(text):
            raise ValueError(f"no item at {place} of {text!r}")
        place = comma.end()


def _item(text: str, place: int) -> tuple[Item, int]:
    string = STRING.match(text, place)
    if string is None:
        raise ValueError(f"no string at {place} of {text!r}")
    found: dict[str, Value] = {}
    place = string.end()
    while name := NAME.match(text, place):
        found[name[1]], place = _value(text, name.end())
    return (string[1].replace('\\"', '"').replace("\\\\", "\\"), found), place


def _value(text: str, place: int) -> tuple[Value, int]:
    if match := INTEGER.match(text, place):
        return int(match[0]), match.end()
    if match := BYTES.match(text, place):
        return base64.b64decode(match[1], validate=True), match.end()
    if match := STRING.match(text, place):
        return match[1], match.end()
    raise ValueError(f"no value at {place} of {text!r}")
