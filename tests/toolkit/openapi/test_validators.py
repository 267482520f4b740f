"""What clients are told about values that do not fit."""

from __future__ import annotations

from itertools import count
from time import thread_time
from typing import TYPE_CHECKING, Any

import pytest

from garrison.openapi import definitions, explaining
from garrison.openapi.definitions import Definitions
from garrison.openapi.document import load_document
from garrison.openapi.model import DocumentError
from garrison.openapi.validators import MAX_KEPT, Validators
from tests.toolkit.openapi.documents import checker, compiled, document

if TYPE_CHECKING:
    from collections.abc import Callable

_SECRET = "hunter2"
_ROWS: list[object] = [{"a": ["b"] * 10}] * 20_000


def _timed(schemas: dict[str, object], name: str, clock: Callable[[], float]) -> tuple[Validators, str]:
    """Validators with a clock of the test's own, and the key of one of the schemas."""
    loaded = load_document(document(components=schemas))
    collected = Definitions(loaded, "request")
    key = collected.key(loaded.references.at(loaded.root.resource, f"/components/schemas/{name}"))
    return Validators(collected.compound(), clock=clock), key


def _deep(levels: int) -> object:
    value: object = "x"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("schema", "value", "pointer", "rule", "detail"),
    [
        ({"type": ["string", "null"]}, 1, "", "type", "Must be a string or null."),
        ({"maximum": 10}, 11, "", "maximum", "Must be at most 10."),
        ({"exclusiveMinimum": 0}, 0, "", "exclusiveMinimum", "Must be above 0."),
        ({"multipleOf": 0.5}, 0.3, "", "multipleOf", "Must be a multiple of 0.5."),
        ({"maxLength": 1}, "ab", "", "maxLength", "Must have at most 1 character."),
        ({"minItems": 2}, [], "", "minItems", "Must have at least 2 members."),
        ({"pattern": "^a+$"}, "b", "", "pattern", "Must match the pattern ^a+$."),
        ({"format": "date"}, "b", "", "format", "Must be in the format date."),
        ({"enum": ["a", 1, None]}, "b", "", "enum", "Must be one of a, 1 or null."),
        ({"enum": list(range(20))}, "b", "", "enum",
         "Must be one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 or 10 others."),
        ({"const": {"a": 1}}, "b", "", "const", 'Must be {"a": 1}.'),
        ({"uniqueItems": True}, [1, 1], "", "uniqueItems", "Must have no member twice."),
        ({"required": ["a/b"]}, {}, "/a~1b", "required", "Must have the member a/b."),
        ({"properties": {"a": False}}, {"a": 1}, "/a", "false", "Must not be there."),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"b": 1}, "", "additionalProperties",
         "Must have no members but a."),
        ({"items": {"type": "integer"}}, [1, "a"], "/1", "type", "Must be an integer."),
        ({"prefixItems": [{}, {"type": "null"}]}, [1, 1], "/1", "type", "Must be null."),
        ({"contains": {"type": "null"}}, [1], "", "contains",
         "Must have the right number of members that fit."),
        ({"not": {"type": "null"}}, None, "", "not", "Must not fit what it is not allowed to be."),
        ({"propertyNames": {"maxLength": 1}}, {"ab": 1}, "", "propertyNames",
         "Must have members with names that fit."),
        ({"oneOf": [{"minimum": 1}, {"minimum": 2}]}, 3, "", "oneOf",
         "Must fit only one of the alternatives, and fits several."),
        ({"properties": {"a": {}}, "unevaluatedProperties": False}, {"b": 1}, "", "unevaluatedProperties",
         "Must have no members but those that are declared."),
        ({"properties": {"a": {"unevaluatedItems": False, "allOf": [{}]}}}, {"a": [1]}, "/a",
         "unevaluatedItems", "Must have no members beyond those that are declared."),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, "", "dependentRequired",
         "Must have the members that go with each other."),
    ],
)  # fmt: skip
def test_every_keyword_has_a_sentence(
    schema: object, value: object, pointer: str, rule: str, detail: str
) -> None:
    """It says what is expected, in words that the document is the source of."""
    (violation,) = checker(schema).violations(value)
    assert (violation.location, *violation[1:]) == ("body", pointer, rule, detail)


