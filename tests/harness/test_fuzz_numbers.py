"""The numbers that programs forget are tried in every place that takes numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from garrison_harness.checks.inputs import query_names
from garrison_harness.discovery.document import routes_of
from tests.harness.recordings import SITE, check_named, page, rehearsed

NULLABLE = {"anyOf": [{"type": "integer"}, {"type": "null"}]}
LISTED = {"type": ["number", "null"]}


def parameter(name: str, schema: object, place: str = "query") -> dict[str, Any]:
    """A parameter with its schema."""
    return {"name": name, "in": place, "required": place == "path", "schema": schema}


DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Sums", "version": "1"},
    "paths": {
        "/orders/{number}": {"get": {"parameters": [parameter("number", {"type": "integer"}, "path")]}},
        "/names/{name}": {"get": {"parameters": [parameter("name", {"type": "string"}, "path")]}},
        "/part": {
            "get": {
                "parameters": [
                    parameter("of", {"type": "integer", "minimum": 1}),
                    parameter("by", NULLABLE),
                    parameter("more", LISTED),
                    parameter("note", {"type": "string"}),
                ]
            }
        },
    },
}
SUMS = replace(SITE, document=DOCUMENT, routes=routes_of(DOCUMENT))


def asked() -> dict[str, str]:
    """What the check asks, by label."""
    exchanges = rehearsed(check_named("E6"), {}, page(), SUMS).exchanges
    return {label: exchange.request.target for label, exchange in exchanges.items()}


def test_zero_is_tried_where_a_number_is_declared_and_nowhere_else() -> None:
    """Whether it may be null beside that or not; in a name it is a text like others."""
    zeros = {target for label, target in asked().items() if " zero " in label}

    assert zeros == {"/orders/0", "/part?of=0", "/part?by=0", "/part?more=0"}


@pytest.mark.parametrize("value", ["0", "-1"])
def test_the_numbers_come_before_what_the_bound_cuts_off(value: str) -> None:
    """Among the first four values of a place, so that forty operations are tried with both."""
    targets = [target for target in asked().values() if target.startswith("/orders/")]

    assert f"/orders/{value}" in targets[:5]


def test_a_type_in_a_list_is_a_type() -> None:
    """As OpenAPI 3.1 has it, where a value may be null too."""
    route = next(route for route in SUMS.routes if route.template == "/part")

    assert "more" not in query_names(route, SUMS, ())
    assert "note" in query_names(route, SUMS, ())
