"""Paths that routers may take for one another, so that a rule is about all of them.

A rule that lets something in must be read narrowly, and asks `is_unambiguous`; one that limits something must
be read widely, and asks here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from garrison.rules import is_unambiguous

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from garrison.rules import Rule

T = TypeVar("T")

# Whitespace and control characters; str.strip() alone leaves NUL.
BLANK: Final = "".join(map(chr, range(33))) + "\x7f\x85\xa0"


def segments_of(path: str) -> list[str]:
    """The segments that mean something, without parameters and blanks around them.

    Args:
        path: as a router sees it.
    """
    # What stands behind `;` may hold anything but a slash (RFC 3986 section 3.3).
    found = (segment.partition(";")[0].strip(BLANK) for segment in path.split("/"))
    return [segment for segment in found if segment not in {"", "."}]


def joined(segments: Iterable[str]) -> str:
    """The path of some segments."""
    return f"/{'/'.join(segments)}"


def followed(segments: Iterable[str]) -> list[str]:
    """The segments after following `..` (RFC 3986 section 5.2.4)."""
    found: list[str] = []
    for segment in segments:
        if segment == "..":
            del found[-1:]
        else:
            found.append(segment)
    return found


def readings(path: str) -> tuple[str, ...]:
    """What different routers and file servers may take a path for, in lower case; mostly one path.

    Args:
        path: as a router sees it.
    """
    path = path.lower()
    if is_unambiguous(path):
        return (path,)
    segments = segments_of(path)
    end = "/" if segments and path.endswith("/") else ""
    # Routers compare `..` as it stands, file servers follow it.
    return tuple(dict.fromkeys([path, joined(segments) + end, joined(followed(segments)) + end]))


def widened(rules: Iterable[tuple[Rule, T]]) -> tuple[tuple[Rule, T], ...]:
    """Rules for `first_fits`: in lower case, and each with and without a slash at the end.

    Args:
        rules: in their order, each with what it stands for.
    """
    return tuple((each, said) for rule, said in rules for each in _spellings(rule))


def first_fits(rules: Sequence[tuple[Rule, T]], method: str, path: str) -> list[T | None]:
    """What the first rule that fits a request stands for, once for each way in which it can be read.

    Args:
        rules: as `widened` makes them.
        method: of the request; some servers and frameworks take `post` for POST.
        path: as a router sees it.

    Returns:
        At least one, and each of them once; None where no rule fits.
    """
    method = method.upper()
    found: list[T | None] = []
    for reading in readings(path):
        fits = None
        # A generator takes half as long again, on the path of every request.
        for rule, said in rules:
            if rule.applies(method, reading):
                fits = said
                break
        if fits not in found:
            found.append(fits)
    return found


def _spellings(rule: Rule) -> tuple[Rule, ...]:
    path = rule.path.lower()
    bare = path.rstrip("/")
    if path.endswith("*") or not bare:
        return (replace(rule, path=path),)
    return tuple(replace(rule, path=each) for each in (bare, f"{bare}/"))
