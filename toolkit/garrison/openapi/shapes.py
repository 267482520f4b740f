"""What a schema allows, as far as reading a value from text needs to know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.openapi.combined_shapes import ANY, NOTHING, NULL, Combinations, Members, common
from garrison.openapi.keywords import TYPES
from garrison.openapi.media_types import kind_of
from garrison.openapi.model import Shape

if TYPE_CHECKING:
    from garrison.openapi.dialects import Dialect
    from garrison.openapi.places import Place

# Arrays of arrays, and objects of objects without names, are looked into so far.
MAX_DEPTH: Final = 8


class Shapes:
    """The shapes of a document's schemas.

    Args:
        dialect: of the schemas.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._combinations = Combinations()
        self._known: dict[tuple[tuple[str, str], int], Shape] = {}

    def of(self, place: Place, depth: int = MAX_DEPTH) -> Shape:
        """The shape of a schema, through references and compositions.

        Args:
            place: of the schema.
            depth: levels of members without names to look into; below them anything goes.
        """
        return self._of(place, depth, ())

    def _of(self, place: Place, depth: int, within: tuple[tuple[str, str], ...]) -> Shape:
        schema = place.value
        if schema is False:
            return NOTHING
        if not isinstance(schema, dict) or not depth or place.key in within:
            return ANY
        known = self._known.get((place.key, depth))
        if known is None:
            known = self._read(place, schema, depth, (*within, place.key))
            self._known[place.key, depth] = known
        return known

    def _read(
        self, place: Place, schema: dict[str, object], depth: int, within: tuple[tuple[str, str], ...]
    ) -> Shape:
        found, both, either = ANY, self._combinations.both, self._combinations.either
        if "$ref" in schema:
            found = self._of(place.follow(place.text("$ref")), depth, within)
        if "$ref" not in schema or not self._dialect.lone_references:
            found = both(found, self._own(place, schema, depth))
            for union in ("anyOf", "oneOf"):
                if isinstance(schema.get(union), list) and schema[union]:
                    members = place.child(union).entries()
                    found = both(found, either(self._of(member, depth, within) for member in members))
            if isinstance(schema.get("allOf"), list):
                for member in place.child("allOf").entries():
                    found = both(found, self._of(member, depth, within))
        if self._dialect.nullable and schema.get("nullable") is True:
            return either((found, NULL))
        return found

    def _own(self, place: Place, schema: dict[str, object], depth: int) -> Shape:
        declared, additional = schema.get("properties"), schema.get("additionalProperties")
        required, longest = schema.get("required"), schema.get("maxLength")
        # What `unevaluatedProperties` refuses depends on all that holds beside it.
        closed = additional is False and "patternProperties" not in schema
        return Shape(
            types=_types(schema),
            items=self._of(place.child("items"), depth - 1, ()) if "items" in schema else None,
            properties=self._properties(place) if isinstance(declared, dict) and declared else {},
            additional=self._of(place.child("additionalProperties"), depth - 1, ())
            if isinstance(additional, dict)
            else None,
            closed=closed,
            required=frozenset(name for name in required if isinstance(name, str))
            if isinstance(required, list)
            else frozenset(),
            binary=_is_binary(schema),
            longest=longest if isinstance(longest, int) else None,
        )

    def _properties(self, place: Place) -> Members:
        properties = place.child("properties")
        return Members(properties.mapping(), lambda name: self.of(properties.child(name)))


def _is_binary(schema: dict[str, object]) -> bool:
    media_type = schema.get("contentMediaType")
    if isinstance(media_type, str) and "contentEncoding" not in schema:
        # JSON in a string is a text.
        return kind_of(media_type.partition(";")[0].strip().lower()) != "json"
    return schema.get("format") == "binary"


def _types(schema: dict[str, object]) -> frozenset[str]:
    given = schema.get("type")
    types = TYPES
    if isinstance(given, str):
        types = frozenset({given})
    elif isinstance(given, list):
        types = frozenset(name for name in given if isinstance(name, str))
    if isinstance(schema.get("enum"), list):
        types = common(types, frozenset(_type_of(value) for value in schema["enum"]))  # type: ignore[attr-defined]
    if "const" in schema:
        types = common(types, frozenset({_type_of(schema["const"])}))
    return types


def _type_of(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return "integer"
    names: dict[type, str] = {str: "string", float: "number", list: "array", dict: "object"}
    return names.get(type(value), "null")
