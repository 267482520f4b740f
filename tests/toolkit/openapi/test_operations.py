"""What a document says of its operations."""

from __future__ import annotations

from typing import Any

import pytest

from garrison.openapi.model import DocumentError, Parameter
from tests.toolkit.openapi.documents import compiled, document, only_operation


def _source(
    version: str = "3.1.0", item: dict[str, Any] | None = None, **operation: object
) -> dict[str, Any]:
    source = document(version=version)
    source["paths"] = {"/pets/{id}": {"put": {"responses": {}, **operation}, **(item or {})}}
    return source


def _parameter(declared: dict[str, object]) -> Parameter:
    declared = {"name": "id", "in": "query", "schema": {"type": "string"}, **declared}
    (parameter,) = only_operation(compiled(_source(parameters=[declared]))).parameters
    return parameter


@pytest.mark.parametrize(
    ("declared", "style", "explode"),
    [
        ({"in": "query"}, "form", True),
        ({"in": "query", "explode": False}, "form", False),
        ({"in": "query", "style": "pipeDelimited"}, "pipeDelimited", False),
        ({"in": "query", "style": "deepObject", "explode": True}, "deepObject", True),
        ({"in": "path", "required": True}, "simple", False),
        ({"in": "path", "style": "matrix", "explode": True}, "matrix", True),
        ({"in": "header"}, "simple", False),
        ({"in": "cookie"}, "form", True),
        ({"in": "cookie", "style": "cookie"}, "cookie", True),
    ],
)
def test_parameters_have_the_style_of_their_location(
    declared: dict[str, object], style: str, explode: bool
) -> None:
    """Unless they say otherwise."""
    parameter = _parameter(declared)
    assert (parameter.style, parameter.explode, parameter.location) == (style, explode, declared["in"])


def test_parameters_say_what_they_allow() -> None:
    """Names of headers have no case, and a path is never without its parameters."""
    found = _parameter({"in": "header", "name": "X-Id", "required": True})
    assert (found.name, found.required, found.pointer) == (
        "x-id",
        True,
        "/paths/~1pets~1{id}/put/parameters/0",
    )
    assert _parameter({"in": "path"}).required
    found = _parameter({"allowReserved": True, "allowEmptyValue": True})
    assert (found.required, found.allow_reserved, found.allow_empty) == (False, True, True)


def test_parameters_may_have_content() -> None:
    """Of one media type; a whole query is one in OpenAPI 3.2."""
    content = {"application/json": {"schema": {"type": "object"}}}
    declared = {"name": "q", "in": "query", "content": content}
    (found,) = only_operation(compiled(_source(parameters=[declared]))).parameters
    assert (found.content, set(found.shape.types)) == ("application/json", {"object"})
    declared = {"name": "any", "in": "querystring", "content": content}
    (found,) = only_operation(compiled(_source("3.2.0", parameters=[declared]))).parameters
    assert (found.name, found.location, found.content) == ("*querystring", "query", "application/json")


def test_parameters_of_the_path_are_shared() -> None:
    """An operation has those of its path, and its own instead of one with the same name and location."""
    shared = [
        {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}},
        {"name": "a", "in": "query", "schema": {"type": "integer"}},
    ]
    own = [
        {"name": "a", "in": "query", "schema": {"type": "null"}},
        {"name": "a", "in": "header", "schema": {}},
        {"name": "Accept", "in": "header", "schema": {"type": "integer"}},
    ]
    operation = only_operation(compiled(_source(item={"parameters": shared}, parameters=own)))
    assert [(one.location, one.name, set(one.shape.types)) for one in operation.parameters[:2]] == [
        ("path", "id", {"integer"}), ("query", "a", {"null"}),
    ]  # fmt: skip
    assert [(one.location, one.name) for one in operation.parameters[2:]] == [("header", "a")]


def test_methods_are_those_of_the_version() -> None:
    """3.2 knows QUERY, and any other by name."""
    item = {"get": {}, "query": {}, "additionalOperations": {"LINK": {}}, "description": "Pets"}
    assert [one.method for one in compiled(_source("3.1.0", item)).operations] == ["GET", "PUT"]
    found = [one.method for one in compiled(_source("3.2.0", item)).operations]
    assert found == ["GET", "PUT", "QUERY", "LINK"]


def test_a_method_is_declared_once() -> None:
    """Nobody would know whose security holds."""
    for method in ("PUT", "put", "QUERY"):
        with pytest.raises(DocumentError, match=f"expected {method.lower()} beside the other methods"):
            compiled(_source("3.2.0", {"additionalOperations": {method: {}}}))


