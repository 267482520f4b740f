"""Which schema a value is meant for, by the property that says so (OpenAPI 3.2 section 4.25)."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from garrison.openapi.places import tokens

if TYPE_CHECKING:
    from garrison.openapi.document import Document
    from garrison.openapi.places import Place

Key = tuple[str, str]

# The name of a component, which a mapping may have in place of a URI.
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")

NOBODY: Final[frozenset[Key]] = frozenset()


class Choice(NamedTuple):
    """The alternatives that a property tells apart.

    Attributes:
        property: its name.
        values: all that mean a schema.
        branches: each schema, with the values of the property that mean it.
        default: the schema that is meant where no value does; None where there must be a value.
    """

    property: str
    values: tuple[str, ...]
    branches: tuple[tuple[tuple[str, ...], Place], ...]
    default: Place | None


class Discriminators:
    """Reads the discriminators of a document.

    Args:
        document: that has them.
    """

    def __init__(self, document: Document) -> None:
        self._document = document

    def of_union(self, place: Place, union: str) -> Choice | None:
        """The choice between the members of a union.

        Args:
            place: of the schema with the discriminator.
            union: `oneOf` or `anyOf`.

        Returns:
            None where the property cannot tell them apart: a member without a name is never meant by one.

        Raises:
            DocumentError: it leads nowhere.
        """
        targets: dict[Key, Place] = {}
        for member in place.child(union).entries():
            if isinstance(member.value, dict) and "$ref" in member.value:
                target = member.target()
                targets[target.key] = target
            elif _may_be_object(member.value):
                return None
        return self._choice(place, targets, strangers=False)

    def of_parent(self, place: Place) -> Choice | None:
        """The choice between the schemas that build on one by `allOf`.

        Args:
            place: of the schema with the discriminator.

        Returns:
            None where there are none.

        Raises:
            DocumentError: it leads nowhere.
        """
        targets = {
            child.key: child for child in self._components.values() if place.key in self.ancestors(child)
        }
        targets[place.key] = place
        choice = self._choice(place, targets, strangers=True)
        return choice if choice is not None and len(choice.branches) > 1 else None

    def ancestors(self, place: Place) -> frozenset[Key]:
        """The schemas with a discriminator that a component builds on.

        Args:
            place: of the component.
        """
        return self._ancestors.get(place.key, NOBODY)

    @cached_property
    def _components(self) -> dict[str, Place]:
        components = self._document.root.get("components")
        schemas = None if components is None else components.get("schemas")
        return {} if schemas is None else dict(schemas.named())

    @cached_property
    def _ancestors(self) -> dict[Key, frozenset[Key]]:
        parents = {place.key for place in self._components.values() if _is_parent(place.value)}
        if not parents:
            return {}
        built_on = {place.key: _built_on(place) for place in self._components.values()}
        found: dict[Key, frozenset[Key]] = {}
        for child, direct in built_on.items():
            seen: set[Key] = set()
            waiting = list(direct)
            while waiting:
                key = waiting.pop()
                if key not in seen:
                    seen.add(key)
                    waiting += built_on.get(key, ())
            if not parents.isdisjoint(seen):
                found[child] = frozenset(seen & parents)
        return found

    def _choice(self, place: Place, targets: dict[Key, Place], *, strangers: bool) -> Choice | None:
        found = place.child("discriminator")
        name = found.text("propertyName")
        values: dict[str, Key] = {}
        for target in targets.values():
            if target.pointer:
                # Where two have the same, in several files, a mapping has to tell them apart.
                values.setdefault(tokens(target.pointer)[-1], target.key)
        mapping = found.get("mapping")
        for value in () if mapping is None else mapping.mapping():
            target = self._meant(found, mapping.text(value))  # type: ignore[union-attr]
            if strangers or target.key in targets:
                targets.setdefault(target.key, target)
                values[value] = target.key
        branches: dict[Key, list[str]] = {}
        for value, key in values.items():
            branches.setdefault(key, []).append(value)
        default = found.get("defaultMapping")
        if not branches:
            return None
        if default is None:
            # So that nobody is told of a value that would only be refused in another way.
            branches = {key: self._possible(names, name, targets[key]) for key, names in branches.items()}
        return Choice(
            name,
            tuple(value for value, key in values.items() if value in branches[key]),
            tuple((tuple(names), targets[key]) for key, names in branches.items()),
            None if default is None else self._meant(found, found.text("defaultMapping")),
        )

    def _possible(self, values: list[str], name: str, target: Place) -> list[str]:
        """Those of several values that a schema allows for the property; all where it allows none.

        Frameworks map the values of their tags, and the names of the schemas, which count too, are none.
        """
        properties = target.value.get("properties") if isinstance(target.value, dict) else None
        declared = properties.get(name) if isinstance(properties, dict) else None
        if not isinstance(declared, dict) or "$ref" in declared:
            return values
        allowed = declared.get("enum")
        if "const" in declared and self._document.version != "3.0":
            allowed = [declared["const"]]
        kept = [value for value in values if value in allowed] if isinstance(allowed, list) else values
        return kept or values

    def _meant(self, place: Place, reference: str) -> Place:
        if _NAME.fullmatch(reference) and reference in self._components:
            return self._components[reference].target()
        return place.follow(reference).target()


def _may_be_object(schema: object) -> bool:
    types = schema.get("type") if isinstance(schema, dict) else None
    return types is None or types == "object" or (isinstance(types, list) and "object" in types)


def _is_parent(schema: object) -> bool:
    return (
        isinstance(schema, dict)
        and "discriminator" in schema
        and schema.keys().isdisjoint({"oneOf", "anyOf"})
    )


def _built_on(place: Place) -> list[Key]:
    members = place.value.get("allOf") if isinstance(place.value, dict) else None
    if not isinstance(members, list):
        return []
    return [
        member.target().key
        for member in place.child("allOf").entries()
        if isinstance(member.value, dict) and "$ref" in member.value
    ]
