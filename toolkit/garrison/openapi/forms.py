"""Forms: `application/x-www-form-urlencoded` by the encoding of each property (OpenAPI 3.2 section 4.15)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from garrison.openapi import json_text, media_types
from garrison.openapi.claims import Claims, query_pairs
from garrison.openapi.json_text import JSONTextError
from garrison.openapi.model import Encoding, Parameter, Violation
from garrison.openapi.percent import UnreadableError, decoded_form
from garrison.openapi.primitives import SCALARS, escaped, member_of, settle
from garrison.openapi.styles import reading_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from garrison.openapi.model import Media, Shape
    from garrison.openapi.primitives import Check, Tree
    from garrison.openapi.styles import Pair, Reading

# Ten times as many as frameworks take; each costs more memory than the bytes that it came in.
MOST_FIELDS: Final = 10_000
MOST_VIOLATIONS: Final = 20
STYLED: Final = Encoding(style="form")
# Where fields go that are not declared; one that is called so goes there, too.
UNDECLARED: Final = "\0undeclared"


class Form:
    """How the forms of one media type are read.

    Args:
        media: what the document says.
    """

    __slots__ = ("_claims", "_jsons", "_readings", "_shape")

    def __init__(self, media: Media) -> None:
        self._shape = media.shape
        self._jsons: set[str] = set()
        self._readings: dict[str, Reading] = {}
        parameters = []
        for name, shape in media.shape.properties.items():
            encoding = media.encoding.get(name)
            parameter = _as_parameter(name, shape, encoding or STYLED)
            if _is_json(shape, encoding):
                self._jsons.add(name)
                # Its members have no names of their own in the form.
                parameter = replace(parameter, content="application/json")
            else:
                self._readings[name] = reading_of(parameter)
            parameters.append(parameter)
        self._claims = Claims(parameters, rest=None if media.shape.closed else UNDECLARED)

    def check(self, body: bytes, check: Check) -> tuple[Violation, ...]:
        """What is wrong with a form; empty where it fits.

        Args:
            body: all of it.
            check: validates the object that it stands for.
        """
        if body.count(b"&") >= MOST_FIELDS:
            return (Violation("body", "", "size", f"The form has more than {MOST_FIELDS} fields."),)
        try:
            fields, unknown = self._claims.gather(query_pairs(body), decoded_form)
        except UnreadableError as error:
            return (Violation("body", "", error.rule, f"A name in the form {error.detail}."),)
        if unknown:
            return (Violation("body", "", "unknown", "There is a field that is not declared."),)
        for name, value in fields.pop(UNDECLARED, ()):
            fields.setdefault(name, []).append((name, value))
        wrong: list[Violation] = []
        texts: dict[str, list[Tree]] = {}
        others: dict[str, object] = {}
        for name, pairs in fields.items():
            try:
                if name in self._jsons:
                    others[name] = _json(pairs)
                else:
                    texts[name] = self._trees(name, pairs)
            except UnreadableError as error:
                pointer = f"/{escaped(name)}" if name in self._shape.properties else ""
                wrong.append(Violation("body", pointer, error.rule, f"The field {error.detail}."))
        if wrong:
            return tuple(wrong[:MOST_VIOLATIONS])

        def check_all(value: object) -> tuple[Violation, ...]:
            return check({**value, **others} if isinstance(value, dict) else others)

        return settle(_combined(texts), self._shape, check_all)[1]

    def _trees(self, name: str, pairs: Sequence[Pair]) -> list[Tree]:
        reading = self._readings.get(name)
        if reading is not None:
            return reading(pairs)
        # What is not declared is text, or a list of texts.
        texts: list[Tree] = [decoded_form(raw) for _, raw in pairs]
        is_list = len(texts) > 1 or not member_of(self._shape, name).types & SCALARS
        return [texts if is_list else texts[0]]


def _is_json(shape: Shape, encoding: Encoding | None) -> bool:
    """Whether the text of a field is JSON: what says so, and objects of which nothing is said."""
    if encoding is None or (encoding.style is None and not encoding.content_types):
        return not shape.types & (SCALARS - {"null"} | {"array"})
    return encoding.style is None and media_types.kind_of(encoding.content_types[0]) == "json"


def _as_parameter(name: str, shape: Shape, encoding: Encoding) -> Parameter:
    """A form is written as a query is, field by parameter."""
    return Parameter(
        name=name,
        location="query",
        required=False,
        style=encoding.style or "form",
        explode=encoding.explode,
        shape=shape,
        schema="",
        pointer="",
    )


def _json(pairs: Sequence[Pair]) -> object:
    if len(pairs) > 1:
        raise UnreadableError("repeated", "may not be repeated")
    try:
        return json_text.read(decoded_form(pairs[0][1]).encode())
    except JSONTextError:
        raise UnreadableError("syntax", "has to be JSON") from None


def _combined(texts: Mapping[str, list[Tree]]) -> list[Tree]:
    """What the whole form may stand for: of each field the likeliest, then one field after another anew."""
    first: dict[str, Tree] = {name: trees[0] for name, trees in texts.items()}
    others: list[Tree] = [{**first, name: tree} for name, trees in texts.items() for tree in trees[1:]]
    return [first, *others[:8]]