def test_a_path_has_operations_beside_its_reference() -> None:
    """What stands beside `$ref` is served as well; where both have a field, its own one counts."""
    source = _source("3.2.0")
    shared = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
    source["components"]["pathItems"] = {
        "outer": {"$ref": "#/components/pathItems/inner", "get": {"operationId": "outer"}},
        "inner": {
            "get": {"operationId": "inner"},
            "post": {"operationId": "inner"},
            "additionalOperations": {"LINK": {"operationId": "inner"}},
            "servers": [{"url": "/files"}],
            "parameters": [shared],
        },
    }
    more = {"LINK": {"operationId": "own"}, "UNLINK": {"operationId": "own"}}
    source["paths"] = {
        "/pets/{id}": {
            "$ref": "#/components/pathItems/outer",
            "delete": {"operationId": "own"},
            "additionalOperations": more,
        }
    }
    found = compiled(source).operations
    assert sorted((each.name, each.method) for each in found) == [
        ("inner", "POST"),
        ("outer", "GET"),
        *(("own", method) for method in ("DELETE", "LINK", "UNLINK")),
    ]
    assert {each.servers for each in found} == {("/files",)}
    assert {parameter.name for each in found for parameter in each.parameters} == {"id"}
    assert all(each.parameters for each in found)
    source["components"]["pathItems"]["inner"] = {"$ref": "#/components/pathItems/outer"}
    with pytest.raises(DocumentError, match="leads in a circle"):
        compiled(source)


def test_operations_have_names() -> None:
    """Their id, or their method and path."""
    assert only_operation(compiled(_source(operationId="putPet"))).name == "putPet"
    assert only_operation(compiled(_source())).name == "PUT /pets/{id}"


def test_the_more_specific_media_type_comes_first() -> None:
    """Parameters count, but for charset; names have no case."""
    content: dict[str, object] = {
        "*/*": {}, "text/*": {}, "Text/Plain; charset=utf-8": {}, "text/plain; version=2": {"schema": {}},
    }  # fmt: skip
    body = only_operation(compiled(_source(requestBody={"content": content, "required": True}))).body
    assert body is not None
    assert body.required
    assert [(one.range, one.parameters, bool(one.schema)) for one in body.content] == [
        ("text/plain", (("version", "2"),), True), ("text/plain", (), False), ("text/*", (), False),
        ("*/*", (), False),
    ]  # fmt: skip


def test_encodings_are_styles_or_media_types() -> None:
    """Of a form they are styles unless a media type is given; of multipart it is the other way round."""
    encoding = {
        "a": {}, "b": {"contentType": "Image/PNG, image/*"}, "c": {"style": "deepObject", "explode": True},
        "d": {"explode": False}, "e": {"headers": {"X-A": {"schema": {}}, "Content-Type": {"schema": {}}}},
    }  # fmt: skip
    media = {"schema": {"type": "object"}, "encoding": encoding}
    found = {}
    for name in ("application/x-www-form-urlencoded", "multipart/form-data"):
        body = only_operation(compiled(_source(requestBody={"content": {name: media}}))).body
        assert body is not None
        found[name] = body.content[0].encoding
    form, multipart = found.values()
    assert [(one.style, one.explode) for one in form.values()] == [
        ("form", True), (None, False), ("deepObject", True), ("form", False), ("form", True),
    ]  # fmt: skip
    assert [one.style for one in multipart.values()] == [None, None, "deepObject", "form", None]
    assert multipart["b"].content_types == ("image/png", "image/*")
    assert [header.name for header in multipart["e"].headers] == ["x-a"]


def test_replies_are_by_status() -> None:
    """With headers and bodies; ranges and the default have their names."""
    responses = {
        "200": {"headers": {"X-A": {"schema": {}, "required": True}}, "content": {}},
        "4xx": {}, "default": {}, "x-note": {},
    }  # fmt: skip
    replies = only_operation(compiled(_source(responses=responses))).replies
    assert list(replies) == ["200", "4XX", "default"]
    (header,) = replies["200"].headers
    assert (header.name, header.location, header.required) == ("x-a", "header", True)


def test_a_reply_may_have_a_media_type_that_is_none() -> None:
    """Many public documents have one by mistake; a request's body may not."""
    content: dict[str, object] = {"PDF": {"schema": {}}}
    (media,) = (
        only_operation(compiled(_source(responses={"200": {"content": content}}))).replies["200"].content
    )
    assert media.range == "PDF"
    with pytest.raises(DocumentError, match="a media type as the name, found 'PDF'"):
        compiled(_source(requestBody={"content": content}))


_SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "x-token": {"type": "http", "scheme": "Bearer"},
    "oauth": {"type": "oauth2", "flows": {}},
}


