"""Parameter styles: the structure of text, split before it is decoded (OpenAPI 3.2 section 4.12.3).

The reading is as tolerant as the tables of all versions together: where they differ, either is taken.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from garrison.openapi.deep_object import DeepObject
from garrison.openapi.percent import UnreadableError, decoded, decoded_form
from garrison.openapi.primitives import SCALARS, member_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from garrison.openapi.model import Parameter
    from garrison.openapi.primitives import Tree

Pair: TypeAlias = tuple[str, bytes]
"""A decoded name, and a value that is not; of path and header parameters the name is empty."""

Reading: TypeAlias = "Callable[[Sequence[Pair]], list[Tree]]"
"""What text may stand for, the likeliest first, and never nothing; raises UnreadableError."""

# 3.1.1 and later encode the delimiters, which RFC 3986 asks for. In a query `+` is a blank, too.
BLANK: Final = re.compile(rb"%20|\+| ")
PIPE: Final = re.compile(rb"%7[Cc]")

# The name of an OpenAPI 3.2 parameter that is the whole query (section 4.12.1, `in: querystring`).
WHOLE_QUERY: Final = "*querystring"


def decoder_of(parameter: Parameter) -> Callable[[bytes], str]:
    """How names and values of a parameter are decoded.

    Headers, and cookies of the style `cookie`, are not percent-encoded (OpenAPI 3.2 section 4.12.2.2); what
    they are instead is the app's business, which gets them as Latin-1 from its framework.

    Args:
        parameter: the parameter.
    """
    if parameter.location == "query" and not (parameter.name == WHOLE_QUERY and parameter.content):
        return decoded_form
    if parameter.location == "header" or parameter.style == "cookie":
        return _latin_1
    return decoded


def reading_of(parameter: Parameter) -> Reading:
    """How a parameter with a style is read.

    Args:
        parameter: without `content`.
    """
    decode = decoder_of(parameter)
    if parameter.style == "deepObject":
        return DeepObject(parameter, decode)
    if parameter.location in {"query", "cookie"} and parameter.explode:
        return Exploded(parameter, decode)
    if parameter.style == "matrix":
        return Matrix(parameter, decode)
    return Delimited(parameter, decode)


def _latin_1(raw: bytes) -> str:
    return raw.decode("latin-1")


class Delimited:
    """One text for all members: `simple`, `label`, and what is in a query without being exploded.

    Args:
        parameter: the parameter.
        decode: of its names and values.
    """

    __slots__ = ("_decode", "_parameter", "_style")

    def __init__(self, parameter: Parameter, decode: Callable[[bytes], str]) -> None:
        self._parameter = parameter
        self._decode = decode
        self._style = parameter.style

    def __call__(self, pairs: Sequence[Pair]) -> list[Tree]:
        """What the text may stand for."""
        types = self._parameter.shape.types
        if len(pairs) == 1:
            raw = pairs[0][1]
        elif self._parameter.location == "header" and not types & SCALARS - {"null"}:
            # Lines of one name are a list (RFC 9110 section 5.3); of a single value, apps take one of them.
            raw = b",".join(value for _, value in pairs)
        else:
            raise UnreadableError("repeated", "may not be repeated")
        if self._style == "label":
            if raw[:1] != b".":
                raise UnreadableError("style", "has to begin with a dot")
            raw = raw[1:]
        return self.trees(raw)

    def trees(self, raw: bytes) -> list[Tree]:
        """What a text may stand for, without what is in front of all of it."""
        types = self._parameter.shape.types
        found: list[Tree] = []
        error: UnreadableError | None = None
        if types & SCALARS:
            found.append(self._decode(raw))
        for pieces in self._splits(raw):
            if "array" in types:
                found.append([self._decode(piece) for piece in pieces])
            if "object" in types and raw:
                try:
                    found.append(self._members(pieces))
                except UnreadableError as unreadable:
                    error = error or unreadable
        if not raw:
            # Lists and objects without members are written like this, or not at all (RFC 6570 section 2.3).
            found += [[]] if "array" in types else []
            found += [{}] if "object" in types else []
        if not found and error is not None:
            raise error
        return found

    def _splits(self, raw: bytes) -> list[list[bytes]]:
        if self._style == "spaceDelimited":
            return [BLANK.split(raw)]
        if self._style == "pipeDelimited":
            # A pipe that is not encoded leaves the encoded one to be data.
            return [raw.split(b"|") if b"|" in raw else PIPE.split(raw)]
        if self._style == "label":
            if self._parameter.explode:
                return [raw.split(b".")]
            # Up to 3.0.3 and 3.1.0 the dot was in the tables, which RFC 6570 never had.
            return [raw.split(b",")] + ([raw.split(b".")] if b"," not in raw and b"." in raw else [])
        pieces = raw.split(b",")
        return [[piece.strip(b" \t") for piece in pieces] if self._parameter.location == "header" else pieces]

    def _members(self, pieces: list[bytes]) -> dict[str, Tree]:
        if self._parameter.explode:
            return dict_of(
                [_assignment(piece, self._decode) for piece in pieces], self._parameter, self._decode
            )
        if len(pieces) % 2:
            raise UnreadableError("style", "has to have a value for each name")
        names = map(self._decode, pieces[::2])
        return dict_of(list(zip(names, pieces[1::2], strict=True)), self._parameter, self._decode)


class Matrix:
    """`;name=value`, in a path (RFC 6570 section 3.2.7).

    Args:
        parameter: the parameter.
        decode: of its names and values.
    """

    __slots__ = ("_decode", "_delimited", "_exploded", "_parameter")

    def __init__(self, parameter: Parameter, decode: Callable[[bytes], str]) -> None:
        self._parameter = parameter
        self._decode = decode
        self._exploded = Exploded(parameter, decode)
        self._delimited = Delimited(parameter, decode)

    def __call__(self, pairs: Sequence[Pair]) -> list[Tree]:
        """What the text may stand for."""
        ((_, raw),) = pairs
        if raw[:1] != b";":
            raise UnreadableError("style", "has to begin with a semicolon")
        pieces = [piece.partition(b"=") for piece in raw[1:].split(b";")]
        found = [(self._decode(name), value) for name, _, value in pieces]
        if self._parameter.explode:
            return self._exploded(found)
        if len(found) > 1:
            raise UnreadableError("repeated", "may not be repeated")
        if found[0][0] != self._parameter.name:
            raise UnreadableError("style", "has to begin with a semicolon and its name")
        return self._delimited.trees(found[0][1])


class Exploded:
    """A pair for each member: `form` and `cookie` where they are exploded, and so is `matrix`.

    Args:
        parameter: the parameter.
        decode: of its values.
    """

    __slots__ = ("_decode", "_parameter")

    def __init__(self, parameter: Parameter, decode: Callable[[bytes], str]) -> None:
        self._parameter = parameter
        self._decode = decode

    def __call__(self, pairs: Sequence[Pair]) -> list[Tree]:
        """What the pairs may stand for: those of the parameter's name, or of its members' names."""
        name, types = self._parameter.name, self._parameter.shape.types
        found: list[Tree] = []
        error: UnreadableError | None = None
        if all(key == name for key, _ in pairs):
            if len(pairs) == 1 and types & SCALARS:
                found.append(self._decode(pairs[0][1]))
            if "array" in types:
                # An empty value is one member that is empty: what every framework makes of repeated names.
                found.append([self._decode(raw) for _, raw in pairs])
            error = UnreadableError("repeated", "may not be repeated")
        if "object" in types:
            try:
                found.append(dict_of(pairs, self._parameter, self._decode))
            except UnreadableError as unreadable:
                error = error or unreadable
        if not found:
            raise error or UnreadableError("style", "has to have its own name")
        return found


def dict_of(pairs: Sequence[Pair], parameter: Parameter, decode: Callable[[bytes], str]) -> dict[str, Tree]:
    """The members of an object.

    Args:
        pairs: a name for each value.
        parameter: whose object it is.
        decode: of the values.

    Raises:
        UnreadableError: a name is there twice that is no list, or a value is malformed.
    """
    found: dict[str, Tree] = {}
    for name, raw in pairs:
        types = member_of(parameter.shape, name).types
        held = found.get(name)
        if isinstance(held, list):
            held.append(decode(raw))
        elif held is not None:
            raise UnreadableError("repeated", "has a member that may not be repeated")
        else:
            found[name] = decode(raw) if types & SCALARS or "array" not in types else [decode(raw)]
    return found


def _assignment(piece: bytes, decode: Callable[[bytes], str]) -> Pair:
    name, equals, value = piece.partition(b"=")
    if not equals:
        raise UnreadableError("style", "has to have an equals sign between each name and its value")
    return decode(name), value