def test_names_that_clients_made_up_are_not_repeated() -> None:
    """The pointer ends at the last value of which the document has the name."""
    schema = {
        "properties": {
            "tags": {"additionalProperties": {"properties": {"weight": {"maximum": 1}}, "required": ["id"]}}
        },
        "patternProperties": {"^x-": {"type": "string"}},
    }
    found = checker(schema).violations({"tags": {_SECRET: {"weight": 2}}, f"x-{_SECRET}": 1})
    assert [violation[1:] for violation in found] == [
        ("/tags", "maximum", "A member must be at most 1."),
        ("/tags", "required", "A member must have the member id."),
        ("", "type", "A member must be a string."),
    ]


@pytest.mark.parametrize("name", ["a", "b", "c", "d", "e", "f", "g", "h", "i"])
def test_no_value_comes_back(name: str) -> None:
    """Whatever is wrong with it: what was sent is a password as often as not."""
    schema = {
        "properties": {
            "a": {"enum": ["x"]}, "b": {"const": "x"}, "c": {"pattern": "^x$"}, "d": {"type": "integer"},
            "e": {"format": "uuid"}, "f": {"maxLength": 1}, "g": {"not": {"type": "string"}},
            "h": {"anyOf": [{"type": "integer"}, {"maxLength": 1}]}, "i": {"additionalProperties": False},
        }
    }  # fmt: skip
    value = {_SECRET: 1} if name == "i" else _SECRET
    found = checker(schema).violations({name: value})
    assert found
    assert _SECRET not in str(found)


def test_there_are_at_most_twenty() -> None:
    """Nobody mends more at once, and a hostile client gets no longer reply."""
    found = checker({"items": {"type": "integer"}}).violations(["a"] * 1000)
    assert [violation.pointer for violation in found] == [f"/{index}" for index in range(20)]


@pytest.mark.parametrize("union", ["anyOf", "oneOf"])
def test_the_nearest_alternative_is_explained(union: str) -> None:
    """One of another type was not meant, and one with another tag neither."""
    schema = {
        union: [
            {"type": "string"},
            {"type": "object", "properties": {"kind": {"const": "circle"}, "radius": {"minimum": 0}}},
            {"type": "object", "properties": {"kind": {"const": "square"}, "side": {"minimum": 0}}},
        ]
    }
    check = checker(schema)
    assert check.wrong({"kind": "square", "side": -1, "radius": -1}) == [("/side", "minimum")]
    assert check.wrong(1) == [("", "type")]
    assert check.details(1) == ["Must be a string or an object."]


@pytest.mark.parametrize("union", ["anyOf", "oneOf"])
def test_a_value_of_none_of_the_types_is_told_all_of_them(union: str) -> None:
    """What may be null is an alternative beside null in newer documents; that says nothing to a client."""
    check = checker({union: [{"type": "number", "minimum": 0}, {"type": "null"}]})
    assert check.details("a") == ["Must be a number or null."]
    assert check.details(-1) == ["Must be at least 0."]
    several = checker({union: [{"type": ["integer", "string"]}, {"type": "null"}, {"type": "integer"}]})
    assert several.details([]) == ["Must be an integer, a string or null."]


def test_schemas_that_lead_to_one_another_twice_take_no_time() -> None:
    """Each level would be explained twice as often as the one around it."""
    tree: dict[str, object] = {"$ref": "#/components/schemas/Tree"}
    twice = {"allOf": [{"type": "array", "items": tree}, {"type": "array", "items": tree, "minItems": 1}]}
    # The clock is looked at with each schema that is looked into.
    looks = count()
    validators, key = _timed({"Tree": twice}, "Tree", lambda: next(looks) * 1e-9)
    (violation,) = validators.check(key, _deep(24), "body")
    assert violation[1:3] == ("/0" * 24, "type")
    assert next(looks) < 24 * 10


