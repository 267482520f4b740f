"""The style tables of OpenAPI: what is legal is read, what is not is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from garrison.openapi.model import Head
from tests.toolkit.openapi.reading import one, read

if TYPE_CHECKING:
    from garrison.openapi.model import Location

TEXT: Final = {"type": "string"}
LIST: Final = {"type": "array", "items": {"type": "string"}}
NUMBERS: Final = {"type": "array", "items": {"type": "integer"}}
OBJECT: Final = {
    "type": "object",
    "properties": {name: {"type": "integer"} for name in "RGB"},
    "required": ["R"],
    "additionalProperties": False,
}

# The values of the tables (OpenAPI 3.2.1 section 4.12.6, and the same in every version before).
BLUE: Final = "blue"
COLORS: Final = ["blue", "black", "brown"]
RGB: Final = {"R": 100, "G": 200, "B": 150}

# Location, style, explode, schema, what is sent, what it stands for.
LEGAL: Final[list[tuple[Location, str, bool, dict[str, Any], str, Any]]] = [
    ("path", "simple", False, TEXT, "blue", BLUE),
    ("path", "simple", True, TEXT, "blue", BLUE),
    ("path", "simple", False, LIST, "blue,black,brown", COLORS),
    ("path", "simple", True, LIST, "blue,black,brown", COLORS),
    ("path", "simple", False, OBJECT, "R,100,G,200,B,150", RGB),
    ("path", "simple", True, OBJECT, "R=100,G=200,B=150", RGB),
    ("path", "label", False, TEXT, ".", ""),
    ("path", "label", True, TEXT, ".", ""),
    ("path", "label", False, TEXT, ".blue", BLUE),
    ("path", "label", True, TEXT, ".blue", BLUE),
    ("path", "label", False, LIST, ".blue,black,brown", COLORS),
    ("path", "label", True, LIST, ".blue.black.brown", COLORS),
    ("path", "label", False, OBJECT, ".R,100,G,200,B,150", RGB),
    ("path", "label", True, OBJECT, ".R=100.G=200.B=150", RGB),
    # As the tables had it up to 3.0.3 and 3.1.0.
    ("path", "label", False, NUMBERS, ".1.2.3", [1, 2, 3]),
    ("path", "label", False, OBJECT, ".R.100.G.200.B.150", RGB),
    ("path", "matrix", False, TEXT, ";color", ""),
    ("path", "matrix", True, TEXT, ";color", ""),
    ("path", "matrix", False, TEXT, ";color=", ""),
    ("path", "matrix", False, TEXT, ";color=blue", BLUE),
    ("path", "matrix", True, TEXT, ";color=blue", BLUE),
    ("path", "matrix", False, LIST, ";color=blue,black,brown", COLORS),
    ("path", "matrix", True, LIST, ";color=blue;color=black;color=brown", COLORS),
    ("path", "matrix", False, OBJECT, ";color=R,100,G,200,B,150", RGB),
    ("path", "matrix", True, OBJECT, ";R=100;G=200;B=150", RGB),
    ("header", "simple", False, TEXT, "blue", BLUE),
    ("header", "simple", True, TEXT, "blue", BLUE),
    ("header", "simple", False, LIST, "blue,black,brown", COLORS),
    ("header", "simple", True, LIST, "blue, black ,brown", COLORS),
    ("header", "simple", False, OBJECT, "R,100,G,200,B,150", RGB),
    ("header", "simple", True, OBJECT, "R=100, G=200, B=150", RGB),
    ("query", "form", False, TEXT, "color=", ""),
    ("query", "form", True, TEXT, "color=", ""),
    ("query", "form", False, TEXT, "color=blue", BLUE),
    ("query", "form", True, TEXT, "color=blue", BLUE),
    ("query", "form", False, LIST, "color=blue,black,brown", COLORS),
    ("query", "form", True, LIST, "color=blue&color=black&color=brown", COLORS),
    ("query", "form", False, OBJECT, "color=R,100,G,200,B,150", RGB),
    ("query", "form", True, OBJECT, "R=100&G=200&B=150", RGB),
    ("query", "spaceDelimited", False, LIST, "color=blue%20black%20brown", COLORS),
    ("query", "spaceDelimited", False, LIST, "color=blue+black+brown", COLORS),
    ("query", "spaceDelimited", False, OBJECT, "color=R%20100%20G%20200%20B%20150", RGB),
    ("query", "spaceDelimited", True, LIST, "color=blue&color=black&color=brown", COLORS),
    ("query", "pipeDelimited", False, LIST, "color=blue|black|brown", COLORS),
    ("query", "pipeDelimited", False, LIST, "color=blue%7Cblack%7cbrown", COLORS),
    ("query", "pipeDelimited", False, OBJECT, "color=R|100|G|200|B|150", RGB),
    ("query", "pipeDelimited", False, OBJECT, "color=R%7C100%7CG%7C200%7CB%7C150", RGB),
    ("query", "pipeDelimited", True, LIST, "color=blue&color=black&color=brown", COLORS),
    ("query", "deepObject", True, OBJECT, "color[R]=100&color[G]=200&color[B]=150", RGB),
    ("query", "deepObject", False, OBJECT, "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150", RGB),
    ("cookie", "form", True, TEXT, "color=blue", BLUE),
    ("cookie", "form", False, TEXT, "color=", ""),
    ("cookie", "form", False, LIST, "color=blue,black,brown", COLORS),
    ("cookie", "form", False, OBJECT, "color=R,100,G,200,B,150", RGB),
    ("cookie", "form", True, LIST, "color=blue; color=black; color=brown", COLORS),
    ("cookie", "form", True, OBJECT, "R=100; G=200; B=150", RGB),
    ("cookie", "cookie", False, TEXT, "color=blue", BLUE),
    ("cookie", "cookie", True, TEXT, "color=blue", BLUE),
    ("cookie", "cookie", True, LIST, "color=blue; color=black; color=brown", COLORS),
    ("cookie", "cookie", True, OBJECT, "R=100; G=200; B=150", RGB),
]

# What is sent, with the rule that it breaks.
ILLEGAL: Final[list[tuple[Location, str, bool, dict[str, Any], str, str]]] = [
    ("path", "simple", False, OBJECT, "R,100,G", "style"),
    ("path", "simple", True, OBJECT, "R,100,G,200", "style"),
    ("path", "simple", False, OBJECT, "R=100,G=200", "additionalProperties"),
    ("path", "simple", False, OBJECT, "R,100,R,200", "repeated"),
    ("path", "simple", False, NUMBERS, "1;2", "type"),
    ("path", "simple", False, NUMBERS, "1%2C2", "type"),
    ("path", "label", False, TEXT, "blue", "style"),
    ("path", "label", True, LIST, "blue.black", "style"),
    ("path", "label", True, NUMBERS, ".1,2", "type"),
    ("path", "label", True, OBJECT, ".R.100", "style"),
    ("path", "label", False, OBJECT, ".R=100", "style"),
    ("path", "matrix", False, TEXT, "blue", "style"),
    ("path", "matrix", False, TEXT, "color=blue", "style"),
    ("path", "matrix", False, TEXT, ";size=blue", "style"),
    ("path", "matrix", False, TEXT, ";color=blue;color=black", "repeated"),
    ("path", "matrix", False, LIST, ";color=blue;color=black", "repeated"),
    ("path", "matrix", True, LIST, ";color=blue;size=black", "style"),
    ("path", "matrix", True, NUMBERS, ";color=1,2", "type"),
    ("path", "matrix", True, OBJECT, ";color=R,100", "additionalProperties"),
    ("header", "simple", False, OBJECT, "R,100,G", "style"),
    ("header", "simple", True, OBJECT, "R,100", "style"),
    ("header", "simple", False, NUMBERS, "1;2", "type"),
    ("query", "form", True, TEXT, "color=blue&color=black", "repeated"),
    ("query", "form", False, LIST, "color=blue&color=black", "repeated"),
    ("query", "form", True, NUMBERS, "color=1,2", "type"),
    ("query", "form", False, NUMBERS, "color=1|2", "type"),
    ("query", "form", False, NUMBERS, "color=1%2C2", "type"),
    ("query", "form", False, OBJECT, "color=R,100,G", "style"),
    ("query", "form", False, OBJECT, "R=100", "unknown"),
    ("query", "form", True, OBJECT, "color=R,100", "unknown"),
    ("query", "form", True, OBJECT, "R=100&R=200", "repeated"),
    ("query", "form", True, OBJECT, "color[R]=100", "unknown"),
    ("query", "spaceDelimited", False, NUMBERS, "color=1,2", "type"),
    ("query", "spaceDelimited", False, OBJECT, "color=R%20100%20G", "style"),
    ("query", "pipeDelimited", False, NUMBERS, "color=1%202", "type"),
    ("query", "pipeDelimited", False, NUMBERS, "color=1|2%7C3", "type"),
    ("query", "pipeDelimited", False, OBJECT, "color=R|100|G", "style"),
    ("query", "deepObject", True, OBJECT, "color=R,100", "style"),
    ("query", "deepObject", True, OBJECT, "R=100", "unknown"),
    ("query", "deepObject", True, OBJECT, "color[R]=1&color[R]=2", "repeated"),
    ("query", "deepObject", True, OBJECT, "color[R=1]", "unknown"),
    ("query", "deepObject", True, OBJECT, "color[[R]]=1", "style"),
    ("query", "deepObject", True, OBJECT, "color[]=1", "style"),
    ("query", "deepObject", True, OBJECT, "color[R][x]=1", "style"),
    ("query", "deepObject", True, OBJECT, "color[R]=1&color[R][x]=1", "style"),
    ("query", "deepObject", True, OBJECT, "color.R=1", "unknown"),
    ("cookie", "form", True, TEXT, "color=blue; color=black", "repeated"),
    ("cookie", "form", False, NUMBERS, "color=1|2", "type"),
    ("cookie", "cookie", True, OBJECT, "R=1; R=2", "repeated"),
    ("cookie", "cookie", True, NUMBERS, "color=1,2", "type"),
]


def described(row: tuple[Any, ...]) -> str:
    """The name of a case."""
    location, style, explode, schema, text, _ = row
    return f"{location}-{style}-{'exploded' if explode else 'joined'}-{schema['type']}-{text}"


@pytest.mark.parametrize(
    ("location", "style", "explode", "schema", "text", "value"), LEGAL, ids=map(described, LEGAL)
)
def test_a_legal_serialisation_is_read(
    location: Location, style: str, explode: bool, schema: dict[str, Any], text: str, value: Any
) -> None:
    """Every cell of the tables stands for the value above its column."""
    found = read(one(location, "color", schema, style=style, explode=explode, required=True), location, text)
    assert found == ({location: {"color": value}}, ())


@pytest.mark.parametrize(
    ("location", "style", "explode", "schema", "text", "rule"), ILLEGAL, ids=map(described, ILLEGAL)
)
def test_an_illegal_serialisation_is_refused(
    location: Location, style: str, explode: bool, schema: dict[str, Any], text: str, rule: str
) -> None:
    """What another style, or none, would write is not taken for something else."""
    found = read(one(location, "color", schema, style=style, explode=explode), location, text)
    assert rule in {violation.rule for violation in found.violations}
    assert not found.values[location]


@pytest.mark.parametrize("types", ["array", ["array", "null"]])
def test_lines_of_one_header_are_a_list(types: object) -> None:
    """A header that is sent twice is a list (RFC 9110 section 5.3), also where there may be none at all."""
    reader = one("header", "color", {"type": types, "items": {"type": "integer"}})
    head = Head("GET", b"/", b"", [(b"color", b"1"), (b"color", b"2, 3")])
    assert reader.read(head, ()) == ({"header": {"color": [1, 2, 3]}}, ())
