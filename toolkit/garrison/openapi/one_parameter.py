"""One parameter: read as it is declared, and validated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.openapi import json_text
from garrison.openapi.json_text import JSONTextError
from garrison.openapi.media_types import kind_of
from garrison.openapi.model import Violation
from garrison.openapi.percent import UnreadableError
from garrison.openapi.primitives import SCALARS, escaped, reader_for, settle
from garrison.openapi.styles import WHOLE_QUERY, decoder_of, reading_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.openapi.model import Parameter
    from garrison.openapi.styles import Pair
    from garrison.openapi.validators import Validators

# Styles in which a single value is written as it is.
BARE: Final = frozenset({"simple", "form", "cookie"})


class ParameterReader:
    """Reads one parameter.

    Args:
        parameter: the parameter.
        validators: of requests.

    Attributes:
        parameter: the parameter.
        missing: what is wrong where it was not sent; None where it need not be.
        is_single: whether it is one value that is written as it is.
    """

    __slots__ = (
        "_collapses",
        "_decode",
        "_first",
        "_is_certain",
        "_location",
        "_pointer",
        "_schema",
        "_trees",
        "_validate",
        "is_single",
        "missing",
        "parameter",
    )

    def __init__(self, parameter: Parameter, validators: Validators) -> None:
        self.parameter = parameter
        self._validate = validators.check
        self._schema = parameter.schema
        self._location = parameter.location
        self._pointer = "" if parameter.name == WHOLE_QUERY else f"/{escaped(parameter.name)}"
        self._decode = decoder_of(parameter)
        self._trees = reading_of(parameter)
        types = parameter.shape.types
        self.is_single = not parameter.content and types <= SCALARS and parameter.style in BARE
        self._first = reader_for(types)
        self._is_certain = len(types) == 1
        self._collapses = not (parameter.explode and types & {"array", "object"})
        self.missing = self._violation("required", "is required") if parameter.required else None

    def read(self, pairs: Sequence[Pair], into: dict[str, object], wrong: list[Violation]) -> None:
        """Read what was sent.

        Args:
            pairs: names and raw values that the parameter claims, at least one.
            into: gets the value.
            wrong: gets what is wrong with it.
        """
        if self.parameter.allow_empty and not any(raw for _, raw in pairs):
            return
        try:
            if self._location == "cookie":
                pairs = self._cookies(pairs)
            value, found = self._judged(pairs)
        except UnreadableError as error:
            wrong.append(self._violation(error.rule, error.detail))
            return
        if not found:
            into[self.parameter.name] = value
        else:
            wrong.extend(violation._replace(pointer=self._pointer + violation.pointer) for violation in found)

    def first_reading(self, raw: bytes) -> object:
        """The likeliest value of a text, where the parameter is a single one; validated is nothing.

        Raises:
            UnreadableError: it is malformed.
        """
        return self._first(self._decode(raw))

    def _cookies(self, pairs: Sequence[Pair]) -> Sequence[Pair]:
        pairs = [(name, _unquoted(raw)) for name, raw in pairs]
        # Browsers send a cookie twice that was set for two paths; apps read one of them, who knows which.
        return list(dict.fromkeys(pairs)) if self._collapses else pairs

    def _judged(self, pairs: Sequence[Pair]) -> tuple[object, tuple[Violation, ...]]:
        if self.is_single:
            text = self._decode(_single(pairs))
            value = self._first(text)
            found = self._check(value)
            if not found or self._is_certain:
                return value, found
            return settle([text], self.parameter.shape, self._check)
        if self.parameter.content:
            return self._content(_single(pairs))
        return settle(self._trees(pairs), self.parameter.shape, self._check)

    def _content(self, raw: bytes) -> tuple[object, tuple[Violation, ...]]:
        parameter = self.parameter
        kind = kind_of(parameter.content)
        if parameter.location == "cookie" and parameter.content == "text/plain":
            # OpenAPI 3.2 appendix D: this is how a cookie is declared that is not percent-encoded.
            text = raw.decode("latin-1")
        else:
            text = self._decode(raw)
        if kind != "json":
            return settle([text], parameter.shape, self._check) if kind == "text" else (text, ())
        try:
            value = json_text.read(text.encode("latin-1" if parameter.location == "header" else "utf-8"))
        except JSONTextError:
            raise UnreadableError("syntax", "has to be JSON") from None
        if json_text.is_deeper(value, json_text.DEEPEST):
            raise UnreadableError("depth", f"is nested deeper than {json_text.DEEPEST} levels")
        return value, self._check(value)

    def _check(self, value: object) -> tuple[Violation, ...]:
        return self._validate(self._schema, value, self._location) if self._schema else ()

    def _violation(self, rule: str, detail: str) -> Violation:
        parameter = self.parameter
        subject = f"The {parameter.location} parameter {parameter.name}" if self._pointer else "The query"
        return Violation(parameter.location, self._pointer, rule, f"{subject} {detail}.")


def _single(pairs: Sequence[Pair]) -> bytes:
    if len(pairs) > 1:
        raise UnreadableError("repeated", "may not be repeated")
    return pairs[0][1]


def _unquoted(raw: bytes) -> bytes:
    """A cookie without the quotes around it (RFC 6265 section 4.1.1)."""
    if len(raw) < 2 or raw[:1] != b'"' or raw[-1:] != b'"':
        return raw
    if b"\\" in raw:
        # Python's parser knows escapes, of which the RFC knows nothing.
        raise UnreadableError("encoding", "has a backslash within its quotes")
    return raw[1:-1]
