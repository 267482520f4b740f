"""Writes a schema of a document anew, in the keywords of JSON Schema 2020-12 and for one direction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol, TypeAlias

from garrison.openapi import keywords
from garrison.openapi.dialects import dialect_named
from garrison.openapi.enumerations import looked_up
from garrison.openapi.formats import formatted, stricter
from garrison.openapi.nullable import nullable
from garrison.openapi.patterns import translate
from garrison.openapi.selection import selection

if TYPE_CHECKING:
    from garrison.openapi.composition import Composition
    from garrison.openapi.dialects import Dialect
    from garrison.openapi.discriminators import Discriminators
    from garrison.openapi.places import Place

Schema: TypeAlias = dict[str, object]
Direction: TypeAlias = Literal["request", "reply"]

# The keyword of a property that a direction may not have.
HIDING: Final[dict[Direction, str]] = {"request": "readOnly", "reply": "writeOnly"}

# Schemas below these are definitions of their own unless they are as simple as can be: who explains why a
# value does not fit asks about them one by one.
_APART: Final = (
    keywords.MEMBER_ONES | keywords.MEMBER_LISTS | {"anyOf", "oneOf", "not", "if", "patternProperties"}
)

# What these say can be told of the whole schema only, and a name is that of a definition.
_DEFINED: Final = frozenset({"$dynamicAnchor", "unevaluatedItems", "unevaluatedProperties"})


class Context(NamedTuple):
    """What the schemas around a schema, of the same value, mean for it.

    Attributes:
        parents: schemas of which the discriminator has been followed already.
        hidden: properties that the direction may not have, and so must not be required.
        rooted: whether it is about the same value as the definition that it belongs to.
    """

    parents: frozenset[tuple[str, str]] = frozenset()
    hidden: frozenset[str] = frozenset()
    rooted: bool = False


FREE: Final = Context()


class Definer(Protocol):
    """Keeps the definitions that schemas refer to."""

    def refer(self, place: Place, context: Context) -> str:
        """The URI reference of a definition.

        Args:
            place: of the schema.
            context: of the schemas around the reference.
        """

    def refer_dynamically(self, place: Place, reference: str) -> Schema:
        """A schema with `$dynamicRef`, or with `$ref` where that means the same."""

    def note_pattern(self, pattern: str, place: Place) -> None:
        """Take notice of a regular expression.

        Args:
            pattern: as the validator gets it.
            place: of the schema with it.
        """


class Rewriter:
    """Rewrites schemas.

    Args:
        dialect: that they are in.
        hiding: the keyword of a property that the direction may not have.
        composition: which properties these are.
        discriminators: of the document.
        definer: keeps what they refer to.
    """

    def __init__(
        self,
        dialect: Dialect,
        hiding: str,
        composition: Composition,
        discriminators: Discriminators,
        definer: Definer,
    ) -> None:
        self._dialect = dialect
        self._hiding = hiding
        self._composition = composition
        self._discriminators = discriminators
        self._definer = definer

    def rewrite(self, place: Place, context: Context, *, top: bool = False) -> Schema | bool:
        """A schema in the keywords of 2020-12.

        Args:
            place: where it is.
            context: of the schemas around it.
            top: whether it is a definition of its own.

        Raises:
            DocumentError: it is no schema, or refers to nothing.
        """
        if isinstance(place.value, bool):
            return place.value
        schema = self._dialect.modern(place.mapping("a schema"))
        if "$ref" in schema and self._dialect.lone_references:
            found: Schema = {"$ref": self._definer.refer(place.follow(place.text("$ref")), context)}
        elif not top and not _DEFINED.isdisjoint(schema):
            return {"$ref": self._definer.refer(place, context)}
        else:
            found = self._members(place, schema, context)
        if self._dialect.nullable and schema.get("nullable") is True:
            found = nullable(found)
        return looked_up(found)

    def _members(self, place: Place, schema: Schema, context: Context) -> Schema:
        if "$schema" in schema and dialect_named(place.text("$schema")) is not self._dialect:
            raise place.wrong("a schema in the dialect of the document", repr(str(schema["$schema"])[:120]))
        if "discriminator" in schema:
            if place.key in context.parents:
                # Followed already, by an alternative that builds on this schema.
                union = _union(schema)
                schema = {
                    name: value for name, value in schema.items() if name not in {union, "discriminator"}
                }
            context = context._replace(parents=context.parents | {place.key})
        hidden = self._composition.hidden(place)
        inner = context._replace(hidden=context.hidden | hidden) if hidden else context
        found: Schema = {}
        for keyword, value in schema.items():
            if keyword in self._dialect.keywords:
                self._keyword(place, keyword, value, inner, found)
        if "$ref" in schema:
            found["$ref"] = self._definer.refer(place.follow(place.text("$ref")), inner)
        if "$dynamicRef" in schema:
            _both(found, self._definer.refer_dynamically(place, place.text("$dynamicRef")))
        if self._dialect.older:
            self._older(place, schema, inner, found)
        if hidden:
            self._hide(place, found)
        if "discriminator" in schema:
            self._discriminate(place, inner, found)
        return found

    def _keyword(self, place: Place, keyword: str, value: object, context: Context, found: Schema) -> None:
        if keyword in keywords.ASSERTIONS:
            self._assert(place, keyword, value, context, found)
        elif keyword in keywords.LISTS or (keyword == "items" and isinstance(value, list)):
            self._list(place, keyword, context, found)
        elif keyword in keywords.ONES:
            found[keyword] = self._below(place.child(keyword), keyword, context)
        else:
            self._map(place, keyword, context, found)

    def _below(self, place: Place, keyword: str, context: Context) -> Schema | bool:
        """A subschema."""
        if keyword not in keywords.IN_PLACE:
            context = FREE
        value = place.value
        if keyword in _APART and isinstance(value, dict) and "$ref" not in value and not _is_simple(value):
            return {"$ref": self._definer.refer(place, context)}
        return self.rewrite(place, context)

    def _assert(self, place: Place, keyword: str, value: object, context: Context, found: Schema) -> None:
        assertion = keywords.ASSERTIONS[keyword]
        if not assertion.fits(value):
            raise place.child(keyword).wrong(assertion.expected)
        if keyword == "format":
            found |= formatted(str(value), found)
        elif isinstance(value, str) and keyword == "pattern":
            found["pattern"] = translate(value)
            self._definer.note_pattern(translate(value), place.child("pattern"))
        elif isinstance(value, list) and keyword == "required":
            names = [name for name in dict.fromkeys(value) if name not in context.hidden]
            if names:
                found["required"] = names
        elif isinstance(value, int | float) and keyword in {"minimum", "maximum"}:
            found[keyword] = stricter(keyword, value, found)
        else:
            found[keyword] = value

    def _list(self, place: Place, keyword: str, context: Context, found: Schema) -> None:
        members = place.child(keyword).entries()
        name = keyword
        if keyword == "items":
            if not self._dialect.older:
                raise place.child("items").wrong("a schema")
            name = "prefixItems"
        # The metaschema wants at least one, and none says nothing.
        if members:
            found[name] = [self._below(member, name, context) for member in members]

    def _map(self, place: Place, keyword: str, context: Context, found: Schema) -> None:
        members = dict(place.child(keyword).named())
        if keyword == "patternProperties":
            for pattern, member in members.items():
                self._definer.note_pattern(translate(pattern), member)
            members = {translate(pattern): member for pattern, member in members.items()}
        found[keyword] = {name: self._below(member, keyword, context) for name, member in members.items()}

    def _older(self, place: Place, schema: Schema, context: Context, found: Schema) -> None:
        """What 2020-12 has other keywords for (JSON Schema 2020-12, appendix of changes)."""
        if isinstance(schema.get("items"), list) and "additionalItems" in schema:
            found["items"] = self._below(place.child("additionalItems"), "items", context)
        dependencies = place.get("dependencies")
        for name, member in () if dependencies is None else dependencies.named():
            if isinstance(member.value, list):
                required: Schema = found.setdefault("dependentRequired", {})  # type: ignore[assignment]
                required[name] = member.value
            else:
                schemas: Schema = found.setdefault("dependentSchemas", {})  # type: ignore[assignment]
                schemas[name] = self._below(member, "dependentSchemas", context)

    def _hide(self, place: Place, found: Schema) -> None:
        own = self._composition.own_hidden(place)
        properties = found.get("properties")
        if own and isinstance(properties, dict):
            refused: Schema = {"not": {"$comment": self._hiding}}
            found["properties"] = {
                name: refused if name in own else member for name, member in properties.items()
            }

    def _discriminate(self, place: Place, context: Context, found: Schema) -> None:
        """Let the property that tells alternatives apart choose the one that a value is held to."""
        union = _union(found)
        if union:
            choice = self._discriminators.of_union(place, union)
        else:
            choice = self._discriminators.of_parent(place)
        if choice is None:
            return
        plain: Schema | bool = {union: found.pop(union)} if union else True
        needed = bool(union) and all(
            choice.property in self._composition.required(target) for _, target in choice.branches
        )
        branches: list[tuple[tuple[str, ...], Schema]] = [
            (values, {"$ref": self._definer.refer(target, context)})
            for values, target in choice.branches
            if target.key != place.key
        ]
        default: Schema | None = None
        if choice.default is not None:
            default = {"$ref": self._definer.refer(choice.default, context)}
        _both(found, selection(choice, branches, default, plain, needed=needed))


def _is_simple(schema: Schema) -> bool:
    return keywords.APPLICATORS.isdisjoint(schema) and "discriminator" not in schema


def _union(schema: Schema) -> str:
    """The keyword of the alternatives that a discriminator is about; empty where there are none."""
    return next((keyword for keyword in ("oneOf", "anyOf") if keyword in schema), "")


def _both(found: Schema, also: Schema) -> None:
    members = found.get("allOf")
    found["allOf"] = [*(members if isinstance(members, list) else ()), also]
