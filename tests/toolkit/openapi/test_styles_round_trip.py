"""What a client writes in a style is what is read, whatever the values are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.toolkit.openapi.reading import one, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.openapi.model import Location

# What UTF-8 can write.
ANY_TEXT: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
# What needs no escape in a header or a cookie, where there is none.
PLAIN: Final = st.text("abcXYZ019-_~*/:?é", max_size=8)
NAMES: Final = ("a", "b c", "ü", "x&y")
PLAIN_NAMES: Final = ("a", "b-c", "x_y", "Z")

MEMBERS: Final[dict[str, Any]] = {
    "text": {"type": "string"},
    "whole": {"type": "integer"},
    "real": {"type": "number"},
    "yes": {"type": "boolean"},
}


def values(text: st.SearchStrategy[str]) -> dict[str, st.SearchStrategy[Any]]:
    """Values for each kind of member."""
    return {
        "text": text,
        "whole": st.integers(),
        "real": st.floats(allow_nan=False, allow_infinity=False) | st.integers(),
        "yes": st.booleans(),
    }


def written(value: object) -> str:
    """A scalar as JSON writes it, which is how the tables do."""
    return str(value).lower() if isinstance(value, bool) else str(value)


class Writer:
    """Writes a value in a style, as RFC 6570 does it.

    Args:
        style: of the parameter.
        escape: makes a text safe.
        between: pairs of a query, or cookies.
        explode: of the parameter.
    """

    def __init__(self, style: str, escape: Callable[[str], str], between: str, *, explode: bool) -> None:
        self.style = style
        self.between = between
        self.explode = explode
        self.escape = escape

    def items(self, value: list[object], between: str) -> str:
        return between.join(self.escape(written(item)) for item in value)

    def members(self, value: dict[str, object], equals: str, between: str) -> str:
        return between.join(
            f"{self.escape(name)}{equals}{self.escape(written(item))}" for name, item in value.items()
        )

    def own(self, name: str, value: object, between: str) -> str:
        """The members of a value with the name of the parameter, or their own."""
        key = self.escape(name)
        if isinstance(value, dict):
            return (
                self.members(value, "=", between)
                if self.explode
                else f"{key}={self.members(value, ',', ',')}"
            )
        if isinstance(value, list):
            if self.explode:
                return between.join(f"{key}={self.escape(written(item))}" for item in value)
            return f"{key}={self.items(value, ',')}"
        return f"{key}={self.escape(written(value))}"

    def write(self, name: str, value: Any) -> str:
        """The whole text."""
        match self.style:
            case "simple" | "label":
                mark, between = (".", "." if self.explode else ",") if self.style == "label" else ("", ",")
                if isinstance(value, dict):
                    return mark + self.members(value, "=" if self.explode else between, between)
                return mark + self.items(value if isinstance(value, list) else [value], between)
            case "matrix":
                return f";{self.own(name, value, ';')}"
            case "form" | "cookie":
                return self.own(name, value, self.between)
            case "spaceDelimited" | "pipeDelimited":
                between = "%20" if self.style == "spaceDelimited" else "|"
                body = (
                    self.members(value, between, between)
                    if isinstance(value, dict)
                    else self.items(value, between)
                )
                return f"{self.escape(name)}={body}"
            case _:
                return "&".join(
                    f"{self.escape(f'{name}[{key}]')}={self.escape(written(item))}"
                    for key, item in value.items()
                )


def url(text: str) -> str:
    """Everything but what is unreserved is encoded."""
    return quote(text, safe="")


def dotless(text: str) -> str:
    """What a client must do beyond RFC 6570 for a dot within a member of an exploded label."""
    return url(text).replace(".", "%2E")


def blankless(text: str) -> str:
    """What a client must do for a blank within a member that blanks part: there is no way to write it."""
    return url(text.replace(" ", "_"))


def as_it_is(text: str) -> str:
    """Nothing is encoded."""
    return text


CASES: Final[list[tuple[Location, str, bool, Callable[[str], str]]]] = [
    *(("path", style, explode, url) for style in ("simple", "matrix") for explode in (False, True)),
    ("path", "label", False, url),
    ("path", "label", True, dotless),
    *(("header", "simple", explode, as_it_is) for explode in (False, True)),
    *(("query", "form", explode, url) for explode in (False, True)),
    ("query", "pipeDelimited", False, url),
    ("query", "spaceDelimited", False, blankless),
    ("query", "deepObject", True, url),
    ("cookie", "form", True, url),
    ("cookie", "form", False, url),
    ("cookie", "cookie", True, as_it_is),
]


@pytest.mark.parametrize(("location", "style", "explode", "escape"), CASES)
def test_what_is_written_is_read(
    location: Location, style: str, escape: Callable[[str], str], *, explode: bool
) -> None:
    """Scalars, lists and objects of any text and number survive in every style."""
    is_plain = escape is as_it_is
    text = PLAIN if is_plain else ANY_TEXT
    # The name of a cookie is a token (RFC 6265 section 4.1.1).
    names = PLAIN_NAMES if is_plain or location == "cookie" else NAMES
    if escape is blankless:
        text = text.map(lambda value: value.replace(" ", "_"))
        names = ("a", "b_c", "ü", "x&y")
    writer = Writer(style, escape, "; " if location == "cookie" else "&", explode=explode)
    encoding = "latin-1" if is_plain else "ascii"
    is_list_only = style in {"pipeDelimited", "spaceDelimited"}
    name = "color"

    def same(value: object, schema: dict[str, Any]) -> None:
        raw = writer.write(name, value).encode(encoding)
        reader = one(location, name, schema, style=style, explode=explode, required=True)
        assert read(reader, location, raw) == ({location: {name: value}}, ())

    @given(st.data())
    @settings(max_examples=60, deadline=None)
    def holds(data: st.DataObject) -> None:
        kind = data.draw(st.sampled_from(list(MEMBERS)))
        member = values(text)[kind]
        shape = data.draw(
            st.sampled_from(["object"] if style == "deepObject" else ["scalar", "list", "object"])
        )
        if shape == "object":
            properties = dict.fromkeys(names, MEMBERS[kind])
            members = data.draw(st.dictionaries(st.sampled_from(names), member, min_size=1))
            same(members, {"type": "object", "properties": properties, "additionalProperties": False})
        elif shape == "list":
            items = data.draw(st.lists(member, min_size=1, max_size=4))
            same(items, {"type": "array", "items": MEMBERS[kind]})
        elif not is_list_only:
            same(data.draw(member), MEMBERS[kind])

    holds()
