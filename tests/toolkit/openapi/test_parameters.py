"""The parameters of an operation, found, read and judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.openapi.model import DocumentError, Head
from tests.toolkit.openapi.reading import one, read, reader_of

if TYPE_CHECKING:
    from garrison.openapi.model import Location

NUMBER: Final = {"type": "integer", "minimum": 1}
LIST: Final = {"type": "array", "items": {"type": "string"}}
FILTER: Final = {
    "type": "object",
    "properties": {
        "size": {"type": "object", "properties": {"min": {"type": "integer"}}, "additionalProperties": False},
        "tags": LIST,
        "name": {"type": "string"},
        "items": {"type": "array", "items": {"type": "object", "additionalProperties": {"type": "integer"}}},
    },
}
PETS: Final = (
    {"name": "id", "in": "path", "schema": NUMBER},
    {"name": "limit", "in": "query", "required": True, "schema": NUMBER},
    {"name": "tag", "in": "query", "schema": LIST},
    {"name": "X-Version", "in": "header", "schema": NUMBER},
    {"name": "theme", "in": "cookie", "schema": {"enum": ["dark", "light"]}},
)


def test_a_request_is_read_from_all_its_places() -> None:
    """Each parameter has the value that it stands for, by its place and name."""
    headers = [(b"x-version", b" 2 "), (b"cookie", b"a=b; theme=dark"), (b"user-agent", b"x")]
    head = Head("GET", b"/pets/5", b"tag=a&limit=10&tag=b%20c", headers)
    assert reader_of(*PETS, template="/pets/{id}").read(head, (b"5",)) == (
        {
            "path": {"id": 5},
            "query": {"limit": 10, "tag": ["a", "b c"]},
            "header": {"x-version": 2},
            "cookie": {"theme": "dark"},
        },
        (),
    )


def test_all_that_is_wrong_is_told_at_once() -> None:
    """Each violation says where it is and which rule is broken, and shows nothing that was sent."""
    headers = [(b"x-version", b"secret"), (b"cookie", b"theme=secret")]
    head = Head("GET", b"/pets/0", b"secret=1&tag=%ff", headers)
    found = reader_of(*PETS, template="/pets/{id}").read(head, (b"0",))
    assert [violation[:3] for violation in found.violations] == [
        ("path", "/id", "minimum"),
        ("query", "", "unknown"),
        ("query", "/limit", "required"),
        ("query", "/tag", "encoding"),
        ("header", "/x-version", "type"),
        ("cookie", "/theme", "enum"),
    ]
    assert "secret" not in str(found)


@pytest.mark.parametrize("location", ["query", "header", "cookie"])
def test_a_required_parameter_that_was_not_sent_is_missed(location: Location) -> None:
    """In each place where one can be left out."""
    (violation,) = one(location, "color", {}, required=True).read(Head("GET", b"/", b"", ()), ()).violations
    assert violation[:3] == (location, "/color", "required")
    assert violation.detail == f"The {location} parameter color is required."


def test_no_more_than_twenty_are_told() -> None:
    """A client that gets everything wrong gets a short reply."""
    many = [{"name": f"p{at}", "in": "query", "required": True, "schema": {}} for at in range(30)]
    assert len(reader_of(*many).read(Head("GET", b"/", b"", ()), ()).violations) == 20


def test_an_operation_without_parameters_reads_nothing() -> None:
    """Headers and cookies are the client's business, and so is an empty query."""
    head = Head("GET", b"/", b"", ((b"cookie", b"a=b"), (b"x-y", b"z")))
    assert reader_of().read(head, ()) == ({}, ())


@pytest.mark.parametrize("query", ["colour=1", "color=1&x", "=1", "color[]=1", "Color=1", "color%00=1"])
def test_an_unknown_query_parameter_is_refused(query: str) -> None:
    """A misspelt name would silently do nothing; what there is instead is told, and not what was sent."""
    (violation,) = read(one("query", "color", {}), "query", query).violations
    assert violation[:3] == ("query", "", "unknown")
    assert violation.detail.endswith("it has color.")


