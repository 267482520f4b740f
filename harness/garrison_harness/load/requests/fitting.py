"""Whether a value keeps a JSON schema, so that nothing is sent that the document itself forbids."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from garrison_harness.discovery.examples import resolve

_DEEPEST: Final = 40
_MOST_STEPS: Final = 5_000
_MOST_ITEMS: Final = 200

_LONG: Final = 24
"""Characters of a text that are too many for a pattern of `_MANY_WAYS`."""

# A repeated group that ends in a repetition, as in (a+)+ and (\w+\s?)*: the ways to cut a text up that does
# not match double with each of its characters. In (-[a-z]+)* there is one way only.
_MANY_WAYS: Final = re.compile(r"\((?:\?:)?(?![-_,:;/ @]|\\\W)[^()]*(?:[*+?]|,\d*\})\)+(?:[*+]|\{\d*,)")


class TooDeepError(Exception):
    """The schema leads on and on."""


NO_SCHEMA: Final = (TypeError, ValueError, AttributeError, OverflowError)
"""What is raised at a schema that is none."""


def surely_fits(value: Any, schema: object, document: Mapping[str, Any]) -> bool:
    """Whether a request may have the value, as `fits` has it; not where that cannot be told.

    Args:
        value: In JSON's types.
        schema: What it is to keep.
        document: Where references lead.
    """
    try:
        return fits(value, schema, document)
    except (TooDeepError, RecursionError, *NO_SCHEMA):
        return False


def fits(value: Any, schema: object, document: Mapping[str, Any]) -> bool:
    """Whether a request may have the value where the schema is (JSON Schema, in the dialects of OpenAPI 3).

    Properties that are only for reading are not asked for, and must not be there.

    Args:
        value: In JSON's types.
        schema: What it is to keep.
        document: Where references lead.

    Raises:
        TooDeepError: The schema has no end, or none that is near.
    """
    return _Fitting(document).holds(value, schema, 0)


class _Fitting:
    """One judgement, of a bounded number of steps: a few schemas that name each other twice have billions."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._left = _MOST_STEPS

    def holds(self, value: Any, schema: object, depth: int) -> bool:
        """Whether a value keeps a schema that is so deep in the whole."""
        self._left -= 1
        if depth > _DEEPEST or self._left < 0:
            raise TooDeepError
        if isinstance(schema, bool):
            return schema
        found = resolve(schema, self._document)
        if value is None and found.get("nullable") is True:
            return True
        if not _has_type(value, found.get("type")):
            return False

        def within(part: Any, inner: object) -> bool:
            return self.holds(part, inner, depth + 1)

        return all(judge(value, found, within) for judge in _JUDGES)


Within = Callable[[Any, object], bool]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: _is_number(value) and (isinstance(value, int) or value.is_integer()),
    "number": _is_number,
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal in JSON, where true is not 1."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _has_type(value: Any, kind: Any) -> bool:
    kinds = kind if isinstance(kind, list) else [kind]
    return kind is None or any(_TYPES[name](value) for name in kinds if name in _TYPES)


def _choices(value: Any, schema: Mapping[str, Any], _within: Within) -> bool:
    if "const" in schema and not same(value, schema["const"]):
        return False
    enum = schema.get("enum")
    return not isinstance(enum, list) or any(same(value, one) for one in enum)


def _number(value: Any, schema: Mapping[str, Any], _within: Within) -> bool:
    if not _is_number(value):
        return True
    least, most = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    # In OpenAPI 3.0 they are true or false, and say what minimum and maximum mean.
    above, below = least if above is True else above, most if below is True else below
    if (_is_number(above) and value <= above) or (_is_number(below) and value >= below):
        return False
    step: Any = schema.get("multipleOf")
    if _is_number(step) and step > 0:
        # As validators do it: 0.3 is no multiple of 0.1 to most of them.
        times = value / step
        if times != int(times):
            return False
    return bool(least <= value <= most)


def _string(value: Any, schema: Mapping[str, Any], _within: Within) -> bool:
    if not isinstance(value, str):
        return True
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", math.inf):
        return False
    pattern = schema.get("pattern")
    return not isinstance(pattern, str) or matches(pattern, value)


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern of ECMAScript is found in a text.

    Never for one that Python cannot read, nor in a long text where that may take longer than anybody waits.
    """
    if len(text) > _LONG and _MANY_WAYS.search(pattern):
        return False
    try:
        # Where Python's $ allows one more line end, ECMAScript's does not.
        return re.search(re.sub(r"(?<!\\)\$$", r"\\Z", pattern), text) is not None
    except (re.error, RecursionError, OverflowError):
        return False


def _array(value: Any, schema: Mapping[str, Any], within: Within) -> bool:
    if not isinstance(value, list):
        return True
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", math.inf):
        return False
    if len(value) > _MOST_ITEMS:
        return False
    first = schema.get("prefixItems")
    first = first if isinstance(first, list) else []
    if not all(map(within, value, first)):
        return False
    if "items" in schema and not all(within(part, schema["items"]) for part in value[len(first) :]):
        return False
    if schema.get("uniqueItems") is True and any(
        same(one, other) for number, one in enumerate(value) for other in value[:number]
    ):
        return False
    if "contains" not in schema:
        return True
    held = sum(within(part, schema["contains"]) for part in value)
    return bool(schema.get("minContains", 1) <= held <= schema.get("maxContains", math.inf))


def _object(value: Any, schema: Mapping[str, Any], within: Within) -> bool:
    if not isinstance(value, dict):
        return True
    if not schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", math.inf):
        return False
    properties = _mapping(schema.get("properties"))
    for name in schema.get("required") or ():
        if name not in value and not _mapping(properties.get(name)).get("readOnly"):
            return False
    for name, needed in _mapping(schema.get("dependentRequired")).items():
        if name in value and not all(other in value for other in needed):
            return False
    dependent = _mapping(schema.get("dependentSchemas"))
    if not all(within(value, inner) for name, inner in dependent.items() if name in value):
        return False
    if "propertyNames" in schema and not all(within(name, schema["propertyNames"]) for name in value):
        return False
    return all(_property(name, part, schema, within) for name, part in value.items())


def _property(name: str, part: Any, schema: Mapping[str, Any], within: Within) -> bool:
    properties = _mapping(schema.get("properties"))
    rules = [properties[name]] if name in properties else []
    if rules and _mapping(rules[0]).get("readOnly") is True:
        return False
    patterns = _mapping(schema.get("patternProperties"))
    rules += [inner for pattern, inner in patterns.items() if matches(pattern, name)]
    if not rules and "additionalProperties" in schema:
        rules = [schema["additionalProperties"]]
    return all(within(part, inner) for inner in rules)


def _logic(value: Any, schema: Mapping[str, Any], within: Within) -> bool:
    if not all(within(value, inner) for inner in schema.get("allOf") or ()):
        return False
    if schema.get("anyOf") and not any(within(value, inner) for inner in schema["anyOf"]):
        return False
    if schema.get("oneOf") and sum(within(value, inner) for inner in schema["oneOf"]) != 1:
        return False
    if "not" in schema and within(value, schema["not"]):
        return False
    if "if" in schema:
        branch = schema.get("then" if within(value, schema["if"]) else "else", True)
        return within(value, branch)
    return True


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


_JUDGES: Final = (_choices, _number, _string, _array, _object, _logic)
