"""What the schemas that hold for one value together say about its properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.openapi.keywords import IN_PLACE_LISTS, IN_PLACE_MAPS, IN_PLACE_ONES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.openapi.places import Place

NOTHING: Final[frozenset[str]] = frozenset()


class Composition:
    """Looks through references and `allOf`.

    Args:
        hiding: `readOnly` or `writeOnly`, the keyword of a property that a direction may not have.
        lone_references: whether everything beside `$ref` is ignored.
    """

    def __init__(self, hiding: str, *, lone_references: bool) -> None:
        self._hiding = hiding
        self._lone_references = lone_references
        self._hidden: dict[tuple[str, str], frozenset[str]] = {}

    def own_hidden(self, place: Place) -> frozenset[str]:
        """The properties that a schema declares itself and the direction may not have.

        Args:
            place: of the schema.
        """
        properties = _properties(place)
        return frozenset(name for name in properties if self._is_hidden(place, name, properties[name]))

    def hidden(self, place: Place) -> frozenset[str]:
        """Those of a schema and of all that hold with it.

        Args:
            place: of the schema.
        """
        known = self._hidden.get(place.key)
        if known is None:
            # A schema that contains itself adds nothing to itself.
            self._hidden[place.key] = NOTHING
            known = self.own_hidden(place).union(*map(self.hidden, self._with(place)))
            self._hidden[place.key] = known
        return known

    def required(self, place: Place) -> frozenset[str]:
        """The properties that a schema needs, whichever of its alternatives holds.

        Args:
            place: of the schema.
        """
        return _required(place).union(*(_required(member) for member in self._closure(place, self._with)))

    def anywhere(self, place: Place) -> list[Place]:
        """A schema and all that may hold with it, those of its alternatives among them.

        Args:
            place: of the schema.
        """
        return [place, *self._closure(place, self._in_place)]

    def _is_hidden(self, place: Place, name: str, declared: object) -> bool:
        if not isinstance(declared, dict):
            return False
        if declared.get(self._hiding) is True and not (self._lone_references and "$ref" in declared):
            return True
        if "$ref" not in declared and "allOf" not in declared:
            return False
        found = place.child("properties").child(name)
        return any(
            isinstance(member.value, dict) and member.value.get(self._hiding) is True
            for member in self._closure(found, self._with)
        )

    def _closure(self, place: Place, step: object) -> Iterator[Place]:
        seen = {place.key}
        waiting = [place]
        while waiting:
            for member in step(waiting.pop()):  # type: ignore[operator]
                if member.key not in seen:
                    seen.add(member.key)
                    waiting.append(member)
                    yield member

    def _with(self, place: Place) -> Iterator[Place]:
        """The schemas that hold whenever this one does."""
        if isinstance(place.value, dict):
            if "$ref" in place.value:
                yield place.follow(place.text("$ref"))
                if self._lone_references:
                    return
            if "allOf" in place.value:
                yield from place.child("allOf").entries()

    def _in_place(self, place: Place) -> Iterator[Place]:
        yield from self._with(place)
        if not isinstance(place.value, dict) or (self._lone_references and "$ref" in place.value):
            return
        for keyword in place.value:
            if keyword in IN_PLACE_LISTS and keyword != "allOf":
                yield from place.child(keyword).entries()
            elif keyword in IN_PLACE_ONES:
                yield place.child(keyword)
            elif keyword in IN_PLACE_MAPS:
                yield from (member for _, member in place.child(keyword).named())


def _properties(place: Place) -> dict[str, object]:
    found = place.value.get("properties") if isinstance(place.value, dict) else None
    return found if isinstance(found, dict) else {}


def _required(place: Place) -> frozenset[str]:
    found = place.value.get("required") if isinstance(place.value, dict) else None
    return frozenset(name for name in found if isinstance(name, str)) if isinstance(found, list) else NOTHING