def test_names_against_patterns_are_looked_at_so_long() -> None:
    """Two million comparisons are a second of CPU, for a reply that can do without them."""
    patterns = {f"^x{number}-[0-9]+$": {"type": "integer"} for number in range(20)}
    check = checker({"patternProperties": patterns, "additionalProperties": False})
    names = {f"x19-{number}": 1 for number in range(100_000)}
    begun = thread_time()
    assert not check.violations(names)
    judged = thread_time()
    assert check.violations({**names, "z": 1})
    # To see that something is wrong takes as long as to see that nothing is; then comes what to say of it.
    assert thread_time() - judged < judged - begun + 4 * explaining.MAX_SECONDS


def test_nested_alternatives_take_no_time() -> None:
    """A hundred bytes that do not fit would take the validator's own explanation minutes."""
    tree: dict[str, object] = {
        "Tree": {
            "anyOf": [
                {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
                {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}, "minItems": 1},
            ]
        }
    }
    check = checker({"$ref": "#/components/schemas/Tree"}, tree)
    begun = thread_time()
    assert check.violations(_deep(64))
    assert thread_time() - begun < 0.5


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"items": {"type": "object", "required": ["id"]}}, [{}] * 100_000),
        ({"items": {"properties": {"a": {"items": {"maxLength": 1}}}}}, [*_ROWS, {"a": ["bc"]}]),
        ({"additionalProperties": {"type": "string"}}, {f"n{number}": 1 for number in range(100_000)}),
    ],
)  # fmt: skip
def test_large_values_take_no_time(schema: object, value: Any) -> None:
    """The search for reasons ends after a while, with what it has found."""
    check = checker(schema)
    begun = thread_time()
    assert check.violations(value)
    assert thread_time() - begun < 1


def test_a_search_that_takes_too_long_still_says_where() -> None:
    """The last value that is known not to fit, when the time is up."""
    schemas: dict[str, object] = {
        "Page": {"properties": {"a": {"$ref": "#/components/schemas/List"}}},
        "List": {"items": {"properties": {"n": {"type": "integer"}}}},
    }
    ticks = count()
    hasty, key = _timed(schemas, "Page", lambda: next(ticks) * 0.01)
    (violation,) = hasty.check(key, {"a": [{"n": 1}] * 100 + [{"n": "x"}]}, "body")
    assert violation[1:] == ("/a", "schema", "Must fit its schema.")


@pytest.mark.parametrize("at", range(1, 12))
def test_a_garbage_collection_is_not_taken_for_a_long_search(at: int) -> None:
    """In a large process it takes longer than any explanation, wherever it falls."""
    schemas: dict[str, object] = {
        "Order": {
            "properties": {
                "item": {"type": "string", "minLength": 1},
                "payment": {"properties": {"number": {"pattern": "^[0-9]+$"}}},
            }
        }
    }
    looks = count()
    validators, key = _timed(schemas, "Order", lambda: float(next(looks) >= at))
    found = validators.check(key, {"item": "", "payment": {"number": "x"}}, "body")
    assert [one[1:3] for one in found] == [("/item", "minLength"), ("/payment/number", "pattern")]


def test_what_is_no_json_does_not_fit() -> None:
    """An app's own reader may make such a thing."""
    (violation,) = checker({"additionalProperties": False}).violations({1: 2})
    assert violation.rule == "syntax"


