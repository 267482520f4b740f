"""What JSON schemas say together, and of which type they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def joined(key: str, one: Any, other: Any) -> Any:
    """What two schemas that both hold say under one key."""
    if key == "required" and isinstance(one, list) and isinstance(other, list):
        return list(dict.fromkeys([*one, *other]))
    if key == "properties" and isinstance(one, dict) and isinstance(other, dict):
        both = {name: {"allOf": [one[name], other[name]]} for name in one if name in other}
        return {**one, **other, **both}
    if key in {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}:
        return max(one, other)
    if key in {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}:
        return min(one, other)
    if key == "enum" and isinstance(one, list) and isinstance(other, list):
        return [value for value in one if value in other]
    return other if key in {"type", "format"} and one is None else one


def kind_of(schema: Mapping[str, Any]) -> str:
    """The type of a schema that names none."""
    words = {
        "object": ("properties", "required", "additionalProperties", "minProperties"),
        "array": ("items", "prefixItems", "minItems"),
        "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    }
    return next((kind for kind, keys in words.items() if any(key in schema for key in keys)), "string")


def described(schema: Mapping[str, Any], kind: str, name: str) -> str:
    """A value that could not be made, in words."""
    where = f" for {name}" if name else ""
    if isinstance(schema.get("pattern"), str):
        return f"a text{where} that matches {schema['pattern']}"
    return f"a value of type {kind}{where} in its bounds"
