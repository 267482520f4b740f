"""Where words of ours go in a request, and which routes are asked at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from garrison_harness.checks.inputs import (
    anonymous,
    parameters,
    query_names,
    read_routes,
    with_path,
    with_query,
)
from garrison_harness.discovery.document import routes_of
from garrison_harness.route import Route
from garrison_harness.site import Site

FINE = {"200": {"description": "Fine", "content": {"application/json": {}}}}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "components": {
        "securitySchemes": {"till": {"type": "apiKey", "in": "header", "name": "X-Till"}},
        "parameters": {"Words": {"name": "q", "in": "query", "schema": {"type": "string"}}},
    },
    "paths": {
        "/größe/{name}": {
            "parameters": [{"$ref": "#/components/parameters/Words"}],
            "get": {
                "parameters": [
                    {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}},
                    {"name": "limit", "in": "query", "schema": {"type": "integer"}},
                ],
                "responses": FINE,
            },
        },
        "/feed": {"get": {"responses": {"200": {"description": "", "content": {"text/event-stream": {}}}}}},
        "/logout": {"get": {"responses": FINE}},
        "/items": {"post": {"responses": FINE}},
    },
}
SITE = Site(authority="a", canary="c", document=DOCUMENT, routes=routes_of(DOCUMENT))
SIZES = SITE.routes[0]


def test_only_routes_that_can_be_read_are_asked() -> None:
    """Neither what ends a login nor what never ends is asked, nor what writes; the page comes first."""
    assert [route.template for route in read_routes(SITE, 9)] == ["/", "/größe/{name}"]
    assert len(read_routes(SITE, 1)) == 1


def test_what_a_route_declares_is_all_there_is() -> None:
    """Parameters of the whole path count, numbers take no text, and nothing is guessed."""
    assert [found["name"] for found in parameters(SIZES, SITE)] == ["name", "limit", "q"]
    assert query_names(SIZES, SITE, ("next",)) == ["q"]


def test_what_nobody_declares_is_guessed() -> None:
    """The names that a link has come first."""
    linked = Route(method="GET", template="/find", target="/find?term=a&next=b", source="crawl")

    assert query_names(linked, SITE, ("next", "url")) == ["term", "next", "url"]


@pytest.mark.parametrize(
    ("target", "names", "made"),
    [
        ("/a", ["q"], "/a?q=%00"),
        ("/a?q=1&b=2", ["q"], "/a?b=2&q=%00"),
        ("/a?b=2", ["größe[x]"], "/a?b=2&gr%C3%B6%C3%9Fe[x]=%00"),
    ],
)
def test_a_value_takes_the_place_of_what_was_there(target: str, names: list[str], made: str) -> None:
    """Other parameters stay as they are, and every name can be sent."""
    assert with_query(target, names, "%00") == made


def test_a_path_can_be_sent_whatever_its_template_is() -> None:
    """What is no ASCII is percent-encoded, and the value is sent as it is given."""
    assert SIZES.target == "/gr%C3%B6%C3%9Fe/text"
    assert with_path(SIZES, "%2e%2e") == "/gr%C3%B6%C3%9Fe/%2e%2e"
    assert with_path(replace(SIZES, template="/a"), "b") is None


def test_a_stranger_has_nothing_that_says_who_it_is() -> None:
    """The usual headers and those that a scheme names are left out, and others stay."""
    lines = (("Authorization", "Bearer a"), ("Cookie", "b"), ("X-Till", "c"), ("Accept-Language", "de"))
    site = replace(SITE, headers=lines)

    assert anonymous(site) == [("Authorization", ""), ("Cookie", ""), ("X-Till", "")]
    assert b"Bearer" not in site.head("GET", "/", anonymous(site))
