"""Reads a list of requests out of a file, one a line."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from garrison_harness.load.requests.drawing import METHODS
from garrison_harness.load.requests.linking import Declared, linked
from garrison_harness.load.requests.spec import (
    FRESH,
    KEPT_BY_CLIENT,
    READING,
    Example,
    RequestSpec,
    parameters_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

NUMBER: Final = "{{number}}"
"""Stands for a number that is another one each time."""

_METHODS: Final = (*METHODS, "OPTIONS")
_WORDS: Final = ("weight", "name", "tag", "expect")
_MOST: Final = 5_000
_MOST_WEIGHT: Final = 1_000
_TARGET: Final = re.compile(r"/(?!/)[!-\"$-~]*")
_HEADER: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*)")  # RFC 9110 section 5.6.2


class ListFault(Exception):  # noqa: N818 - the fault is in the file
    """The list cannot be used; the text is one line that names the file and the line, and says what to do."""


@dataclass(slots=True)
class _Entry:
    """A request as it stands in the file: its line, and what is indented below it."""

    at: int
    line: str
    below: list[tuple[int, str]] = field(default_factory=list)


def read_list(path: Path) -> tuple[RequestSpec, ...]:
    """The requests of a file.

    A request is `METHOD /path` with `weight=`, `name=`, `tag=` and `expect=` behind it where they are wanted.
    What is indented below belongs to it: headers, and then the body from the first line on that is none.

    Args:
        path: The file.

    Raises:
        ListFault: It cannot be read, or a line of it not.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ListFault(f"cannot read {path}: {error.strerror}; check the path") from error
    except UnicodeDecodeError as error:
        raise ListFault(f"{path} is no text in UTF-8: {error.reason}; save it as such") from error
    return parse_list(text, source=str(path))


def parse_list(text: str, *, source: str) -> tuple[RequestSpec, ...]:
    """The requests of a text.

    Args:
        text: As `read_list` describes it.
        source: What a fault names.

    Raises:
        ListFault: A line cannot be read, or there is no request.
    """
    specs: list[RequestSpec] = []
    lines: list[int] = []
    for entry in _entries(text, source):
        lines.append(entry.at)
        try:
            specs.append(_spec(entry))
        except ValueError as error:
            raise ListFault(f"{source}, line {entry.at}: {error}") from error
        if len(specs) > _MOST:
            raise ListFault(f"{source}, line {entry.at}: there may be {_MOST} requests, and this is one more")
    if not specs:
        raise ListFault(f"{source} lists no request: write one a line, such as GET /items?page=2")
    found = linked([Declared(spec=spec, operation={}) for spec in specs], {})
    for at, spec in zip(lines, found, strict=True):
        named = any(gift.source == "path" for gift in spec.gives)
        parameters = parameters_of(spec.path)[spec.takes.count("{}") :]
        if parameters and not named:
            raise ListFault(
                f"{source}, line {at}: no request of the list gives {{{parameters[0]}}}: write it out, or add"
                f" POST or GET {spec.path.partition(f'/{{{parameters[0]}}}')[0] or '/'}"
            )
    return found


def _entries(text: str, source: str) -> Iterator[_Entry]:
    entry: _Entry | None = None
    for at, line in enumerate(text.splitlines(), 1):
        if line[:1] in {" ", "\t"} and line.strip():
            if entry is None:
                raise ListFault(f"{source}, line {at}: an indented line belongs to a request above it")
            entry.below.append((at, line))
        elif line.strip() and not line.startswith("#"):
            if entry is not None:
                yield entry
            entry = _Entry(at=at, line=line)
        elif entry is not None and not line.startswith("#"):
            entry.below.append((at, ""))  # before a body, or in it
    if entry is not None:
        yield entry


def _spec(entry: _Entry) -> RequestSpec:
    try:
        words = shlex.split(entry.line, comments=False)
    except ValueError as error:
        raise ValueError(f"{str(error).lower()}; quotes come in pairs") from error
    if len(words) < 2:
        raise ValueError(f"expected a method and a path, such as GET /items, found {entry.line.strip()!r}")
    method, target = words[0], words[1]
    if method not in _METHODS:
        raise ValueError(f"expected one of {', '.join(_METHODS)}, found {method!r}")
    if not _TARGET.fullmatch(target):
        raise ValueError(f"expected a path such as /items?page=2, percent-encoded, found {target!r}")
    given = _options(words[2:])
    path, _, query = target.replace(NUMBER, FRESH).partition("?")
    headers, body = _below(entry)
    kind = "read" if method in READING else "write"
    tags = tuple(tag for tag in given.get("tag", "").split(",") if tag)
    parameters = parameters_of(path)
    example = Example(values=(FRESH,) * len(parameters), query=query, headers=headers, body=body)
    return RequestSpec(
        method=method,
        path=path,
        name=given.get("name", path),
        examples=(example,),
        weight=_weight(given.get("weight", "1")),
        tags=tuple(dict.fromkeys((kind, *tags))),
        expect=tuple(map(_status, filter(None, given.get("expect", "").split(",")))),
        sure=not parameters,
    )


def _options(words: Sequence[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name not in _WORDS or not value:
            raise ValueError(f"expected {', '.join(f'{one}=...' for one in _WORDS)}, found {word!r}")
        # tag=a tag=b is the same as tag=a,b.
        given[name] = f"{given[name]},{value}" if name in given and name != "name" else value
    return given


def _weight(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _MOST_WEIGHT:
        raise ValueError(f"expected a weight of 1 to {_MOST_WEIGHT}, found {text!r}")
    return int(text)


def _status(text: str) -> int:
    if not re.fullmatch(r"[45][0-9][0-9]", text):
        raise ValueError(f"expected a status from 400 to 599, found {text!r}")
    return int(text)


def _below(entry: _Entry) -> tuple[tuple[tuple[str, str], ...], str | None]:
    """The headers and the body of a request."""
    headers: list[tuple[str, str]] = []
    rows = list(entry.below)
    while rows and (match := _HEADER.fullmatch(rows[0][1].strip())):
        name, value = match[1], match[2].strip()
        if name.lower() in KEPT_BY_CLIENT:
            raise ValueError(f"{name} is for the client to write: leave it out (line {rows[0][0]})")
        if not value.isascii() or not value.isprintable():
            raise ValueError(f"a header holds ASCII only (line {rows[0][0]})")
        headers.append((name, value.replace(NUMBER, FRESH)))
        rows.pop(0)
    body = _dedented([line for _, line in rows]).replace(NUMBER, FRESH)
    if not body:
        return tuple(headers), None
    if not any(name.lower() == "content-type" for name, _ in headers):
        kind = "application/json" if body[0] in "[{" else "text/plain; charset=utf-8"
        headers.append(("Content-Type", kind))
    return tuple(headers), body


def _dedented(lines: list[str]) -> str:
    while lines and not lines[0]:
        lines = lines[1:]
    while lines and not lines[-1]:
        lines = lines[:-1]
    indents = [len(line) - len(line.lstrip()) for line in lines if line]
    return "\n".join(line[min(indents) :] for line in lines)