def test_an_unknown_query_parameter_may_pass() -> None:
    """On request, as an app with undocumented parameters needs it."""
    reader = reader_of({"name": "color", "in": "query", "schema": NUMBER}, unknown_query="pass")
    assert read(reader, "query", "color=1&size=2") == ({"query": {"color": 1}}, ())
    assert read(reader_of(unknown_query="pass"), "query", "size=2") == ({}, ())


def test_an_api_key_in_the_query_is_no_unknown_parameter() -> None:
    """The document declares it with its security, and it is not read here."""
    more = {
        "security": [{"key": []}],
        "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "query", "name": "api_key"}}},
    }
    assert read(reader_of(more=more), "query", "api_key=x").violations == ()


@pytest.mark.parametrize("name", ["Accept", "Content-Type", "authorization"])
def test_headers_that_are_declared_elsewhere_are_no_parameters(name: str) -> None:
    """OpenAPI has other fields for them, and ignores these."""
    reader = reader_of({"name": name, "in": "header", "required": True, "schema": NUMBER})
    assert reader.read(Head("GET", b"/", b"", ()), ()).violations == ()


@pytest.mark.parametrize(
    ("headers", "schema", "expected"),
    [
        ([b"a", b"b"], LIST, ["a", "b"]),
        ([b"a,b", b"c"], LIST, ["a", "b", "c"]),
        ([b"R=1", b"G=2"], {"type": "object", "properties": {"R": {"type": "integer"}}}, {"R": 1, "G": 2}),
        ([b"a,b"], {"type": "string"}, "a,b"),
        ([b"\xe9%41"], {"type": "string"}, "é%41"),
    ],
)
def test_lines_of_a_header_are_one_list(
    headers: list[bytes], schema: dict[str, Any], expected: object
) -> None:
    """RFC 9110 section 5.3; and nothing in a header is percent-encoded."""
    lines = [(b"color", value) for value in headers]
    reader = one("header", "Color", schema, explode=True)
    assert reader.read(Head("GET", b"/", b"", lines), ()) == ({"header": {"color": expected}}, ())


def test_a_header_of_one_value_may_not_be_repeated() -> None:
    """Some frameworks read the first line and some the last one."""
    lines = [(b"color", b"1"), (b"color", b"2")]
    found = one("header", "Color", NUMBER).read(Head("GET", b"/", b"", lines), ())
    assert [violation[:3] for violation in found.violations] == [("header", "/color", "repeated")]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([b"color=5"], {"color": 5}),
        ([b"a=b;color=5;c"], {"color": 5}),
        ([b"a=b", b"color=5"], {"color": 5}),
        ([b'color="5"'], {"color": 5}),
        ([b"color=5; color=5"], {"color": 5}),
        ([b"color=%35"], {"color": 5}),
        ([b"Color=5"], {}),
    ],
)
def test_a_cookie_is_found_among_others(lines: list[bytes], expected: dict[str, object]) -> None:
    """In one header or several, with quotes or without, and twice where that makes no difference."""
    head = Head("GET", b"/", b"", [(b"cookie", line) for line in lines])
    assert one("cookie", "color", NUMBER).read(head, ()) == ({"cookie": expected}, ())


def test_a_cookie_with_escapes_is_refused() -> None:
    """Python's own parser reads another text than the one that a browser was given."""
    (violation,) = read(one("cookie", "color", {"type": "string"}), "cookie", 'color="\\065"').violations
    assert violation[:3] == ("cookie", "/color", "encoding")


@pytest.mark.parametrize("line", ["color=5; color=6", 'color="5', "color=x", "color"])
def test_a_cookie_that_apps_read_differently_is_refused(line: str) -> None:
    """Of two values or half a quotation, which one counts is the app's guess."""
    assert read(one("cookie", "color", NUMBER), "cookie", line).violations


