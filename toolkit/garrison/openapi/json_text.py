"""JSON as the app will read it, or not at all: two readings of one text are a way around a schema."""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable

# Schemas are checked to here and no deeper: in `anyOf` of a recursive one, errors take time quadratic in
# the depth. The parser itself stops at 1,024.
DEEPEST: Final = 128

# 18 digits always fit 64 bits.
NINES_TO_NOUGHTS: Final = bytes.maketrans(b"123456789", b"0" * 9)
LONG: Final = b"0" * 19


class JSONTextError(ValueError):
    """A text that is no JSON; its message is a sentence without anything from the text."""


def read(text: bytes) -> object:
    """The value of a JSON text, with exact integers.

    It is stricter than most apps: no NaN or Infinity, no number that a double cannot hold, no lone
    surrogate, UTF-8 only (RFC 8259 sections 6 to 8). A byte order mark in front is ignored, which its
    section 8.1 allows and Python's parser does. Of a name that an object has twice the last one counts, as
    it does for every JSON parser that Python apps use: `json`, orjson, msgspec, pydantic.

    Raises:
        JSONTextError: it is no JSON, is nested deeper than 1,024 levels, or has a number out of range.
    """
    return exact(text, parse(text))


def parse(text: bytes) -> object:
    """The value of a JSON text, in which an integer beyond 64 bits is the nearest double.

    Raises:
        JSONTextError: as for `read`.
    """
    try:
        value: object = orjson.loads(text.removeprefix(codecs.BOM_UTF8))
    except orjson.JSONDecodeError as error:
        raise JSONTextError(_what_is_wrong(text, error)) from None
    return value


def exact(text: bytes, value: object) -> object:
    """The value of a JSON text with integers of any length.

    Args:
        text: that has been parsed.
        value: what came of it.
    """
    if LONG not in text.translate(NINES_TO_NOUGHTS):
        return value
    try:
        exactly: object = json.loads(text)
    except RecursionError:
        return value
    return exactly


def is_deeper(value: object, depth: int) -> bool:
    """Whether a parsed value is nested deeper than `depth` levels of arrays and objects."""
    level = _containers([value])
    for _ in range(depth):
        if not level:
            return False
        level = [
            below
            for container in level
            for below in _containers(container.values() if isinstance(container, dict) else container)
        ]
    return bool(level)


def _containers(values: Iterable[object]) -> list[dict[str, object] | list[object]]:
    return [value for value in values if isinstance(value, (dict, list))]


def _what_is_wrong(text: bytes, error: json.JSONDecodeError) -> str:
    try:
        text.decode()
    except UnicodeDecodeError:
        return "The JSON is not valid UTF-8."
    return f"The JSON is broken at line {error.lineno}, column {error.colno}."
