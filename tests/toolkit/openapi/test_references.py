"""References: wherever OpenAPI allows one, and to nowhere else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from garrison.openapi.compiled import Compiled, compile_document
from garrison.openapi.document import load_document
from garrison.openapi.model import DocumentError
from tests.toolkit.openapi.documents import checker, compiled, document, only_operation

if TYPE_CHECKING:
    from pathlib import Path


def _loaded(tmp_path: Path, files: dict[str, object]) -> Compiled:
    for name, value in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value))
    return compile_document(load_document(tmp_path / next(iter(files))))


def _rules(found: Compiled, value: object) -> list[tuple[str, str]]:
    operation = only_operation(found)
    assert operation.body is not None
    key = operation.body.content[0].schema
    return [(one.pointer, one.rule) for one in found.requests.check(key, value, "body")]


_EVERYWHERE: dict[str, Any] = {
    "openapi": "3.2.0",
    "paths": {"/pets/{id}": {"$ref": "#/components/pathItems/Pet"}},
    "components": {
        "pathItems": {
            "Pet": {
                "parameters": [{"$ref": "#/components/parameters/Id"}],
                "put": {
                    "requestBody": {"$ref": "#/components/requestBodies/Pet"},
                    "responses": {"200": {"$ref": "#/components/responses/Pet"}},
                    "security": [{"key": []}],
                },
            }
        },
        "parameters": {
            "Id": {"$ref": "#/components/parameters/Number"},
            "Number": {"name": "id", "in": "path", "schema": {"$ref": "#/components/schemas/Id"}},
        },
        "requestBodies": {
            "Pet": {"content": {"multipart/form-data": {"$ref": "#/components/mediaTypes/Pet"}}}
        },
        "mediaTypes": {
            "Pet": {
                "schema": {"$ref": "#/components/schemas/Pet"},
                "encoding": {"photo": {"headers": {"X-Size": {"$ref": "#/components/headers/Size"}}}},
            }
        },
        "responses": {
            "Pet": {
                "headers": {"X-Size": {"$ref": "#/components/headers/Size"}},
                "content": {"application/json": {"$ref": "#/components/mediaTypes/Pet"}},
            }
        },
        "headers": {"Size": {"schema": {"$ref": "#/components/schemas/Id"}}},
        "schemas": {
            "Id": {"type": "integer"},
            "Pet": {"type": "object", "properties": {"photo": {"type": "string"}}},
        },
        "securitySchemes": {"key": {"$ref": "#/components/securitySchemes/real"},
                            "real": {"type": "apiKey", "in": "header", "name": "X-Key"}},
    },
}  # fmt: skip


def test_a_reference_may_be_anywhere() -> None:
    """Path items, parameters, bodies, media types, headers, replies, schemas and security schemes."""
    found = compiled(_EVERYWHERE)
    operation = only_operation(found)
    (identifier,) = operation.parameters
    assert (identifier.name, set(identifier.shape.types)) == ("id", {"integer"})
    assert identifier.pointer == "/components/parameters/Number"
    assert operation.body is not None
    (media,) = operation.body.content
    assert (media.range, list(media.shape.properties)) == ("multipart/form-data", ["photo"])
    assert media.encoding["photo"].headers[0].name == "x-size"
    reply = operation.replies["200"]
    assert [header.name for header in reply.headers] == ["x-size"]
    assert found.replies().check(reply.content[0].schema, {"photo": 1}, "body")
    assert operation.security[0][0].scheme.parameter == "x-key"


@pytest.mark.parametrize(
    "kind", ["pathItems", "parameters", "requestBodies", "mediaTypes", "headers", "schemas"]
)
def test_a_reference_to_nothing_is_refused(kind: str) -> None:
    """With the place of the reference, and what it says."""
    source = json.loads(json.dumps(_EVERYWHERE))
    source["components"][kind].clear()
    with pytest.raises(DocumentError, match="a reference to something that is there") as caught:
        compiled(source)
    assert f"'#/components/{kind}/" in caught.value.found
    assert caught.value.pointer


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("#/components/schemas/B", "a schema, found a reference that leads in a circle"),
        ("#/components/schemas/Pet/properties/x", "something that is there"),
        ("#nowhere", "an anchor that is there"),
        ("#/%ff", "a URI reference"),
        ("http://[::1", "a URI reference"),
        ("other.json", "a reference into the document itself or to a file beside it"),
        ("urn:pet", "a reference into the document itself or to a file beside it"),
        ("ftp://127.0.0.1/pet.json", "a reference into the document itself or to a file beside it"),
    ],
)
def test_a_reference_that_cannot_be_followed(reference: str, message: str) -> None:
    """Whatever is wrong with it is said in one line."""
    schemas: dict[str, object] = {
        "A": {"$ref": "#/components/schemas/B"},
        "B": {"$ref": "#/components/schemas/A"},
        "Pet": {"type": "object"},
    }
    with pytest.raises(DocumentError, match=message):
        checker({"$ref": reference}, schemas)


def test_parameters_that_refer_to_each_other() -> None:
    """A circle of references is none that a parameter comes out of."""
    source = document()
    source["components"]["parameters"] = {"A": {"$ref": "#/components/parameters/A"}}
    source["paths"]["/pets"]["parameters"] = [{"$ref": "#/components/parameters/A"}]
    with pytest.raises(DocumentError, match="one that leads in a circle"):
        compiled(source)


def test_pointers_are_unescaped() -> None:
    """Slashes and tildes in names, and percent-encoding around them."""
    names: dict[str, object] = {"a/b~c d": {"type": "integer"}, "list": {"prefixItems": [{"type": "null"}]}}
    assert checker({"$ref": "#/components/schemas/a~1b~0c%20d"}, names).wrong("a") == [("", "type")]
    assert checker({"$ref": "#/components/schemas/list/prefixItems/0"}, names).wrong("a") == [("", "type")]


def test_a_reference_into_an_operation() -> None:
    """Any place of the document has an address, not only its components."""
    source = document({"type": "object", "properties": {"a": {"type": "integer"}}})
    place = "#/paths/~1pets/post/requestBody/content/application~1json/schema/properties/a"
    source["paths"]["/pets"]["post"]["requestBody"]["content"]["text/json"] = {"schema": {"$ref": place}}
    found = compiled(source)
    operation = only_operation(found)
    assert operation.body is not None
    media = next(media for media in operation.body.content if media.range == "text/json")
    assert found.requests.check(media.schema, "a", "body")[0].rule == "type"


def test_what_is_beside_a_reference_counts() -> None:
    """From 3.1 on; in 3.0 it is ignored."""
    schema = {"$ref": "#/components/schemas/Name", "maxLength": 2}
    assert checker(schema, {"Name": {"type": "string"}}).wrong("abc") == [("", "maxLength")]
    assert checker(schema, {"Name": {"type": "string"}}, "3.0.3").fits("abc")


_TREE = {"$ref": "#/components/schemas/Tree"}


def test_schemas_may_contain_themselves() -> None:
    """As members, at any distance."""
    schemas: dict[str, object] = {
        "Tree": {"properties": {"left": _TREE, "leaves": {"$ref": "#/components/schemas/Leaves"}}},
        "Leaves": {"items": {"anyOf": [{"type": "integer"}, _TREE]}, "type": "array"},
    }  # fmt: skip
    check = checker({"$ref": "#/components/schemas/Tree"}, schemas)
    assert check.fits({"left": {"left": {"leaves": [1, {"leaves": []}]}}})
    assert check.wrong({"left": {"leaves": [1, {"leaves": 2}]}}) == [("/left/leaves/1/leaves", "type")]


def test_files_refer_to_files(tmp_path: Path) -> None:
    """Each from where it is; an error in another file names it."""
    found = _loaded(tmp_path, {
        "api.json": document({"$ref": "schemas/pet.json#/Pet"}),
        "schemas/pet.json": {"Pet": {"properties": {"owner": {"$ref": "../people.json"}}}},
        "people.json": {"properties": {"age": {"$ref": "#/$defs/age"}}, "$defs": {"age": {"minimum": 0}}},
    })  # fmt: skip
    assert _rules(found, {"owner": {"age": -1}}) == [("/owner/age", "minimum")]
    with pytest.raises(DocumentError) as caught:
        _loaded(tmp_path, {
            "api.json": document({"$ref": "schemas/pet.json#/Pet"}),
            "schemas/pet.json": {"Pet": {"type": "pet"}},
        })  # fmt: skip
    assert caught.value.pointer == "schemas/pet.json#/Pet/type"


@pytest.mark.parametrize(
    "reference", ["../secret.json", "link.json", "file:///etc/hostname", "sub/../../secret.json"]
)
def test_files_elsewhere_are_not_read(tmp_path: Path, reference: str) -> None:
    """Nothing outside the directory of the document, by no detour."""
    (tmp_path / "secret.json").write_text('{"type": "integer"}')
    directory = tmp_path / "api"
    directory.mkdir()
    (directory / "link.json").symlink_to(tmp_path / "secret.json")
    with pytest.raises(DocumentError, match="in the directory of the document or below it"):
        _loaded(directory, {"api.json": document({"$ref": reference})})


def test_files_are_read_at_the_start(tmp_path: Path) -> None:
    """What replies refer to is read with the rest, though it is compiled later."""
    source = document({"$ref": "pet.json"})
    loaded = _loaded(tmp_path, {"api.json": source, "pet.json": {"type": "integer"}})
    (tmp_path / "pet.json").unlink()
    key = only_operation(loaded).replies["200"].content[0].schema
    assert loaded.replies().check(key, "a", "body")


def test_a_link_that_leads_in_a_circle_is_no_file(tmp_path: Path) -> None:
    """Neither is a name that no file can have."""
    (tmp_path / "circle.json").symlink_to(tmp_path / "circle.json")
    for reference in ("circle.json", "%00.json"):
        with pytest.raises(DocumentError, match=r"a file that (is there|can be read)"):
            _loaded(tmp_path, {"api.json": document({"$ref": reference})})


def test_a_file_that_is_missing_or_broken(tmp_path: Path) -> None:
    """The reference to it is named, and so is the file."""
    with pytest.raises(
        DocumentError, match=r"a file that can be read, found 'pet.json#/a': No such file or directory$"
    ):
        _loaded(tmp_path, {"api.json": document({"$ref": "pet.json#/a"})})
    (tmp_path / "pet.json").write_text("{")
    with pytest.raises(DocumentError, match="expected JSON"):
        _loaded(tmp_path, {"api.json": document({"$ref": "pet.json#/a"})})


def test_a_reply_called_default_may_be_in_another_file(tmp_path: Path) -> None:
    """Elsewhere a default is a value."""
    source = document({"default": {"$ref": "nowhere.json"}})
    source["paths"]["/pets"]["post"]["responses"] = {"default": {"$ref": "reply.json"}}
    found = _loaded(tmp_path, {"api.json": source, "reply.json": {"headers": {"X-A": {"schema": {}}}}})
    assert [header.name for header in only_operation(found).replies["default"].headers] == ["x-a"]


def test_a_property_called_example_may_be_in_another_file(tmp_path: Path) -> None:
    """Only the keyword of that name holds values in which references mean nothing."""
    found = _loaded(tmp_path, {
        "api.json": document({
            "properties": {"example": {"$ref": "pet.json"}},
            "example": {"$ref": "nowhere.json"},
            "const": {"example": {"$ref": "nowhere.json"}},
        }),
        "pet.json": {"type": "integer"},
    })  # fmt: skip
    assert ("/example", "type") in _rules(found, {"example": "a"})


_BASE = "https://pets.invalid/schemas/"


def test_schemas_have_names_of_their_own() -> None:
    """`$id` and `$anchor`, and references that are relative to them."""
    schemas: dict[str, object] = {
        "Pet": {
            "$id": f"{_BASE}pet",
            "properties": {
                "name": {"$ref": "#name"}, "owner": {"$ref": "owner"}, "age": {"$ref": "#/$defs/age"},
            },
            "$defs": {"name": {"$anchor": "name", "type": "string"}, "age": {"minimum": 0}},
        },
        "Owner": {"$id": f"{_BASE}owner", "type": "integer"},
    }  # fmt: skip
    for reference in (f"{_BASE}pet", "#/components/schemas/Pet"):
        check = checker({"$ref": reference}, schemas)
        assert check.fits({"name": "a", "owner": 1, "age": 0})
        assert check.wrong({"name": 1, "owner": "a", "age": -1}) == [
            ("/name", "type"), ("/owner", "type"), ("/age", "minimum"),
        ]  # fmt: skip


def test_two_schemas_do_not_share_a_name() -> None:
    """Which of them is meant would be anybody's guess."""
    for keyword in ("$id", "$anchor"):
        schemas: dict[str, object] = {"A": {keyword: "same"}, "B": {keyword: "same"}}
        with pytest.raises(DocumentError, match="that no other schema has, found 'same'"):
            checker({}, schemas)