def test_an_exploded_object_shares_the_query() -> None:
    """Its members stand beside other parameters, which come first where names are the same."""
    schema = {"type": "object", "properties": {"R": {"type": "integer"}, "limit": {"type": "string"}}}
    reader = reader_of(
        {"name": "color", "in": "query", "schema": schema}, {"name": "limit", "in": "query", "schema": NUMBER}
    )
    assert read(reader, "query", "R=1&limit=2") == ({"query": {"color": {"R": 1}, "limit": 2}}, ())
    assert read(reader, "query", "limit=2") == ({"query": {"limit": 2}}, ())
    assert [each.rule for each in read(reader, "query", "X=1").violations] == ["unknown"]


@pytest.mark.parametrize(
    "more",
    [
        {"additionalProperties": {"type": "integer"}},
        {"type": ["object", "null"], "additionalProperties": {"type": "integer"}},
        {},
    ],
)
def test_a_free_form_object_takes_what_is_left(more: dict[str, Any]) -> None:
    """Where it says of what kind, or of no members at all; it is judged like the others."""
    reader = reader_of(
        {"name": "limit", "in": "query", "schema": NUMBER},
        {"name": "rest", "in": "query", "schema": {"type": "object", **more}},
    )
    assert read(reader, "query", "a=1&limit=2&b=3") == ({"query": {"limit": 2, "rest": {"a": 1, "b": 3}}}, ())
    assert bool(read(reader, "query", "a=x").violations) is bool(more)


def test_a_member_of_an_exploded_object_may_be_a_list() -> None:
    """It stands there several times, as a list of its own would."""
    schema = {"type": "object", "properties": {"tag": LIST, "R": {"type": "integer"}}}
    found = read(one("query", "color", schema), "query", "tag=a&R=1&tag=b")
    assert found == ({"query": {"color": {"tag": ["a", "b"], "R": 1}}}, ())


def test_cookies_of_others_are_no_members_of_an_object() -> None:
    """Analytics set cookies, too."""
    schema = {"type": "object", "properties": {"R": {"type": "integer"}}, "additionalProperties": NUMBER}
    found = read(one("cookie", "color", schema), "cookie", "_ga=x; R=1")
    assert found == ({"cookie": {"color": {"R": 1}}}, ())


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("f[name]=a", {"name": "a"}),
        ("f[size][min]=3", {"size": {"min": 3}}),
        ("f[tags]=a&f[tags]=b", {"tags": ["a", "b"]}),
        ("f[tags]=a", {"tags": ["a"]}),
        ("f[tags][]=a&f[tags][]=b", {"tags": ["a", "b"]}),
        ("f[tags][1]=b&f[tags][0]=a", {"tags": ["a", "b"]}),
        ("f%5Bname%5D=a%5Bb%5D", {"name": "a[b]"}),
        ("f[other][deep]=x", {"other": {"deep": "x"}}),
        ("f[items][][a]=1&f[items][][b]=2", {"items": [{"a": 1, "b": 2}]}),
        ("f[items][0][a]=1&f[items][1][a]=2", {"items": [{"a": 1}, {"a": 2}]}),
    ],
)
def test_a_deep_object_is_nested(query: str, expected: object) -> None:
    """Objects in objects, and lists in the ways that clients write them."""
    found = read(one("query", "f", FILTER, style="deepObject", explode=True), "query", query)
    assert found == ({"query": {"f": expected}}, ())


@pytest.mark.parametrize(
    "query",
    [
        "f=1",
        "f[size]=3",
        "f[name][x]=1",
        "f[tags][1]=b",
        "f[tags][0]=a&f[tags][2]=b",
        "f[tags][x]=a",
        "f[tags][-1]=a",
        "f[name]=a&f[name]=b",
        "f[name]=a&f[name][b]=c",
        "f[size][min]=1&f[size]=2",
        "f[items][][a]=1&f[items][][a]=2",
        "f[name",
        "f[]=a",
        "f" + "[a]" * 20 + "=1",
        "f[tags][99999999999999]=a",
        f"f[tags][{'9' * 5000}]=a",
        "f[size][max]=1",
    ],
)
def test_a_deep_object_that_is_none_is_refused(query: str) -> None:
    """Gaps, values that are objects at once, and depths that nobody means."""
    assert read(one("query", "f", FILTER, style="deepObject", explode=True), "query", query).violations


