"""Values that say which schema they are meant for."""

from __future__ import annotations

from typing import Any

import pytest

from garrison.openapi.model import DocumentError
from tests.toolkit.openapi.documents import checker

VERSIONS = pytest.mark.parametrize("version", ["3.0.3", "3.1.0", "3.2.0"])


def _animal(name: str) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["kind", name],
        "properties": {"kind": {"type": "string"}, name: {"type": "integer"}},
    }


_ANIMALS: dict[str, object] = {"Cat": _animal("lives"), "Dog": _animal("barks"), "Fish": _animal("fins")}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _union(**discriminator: object) -> dict[str, Any]:
    return {
        "oneOf": [_ref("Cat"), _ref("Dog"), _ref("Fish")],
        "discriminator": {"propertyName": "kind", **discriminator},
    }


@VERSIONS
def test_the_name_of_a_schema_chooses_it(version: str) -> None:
    """The errors are those of the schema that was meant, and of no other."""
    check = checker(_union(), _ANIMALS, version)
    assert check.fits({"kind": "Cat", "lives": 9})
    assert check.wrong({"kind": "Cat", "lives": "nine"}) == [("/lives", "type")]
    assert check.wrong({"kind": "Dog", "lives": 9}) == [("/barks", "required")]
    assert check.wrong({"kind": "Bird", "lives": 9}) == [("/kind", "enum")]
    assert check.wrong({"lives": 9}) == [("/kind", "required")]
    assert not check.fits("Cat")


@VERSIONS
def test_a_value_that_fits_several_is_held_to_the_one_it_names(version: str) -> None:
    """Without the property it would fit two of them, and so none."""
    check = checker(_union(), _ANIMALS, version)
    assert check.fits({"kind": "Cat", "lives": 9, "barks": 1})


@VERSIONS
def test_a_mapping_names_schemas(version: str) -> None:
    """By reference or by name; names of schemas that it does not mention still count."""
    mapping = {"feline": "#/components/schemas/Cat", "canine": "Dog"}
    check = checker(_union(mapping=mapping), _ANIMALS, version)
    assert check.fits({"kind": "feline", "lives": 9})
    assert check.fits({"kind": "canine", "barks": 1})
    assert check.fits({"kind": "Fish", "fins": 1})
    assert check.wrong({"kind": "canine", "lives": 9}) == [("/barks", "required")]


def test_names_that_a_schema_itself_refuses_are_not_offered() -> None:
    """A mapping such as FastAPI's names the tags; who sends another is told of these alone."""
    tagged: dict[str, object] = {
        "Cat": {"required": ["kind"], "properties": {"kind": {"const": "feline"}}},
        "Dog": {"required": ["kind"], "properties": {"kind": {"enum": ["canine", "puppy"]}}},
    }
    schema = {
        "oneOf": [_ref("Cat"), _ref("Dog")],
        "discriminator": {
            "propertyName": "kind",
            "mapping": {"feline": _ref("Cat")["$ref"], "canine": "Dog", "puppy": "Dog"},
        },
    }
    check = checker(schema, tagged)
    assert check.fits({"kind": "feline"})
    assert check.fits({"kind": "puppy"})
    for kind in ("Cat", "Bird"):
        assert check.details({"kind": kind}) == ["Must be one of feline, canine or puppy."]


def test_what_may_be_null_or_one_of_several() -> None:
    """An alternative that is no object does not keep the property from choosing among the others."""
    schema = _union()
    schema["oneOf"].append({"type": "null"})
    check = checker(schema, _ANIMALS)
    assert check.fits(None)
    assert check.wrong({"kind": "Dog", "barks": "loud"}) == [("/barks", "type")]


def test_an_alternative_without_a_name_is_still_one() -> None:
    """Nothing is refused that fits a schema which no name can mean."""
    schema = _union()
    schema["oneOf"].append({"type": "object", "required": ["shell"]})
    check = checker(schema, _ANIMALS)
    assert check.fits({"kind": "Snail", "shell": True})


def test_a_union_of_nothing_to_choose_from() -> None:
    """A property cannot choose between values that have none."""
    check = checker(
        {"oneOf": [{"type": "null"}, {"type": "integer"}], "discriminator": {"propertyName": "a"}}
    )
    assert check.fits(None)
    assert not check.fits("a")


def test_a_property_that_no_alternative_requires_may_be_missing() -> None:
    """Then the alternatives decide as if it were not there."""
    schemas: dict[str, object] = {"A": {"required": ["a"]}, "B": {"required": ["b"]}}
    check = checker({"oneOf": [_ref("A"), _ref("B")], "discriminator": {"propertyName": "kind"}}, schemas)
    assert check.fits({"a": 1})
    assert not check.fits({"a": 1, "b": 1})
    assert check.fits({"kind": "A", "a": 1, "b": 1})


