"""Properties that only one side may send."""

from __future__ import annotations

from typing import Any

import pytest

from tests.toolkit.openapi.documents import checker

_ACCOUNT: dict[str, Any] = {
    "type": "object",
    "required": ["id", "name", "password"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "name": {"type": "string"},
        "password": {"type": "string", "writeOnly": True},
    },
}

VERSIONS = pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])


@VERSIONS
def test_a_request_has_no_read_only_property(version: str) -> None:
    """It need not have one that is required, and must not have one."""
    check = checker(_ACCOUNT, version=version)
    assert check.fits({"name": "a", "password": "b"})
    assert check.wrong({"name": "a"}) == [("/password", "required")]
    assert check.wrong({"id": 1, "name": "a", "password": "b"}) == [("/id", "readOnly")]
    assert "must not be sent" in check.violations({"id": 1, "name": "a", "password": "b"})[0].detail


@VERSIONS
def test_a_reply_has_no_write_only_property(version: str) -> None:
    """A password that was sent must not come back."""
    check = checker(_ACCOUNT, version=version, direction="reply")
    assert check.fits({"name": "a", "id": 1})
    assert check.wrong({"name": "a"}) == [("/id", "required")]
    assert check.wrong({"id": 1, "name": "a", "password": "b"}) == [("/password", "writeOnly")]


_PARTS: dict[str, object] = {
    "Id": {"type": "integer", "readOnly": True},
    "Named": {"required": ["name"]},
    "Known": {"properties": {"id": {"$ref": "#/components/schemas/Id"}}},
    "Demanding": {"required": ["id", "name"]},
    "Perhaps": {
        "anyOf": [{"required": ["id"]}, {"required": ["id", "other"]}],
        "not": {"required": ["never"]},
    },
    "Conditional": {"if": {"required": ["never"]}, "else": {"$ref": "#/components/schemas/Demanding"}},
    "Dependent": {"dependentSchemas": {"name": {"$ref": "#/components/schemas/Demanding"}}},
}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


@VERSIONS
@pytest.mark.parametrize(
    "schema",
    [
        {"required": ["id"], "properties": {"id": _ref("Id")}},
        {"required": ["id"], "properties": {"id": {"allOf": [_ref("Id")], "description": "mine"}}},
        {"required": ["id"], "allOf": [_ref("Known")]},
        {"allOf": [_ref("Known"), {"required": ["id"]}]},
        {"allOf": [{"required": ["id"]}, {"allOf": [_ref("Known")]}]},
        {"allOf": [_ref("Demanding"), _ref("Known")]},
    ],
)
def test_it_does_not_matter_where_it_is_said(schema: dict[str, Any], version: str) -> None:
    """Behind a reference, in a part of a composition, and beside what requires it."""
    check = checker(schema, _PARTS, version)
    assert check.fits({"name": "a"})
    assert check.wrong({"id": 1, "name": "a"}) == [("/id", "readOnly")]


@pytest.mark.parametrize("name", ["Perhaps", "Conditional", "Dependent"])
def test_alternatives_do_not_require_it_either(name: str) -> None:
    """Nor what holds under a condition."""
    check = checker({"allOf": [_ref(name), _ref("Known")]}, _PARTS)
    assert check.fits({"name": "a"})
    assert not checker(_ref(name), _PARTS).fits({"name": "a"})


def test_the_same_schema_elsewhere_still_requires_it() -> None:
    """What is read-only in one composition is an ordinary property in another."""
    schema = {
        "properties": {
            "kept": {"allOf": [_ref("Demanding"), _ref("Known")]},
            "sent": _ref("Demanding"),
        }
    }
    check = checker(schema, _PARTS)
    assert check.wrong({"kept": {"name": "a"}, "sent": {"name": "a"}}) == [("/sent/id", "required")]
