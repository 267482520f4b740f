"""Reads YAML as OpenAPI means it: the JSON values of YAML 1.2, with string keys, and no bombs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

import yaml

from garrison.openapi.model import DocumentError
from garrison.openapi.places import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# What a document may come to with every alias written out; the largest public ones have a quarter million
# values.
MAX_VALUES: Final = 5_000_000
MAX_DEPTH: Final = 200


class _Mark(Protocol):
    """A position in a text, from 0."""

    line: int
    column: int


# YAML 1.2 section 10.3.2, the core schema. PyYAML's own resolver is of YAML 1.1, where 12:30 is 750,
# 010 is 8, yes is true and 2020-01-01 is a date.
_WORDS: Final[Mapping[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER: Final = re.compile(r"[-+]?[0-9]+")
_OCTAL: Final = re.compile(r"0o[0-7]+")
_HEXADECIMAL: Final = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NUMBER_STARTS: Final = frozenset("-+.0123456789")

_TAG: Final = "tag:yaml.org,2002:"
_MERGE: Final = "<<"


def parse_yaml(text: bytes) -> object:
    """The value that a YAML text describes.

    Args:
        text: of one YAML document, in UTF-8 or in UTF-16 with a byte order mark.

    Raises:
        DocumentError: it is no YAML, has a key twice or one that is no scalar, a tag of its own, an alias
            inside of what it names, or more values than `MAX_VALUES` once its aliases are written out.
    """
    composer = _Composer()
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            composer.take(event)
    except yaml.MarkedYAMLError as error:
        found = "a tab where only spaces may be" if _is_at_tab(text, error.problem_mark) else error.problem
        raise _wrong(found or "a syntax error", error.problem_mark) from None
    except (yaml.YAMLError, UnicodeError) as error:
        raise DocumentError("", "YAML", " ".join(str(error).split())[:200]) from None
    return composer.value


def _is_at_tab(text: bytes, mark: _Mark | None) -> bool:
    """Whether it is a tab that stopped the parser, which only says that it is no token."""
    if mark is None:
        return False
    lines = text.split(b"\n")
    return mark.line < len(lines) and lines[mark.line].decode(errors="replace")[mark.column :][:1] == "\t"


def _wrong(found: str, mark: _Mark | None) -> DocumentError:
    where = "" if mark is None else f" in line {mark.line + 1}, column {mark.column + 1}"
    return DocumentError("", "YAML", f"{found}{where}")


class _Level:
    """An array or object that is not complete yet."""

    __slots__ = ("anchor", "before", "key", "merged", "value")

    def __init__(self, value: dict[str, object] | list[object], anchor: str | None, before: int) -> None:
        self.value = value
        self.anchor = anchor
        self.before = before
        self.key: str | None = None
        self.merged: list[object] = []


class _Composer:
    """Makes values of events, without recursion."""

    def __init__(self) -> None:
        self.value: object = None
        self._documents = 0
        self._values = 0
        self._levels: list[_Level] = []
        self._anchors: dict[str, tuple[object, int]] = {}
        self._takers: dict[type[yaml.Event], Callable[..., None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.AliasEvent: self._alias,
            yaml.MappingStartEvent: self._start,
            yaml.SequenceStartEvent: self._start,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.DocumentStartEvent: self._document,
        }

    def take(self, event: yaml.Event) -> None:
        taker = self._takers.get(type(event))
        if taker is not None:
            taker(event)

    def _document(self, event: yaml.DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            raise _wrong("a second document", event.start_mark)

    def _count(self, more: int, event: yaml.Event) -> None:
        self._values += more
        if self._values > MAX_VALUES:
            raise _wrong(f"more than {MAX_VALUES} values with all aliases written out", event.start_mark)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._count(1, event)
        level = self._levels[-1] if self._levels else None
        if level is not None and type(level.value) is dict and level.key is None:
            self._name(level, event.value, event)
            return
        value = _read_scalar(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, 1)
        self._put(value, event)

    def _name(self, level: _Level, name: str, event: yaml.ScalarEvent) -> None:
        """The text of a key as it stands: 200 and 1.10 are names too."""
        if event.anchor is not None:
            self._anchors[event.anchor] = (name, 1)
        if name in level.value:
            raise _wrong(f"the key {quoted(name[:60])} twice", event.start_mark)
        level.key = _MERGE if name == _MERGE and event.implicit[0] else f" {name}"

    def _alias(self, event: yaml.AliasEvent) -> None:
        if event.anchor not in self._anchors:
            raise _wrong(f"the alias *{event.anchor} for nothing that is complete", event.start_mark)
        value, values = self._anchors[event.anchor]
        self._count(values, event)
        self._put(value, event)

    def _start(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        value: dict[str, object] | list[object] = {} if isinstance(event, yaml.MappingStartEvent) else []
        if event.tag not in {None, "!", f"{_TAG}map", f"{_TAG}seq"}:
            raise _wrong(f"the tag {event.tag}", event.start_mark)
        if len(self._levels) >= MAX_DEPTH:
            raise _wrong(f"more than {MAX_DEPTH} levels", event.start_mark)
        self._count(1, event)
        self._levels.append(_Level(value, event.anchor, self._values - 1))

    def _end(self, event: yaml.Event) -> None:
        level = self._levels.pop()
        if type(level.value) is dict:
            for source in level.merged:
                level.value |= {
                    name: value for name, value in _merged(source, event) if name not in level.value
                }
        if level.anchor is not None:
            self._anchors[level.anchor] = (level.value, self._values - level.before)
        self._put(level.value, event)

    def _put(self, value: object, event: yaml.Event) -> None:
        if not self._levels:
            self.value = value
            return
        level = self._levels[-1]
        if type(level.value) is list:
            level.value.append(value)
            return
        if level.key is None:
            raise _wrong("a key that is no text", event.start_mark)
        if level.key == _MERGE:
            level.merged += value if type(value) is list else [value]
        elif type(level.value) is dict:
            level.value[level.key[1:]] = value
        level.key = None


def _merged(source: object, event: yaml.Event) -> list[tuple[str, object]]:
    if type(source) is not dict:
        raise _wrong("a merge key << with what is no object", event.start_mark)
    return list(source.items())


def _read_scalar(event: yaml.ScalarEvent) -> object:
    text: str = event.value
    tag = event.tag
    if tag is not None and tag.startswith(_TAG):
        kind = tag.removeprefix(_TAG)
        value = text if kind == "str" else _plain(text)
        kinds = {"str": str, "int": int, "float": float | int, "bool": bool, "null": type(None)}
        if kind not in kinds or not isinstance(value, kinds[kind]):
            raise _wrong(f"the tag !!{kind} at {quoted(text[:60])}", event.start_mark)
        return value
    if tag is not None and tag != "!":
        raise _wrong(f"the tag {tag}", event.start_mark)
    return _plain(text) if event.implicit[0] and tag is None else text


def _plain(text: str) -> object:
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    # A longer number is a text to people, and Python refuses to read it (CVE-2020-10735).
    if len(text) > 4000:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text, 8)
    if _HEXADECIMAL.fullmatch(text):
        return int(text, 16)
    return float(text) if _FLOAT.fullmatch(text) else text
