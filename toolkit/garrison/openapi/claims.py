"""Which parameter of an operation a name in a query or among cookies belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.openapi.primitives import SCALARS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from garrison.openapi.model import Parameter


def query_pairs(query: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and values of a query or a form, as they are (WHATWG URL section 5.1)."""
    for piece in query.split(b"&"):
        if piece:
            name, _, value = piece.partition(b"=")
            yield name, value


def cookie_pairs(lines: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Names and values of cookies, as they are (RFC 6265 section 4.2.1).

    Args:
        lines: values of all Cookie headers; HTTP/2 may part them (RFC 9113 section 8.2.3).
    """
    for line in lines:
        for piece in line.split(b";"):
            name, _, value = piece.strip(b" \t").partition(b"=")
            if name:
                yield name, value


class Claims:
    """Finds the owner of a name.

    A parameter of that very name comes first, then an object that is exploded and has such a member, then a
    `deepObject` of the name in front of the brackets. What is left goes to the first exploded object that
    says what its other members are, or says nothing of members at all.

    Args:
        parameters: of one location.
        known: names that belong to something else, such as an API key, and are passed over.
        rest: the name of the parameter that takes whatever is left; None for the rule above.
    """

    __slots__ = ("_owners", "_raw", "_rest", "_roots")

    def __init__(
        self, parameters: Sequence[Parameter], *, known: Iterable[str] = (), rest: str | None = None
    ) -> None:
        exploded = [each for each in parameters if is_spread(each)]
        self._owners = {each.name: each.name for each in parameters if has_own_name(each)}
        for parameter in exploded:
            for name in parameter.shape.properties:
                self._owners.setdefault(name, parameter.name)
        for name in known:
            self._owners.setdefault(name, "")
        self._roots = {each.name: each.name for each in parameters if each.style == "deepObject"}
        open_ended = (each.name for each in exploded if each.location == "query" and _is_open(each))
        self._rest = rest or next(open_ended, None)
        # Names are decoded before they are compared; of most there is nothing to decode.
        self._raw = {
            name.encode(): (owner, name)
            for name, owner in self._owners.items()
            if "%" not in name and "+" not in name and name.isascii()
        }

    def gather(
        self, pairs: Iterable[tuple[bytes, bytes]], decode: Callable[[bytes], str]
    ) -> tuple[dict[str, list[tuple[str, bytes]]], bool]:
        """What each parameter gets, by its name, and whether there are names that belong to none.

        Args:
            pairs: raw names and values.
            decode: of names.

        Raises:
            UnreadableError: a name cannot be decoded.
        """
        found: dict[str, list[tuple[str, bytes]]] = {}
        unknown = False
        for raw, value in pairs:
            owner, name = self._raw.get(raw) or self._owner_of(decode(raw))
            if owner is None:
                unknown = True
            elif owner:
                found.setdefault(owner, []).append((name, value))
        return found, unknown

    def _owner_of(self, name: str) -> tuple[str | None, str]:
        owner = self._owners.get(name)
        if owner is None and name.endswith("]"):
            owner = self._roots.get(name.partition("[")[0])
        return (self._rest if owner is None else owner), name


def is_spread(parameter: Parameter) -> bool:
    """Whether an object's members stand in the query, or among the cookies, under their own names."""
    return (
        parameter.explode
        and parameter.style in {"form", "cookie"}
        and not parameter.content
        and "object" in parameter.shape.types
    )


def has_own_name(parameter: Parameter) -> bool:
    """Whether the name of a parameter can stand in the query, or among the cookies."""
    return not is_spread(parameter) or parameter.shape.types != {"object"}


def _is_open(parameter: Parameter) -> bool:
    shape = parameter.shape
    is_object = not shape.types & SCALARS - {"null"}
    return is_object and (shape.additional is not None or not (shape.properties or shape.closed))