@pytest.mark.parametrize(
    ("shared", "own", "expected"),
    [
        (None, None, ()),
        ([{"key": []}], None, ((("key", ()),),)),
        ([{"key": []}], [], ()),
        ([{"key": []}], [{}], ((),)),
        (None, [{"key": [], "oauth": ["read"]}, {"x-token": []}],
         ((("key", ()), ("oauth", ("read",))), (("x-token", ()),))),
    ],
)  # fmt: skip
def test_security_is_that_of_the_operation_or_the_document(shared: Any, own: Any, expected: Any) -> None:
    """An empty list needs nobody, and an empty alternative lets anybody in."""
    source = _source(**({} if own is None else {"security": own}))
    source["components"]["securitySchemes"] = _SCHEMES
    source |= {} if shared is None else {"security": shared}
    found = only_operation(compiled(source)).security
    assert tuple(tuple((need.scheme.name, need.scopes) for need in one) for one in found) == expected


def test_security_schemes_are_read() -> None:
    """With what their type needs."""
    source = _source()
    source["components"]["securitySchemes"] = _SCHEMES
    found = compiled(source).schemes
    assert (found["key"].location, found["key"].parameter) == ("header", "x-key")
    assert (found["x-token"].type, found["x-token"].scheme) == ("http", "bearer")


@pytest.mark.parametrize(
    ("changes", "pointer", "expected"),
    [
        ({"parameters": {}}, "/parameters", "an array"),
        ({"parameters": [{"in": "query", "schema": {}}]}, "/parameters/0", "name, a string"),
        ({"parameters": [{"name": "a", "in": "body"}]}, "/parameters/0/in", "one of path, query"),
        ({"parameters": [{"name": "a", "in": "path", "style": "form", "schema": {}}]},
         "/parameters/0/style", "one of simple, label, matrix, for path, found 'form'"),
        ({"parameters": [{"name": "a", "in": "query"}]}, "/parameters/0", "a schema or content, found nei"),
        ({"parameters": [{"name": "a", "in": "query", "content": {}}]}, "/parameters/0", "one media type"),
        ({"parameters": [{"name": "a", "in": "query", "schema": {}, "required": "yes"}]},
         "/parameters/0", "required, true or false, found 'yes'"),
        ({"parameters": [{"name": "a", "in": "query", "schema": {}}] * 2}, "/parameters/1", "declared once"),
        ({"requestBody": {}}, "/requestBody", "content, an object"),
        ({"requestBody": []}, "/requestBody", "an object, found an array"),
        ({"requestBody": {"content": {"a/b": None}}}, "/requestBody/content/a~1b", "an object, found null"),
        ({"responses": []}, "/responses", "an object"),
        ({"security": {}}, "/security", "an array"),
        ({"security": [{"none": []}]}, "/security/0/none", "a security scheme that is in"),
        ({"security": [{"key": [1]}]}, "/security/0/key", "an array of scopes, each a string"),
        ({"operationId": 5}, "", "operationId, a string, found 5"),
    ],
)  # fmt: skip
def test_what_is_no_operation_is_refused(changes: dict[str, Any], pointer: str, expected: str) -> None:
    """With its place, what belongs there, and what is there."""
    source = _source(**changes)
    source["components"]["securitySchemes"] = _SCHEMES
    with pytest.raises(DocumentError, match=expected) as caught:
        compiled(source)
    assert caught.value.pointer == "/paths/~1pets~1{id}/put" + pointer


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"paths": []}, "/paths: expected an object, found an array"),
        ({"paths": {"pets": {}}}, "a path that begins with a slash, found 'pets'"),
        ({"paths": {"/pets": []}}, "/paths/~1pets: expected an object, found an array"),
        ({"servers": [{}]}, "/servers/0: expected url, a string"),
        ({"servers": [{"url": "/{a}"}]}, "a URL of which each variable is declared, found 'a'"),
        ({"servers": [{"url": "http://["}]}, "/servers/0/url: expected a URL"),
        ({"components": {"securitySchemes": {"a": {"type": "b"}}}}, "/a/type: expected one of apiKey, http"),
        ({"components": {"securitySchemes": {"a": {"type": "apiKey", "in": "body", "name": "a"}}}},
         "/a/in: expected one of query, header, cookie"),
        ({"components": {"securitySchemes": {"a": {"type": "http"}}}}, "/a: expected scheme, a string"),
    ],
)  # fmt: skip
def test_what_is_no_document_is_refused(changes: dict[str, Any], message: str) -> None:
    """Each part that is used has to be what it must be."""
    with pytest.raises(DocumentError, match=message):
        compiled({**_source(), **changes})


def test_a_document_may_have_no_paths() -> None:
    """From 3.1 on."""
    source = _source("3.1.0")
    del source["paths"]
    assert compiled(source).operations == ()
    source["openapi"] = "3.0.3"
    with pytest.raises(DocumentError, match="paths, an object"):
        compiled(source)