def test_a_list_or_a_scalar_may_be_a_deep_object_too() -> None:
    """As Stripe declares a time that is a number or a range, and lists of what to expand."""
    created = {"anyOf": [{"type": "object", "properties": {"gte": NUMBER}}, {"type": "integer"}]}
    reader = reader_of(
        {"name": "created", "in": "query", "style": "deepObject", "schema": created},
        {"name": "expand", "in": "query", "style": "deepObject", "schema": LIST},
    )
    found = read(reader, "query", "created=5&expand[]=a&expand[]=b")
    assert found == ({"query": {"created": 5, "expand": ["a", "b"]}}, ())
    found = read(reader, "query", "created[gte]=5&expand[0]=a")
    assert found == ({"query": {"created": {"gte": 5}, "expand": ["a"]}}, ())


@pytest.mark.parametrize(
    ("text", "style", "expected"),
    [
        ("color=a%2Cb,c", "form", ["a,b", "c"]),
        ("color=a%7Cb|c", "pipeDelimited", ["a|b", "c"]),
        ("color=a%26b,c%3Dd", "form", ["a&b", "c=d"]),
        ("color=a+b,%2B", "form", ["a b", "+"]),
        ("color=a=b,c", "form", ["a=b", "c"]),
        ("color=/?:@!$'()*;,x", "form", ["/?:@!$'()*;", "x"]),
        ("color=,", "form", ["", ""]),
    ],
)
def test_delimiters_are_found_before_anything_is_decoded(text: str, style: str, expected: list[str]) -> None:
    """What is encoded is data, and what need not be encoded is not insisted upon."""
    found = read(one("query", "color", LIST, style=style, explode=False), "query", text)
    assert found == ({"query": {"color": expected}}, ())


def test_an_encoded_slash_is_a_part_of_a_value() -> None:
    """Path parameters are split before they are decoded, too, and a plus is a plus."""
    found = read(one("path", "color", LIST), "path", "a%2Fb%2Cc,d+e")
    assert found == ({"path": {"color": ["a/b,c", "d+e"]}}, ())


@pytest.mark.parametrize("text", ["color=%", "color=%zz", "color=%ff", "color=\xe9", "color=a,%c0%af"])
@pytest.mark.parametrize("schema", [{"type": "string"}, LIST])
def test_text_that_is_no_text_is_refused(text: str, schema: dict[str, Any]) -> None:
    """Half an escape and bytes that are no UTF-8 are read differently by everyone."""
    found = read(one("query", "color", schema, explode=False), "query", text)
    assert [violation[:3] for violation in found.violations] == [("query", "/color", "encoding")]


def test_a_name_that_is_no_text_is_refused() -> None:
    """There may be a parameter in it, and the client's bytes are not repeated."""
    (violation,) = read(one("query", "color", NUMBER), "query", "%ff=1").violations
    assert violation[:3] == ("query", "", "encoding")


def test_names_are_escaped_in_pointers() -> None:
    """RFC 6901 section 3."""
    (violation,) = read(one("query", "a/b~c", NUMBER), "query", "a/b~c=0").violations
    assert violation.pointer == "/a~1b~0c"


def test_names_are_compared_decoded() -> None:
    """Brackets, blanks and escapes in names are one name in all their spellings."""
    reader = one("query", "a[] b", NUMBER)
    for query in ("a[]+b=1", "a%5B%5D%20b=1", "%61[]%20b=1"):
        assert read(reader, "query", query) == ({"query": {"a[] b": 1}}, ())
    assert read(one("query", "a+b", NUMBER), "query", "a%2Bb=1").violations == ()
    assert read(one("query", "a+b", NUMBER), "query", "a+b=1").violations


