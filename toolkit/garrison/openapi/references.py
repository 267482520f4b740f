"""What a reference of a document leads to, in the document itself or in what was read with it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag, urljoin

from garrison.openapi.identifiers import Identifiers
from garrison.openapi.model import DocumentError
from garrison.openapi.places import Place, quoted, tokens

if TYPE_CHECKING:
    from collections.abc import Callable


class References:
    """The resources that a document consists of, and the references between them.

    Args:
        root: the URI of the document itself.
        reader: reads another resource by its URI, or raises DocumentError.
        identified: whether schemas may have an `$id` and anchors, as from OpenAPI 3.1 on.
    """

    def __init__(self, root: str, reader: Callable[[str], object], *, identified: bool) -> None:
        self._root = root
        self._reader = reader
        self._identified = identified
        self._resources: dict[str, object] = {}
        self._failed: dict[str, DocumentError] = {}
        self._followed: dict[tuple[str, str], Place] = {}
        self.identifiers = Identifiers()

    def add(self, uri: str, value: object) -> Place:
        """Take a resource in.

        Args:
            uri: where it is from.
            value: what it holds.
        """
        self._resources[uri] = value
        if self._identified:
            self.identifiers.index(uri, value)
        return self.at(uri, "")

    def read(self, reference: str, scope: str) -> Place | None:
        """Take in the resource that a reference leads into.

        Args:
            reference: a URI reference.
            scope: the URI against which it is resolved.

        Returns:
            The resource; None where it is known already, or cannot be read.
        """
        try:
            uri = urldefrag(urljoin(scope, reference)).url
        except ValueError:
            return None
        if uri in self._resources or uri in self._failed or uri in self.identifiers.schemas:
            return None
        try:
            return self.add(uri, self._reader(self._location(uri)))
        except DocumentError as error:
            self._failed[uri] = error
            return None

    def _location(self, uri: str) -> str:
        """Where a resource is: beside the document, if it is there by `$self` (OpenAPI 3.2 section 4.1.2)."""
        directory = _directory(self.identifiers.bases.get(self._root, self._root))
        if uri.startswith(directory):
            return _directory(self._root) + uri.removeprefix(directory)
        return uri

    def named(self, resource: str, pointer: str) -> str:
        """A place for people: the pointer, after the name of the file where it is not the document itself."""
        if resource == self._root:
            return pointer
        return f"{resource.removeprefix(_directory(self._root))}#{pointer}"

    def scope(self, value: object, outer: str) -> str:
        """The URI against which references in a value are resolved (JSON Schema 2020-12 section 8.2.1)."""
        if self.identifiers.any and isinstance(value, dict) and isinstance(value.get("$id"), str):
            inner = urldefrag(urljoin(outer, value["$id"])).url
            return inner if inner in self.identifiers.schemas else outer
        return outer

    def at(self, resource: str, pointer: str) -> Place:
        """The place at a pointer.

        Raises:
            DocumentError: there is none.
        """
        value, scope = self._resources[resource], self.identifiers.bases.get(resource, resource)
        for token in tokens(pointer):
            value = _member(value, token)
            scope = self.scope(value, scope)
        return Place(self, resource, pointer, scope, value)

    def follow(self, reference: str, scope: str, where: Callable[[], str]) -> Place:
        """What a reference leads to.

        Args:
            reference: a URI reference.
            scope: the URI against which it is resolved.
            where: where it is written, for an error.

        Raises:
            DocumentError: it leads nowhere.
        """
        found = self._followed.get((scope, reference))
        if found is None:
            try:
                found = self._follow(reference, scope)
            except DocumentError as error:
                found_there = f": {error.found}" if error.found else ""
                raise DocumentError(
                    where(), error.expected, f"{quoted(reference[:120])}{found_there}"
                ) from None
            self._followed[scope, reference] = found
        return found

    def _follow(self, reference: str, scope: str) -> Place:
        try:
            # Nothing can be joined to a URN, but a fragment of it can be meant.
            uri, fragment = urldefrag(
                scope + reference if reference[:1] == "#" else urljoin(scope, reference)
            )
            fragment = unquote(fragment, errors="strict")
        except ValueError:
            raise DocumentError("", "a URI reference") from None
        if uri in self.identifiers.schemas:
            resource, pointer = self.identifiers.schemas[uri]
        else:
            if uri not in self._resources:
                raise self._failed.get(uri) or DocumentError("", "a reference to what was read at the start")
            resource, pointer = uri, ""
        if fragment.startswith("/") or not fragment:
            return self.at(resource, pointer + fragment)
        if (uri, fragment) in self.identifiers.anchors:
            return self.at(resource, self.identifiers.anchors[uri, fragment])
        raise DocumentError("", "a reference to an anchor that is there")


def _member(value: object, token: str) -> object:
    if isinstance(value, dict) and token in value:
        return value[token]
    if isinstance(value, list) and token.isascii() and token.isdigit() and int(token) < len(value):
        return value[int(token)]
    raise DocumentError("", "a reference to something that is there")


def _directory(uri: str) -> str:
    return uri[: uri.rfind("/") + 1]