def test_a_default_is_meant_by_all_other_values() -> None:
    """OpenAPI 3.2: a missing and an unknown name mean the schema of defaultMapping."""
    schemas = {**_ANIMALS, "Other": {"type": "object", "required": ["legs"]}}
    schema = _union(defaultMapping="Other")
    schema["oneOf"].append(_ref("Other"))
    check = checker(schema, schemas, "3.2.0")
    assert check.fits({"kind": "Spider", "legs": 8})
    assert check.fits({"legs": 8})
    assert check.wrong({"kind": "Spider"}) == [("/legs", "required")]
    assert check.wrong({"kind": "Cat", "legs": 4}) == [("/lives", "required")]


_FAMILY: dict[str, object] = {
    "Pet": {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"type": "string"}, "friend": _ref("Pet")},
        "discriminator": {"propertyName": "kind", "mapping": {"dog": _ref("Dog")["$ref"]}},
    },
    "Cat": {"allOf": [_ref("Pet"), {"required": ["lives"], "properties": {"lives": {"type": "integer"}}}]},
    "Kitten": {"allOf": [_ref("Cat"), {"required": ["age"]}]},
    "Dog": {"allOf": [_ref("Pet"), {"required": ["barks"]}]},
}


@VERSIONS
def test_a_schema_stands_for_those_that_build_on_it(version: str) -> None:
    """Where a parent is asked for, the name chooses a child, at any distance and depth."""
    check = checker(_ref("Pet"), _FAMILY, version)
    assert check.fits({"kind": "Pet"})
    assert check.fits({"kind": "Cat", "lives": 9})
    assert check.wrong({"kind": "Cat", "lives": "nine"}) == [("/lives", "type")]
    assert check.wrong({"kind": "Kitten", "lives": 9}) == [("/age", "required")]
    assert check.wrong({"kind": "dog"}) == [("/barks", "required")]
    assert check.wrong({"kind": "Bird"}) == [("/kind", "enum")]
    assert check.wrong({"kind": "Pet", "friend": {"kind": "Cat"}}) == [("/friend/lives", "required")]


@VERSIONS
def test_a_child_asked_for_by_name_is_no_other_child(version: str) -> None:
    """The parent within it does not send the value back to be chosen once more."""
    check = checker(_ref("Cat"), _FAMILY, version)
    assert check.fits({"kind": "Cat", "lives": 9})
    assert check.wrong({"kind": "Dog"}) == [("/lives", "required")]


def test_a_union_whose_members_build_on_it() -> None:
    """A common way to write a hierarchy, which by the letter never ends."""
    schemas: dict[str, object] = {
        "Pet": {
            "required": ["kind"],
            "oneOf": [_ref("Cat"), _ref("Dog")],
            "discriminator": {"propertyName": "kind"},
        },
        "Cat": {"allOf": [_ref("Pet"), {"required": ["lives"]}]},
        "Dog": {"allOf": [_ref("Pet"), {"required": ["barks"]}]},
    }
    check = checker(_ref("Pet"), schemas)
    assert check.fits({"kind": "Cat", "lives": 9})
    assert check.wrong({"kind": "Dog", "lives": 9}) == [("/barks", "required")]
    assert check.wrong({"lives": 9}) == [("/kind", "required")]


def test_without_a_discriminator_it_never_ends() -> None:
    """A schema that holds for a value if it holds for that value is refused with its place."""
    schemas: dict[str, object] = {
        "Pet": {"oneOf": [_ref("Cat"), {"type": "null"}]},
        "Cat": {"allOf": [_ref("Pet"), {"required": ["lives"]}]},
    }
    with pytest.raises(DocumentError, match="contains itself for the same value"):
        checker(_ref("Pet"), schemas)


def test_a_parent_without_children_is_an_ordinary_schema() -> None:
    """Any name will do for it."""
    schemas: dict[str, object] = {"Pet": {"required": ["kind"], "discriminator": {"propertyName": "kind"}}}
    check = checker(_ref("Pet"), schemas)
    assert check.fits({"kind": "whatever"})
    assert not check.fits({})


def test_a_mapping_to_nothing_is_refused() -> None:
    """A name that means no schema is a mistake in the document."""
    with pytest.raises(
        DocumentError, match="a reference to something that is there, found '#/components/schemas/C"
    ):
        checker(_union(mapping={"cow": "#/components/schemas/Cow"}), _ANIMALS)
