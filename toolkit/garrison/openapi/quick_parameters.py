"""Accepts parameters that are as plain as most are, with one question to the validator for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from garrison.openapi.percent import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from garrison.openapi.one_parameter import ParameterReader
    from garrison.openapi.validators import Validators

NOT_ITSELF: Final = frozenset("%+")


class QuickReader:
    """Reads single values in path and query, each of which has a schema and is there once.

    It accepts what is certain to be right, and leaves everything else to the readers themselves.

    Args:
        path: readers, each with the place of its variable.
        query: readers by the name on the wire.
        required: keys of the schemas of those that must be there.
        validators: of requests.
    """

    __slots__ = ("_path", "_query", "_required", "_validators")

    def __init__(
        self,
        path: tuple[tuple[ParameterReader, int], ...],
        query: Mapping[bytes, ParameterReader],
        required: frozenset[str],
        validators: Validators,
    ) -> None:
        self._path = path
        self._query = query
        self._required = required
        self._validators = validators

    @classmethod
    def of(
        cls,
        path: tuple[tuple[ParameterReader, int], ...],
        query: Iterable[ParameterReader],
        validators: Validators,
    ) -> Self | None:
        """A quick reader of the parameters of an operation, or None where that cannot be.

        Args:
            path: readers of all path parameters, each with the place of its variable.
            query: readers of all query parameters.
            validators: of requests.
        """
        # Names are decoded before they are compared, and of these there is nothing to decode.
        plain = {
            reader.parameter.name.encode(): reader
            for reader in query
            if _is_plain(reader)
            and reader.parameter.name.isascii()
            and not NOT_ITSELF & {*reader.parameter.name}
        }
        required = [reader for reader in query if reader.parameter.required]
        if not all(_is_plain(reader) for reader, _ in path) or not all(map(_is_plain, required)):
            return None
        return cls(path, plain, frozenset(reader.parameter.schema for reader in required), validators)

    def accepts(self, query: bytes, values: tuple[bytes, ...]) -> bool:
        """Whether all parameters are certainly right; if not, they may still be.

        Args:
            query: of the request, as it is on the wire.
            values: of the template's variables.
        """
        found: dict[str, object] = {}
        readers = self._query
        try:
            for reader, at in self._path:
                found[reader.parameter.schema] = reader.first_reading(values[at])
            size = len(found)
            if query:
                for piece in query.split(b"&"):
                    name, _, raw = piece.partition(b"=")
                    reader = readers[name]
                    found[reader.parameter.schema] = reader.first_reading(raw)
                    size += 1
        except (KeyError, UnreadableError):
            return False
        # Two values of one schema, or one parameter twice, need a look at each.
        return len(found) == size and found.keys() >= self._required and self._validators.fits(found)


def _is_plain(reader: ParameterReader) -> bool:
    parameter = reader.parameter
    return reader.is_single and bool(parameter.schema) and not parameter.allow_empty
