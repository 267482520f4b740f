"""Makes values that a JSON schema allows, another one each turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from garrison_harness.discovery.examples import resolve
from garrison_harness.load.requests import scalars
from garrison_harness.load.requests.fitting import NO_SCHEMA, TooDeepError, fits
from garrison_harness.load.requests.schemas import described, joined, kind_of
from garrison_harness.load.requests.spec import FRESH

if TYPE_CHECKING:
    from collections.abc import Mapping

_DEEPEST: Final = 12
_MOST_VALUES: Final = 2_000
_TRIES: Final = 6
_MOST_ITEMS: Final = 100
_LEFT_OUT: Final = object()


class CannotMakeError(Exception):
    """No value was found; the text says what of."""


def make(schema: object, document: Mapping[str, Any], turn: int = 0) -> Any:
    """A value that the schema allows: what its author gives as an example, else one that is made.

    Args:
        schema: Of JSON Schema, in the dialect of OpenAPI 3.0 or 3.1.
        document: Where its references lead.
        turn: Different ones give different values, where the schema leaves room.

    Raises:
        CannotMakeError: None was found that keeps the whole of the schema.
    """
    problem = "a schema that nothing was found for"
    for attempt in range(_TRIES):
        try:
            # In steps that no small number of branches divides.
            value = _Making(document, turn + 7 * attempt).value(schema, "", 0)
            if fits(value, schema, document):
                return value
        except CannotMakeError as error:
            problem = str(error)
        except (TooDeepError, RecursionError):
            raise CannotMakeError("a schema without an end") from None
        except NO_SCHEMA:
            raise CannotMakeError("a schema that is none") from None
    raise CannotMakeError(problem)


def authored(holder: Mapping[str, Any], document: Mapping[str, Any], *, named: bool) -> list[Any]:
    """The examples that the author of a document gives, in order.

    Args:
        holder: A schema, or a parameter or media type.
        document: Where references lead.
        named: Whether `examples` holds objects by name, as beside a schema; in one it is a list of values.
    """
    found = [holder["example"]] if "example" in holder else []
    examples = holder.get("examples")
    if named and isinstance(examples, dict):
        objects = [resolve(one, document) for one in examples.values()]
        found += [one["value"] for one in objects if "value" in one]
    elif not named and isinstance(examples, list):
        found += examples
    return found


class _Making:
    """The making of one value."""

    def __init__(self, document: Mapping[str, Any], turn: int) -> None:
        self._document = document
        self._turn = turn
        self._left = _MOST_VALUES

    def value(self, schema: object, name: str, depth: int) -> Any:
        """One value.

        Args:
            schema: What it is to keep.
            name: Of the property that it is for; empty for none.
            depth: How deep it is in the whole.
        """
        self._left -= 1
        if self._left < 0 or depth > _DEEPEST:
            raise CannotMakeError("a schema without an end")
        if schema is False:
            raise CannotMakeError("a schema that allows nothing")
        found = resolve(schema, self._document) if isinstance(schema, dict) else {}
        given = self._given(found)
        if given:
            return given[self._turn % len(given)]
        for word in ("oneOf", "anyOf"):
            if isinstance(found.get(word), list) and found[word]:
                return self._branch(found, word, name, depth)
        if isinstance(found.get("allOf"), list):
            found = self._merged(found, depth)
            if given := self._given(found):
                return given[self._turn % len(given)]
            if found.get("oneOf") or found.get("anyOf"):
                return self.value(found, name, depth + 1)
        return self._typed(found, name, depth)

    def _given(self, schema: Mapping[str, Any]) -> list[Any]:
        """What the author names, and what the schema itself allows."""
        if "const" in schema:
            return [schema["const"]]
        named = authored(schema, self._document, named=False)
        fitting = [value for value in named if fits(value, schema, self._document)]
        if fitting:
            return fitting
        enum = schema.get("enum")
        if isinstance(enum, list) and enum:
            return [value for value in enum if value is not None] or enum
        if "default" in schema and fits(schema["default"], schema, self._document):
            return [schema["default"]]
        return []

    def _branch(self, schema: Mapping[str, Any], word: str, name: str, depth: int) -> Any:
        """A value of one of several schemas, and of what stands beside them."""
        rest = {key: value for key, value in schema.items() if key not in {word, "discriminator"}}
        options = [one for one in schema[word] if resolve(one, self._document).get("type") != "null"]
        # A number or a text is often a number as a text: a free text would be refused.
        options = [one for one in options if not self._is_free(one)] or options or schema[word]
        start = self._turn % len(options)
        for option in options[start:] + options[:start]:
            joined: object = {**rest, "allOf": [*rest.get("allOf", []), option]} if rest else option
            try:
                value = self.value(joined, name, depth + 1)
            except CannotMakeError:
                continue
            self._discriminate(value, option, schema.get("discriminator"))
            if fits(value, schema, self._document):
                return value
        raise CannotMakeError(f"{word} of which none can be made")

    def _is_free(self, schema: object) -> bool:
        """Whether any text will do."""
        found = resolve(schema, self._document)
        return found.get("type") == "string" and not {"format", "pattern", "enum", "const"} & set(found)

    def _discriminate(self, value: Any, option: object, discriminator: object) -> None:
        """Name the branch in the value, where the document wants that (Discriminator Object)."""
        if not isinstance(value, dict) or not isinstance(discriminator, dict):
            return
        reference = option.get("$ref") if isinstance(option, dict) else None
        mapping, name = discriminator.get("mapping"), discriminator.get("propertyName")
        if not isinstance(reference, str) or not isinstance(name, str):
            return
        words = [word for word, to in (mapping or {}).items() if reference.endswith(str(to))]
        value.setdefault(name, FRESH)
        if words or FRESH in str(value[name]):
            value[name] = words[0] if words else reference.rpartition("/")[2]

    def _merged(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        """The schema with what `allOf` adds to it."""
        if depth > _DEEPEST:
            raise CannotMakeError("a schema without an end")
        merged = {key: value for key, value in schema.items() if key != "allOf"}
        for part in schema["allOf"]:
            other = resolve(part, self._document)
            if isinstance(other.get("allOf"), list):
                other = self._merged(other, depth + 1)
            for key, value in other.items():
                merged[key] = joined(key, merged[key], value) if key in merged else value
        return merged

    def _typed(self, schema: Mapping[str, Any], name: str, depth: int) -> Any:
        kind = schema.get("type")
        if isinstance(kind, list):
            kinds = [one for one in kind if one != "null"] or ["null"]
            kind = kinds[self._turn % len(kinds)]
        if kind is None:
            kind = kind_of(schema)
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, depth)
        if kind in {"boolean", "null"}:
            return self._turn % 2 == 0 if kind == "boolean" else None
        made: float | str | None
        if kind in {"integer", "number"}:
            made = self._number(schema, name, whole=kind == "integer")
        else:
            made = scalars.text(schema, self._turn)
        if made is None:
            raise CannotMakeError(described(schema, str(kind), name))
        return made

    def _number(self, schema: Mapping[str, Any], name: str, *, whole: bool) -> float | None:
        # What is made under a number of its own has to have another one each time.
        if whole and name.lower() == "id" and fits(int(FRESH), schema, self._document):
            return int(FRESH)
        return scalars.number(schema, self._turn, whole=whole)

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        made: dict[str, Any] = {}
        for name, inner in properties.items():
            part = resolve(inner, self._document) if isinstance(inner, dict) else {}
            if not part.get("readOnly") and (name in schema.get("required", ()) or self._given(part)):
                made[name] = self._part(inner, name, schema, depth)
        for name in schema.get("required", ()):
            if name not in properties:
                made[name] = self._part(schema.get("additionalProperties", True), name, schema, depth)
        optional = (name for name in properties if name not in made)
        while len(made) < min(schema.get("minProperties", 0), _MOST_ITEMS):
            name = next(optional, f"name{len(made)}")
            inner = properties.get(name, schema.get("additionalProperties", True))
            made[name] = self._part(inner, name, schema, depth)
        return {name: part for name, part in made.items() if part is not _LEFT_OUT}

    def _part(self, inner: object, name: str, schema: Mapping[str, Any], depth: int) -> Any:
        """A property; nothing where it need not be there and cannot be made."""
        try:
            return self.value(inner, name, depth + 1)
        except CannotMakeError:
            if name in schema.get("required", ()):
                raise
            return _LEFT_OUT

    def _array(self, schema: Mapping[str, Any], depth: int) -> list[Any]:
        first = schema.get("prefixItems")
        first = first if isinstance(first, list) else []
        least = schema.get("minItems", 0)
        most = schema.get("maxItems", _MOST_ITEMS)
        # One is more telling than none, but what holds itself has to end.
        wanted = max(least, min(len(first) or 1, most) if depth < _DEEPEST // 2 else 0)
        if wanted > _MOST_ITEMS:
            raise CannotMakeError(f"a list of {wanted}")
        made: list[Any] = []
        for number in range(wanted):
            inner = first[number] if number < len(first) else schema.get("items", schema.get("contains", {}))
            self._turn += number > 0
            try:
                made.append(self.value(inner, "", depth + 1))
            except CannotMakeError:
                if number < least:
                    raise
        return made