@pytest.mark.parametrize(
    ("location", "style", "schema", "text", "expected"),
    [
        ("query", "form", {"type": "array", "items": {"type": "integer"}}, "color=", []),
        ("path", "label", {"type": "array", "items": {"type": "integer"}}, ".", []),
        ("path", "label", {"type": "object"}, ".", {}),
        ("path", "matrix", {"type": "object"}, ";color", {}),
        ("query", "form", LIST, "color=", [""]),
    ],
)
def test_nothing_may_stand_for_a_list_or_an_object(
    location: Location, style: str, schema: dict[str, Any], text: str, expected: object
) -> None:
    """Without members, unless the text itself may be one."""
    found = read(one(location, "color", schema, style=style, explode=False), location, text)
    assert found == ({location: {"color": expected}}, ())


@pytest.mark.parametrize(
    ("location", "style", "text"),
    [
        ("query", "form", "color="),
        ("query", "form", "color"),
        ("query", "pipeDelimited", "color="),
        ("cookie", "form", "color="),
        ("cookie", "cookie", "color="),
        ("path", "matrix", ";color="),
        ("path", "matrix", ";color"),
    ],
)
def test_an_empty_value_is_one_member_where_each_has_its_own(
    location: Location, style: str, text: str
) -> None:
    """As every framework hands it to the app: no list without members, which would get around its items."""

    def judged(**schema: object) -> tuple[object, list[str]]:
        reader = one(location, "color", {"type": "array", **schema}, style=style, explode=True)
        found = read(reader, location, text)
        return found.values[location].get("color"), [violation.rule for violation in found.violations]

    assert judged(items={"type": "string"}) == ([""], [])
    assert judged(items={"type": "string"}, minItems=1) == ([""], [])
    assert judged(items={"type": "integer"}) == (None, ["type"])
    assert judged(items={"type": "string", "minLength": 1}) == (None, ["minLength"])
    assert judged(items={"type": "string"}, maxItems=0) == (None, ["maxItems"])


def test_an_empty_value_may_stand_for_none() -> None:
    """Where the document allows it, even if the schema does not."""
    assert read(one("query", "color", NUMBER, allowEmptyValue=True), "query", "color=") == ({"query": {}}, ())
    assert read(one("query", "color", NUMBER, allowEmptyValue=True), "query", "color") == ({"query": {}}, ())
    assert read(one("query", "color", NUMBER), "query", "color=").violations


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("style", ["form", "deepObject"])
def test_an_object_that_was_not_sent_is_not_made_up(style: str, *, required: bool) -> None:
    """It is absent, which is wrong only where it is required; its own members are not asked for."""
    schema = {"type": "object", "required": ["R"], "properties": {"R": NUMBER}}
    found = read(one("query", "color", schema, style=style, required=required), "query", "")
    assert found.values == {"query": {}}
    assert [violation[:3] for violation in found.violations] == [("query", "/color", "required")] * required


