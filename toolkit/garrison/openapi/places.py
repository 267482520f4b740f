"""Where something is in a document, and what is expected there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from garrison.openapi.model import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.openapi.references import References

# A chain of references that is longer leads in a circle, or nowhere that a person can follow.
MAX_HOPS: Final = 50


def escape(token: str) -> str:
    """A reference token of a JSON pointer (RFC 6901 section 3)."""
    return token.replace("~", "~0").replace("/", "~1") if "~" in token or "/" in token else token


def tokens(pointer: str) -> list[str]:
    """The reference tokens of a JSON pointer that is not empty (RFC 6901 section 4)."""
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


class Place(NamedTuple):
    """A value of a document, and where it is.

    Attributes:
        references: of the document.
        resource: the URI of the file or page.
        pointer: into the resource, as a JSON pointer.
        scope: the URI against which references here are resolved, of the innermost `$id`.
        value: what is there.
    """

    references: References
    resource: str
    pointer: str
    scope: str
    value: object

    @property
    def key(self) -> tuple[str, str]:
        """What tells the place from all others."""
        return (self.resource, self.pointer)

    @property
    def where(self) -> str:
        """The place for people: a JSON pointer, after the name of the file where there are several."""
        return self.references.named(self.resource, self.pointer)

    def child(self, token: str | int) -> Place:
        """A member that is known to be there.

        Args:
            token: its name, or its index.
        """
        value = self.value[token]  # type: ignore[index]  # the caller has seen it
        scope = self.references.scope(value, self.scope)
        return Place(self.references, self.resource, f"{self.pointer}/{escape(str(token))}", scope, value)

    def get(self, name: str) -> Place | None:
        """A member of an object, or None where there is none of the name."""
        return self.child(name) if name in self.mapping() else None

    def mapping(self, expected: str = "an object") -> dict[str, object]:
        """The value, which must be an object.

        Args:
            expected: what it must be, for the error.

        Raises:
            DocumentError: it is none.
        """
        if isinstance(self.value, dict):
            return self.value
        raise self.wrong(expected)

    def members(self) -> Iterator[tuple[str, Place]]:
        """The members of an object, without extensions (`x-...`)."""
        for name in self.mapping():
            if not name.startswith("x-"):
                yield name, self.child(name)

    def named(self) -> Iterator[tuple[str, Place]]:
        """The members of an object of which the names are free."""
        for name in self.mapping():
            yield name, self.child(name)

    def entries(self) -> list[Place]:
        """The members of an array.

        Raises:
            DocumentError: it is none.
        """
        if not isinstance(self.value, list):
            raise self.wrong("an array")
        return [self.child(index) for index in range(len(self.value))]

    def text(self, name: str, default: str | None = None) -> str:
        """A member that must be a string.

        Args:
            name: of the member.
            default: where there is no such member; None where there must be one.

        Raises:
            DocumentError: there is none, or it is no string.
        """
        value = self.mapping().get(name, default)
        if isinstance(value, str):
            return value
        raise self.wrong(f"{name}, a string", "" if value is None else kind_of(value))

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A member that must be a boolean.

        Raises:
            DocumentError: it is none.
        """
        value = self.mapping().get(name, default)
        if isinstance(value, bool):
            return value
        raise self.wrong(f"{name}, true or false", kind_of(value))

    def wrong(self, expected: str, found: str | None = None) -> DocumentError:
        """The error that this is not what must be here.

        Args:
            expected: a noun phrase.
            found: what is here, in short; None for the kind of the value.
        """
        return DocumentError(self.where, expected, kind_of(self.value) if found is None else found)

    def target(self) -> Place:
        """What a Reference Object leads to; the place itself where it is none.

        Raises:
            DocumentError: it leads nowhere, or in a circle.
        """
        found = self
        for _ in range(MAX_HOPS):
            if not isinstance(found.value, dict) or "$ref" not in found.value:
                return found
            found = found.follow(found.text("$ref"))
        raise self.wrong("a reference that leads to something", "one that leads in a circle")

    def follow(self, reference: str) -> Place:
        """What a reference written here leads to.

        Args:
            reference: a URI reference (RFC 3986 section 4.1).

        Raises:
            DocumentError: it leads nowhere.
        """
        return self.references.follow(reference, self.scope, lambda: self.where)


def kind_of(value: object) -> str:
    """What a value is, for an error: the whole of a short one."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, int | float):
        return str(value)[:40]
    if isinstance(value, str):
        return quoted(value if len(value) <= 60 else f"{value[:60]}...")
    return "an array" if isinstance(value, list) else "an object"


def quoted(text: str) -> str:
    """A text of the document in quotes, for an error: backslashes as they are, on one line."""
    return "'" + "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text) + "'"
