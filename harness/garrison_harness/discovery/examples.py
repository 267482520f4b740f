"""An example of a value that a JSON schema allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_DEEPEST: Final = 8
_MOST_VALUES: Final = 2_000
_FORMATS: Final[Mapping[str, str]] = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "email": "jane@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uri-reference": "/",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
    "byte": "aGVsbG8=",
    "password": "correct-horse-battery",
}


def resolve(part: object, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object of a document, where it may be a reference into the same document (RFC 6901).

    Args:
        part: The object or the reference.
        document: All of it.

    Returns:
        An empty mapping for whatever leads nowhere.
    """
    for _ in range(_DEEPEST):
        if not isinstance(part, dict):
            return {}
        reference = part.get("$ref")
        if not isinstance(reference, str):
            return part
        if not reference.startswith("#/"):
            return {}
        found: object = document
        for word in reference[2:].split("/"):
            name = word.replace("~1", "/").replace("~0", "~")
            found = found.get(name) if isinstance(found, dict) else None
        part = found
    return {}


def example(schema: object, document: Mapping[str, Any]) -> Any:
    """A value that the schema allows, as far as one can be made without a solver.

    Args:
        schema: Of JSON Schema, in the dialect of OpenAPI 3.0 or 3.1.
        document: Where its references lead.
    """
    return _example(schema, _Making(document=document), 0)


@dataclass(slots=True, kw_only=True)
class _Making:
    """The making of one example.

    Attributes:
        document: Where references lead.
        left: How many values it may still take: a schema that holds itself a few times has no end else.
    """

    document: Mapping[str, Any]
    left: int = _MOST_VALUES


def _example(schema: object, making: _Making, depth: int) -> Any:
    making.left -= 1
    if making.left < 0:
        return None
    found = resolve(schema, making.document)
    for name in ("example", "default", "const"):
        if name in found:
            return found[name]
    for name in ("examples", "enum"):
        if isinstance(found.get(name), list) and found[name]:
            return found[name][0]
    for name in ("oneOf", "anyOf"):
        if isinstance(found.get(name), list) and found[name]:
            parts = [part for part in found[name] if resolve(part, making.document).get("type") != "null"]
            return _example((parts or found[name])[0], making, depth + 1)
    return _made(_merged(found, making), making, depth)


def _merged(schema: Mapping[str, Any], making: _Making) -> Mapping[str, Any]:
    """The schema with what `allOf` adds to it."""
    parts = schema.get("allOf")
    if not isinstance(parts, list):
        return schema
    merged: dict[str, Any] = dict(schema)
    for part in parts:
        other = resolve(part, making.document)
        for name in ("properties", "required"):
            if name in other and name in merged and isinstance(other[name], type(merged[name])):
                own = merged[name]
                merged[name] = {**own, **other[name]} if isinstance(own, dict) else [*own, *other[name]]
            elif name in other:
                merged[name] = other[name]
        merged.update({name: value for name, value in other.items() if name not in merged})
    return merged


def _made(schema: Mapping[str, Any], making: _Making, depth: int) -> Any:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((name for name in kind if name != "null"), "null")
    if kind is None:
        kind = "object" if "properties" in schema else "array" if "items" in schema else "string"
    if kind == "object":
        return _object(schema, making, depth)
    if kind == "array":
        count = schema.get("minItems", 1)
        few = range(min(count if isinstance(count, int) else 1, 10) if depth < _DEEPEST else 0)
        return [_example(schema.get("items", {}), making, depth + 1) for _ in few]
    if kind in {"integer", "number"}:
        return _number(schema, whole=kind == "integer")
    return {"boolean": True, "null": None}[kind] if kind in {"boolean", "null"} else _string(schema)


def _object(schema: Mapping[str, Any], making: _Making, depth: int) -> dict[str, Any]:
    properties = schema.get("properties")
    required = schema.get("required")
    if not isinstance(properties, dict) or depth >= _DEEPEST:
        return {}
    wanted = required if isinstance(required, list) else []
    return {name: _example(properties.get(name, {}), making, depth + 1) for name in wanted}


def _number(schema: Mapping[str, Any], *, whole: bool) -> float:
    step = schema.get("multipleOf")
    least, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    most = schema.get("maximum")
    value: float = 1
    if isinstance(above, (int, float)) and not isinstance(above, bool):
        value = above + 1
    elif isinstance(least, (int, float)):
        value = least + 1 if above is True else least
    elif isinstance(most, (int, float)) and most < value:
        value = most
    if isinstance(step, (int, float)) and step > 0:
        value = -(-value // step) * step
    return int(value) if whole else value


def _string(schema: Mapping[str, Any]) -> str:
    text = _FORMATS.get(str(schema.get("format")), "text")
    least, most = schema.get("minLength"), schema.get("maxLength")
    if isinstance(least, int) and len(text) < least:
        text = text.ljust(min(least, 10_000), "x")
    return text[:most] if isinstance(most, int) and most >= 0 else text
