"""Parameters, headers and media types as a document declares them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from garrison.openapi.combined_shapes import ANY
from garrison.openapi.media_types import MediaTypeError, kind_of, parse, specific_first
from garrison.openapi.model import Encoding, Media, Parameter
from garrison.openapi.styles import WHOLE_QUERY

if TYPE_CHECKING:
    from garrison.openapi.definitions import Definitions
    from garrison.openapi.model import Location, Style
    from garrison.openapi.places import Place
    from garrison.openapi.shapes import Shapes

# OpenAPI 3.2 section 4.12.2: which styles a location has, its own one first.
STYLES: Final[dict[str, tuple[Style, ...]]] = {
    "path": ("simple", "label", "matrix"),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "header": ("simple",),
    "cookie": ("form", "cookie"),
}
_EXPLODED: Final = frozenset({"form", "cookie"})

# Of these headers other parts of the document speak (OpenAPI 3.2 section 4.12.1).
_ELSEWHERE: Final = frozenset({"accept", "authorization", "content-type"})


class Declarations:
    """Reads declarations of one direction.

    Args:
        definitions: collects their schemas.
        shapes: of schemas.
        of_replies: whether they are for replies, of which no body is read from text.
    """

    def __init__(self, definitions: Definitions, shapes: Shapes, *, of_replies: bool = False) -> None:
        self._definitions = definitions
        self._shapes = shapes
        self._of_replies = of_replies
        self._parameters: dict[tuple[str, str], Parameter | None] = {}

    def parameter(self, place: Place) -> Parameter | None:
        """A Parameter Object; None for one that OpenAPI ignores.

        Args:
            place: of it, and of no reference to it.

        Raises:
            DocumentError: it is none.
        """
        if place.key not in self._parameters:
            self._parameters[place.key] = self._parameter(place)
        return self._parameters[place.key]

    def headers(self, place: Place) -> tuple[Parameter, ...]:
        """A map of Header Objects, as parameters.

        Raises:
            DocumentError: one of them is none.
        """
        found = (self._read(member.target(), name, "header") for name, member in place.named())
        return tuple(header for header in found if header.name not in _ELSEWHERE)

    def content(self, place: Place) -> tuple[Media, ...]:
        """A map of Media Type Objects, the more specific range first.

        Raises:
            DocumentError: one of them is none.
        """
        return specific_first(tuple(self._media(name, member) for name, member in place.named()))

    def _parameter(self, place: Place) -> Parameter | None:
        name, location = place.text("name"), place.text("in")
        if location == "querystring":
            return self._read(place, WHOLE_QUERY, "query")
        if location not in STYLES:
            raise place.child("in").wrong("one of path, query, querystring, header and cookie")
        if location == "header" and name.lower() in _ELSEWHERE:
            return None
        return self._read(place, name, cast("Location", location))

    def _read(self, place: Place, name: str, location: Location) -> Parameter:
        schema, content = place.get("schema"), place.get("content")
        style = self._style(place, location)
        found = Parameter(
            name=name.lower() if location == "header" else name,
            location=location,
            required=place.flag("required") or location == "path",
            style=style,
            explode=place.flag("explode", default=style in _EXPLODED),
            allow_empty=place.flag("allowEmptyValue"),
            shape=ANY,
            schema="",
            pointer=place.where,
        )
        if content is None:
            if schema is None:
                raise place.wrong("a schema or content", "neither")
            return replace(found, shape=self._shapes.of(schema), schema=self._definitions.key(schema))
        members = list(content.named())
        if schema is not None or len(members) != 1:
            raise place.wrong("a schema, or content with one media type")
        media = self._media(*members[0])
        return replace(found, content=media.range, shape=media.shape, schema=media.schema)

    def _style(self, place: Place, location: str) -> Style:
        styles = STYLES[location]
        name = place.text("style", styles[0])
        for style in styles:
            if style == name:
                return style
        raise place.child("style").wrong(f"one of {', '.join(styles)}, for {location}")

    def _media(self, name: str, declared: Place) -> Media:
        try:
            range_, parameters = parse(name.encode("latin-1"))
        except (MediaTypeError, UnicodeEncodeError):
            if not self._of_replies:
                raise declared.wrong("a media type as the name", repr(name[:120])) from None
            # Many documents have such a thing where nobody notices; no reply is of it.
            range_, parameters = name, {}
        place = declared.target()
        schema = place.get("schema")
        found = Media(
            range=range_,
            parameters=tuple(sorted((key, value) for key, value in parameters.items() if key != "charset")),
            shape=ANY,
            schema="",
            encoding={},
            pointer=place.where,
        )
        if schema is None:
            return found
        shape = ANY if self._of_replies else self._shapes.of(schema)
        encoding = place.get("encoding")
        if encoding is not None and kind_of(range_) in {"form", "multipart"}:
            encodings = {key: self._encoding(member, range_) for key, member in encoding.named()}
            found = replace(found, encoding=encodings)
        return replace(found, shape=shape, schema=self._definitions.key(schema))

    def _encoding(self, place: Place, range_: str) -> Encoding:
        styled = not place.mapping().keys().isdisjoint({"style", "explode", "allowReserved"})
        types = place.text("contentType", "")
        style: Style | None = None
        if styled or (not types and kind_of(range_) == "form"):
            style = self._style(place, "query")
        headers = place.get("headers")
        return Encoding(
            content_types=tuple(name.strip().lower() for name in types.split(",") if name.strip()),
            style=style,
            explode=place.flag("explode", default=style in _EXPLODED),
            headers=() if headers is None else self.headers(headers),
        )
