"""Collects the schemas that a document uses in one direction, in one schema that knows each by a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from garrison.openapi.composition import Composition
from garrison.openapi.dialects import dialect_of
from garrison.openapi.discriminators import Discriminators
from garrison.openapi.keywords import APPLICATORS
from garrison.openapi.model import DocumentError
from garrison.openapi.places import MAX_HOPS
from garrison.openapi.schemas import FREE, HIDING, Context, Rewriter

if TYPE_CHECKING:
    from garrison.openapi.document import Document
    from garrison.openapi.places import Place
    from garrison.openapi.schemas import Direction, Schema

# A document that comes to more of them would keep a process busy for minutes; the largest public ones have
# a tenth of it.
MAX_DEFINITIONS: Final = 200_000
MAX_ERRORS: Final = 20

# What names a schema, or holds its names, and is not lost where a reference is followed.
_NAMES: Final = frozenset({"$anchor", "$dynamicAnchor", "$dynamicRef", "$id", "discriminator"})
_NOT_SIMPLE: Final = APPLICATORS | _NAMES | {"$schema", "dependencies"}


class Compound(NamedTuple):
    """The schemas of one direction.

    Attributes:
        schema: an object with a property for every definition, which refers to it.
        definitions: by key.
        places: where each definition is in the document.
        patterns: every regular expression, and where it is.
    """

    schema: Schema
    definitions: dict[str, Schema | bool]
    places: dict[str, str]
    patterns: dict[str, str]


class Definitions:
    """Collects schemas, and everything that they refer to.

    Args:
        document: that has them.
        direction: what they are for.
    """

    def __init__(self, document: Document, direction: Direction) -> None:
        self._document = document
        self._identifiers = document.references.identifiers
        self._dialect = dialect_of(document)
        hiding = HIDING[direction]
        self._composition = Composition(hiding, lone_references=self._dialect.lone_references)
        self._discriminators = Discriminators(document)
        self._rewriter = Rewriter(self._dialect, hiding, self._composition, self._discriminators, self)
        self._keys: dict[tuple[tuple[str, ...], Context], str] = {}
        self._waiting: list[tuple[str, Place, Context]] = []
        self._found: dict[str, Schema | bool] = {}
        self._places: dict[str, Place] = {}
        self._patterns: dict[str, str] = {}
        self._uris: dict[str, str] = {}
        self._in_place: dict[str, list[str]] = {}
        self._current = ""

    def key(self, place: Place, context: Context = FREE) -> str:
        """The name under which the validators know a schema.

        Args:
            place: of the schema.
            context: of the schemas around it.

        Raises:
            DocumentError: it refers to nothing.
        """
        place = self._effective(place)
        if context is not FREE:
            context = self._narrowed(place, context)
        identity = self._identity(place)
        known = self._keys.get((identity, context))
        if known is None:
            if len(self._keys) >= MAX_DEFINITIONS:
                raise place.wrong(f"a document with at most {MAX_DEFINITIONS} schemas", "more")
            # A name and no number: it is read as a member of an object.
            known = f"d{len(self._keys)}"
            self._keys[identity, context] = known
            self._places[known] = place
            self._waiting.append((known, place, context))
            if self._identifiers.dynamic:
                self._enter(place.scope)
        return known

    def refer(self, place: Place, context: Context) -> str:
        """The URI reference of a definition, for a schema that refers to it."""
        key = self.key(place, context)
        if context.rooted:
            self._in_place.setdefault(self._current, []).append(key)
        return self._address(key)

    def refer_dynamically(self, place: Place, reference: str) -> Schema:
        """A schema with `$dynamicRef` (JSON Schema 2020-12 section 8.2.3.2)."""
        target = place.follow(reference)
        address = self.refer(target, FREE)
        anchor = target.value.get("$dynamicAnchor") if isinstance(target.value, dict) else None
        if not isinstance(anchor, str) or not reference.endswith(f"#{anchor}"):
            return {"$ref": address}
        return {"$dynamicRef": f"{address.partition('#')[0]}#{anchor}"}

    def note_pattern(self, pattern: str, place: Place) -> None:
        """Keep a regular expression, to say where it is if it turns out to be none."""
        if pattern not in self._patterns:
            self._patterns[pattern] = place.where

    def compound(self) -> Compound:
        """All schemas that have a key, and those that they refer to.

        Raises:
            DocumentError: one of them is no schema, refers to nothing, or contains itself.
        """
        errors: list[DocumentError] = []
        while self._waiting and len(errors) < MAX_ERRORS:
            self._current, place, context = self._waiting.pop()
            try:
                self._found[self._current] = self._definition(place, context)
            except DocumentError as error:
                errors.append(error)
            except RecursionError:
                errors.append(place.wrong("a schema that is nested less deeply", ""))
        if errors:
            first, *others = errors
            raise DocumentError(first.pointer, first.expected, first.found, others=tuple(others))
        self._refuse_circles()
        schema: Schema = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "properties": {key: {"$ref": self._address(key)} for key in self._found},
            "$defs": self._resources(),
        }
        places = {key: place.where for key, place in self._places.items()}
        return Compound(schema, self._found, places, self._patterns)

    def _definition(self, place: Place, context: Context) -> Schema | bool:
        parents = context.parents | self._discriminators.ancestors(place)
        found = self._rewriter.rewrite(place, Context(parents, context.hidden, rooted=True), top=True)
        anchor = place.value.get("$dynamicAnchor") if isinstance(place.value, dict) else None
        if isinstance(found, dict) and isinstance(anchor, str) and context == FREE:
            found["$dynamicAnchor"] = anchor
        return found

    def _effective(self, place: Place) -> Place:
        """The schema itself, where a place only refers to one."""
        if self._identifiers.dynamic:
            # Which schemas led to a dynamic reference decides what it means.
            return place
        found = place
        for _ in range(MAX_HOPS):
            if (
                not isinstance(found.value, dict)
                or "$ref" not in found.value
                or not self._is_lone(found.value)
            ):
                return found
            found = found.follow(found.text("$ref"))
        raise place.wrong("a schema", "a reference that leads in a circle")

    def _identity(self, place: Place) -> tuple[str, ...]:
        """What tells a schema from others; parameters have the same few simple ones over and over."""
        schema = place.value
        if not isinstance(schema, dict) or not _NOT_SIMPLE.isdisjoint(schema):
            return place.key
        keywords = self._dialect.keywords
        return (
            "",
            *(
                f"{name}={value!r}"
                for name, value in schema.items()
                if name in keywords or name == "nullable"
            ),
        )

    def _is_lone(self, schema: Schema) -> bool:
        if self._dialect.lone_references:
            return not (self._dialect.nullable and schema.get("nullable") is True)
        return schema.keys().isdisjoint(self._dialect.keywords) and schema.keys().isdisjoint(_NAMES)

    def _narrowed(self, place: Place, context: Context) -> Context:
        """A context without what means nothing for a schema, so that few schemas are there more than once."""
        if not context.parents and not context.hidden:
            return FREE
        members = self._composition.anywhere(place)
        required = frozenset[str]().union(*(self._composition.required(member) for member in members))
        return Context(context.parents & {member.key for member in members}, context.hidden & required)

    def _enter(self, scope: str) -> None:
        """Take in what a schema resource offers to dynamic references, once one of its schemas is used."""
        if scope in self._uris:
            return
        self._uris[scope] = f"urn:garrison:{len(self._uris)}"
        for uri, anchor in sorted(self._identifiers.dynamic):
            if uri == scope:
                resource, _ = self._identifiers.schemas.get(uri, (uri, ""))
                self.key(self._document.references.at(resource, self._identifiers.anchors[uri, anchor]))

    def _address(self, key: str) -> str:
        return f"{self._uris.get(self._places[key].scope, '')}#/$defs/{key}"

    def _resources(self) -> Schema:
        """The definitions, by schema resource where dynamic references tell these apart."""
        if not self._uris:
            return dict(self._found)
        resources: dict[str, Schema] = {}
        for key, found in self._found.items():
            resources.setdefault(self._uris[self._places[key].scope], {})[key] = found
        return {f"r{number}": {"$id": uri, "$defs": resources[uri]} for number, uri in enumerate(resources)}

    def _refuse_circles(self) -> None:
        """Refuse a schema that holds for a value only if it holds for the value.

        JSON Schema leaves open what that means (2020-12 section 9.4.1).
        """
        done: set[str] = set()
        for start in self._in_place:
            path: list[str] = []
            waiting = [(start, False)]
            while waiting:
                key, leaving = waiting.pop()
                if leaving:
                    done.add(path.pop())
                elif key in path:
                    raise self._places[key].wrong("a schema", "one that contains itself for the same value")
                elif key not in done:
                    path.append(key)
                    waiting.append((key, True))
                    waiting += [(inner, False) for inner in self._in_place.get(key, ())]
