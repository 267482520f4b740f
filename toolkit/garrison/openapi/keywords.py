"""The keywords of JSON Schema 2020-12: which hold schemas, and what the others must hold."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

TYPES: Final = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})


class Assertion(NamedTuple):
    """What a keyword without subschemas must hold.

    Attributes:
        fits: whether a value is such.
        expected: what it must be, as a noun phrase.
    """

    fits: Callable[[object], bool]
    expected: str


def is_number(value: object) -> bool:
    """Whether a value is a number of JSON."""
    if isinstance(value, float):
        return isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _is_positive(value: object) -> bool:
    return isinstance(value, int | float) and is_number(value) and value > 0


def _is_count(value: object) -> bool:
    return isinstance(value, int | float) and is_number(value) and value >= 0 and value == int(value)


def _is_type(value: object) -> bool:
    if isinstance(value, list):
        return 0 < len(value) == len(TYPES.intersection(map(str, value)))
    return isinstance(value, str) and value in TYPES


def _are_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _are_names_by_name(value: object) -> bool:
    return isinstance(value, dict) and all(_are_names(names) for names in value.values())


_NUMBER: Final = Assertion(is_number, "a number")
_COUNT: Final = Assertion(_is_count, "a whole number that is not negative")
_TEXT: Final = Assertion(lambda value: isinstance(value, str), "a string")

ASSERTIONS: Final = {
    "const": Assertion(lambda _: True, "a value"),
    "dependentRequired": Assertion(_are_names_by_name, "an object of arrays of names"),
    "enum": Assertion(lambda value: isinstance(value, list), "an array"),
    "exclusiveMaximum": _NUMBER,
    "exclusiveMinimum": _NUMBER,
    "format": _TEXT,
    "maxContains": _COUNT,
    "maxItems": _COUNT,
    "maxLength": _COUNT,
    "maxProperties": _COUNT,
    "maximum": _NUMBER,
    "minContains": _COUNT,
    "minItems": _COUNT,
    "minLength": _COUNT,
    "minProperties": _COUNT,
    "minimum": _NUMBER,
    "multipleOf": Assertion(_is_positive, "a number above 0"),
    "pattern": _TEXT,
    "required": Assertion(_are_names, "an array of names"),
    "type": Assertion(_is_type, f"one of {', '.join(sorted(TYPES))}, or several of these"),
    "uniqueItems": Assertion(lambda value: isinstance(value, bool), "true or false"),
}

# Of the value itself, in place (JSON Schema 2020-12 section 10.2).
IN_PLACE_LISTS: Final = frozenset({"allOf", "anyOf", "oneOf"})
IN_PLACE_ONES: Final = frozenset({"else", "if", "not", "then"})
IN_PLACE_MAPS: Final = frozenset({"dependentSchemas"})

# Of members of the value (section 10.3, and section 11).
MEMBER_LISTS: Final = frozenset({"prefixItems"})
MEMBER_ONES: Final = frozenset({
    "additionalProperties", "contains", "items", "propertyNames", "unevaluatedItems", "unevaluatedProperties",
})  # fmt: skip
MEMBER_MAPS: Final = frozenset({"patternProperties", "properties"})

IN_PLACE: Final = IN_PLACE_LISTS | IN_PLACE_ONES | IN_PLACE_MAPS
LISTS: Final = IN_PLACE_LISTS | MEMBER_LISTS
ONES: Final = IN_PLACE_ONES | MEMBER_ONES
MAPS: Final = IN_PLACE_MAPS | MEMBER_MAPS
APPLICATORS: Final = LISTS | ONES | MAPS | {"$ref", "$dynamicRef"}
