"""What a keyword of a schema demands, as a sentence that is made of the document alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

# What a sentence shows of a long list, and of a long text.
SHOWN: Final = 10
SHOWN_TEXT: Final = 60

_ARTICLES: Final = {
    "array": "an array",
    "boolean": "true or false",
    "integer": "an integer",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}


def sentence(keyword: str, argument: object, *, member: bool) -> str:
    """What a keyword demands.

    Args:
        keyword: that does not hold.
        argument: what the schema has there.
        member: whether it is about a member, of a name that the document does not have, of what the
            pointer leads to.
    """
    demand = _DEMANDS.get(keyword)
    said = "must fit its schema" if demand is None else demand(argument)
    return f"A member {said}." if member else f"{said[0].upper()}{said[1:]}."


def listed(values: list[str], last: str = "or") -> str:
    """Several things in a row, of which the tail of a long one is only counted."""
    if len(values) > SHOWN:
        return f"{', '.join(values[:SHOWN])} {last} {len(values) - SHOWN} others"
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} {last} {values[-1]}"


def shown(value: object) -> str:
    """A value of the document."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN_TEXT else f"{text[:SHOWN_TEXT]}..."


def _types(argument: object) -> str:
    names = argument if isinstance(argument, list) else [argument]
    return f"must be {listed([_ARTICLES[str(name)] for name in names])}"


def _enum(argument: object) -> str:
    values = argument if isinstance(argument, list) else []
    return f"must be one of {listed([shown(value) for value in values])}" if values else "must not be there"


def _names(argument: object) -> str:
    names = [shown(name) for name in argument] if isinstance(argument, dict) else []
    return f"must have no members but {listed(names, 'and')}" if names else "must have no members"


def _count(least: str, unit: str) -> Callable[[object], str]:
    return lambda argument: f"must have {least} {argument} {unit}{'' if argument == 1 else 's'}"


def _plain(before: str) -> Callable[[object], str]:
    return lambda argument: f"{before} {shown(argument)}"


def _fixed(said: str) -> Callable[[object], str]:
    return lambda _: said


_DEMANDS: Final[dict[str, Callable[[object], str]]] = {
    "additionalProperties": _names,
    "anyOf": _fixed("must fit one of the alternatives, and fits none"),
    "const": _plain("must be"),
    "contains": _fixed("must have the right number of members that fit"),
    "dependentRequired": _fixed("must have the members that go with each other"),
    "enum": _enum,
    "exclusiveMaximum": _plain("must be below"),
    "exclusiveMinimum": _plain("must be above"),
    "false": _fixed("must not be there"),
    "format": _plain("must be in the format"),
    "maxItems": _count("at most", "member"),
    "maxLength": _count("at most", "character"),
    "maxProperties": _count("at most", "member"),
    "maximum": _plain("must be at most"),
    "minItems": _count("at least", "member"),
    "minLength": _count("at least", "character"),
    "minProperties": _count("at least", "member"),
    "minimum": _plain("must be at least"),
    "multipleOf": _plain("must be a multiple of"),
    "not": _fixed("must not fit what it is not allowed to be"),
    "oneOf": _fixed("must fit one of the alternatives, and fits none"),
    "oneOf several": _fixed("must fit only one of the alternatives, and fits several"),
    "pattern": _plain("must match the pattern"),
    "propertyNames": _fixed("must have members with names that fit"),
    "readOnly": _fixed("is only for replies and must not be sent"),
    "required": lambda argument: f"must have the member {shown(argument)}",
    "type": _types,
    "unevaluatedItems": _fixed("must have no members beyond those that are declared"),
    "unevaluatedProperties": _fixed("must have no members but those that are declared"),
    "uniqueItems": _fixed("must have no member twice"),
    "writeOnly": _fixed("is only for requests and must not be in a reply"),
}