@pytest.mark.parametrize(
    ("media", "text", "expected"),
    [
        ("application/json", "%7B%22a%22%3A%5B1%5D%7D", {"a": [1]}),
        ("application/json", '{"a":[1]}', {"a": [1]}),
        ("application/vnd.x+json", "{}", {}),
        ("text/plain", "%7B", "{"),
        ("text/plain", "5", 5),
        ("application/xml", "5", "5"),
    ],
)
def test_content_is_read_by_its_media_type(media: str, text: str, expected: object) -> None:
    """JSON in a query, a path or a cookie is percent-encoded, and validated as JSON."""
    schema = {"type": ["object", "integer", "string"], "properties": {"a": {"type": "array"}}}
    declared = {"name": "color", "content": {media: {"schema": schema}}}
    for place, sent in (("query", f"color={text}"), ("path", text)):
        reader = reader_of({**declared, "in": place}, template="/{color}" if place == "path" else "/")
        assert read(reader, place, sent) == ({place: {"color": expected}}, ())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("color={", "syntax"),
        ("color=NaN", "syntax"),
        ("color=", "syntax"),
        ("color=[1]", "type"),
        ("color={}&color={}", "repeated"),
        ("color=" + "[" * 500 + "]" * 500, "depth"),
        ("color=" + "[" * 5000, "syntax"),
        ("color=%", "encoding"),
    ],
)
def test_content_that_is_no_json_is_refused(text: str, rule: str) -> None:
    """Broken, deep and repeated JSON has its own rules, and the rest is the schema's business."""
    declared = {
        "name": "color",
        "in": "query",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
    (violation,) = read(reader_of(declared), "query", text).violations
    assert violation[:3] == ("query", "/color", rule)


def test_json_in_a_header_is_utf_8_and_not_percent_encoded() -> None:
    """It is sent as it is."""
    schema = {"type": "object", "properties": {"a": {"const": "é%41"}}, "required": ["a"]}
    reader = reader_of({"name": "Color", "in": "header", "content": {"application/json": {"schema": schema}}})
    assert read(reader, "header", '{"a":"é%41"}'.encode()).violations == ()


def test_a_cookie_may_be_declared_as_it_is() -> None:
    """OpenAPI 3.2 appendix D: plain text is not percent-encoded, and anything else is."""
    for media, expected in (("text/plain", "%35"), ("text/x-other", "5")):
        reader = reader_of(
            {"name": "color", "in": "cookie", "content": {media: {"schema": {"type": "string"}}}}
        )
        assert read(reader, "cookie", "color=%35") == ({"cookie": {"color": expected}}, ())


@pytest.mark.parametrize(
    ("media", "query", "expected"),
    [
        ("application/x-www-form-urlencoded", "foo=a+%2B+b&bar=true", {"foo": "a + b", "bar": True}),
        ("application/json", "%7B%22foo%22%3A%22a+b%22%7D", {"foo": "a+b"}),
    ],
)
def test_a_parameter_may_be_the_whole_query(media: str, query: str, expected: object) -> None:
    """OpenAPI 3.2's `querystring`; a plus is a blank in a form only."""
    schema = {
        "type": "object",
        "properties": {"foo": {"type": "string"}, "bar": {"type": "boolean"}},
        "additionalProperties": False,
    }
    reader = reader_of(
        {"name": "q", "in": "querystring", "required": True, "content": {media: {"schema": schema}}}
    )
    found = read(reader, "query", query)
    assert list(found.values["query"].values()) == [expected]
    assert found.violations == ()
    assert [each[:3] for each in read(reader, "query", "").violations] == [("query", "", "required")]
    assert [each.pointer for each in read(reader, "query", "x=1").violations] == [""]


def test_a_path_parameter_that_is_nowhere_is_found_at_start() -> None:
    """It would be missing from every request."""
    with pytest.raises(DocumentError, match="a path parameter of /pets, found 'id'") as caught:
        reader_of({"name": "id", "in": "path", "schema": {}}, template="/pets")
    assert caught.value.pointer == "/paths/~1pets/get/parameters/0"


@given(st.binary(max_size=60), st.binary(max_size=30), st.binary(max_size=30))
def test_no_bytes_make_the_reader_fail(query: bytes, header: bytes, value: bytes) -> None:
    """Whatever is sent, there are values and violations, and never an exception."""
    head = Head("GET", b"/", query, [(b"x-version", header), (b"cookie", header)])
    found = HOSTILE.read(head, (value,))
    assert len(found.violations) <= 20


HOSTILE: Final = reader_of(
    *PETS,
    {"name": "f", "in": "query", "style": "deepObject", "schema": FILTER},
    {"name": "o", "in": "query", "schema": {"type": "object", "additionalProperties": NUMBER}},
    {"name": "p", "in": "query", "style": "pipeDelimited", "explode": False, "schema": LIST},
    {"name": "c", "in": "query", "content": {"application/json": {}}},
    template="/pets/{id}",
)
