"""Path templates: their segments, which values a path has for them, and which are more concrete."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from garrison.openapi.model import DocumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

VARIABLE: Final = re.compile(r"\{([^{}/]+)\}")


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of a template.

    Attributes:
        literals: what stands around the variables, so one more than there are variables; decoded.
        written: the first literal as the document has it. Frameworks whose templates are text rather than
            URLs mean `%20` as it stands.
    """

    literals: tuple[bytes, ...]
    written: bytes

    @property
    def is_literal(self) -> bool:
        """Whether there are no variables."""
        return len(self.literals) == 1

    @property
    def is_variable(self) -> bool:
        """Whether there is one variable and nothing else."""
        return self.literals == (b"", b"")

    @property
    def concreteness(self) -> int:
        """How many bytes are literal."""
        return sum(map(len, self.literals))

    @property
    def folded(self) -> Segment:
        """The same in lower case."""
        return Segment(tuple(map(_lower, self.literals)), _lower(self.written))

    def split(self, text: bytes) -> tuple[bytes, ...] | None:
        """The values of the variables in a segment of a path; None where it does not fit.

        A variable takes as much as it can, the first one first, and never nothing: so do the regular
        expressions that frameworks make of templates. Looking for the literals from the end finds the same
        without trying, in linear time.

        Args:
            text: the segment.
        """
        first, *inner, last = self.literals
        end = len(text) - len(last)
        if end < len(first) or not text.startswith(first) or not text.endswith(last):
            return None
        values: list[bytes] = []
        for literal in reversed(inner):
            at = text.rfind(literal, len(first), end - 1) if end > len(first) else -1
            if at < 0:
                return None
            values.append(text[at + len(literal) : end])
            end = at
        if end <= len(first):
            return None
        values.append(text[len(first) : end])
        return tuple(reversed(values))


@dataclass(frozen=True, slots=True)
class Template:
    """A path template.

    Attributes:
        segments: in order; that of `/` is one empty literal.
        names: of the variables, in order.
        places: of the variables, where each is a segment of its own; else None.
    """

    segments: tuple[Segment, ...]
    names: tuple[str, ...]
    places: tuple[int, ...] | None = field(init=False)

    def __post_init__(self) -> None:
        whole = all(segment.is_literal or segment.is_variable for segment in self.segments)
        places = tuple(at for at, segment in enumerate(self.segments) if segment.is_variable)
        object.__setattr__(self, "places", places if whole else None)

    def values(self, segments: Sequence[bytes]) -> tuple[bytes, ...] | None:
        """The values of the variables in a path that has been found to fit.

        Args:
            segments: of the path; an empty one at the end may be missing or too many.

        Returns:
            None where what is encoded in the path makes it fit only after decoding.
        """
        if self.places is not None:
            return tuple([segments[at] for at in self.places])
        values: tuple[bytes, ...] = ()
        for segment, text in zip(self.segments, segments, strict=False):
            if segment.is_variable:
                values += (text,)
            elif not segment.is_literal:
                found = segment.split(text)
                if found is None:
                    return None
                values += found
        return values


def parse_template(text: str, pointer: str) -> Template:
    """Read a path template, such as `/pets/{id}/photos/{name}.{format}`.

    Args:
        text: as the document has it.
        pointer: where it is.

    Raises:
        DocumentError: it does not begin with a slash, has a query or a fragment, a brace without its other
            half, or the same variable twice (OpenAPI 3.2 section 4.8.2).
    """
    names = VARIABLE.findall(text)
    literal = VARIABLE.sub("", text)
    if text[:1] != "/" or "?" in literal or "#" in literal:
        raise DocumentError(pointer, "a path that begins with / and has no ? and no #", repr(text))
    if "{" in literal or "}" in literal:
        raise DocumentError(pointer, "a path whose braces are pairs, such as /pets/{id}", repr(text))
    if len(set(names)) != len(names):
        raise DocumentError(pointer, "a path with each variable once", repr(text))
    return Template(tuple(map(_segment, text[1:].split("/"))), tuple(names))


def _lower(literal: bytes) -> bytes:
    return literal.decode("utf-8", "replace").lower().encode()


def _segment(text: str) -> Segment:
    # Every other piece of a split by a pattern with one group is what the group has found.
    written = [piece.encode() for piece in VARIABLE.split(text)[::2]]
    return Segment(tuple(map(unquote_to_bytes, written)), written[0])