def test_names_in_values_are_none() -> None:
    """An example, or a property that is called $id, names no schema."""
    schemas: dict[str, object] = {
        "A": {"example": {"$id": "same"}, "properties": {"$id": {"type": "integer"}, "$anchor": {}}},
        "B": {"example": {"$id": "same"}},
    }
    assert checker({"$ref": "#/components/schemas/A"}, schemas).wrong({"$id": "a"}) == [("/$id", "type")]


def test_a_document_may_say_where_it_is(tmp_path: Path) -> None:
    """`$self` of 3.2: references are relative to it, and files beside it are found beside the document."""
    source = document({"$ref": "https://pets.invalid/v1/pet.json"}, version="3.2.0")
    source["$self"] = "https://pets.invalid/v1/api"
    source["components"]["schemas"]["Id"] = {"type": "integer"}
    found = _loaded(tmp_path, {
        "api.json": source,
        "pet.json": {"properties": {"id": {"$ref": "api#/components/schemas/Id"}}},
    })  # fmt: skip
    assert _rules(found, {"id": "a"}) == [("/id", "type")]


def test_dynamic_references_find_the_outermost_schema() -> None:
    """A page of pets is a page of anything, with pets for anything."""
    schemas: dict[str, object] = {
        "Page": {
            "$id": f"{_BASE}page",
            "$defs": {"item": {"$dynamicAnchor": "item"}},
            "properties": {"items": {"type": "array", "items": {"$dynamicRef": "#item"}}},
        },
        "Pets": {
            "$id": f"{_BASE}pets",
            "$defs": {"item": {"$dynamicAnchor": "item", "type": "object", "required": ["name"]}},
            "$ref": "page",
        },
    }
    assert checker({"$ref": "#/components/schemas/Page"}, schemas).fits({"items": [1]})
    check = checker({"$ref": "#/components/schemas/Pets"}, schemas)
    assert check.fits({"items": [{"name": "a"}]})
    assert not check.fits({"items": [1]})
    assert not check.fits({"items": [{}]})


def test_a_dynamic_reference_without_a_dynamic_anchor_is_an_ordinary_one() -> None:
    """JSON Schema 2020-12 section 8.2.3.2."""
    schemas: dict[str, object] = {"A": {"$anchor": "a", "type": "integer"}}
    assert checker({"$dynamicRef": "#a"}, schemas).wrong("x") == [("", "type")]
