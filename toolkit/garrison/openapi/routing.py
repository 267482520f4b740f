"""Which operation a request is for, in time that does not grow with their number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple
from urllib.parse import unquote, unquote_to_bytes

from garrison.openapi.path_tree import Leaf, PathTree
from garrison.openapi.templates import VARIABLE, parse_template
from garrison.spellings import readings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from garrison.openapi.model import Operation

SLASHES: Final = re.compile("//+")
DOTS: Final = frozenset({b".", b".."})


class Match(NamedTuple):
    """The operation that a request is for.

    Attributes:
        operation: the operation.
        values: of the template's variables, in order and still percent-encoded.
    """

    operation: Operation
    values: tuple[bytes, ...]


class Miss(NamedTuple):
    """No operation, or none that is certain.

    Attributes:
        allowed: the methods that the document has for this path; empty where no path fits.
        ambiguous: whether a router could take the path for that of an operation that it is not for as it is
            written. Such a request must not be passed as undocumented.
    """

    allowed: frozenset[str]
    ambiguous: bool = False

    @property
    def outcome(self) -> Literal["method", "unknown", "ambiguous"]:
        """The same in a word."""
        if self.ambiguous:
            return "ambiguous"
        return "method" if self.allowed else "unknown"


class Router:
    """The operations of a document, by method and path.

    Templates are compared segment by segment with the raw path, so that an encoded slash parts nothing. What
    frameworks route is the decoded path. Where these two, or one that is normalised as some frameworks do,
    lead to different operations or values, nothing is matched and the path is called ambiguous.

    Literals are tried before variables (OpenAPI 3.2 section 4.8.2), of segments with both the one with more
    bytes of literals, then the one that is declared first. A framework that goes by the order of its routes
    agrees if its routes are in that order; if they are not, some of them can never be reached.

    Args:
        operations: in the order of the document.
        prefixes: paths of servers that stand in front of every template, such as `/v1`. In front of an
            operation with servers of its own theirs come first.

    Raises:
        DocumentError: a template or a prefix is none.
    """

    __slots__ = ("_exact", "_folded", "_tree")

    def __init__(self, operations: Iterable[Operation], *, prefixes: Iterable[str] = ("",)) -> None:
        self._tree = PathTree()
        # What a path may be taken for is looked up in lower case: some routers do not regard it.
        self._folded = PathTree()
        self._exact: dict[tuple[str, bytes], Match] = {}
        every = tuple(operations)
        fronts = tuple(dict.fromkeys(prefix.rstrip("/") for prefix in prefixes))
        placed = list(_placed(every, fronts))
        for prefix, operation in placed:
            template = parse_template(prefix + operation.template, operation.pointer)
            leaf = Leaf(operation, template, len(VARIABLE.findall(prefix)))
            self._tree.add(leaf, folded=False)
            self._folded.add(leaf, folded=True)
        for prefix, operation in placed:
            if "{" not in prefix:
                self._note_exact(prefix, operation)

    def _note_exact(self, prefix: str, operation: Operation) -> None:
        """Keep a path without variables where one look finds it."""
        path = (prefix + operation.template).encode()
        methods = ("GET", "HEAD") if operation.method == "GET" else (operation.method,)
        for method in methods:
            found = self._search(method, path)
            if isinstance(found, Match) and not found.values:
                self._exact[method, path] = found

    def match(self, method: str, path: bytes) -> Match | Miss:
        """The operation for a request.

        Args:
            method: as it was sent.
            path: the raw path, still percent-encoded, without root_path; see `percent.wire_path`.
        """
        return self._exact.get((method, path)) or self._search(method, path)

    def _search(self, method: str, path: bytes) -> Match | Miss:
        if path[:1] != b"/":
            # An absolute URL, or the `*` of OPTIONS.
            return Miss(frozenset(), self._resembles(method, path))
        raw = path[1:].split(b"/")
        segments = [unquote_to_bytes(segment) for segment in raw] if b"%" in path else raw
        leaf = self._tree.find(segments, method)
        if leaf is None:
            return Miss(self._tree.methods(segments), self._resembles(method, path))
        values = leaf.template.values(segments)
        if _is_unusual(path):
            if values is None or not self._is_certain(method, path, segments, leaf, values):
                return Miss(frozenset(), ambiguous=True)
            encoded = leaf.template.values(raw)
            if encoded is None or tuple(map(unquote_to_bytes, encoded)) != values:
                return Miss(frozenset(), ambiguous=True)
            values = encoded
        return Match(leaf.operation, values[leaf.before :] if values else ())

    def _is_certain(
        self, method: str, path: bytes, segments: list[bytes], leaf: Leaf, values: tuple[bytes, ...]
    ) -> bool:
        """Whether frameworks that decode or normalise a path before they route it find the same."""
        if not DOTS.isdisjoint(segments):
            return False
        variants = _normalised(_text_of(path))
        if b"%2f" not in path.lower():
            # It is parted as it was, and it is text where bytes were compared.
            variants = variants[1:]
        for variant in variants:
            parts = variant[1:].encode().split(b"/")
            other = self._tree.find(parts, method)
            if other is not None and (
                other.operation is not leaf.operation or other.template.values(parts) != values
            ):
                return False
        return True

    def _resembles(self, method: str, path: bytes) -> bool:
        """Whether some router could take a request that fits nothing for one of an operation."""
        # Django takes `get` for GET.
        method, text = method.upper(), _text_of(path)
        for reading in {*readings(text), *_normalised(text.lower())}:
            parts = reading.removeprefix("/").encode().split(b"/")
            if self._folded.find(parts, method) is not None:
                return True
        return False


def _placed(operations: Iterable[Operation], fronts: tuple[str, ...]) -> Iterator[tuple[str, Operation]]:
    """Each operation behind each of its prefixes, in the order in which they count."""
    every = tuple(operations)
    if "" in fronts:
        yield from (("", operation) for operation in every)
    rest = [prefix for prefix in fronts if prefix]
    for operation in every:
        yield from ((prefix, operation) for prefix in operation.servers or rest)
    # Though its servers are said to be elsewhere, the app may have the path where all others are.
    yield from ((prefix, operation) for operation in every if operation.servers for prefix in rest)


def _is_unusual(path: bytes) -> bool:
    return b"%" in path or b"//" in path or b"/." in path


def _text_of(path: bytes) -> str:
    """The path as servers decode it."""
    return unquote(path.decode("utf-8", "replace"))


def _normalised(text: str) -> list[str]:
    """A decoded path, and what else frameworks make of it before they compare it."""
    found = [text]
    if "//" in text:
        found.append(SLASHES.sub("/", text))
    if text.endswith("\n"):
        # To `$` in a regular expression of Python, this is the end already.
        found.append(text[:-1])
    return found
