"""What text stands for, by the types that a schema allows."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from garrison.openapi.model import Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from garrison.openapi.model import Violation

Tree: TypeAlias = "str | list[Tree] | dict[str, Tree]"
"""Text with its structure, before anything is known of what it stands for."""

Check: TypeAlias = "Callable[[object], tuple[Violation, ...]]"
"""Validates a value; empty where it is valid."""

# The grammar of JSON (RFC 8259 section 6), which Python's int() and float() know nothing of.
INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)")
NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
# Longer than any double or 128-bit integer is written; converting digits takes quadratic time.
LONGEST: Final = 400

SCALARS: Final = frozenset({"null", "integer", "number", "boolean", "string"})
ANYTHING: Final = Shape(types=SCALARS | {"array", "object"})

# What turns out to be no number, boolean or null is read as text instead: that which the schema complains
# about, and so many times over. A client pays for each with bytes, and a server with milliseconds.
ROUNDS: Final = 4


def readings(text: str, types: frozenset[str]) -> list[object]:
    """The values that a text may stand for, in the order null, integer, number, boolean, string.

    Args:
        text: decoded.
        types: that are allowed.

    Returns:
        One or two: the text itself is the last one where it may be a string, and where no type fits, so
        that the schema says what was expected.
    """
    found: list[object] = []
    if "null" in types and text in {"", "null"}:
        found.append(None)
    if "number" in types:
        number = _number(text)
        if number is not None:
            found.append(number)
    elif "integer" in types and INTEGER.fullmatch(text) and len(text) <= LONGEST:
        found.append(int(text))
    if "boolean" in types and text in {"true", "false"}:
        found.append(text == "true")
    if "string" in types or not found:
        found.append(text)
    return found


def _number(text: str) -> float | None:
    if len(text) > LONGEST or not NUMBER.fullmatch(text):
        return None
    if INTEGER.fullmatch(text):
        return int(text)
    number = float(text)
    # What a double cannot hold is no number to any schema.
    return number if abs(number) != float("inf") else None


@lru_cache(maxsize=256)
def reader_for(types: frozenset[str]) -> Callable[[str], object]:
    """A function for the first reading of a text.

    Args:
        types: that are allowed.
    """
    if types & SCALARS <= {"string"}:
        return str
    if types & SCALARS == {"integer"}:
        return _integer
    return lambda text: readings(text, types)[0]


def _integer(text: str) -> object:
    return int(text) if INTEGER.fullmatch(text) and len(text) <= LONGEST else text


def member_of(shape: Shape, name: str) -> Shape:
    """The shape of an object's member.

    Args:
        shape: of the object.
        name: of the member.
    """
    return shape.properties.get(name) or shape.additional or ANYTHING


def value_of(tree: Tree, shape: Shape) -> object:
    """The first reading of a text with its structure.

    Args:
        tree: the text.
        shape: what the schema allows.
    """
    if isinstance(tree, str):
        return reader_for(shape.types)(tree)
    if isinstance(tree, list):
        items = shape.items or ANYTHING
        return [value_of(item, items) for item in tree]
    return {name: value_of(member, member_of(shape, name)) for name, member in tree.items()}


def settle(trees: Sequence[Tree], shape: Shape, check: Check) -> tuple[object, tuple[Violation, ...]]:
    """The first reading that the schema allows.

    Args:
        trees: what the text may be, the likeliest first.
        shape: what the schema allows, as far as its types go.
        check: validates.

    Returns:
        The value; and what is wrong with the likeliest reading, if no reading is right.
    """
    first: tuple[object, tuple[Violation, ...]] | None = None
    for tree in trees:
        value = value_of(tree, shape)
        wrong = check(value)
        first = first or (value, wrong)
        if not wrong:
            return value, ()
        choices = set(_choices(tree, shape, ""))
        as_text: set[str] = set()
        for _ in range(ROUNDS):
            about = {violation.pointer for violation in wrong}
            turned = {pointer for pointer in choices if _is_about(pointer, about)}
            if not turned:
                break
            choices -= turned
            as_text |= turned
            value = _turned(tree, shape, as_text, "")
            wrong = check(value)
            if not wrong:
                return value, ()
    return first or (None, ())


def _turned(tree: Tree, shape: Shape, as_text: set[str], pointer: str) -> object:
    """The reading in which the texts at some pointers stay text."""
    if isinstance(tree, str):
        return readings(tree, shape.types)[-1 if pointer in as_text else 0]
    if isinstance(tree, list):
        items = shape.items or ANYTHING
        return [_turned(item, items, as_text, f"{pointer}/{at}") for at, item in enumerate(tree)]
    return {
        name: _turned(member, member_of(shape, name), as_text, f"{pointer}/{escaped(name)}")
        for name, member in tree.items()
    }


def _is_about(pointer: str, wrong: set[str]) -> bool:
    """Whether one of the violations is about a value, or about what it is in."""
    while pointer not in wrong:
        if not pointer:
            return False
        pointer = pointer.rpartition("/")[0]
    return True


def _choices(tree: Tree, shape: Shape, pointer: str) -> Iterator[str]:
    """Where the texts are that can be read in two ways."""
    if isinstance(tree, str):
        if len(readings(tree, shape.types)) > 1:
            yield pointer
    elif isinstance(tree, list):
        items = shape.items or ANYTHING
        for at, item in enumerate(tree):
            yield from _choices(item, items, f"{pointer}/{at}")
    else:
        for name, member in tree.items():
            yield from _choices(member, member_of(shape, name), f"{pointer}/{escaped(name)}")


def escaped(name: str) -> str:
    """A name as a part of a JSON pointer (RFC 6901 section 3)."""
    return name.replace("~", "~0").replace("/", "~1") if "~" in name or "/" in name else name