def test_a_document_of_too_many_schemas_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would keep the process from starting."""
    monkeypatch.setattr(definitions, "MAX_DEFINITIONS", 3)
    assert checker({"properties": {"a": {"items": {"properties": {}}}}}).fits({})
    with pytest.raises(DocumentError, match="a document with at most 3 schemas, found more"):
        checker({"properties": {str(number): {"items": {"properties": {}}} for number in range(9)}})


def test_validators_for_keywords_are_not_hoarded() -> None:
    """A document has more patterns than a process should keep for the worst of its clients."""
    properties = {f"p{number}": {"pattern": f"^{number}$"} for number in range(MAX_KEPT + 10)}
    check = checker({"properties": properties})
    for number in range(MAX_KEPT + 10):
        assert check.wrong({f"p{number}": "x"}) == [(f"/p{number}", "pattern")]


def test_what_the_validator_alone_minds_is_refused_too() -> None:
    """With the schema that it is in, and its own words for it."""
    with pytest.raises(DocumentError, match="has non-unique elements at dependentRequired/a") as caught:
        checker({"dependentRequired": {"a": ["b", "b"]}})
    assert caught.value.pointer.endswith("/application~1json/schema")


def test_numbers_may_be_large() -> None:
    """Larger than any that a machine counts with."""
    check = checker({"minimum": 10**400, "maxLength": 10**30})
    assert check.wrong(5) == [("", "minimum")]
    assert check.fits(10**400)
    assert check.fits("a")


def test_half_a_character_does_not_fit() -> None:
    """JSON can write one half of a surrogate pair, and no text of a reply can."""
    (violation,) = checker({"properties": {"a": {"pattern": "^a$"}}}).violations({"a": "\ud800"})
    assert violation.rule == "encoding"


def test_very_deep_values_do_no_harm() -> None:
    """They are refused before; what comes through by mistake is an answer and no crash."""
    tree: dict[str, object] = {"Tree": {"items": {"$ref": "#/components/schemas/Tree"}, "type": "array"}}
    assert checker({"$ref": "#/components/schemas/Tree"}, tree).violations(_deep(2_000))


@pytest.mark.parametrize(
    "pattern",
    [r"^(?=.*[A-Z]).+$", r"(a)\1", r"(?<!x)y", r"^.{1,1000000}$", r"\p{L}{90000}", r"(?<a>b)\k<a>"],
)
def test_a_pattern_that_is_not_linear_is_refused_with_its_place(pattern: str) -> None:
    """Before the first request, and not when a text takes a minute."""
    with pytest.raises(DocumentError, match="without lookaround and back-references") as caught:
        checker({"properties": {"a": {"pattern": pattern}}})
    assert caught.value.pointer.endswith("/schema/properties/a/pattern")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("[", "found '\\[': unterminated character set at character 1"),
        (r"\d(a", r"found '\\d\(a': missing \), unterminated subpattern at character 3"),
        ("a)", "unbalanced parenthesis at character 2"),
        ("*a", "nothing to repeat"),
        ("a{2,1}", "min repeat greater"),
        ("[z-a]", "bad character range"),
    ],
)
def test_a_pattern_that_is_none_is_told_what_is_wrong(pattern: str, message: str) -> None:
    """And nothing of what a right one must not have; the pattern is shown as it is written."""
    with pytest.raises(DocumentError, match=f"expected a regular expression, {message}|{message}") as caught:
        checker({"pattern": pattern})
    assert caught.value.expected == "a regular expression"


def test_a_pattern_of_property_names_is_refused_too() -> None:
    """It runs on names that clients choose."""
    with pytest.raises(DocumentError, match="without lookaround") as caught:
        checker({"patternProperties": {"(?=a)": {}}})
    assert caught.value.pointer.endswith("/patternProperties/(?=a)")


def test_the_other_engine_takes_them() -> None:
    """Who needs lookaround can have it; a text that costs too much does not match."""
    source = document({"type": "string", "pattern": r"^(?=.*[A-Z])(a|a|b)+$"})
    found = compiled(source, regexes="backtracking")
    (operation,) = found.operations
    assert operation.body is not None
    key = operation.body.content[0].schema
    assert found.requests.check(key, "a" * 10_000 + "!", "body")


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"^\d+$", "12", "١"),
        (r"^\<a\>$", "<a>", "a"),
        (r"^[\u0020-\uD7FF\uD800\uDC00-\uDBFF\uDFFF]+$", "a\U0001f600", "\u0001"),
        (r"^\\<$", "\\<", "<"),
        (r"^a$", "a", "a\n"),
    ],
)
def test_patterns_mean_what_javascript_means(pattern: str, good: str, bad: str) -> None:
    """OpenAPI's patterns are of ECMA-262, which differs from the engine's own."""
    check = checker({"pattern": pattern})
    assert check.fits(good)
    assert not check.fits(bad)


def test_one_schema_is_compiled_once() -> None:
    """Parameters repeat the same few schemas; a document with thousands has few definitions."""
    source = document()
    operation = source["paths"]["/pets"]["post"]
    operation["parameters"] = [
        {"name": f"p{number}", "in": "query", "schema": {"type": "string", "description": f"{number}"}}
        for number in range(10)
    ]
    (found,) = compiled(source).operations
    assert len({parameter.schema for parameter in found.parameters}) == 1
