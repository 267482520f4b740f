"""Path items: the operations of one path, with what they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.openapi.servers import read_servers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.openapi.model import Version
    from garrison.openapi.places import Place

# OpenAPI 3.2 section 4.9.1; the last one is new there.
_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")


class PathItem:
    """A Path Item Object, with what it refers to.

    Beside `$ref` it may have operations of its own: what stands in both is that of the item itself, which
    OpenAPI leaves open (3.2 section 4.9.1).

    Args:
        place: of it.
        version: of OpenAPI.

    Raises:
        DocumentError: it is none, or refers to none.
    """

    def __init__(self, place: Place, version: Version) -> None:
        # It raises where the references lead in a circle.
        last = place.target()
        self._version = version
        self._parts = [place]
        while self._parts[-1].key != last.key:
            self._parts.append(self._parts[-1].follow(self._parts[-1].text("$ref")))

    def get(self, name: str) -> Place | None:
        """A field, or None where there is none of the name."""
        return next((found for part in self._parts if (found := part.get(name)) is not None), None)

    def servers(self) -> tuple[str, ...]:
        """The path prefixes of servers of its own."""
        return next((found for part in self._parts if (found := read_servers(part))), ())

    def operations(self) -> Iterator[tuple[str, Place]]:
        """Its methods, as requests have them, and the operation of each.

        Raises:
            DocumentError: a method is there twice.
        """
        for method in _METHODS if self._version == "3.2" else _METHODS[:-1]:
            place = self.get(method)
            if place is not None:
                yield method.upper(), place
        if self._version == "3.2":
            yield from self._additional()

    def _additional(self) -> Iterator[tuple[str, Place]]:
        found: dict[str, Place] = {}
        for part in self._parts:
            more = part.get("additionalOperations")
            for method, place in () if more is None else more.named():
                if method.lower() in _METHODS:
                    # If there were two of one method, nobody would know whose security holds.
                    raise place.wrong(f"{method.lower()} beside the other methods of the path", repr(method))
                found.setdefault(method, place)
        yield from found.items()
