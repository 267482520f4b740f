"""Origins in settings, and the patterns among them."""

from __future__ import annotations

import pytest

from garrison.origins.origin import Origins, is_listable, is_plain


@pytest.mark.parametrize(
    "text",
    [
        "https://*.shop.example",
        "https://*.shop.example:8443",
        "http://*.localhost:3000",
        "https://*.xn--bcher-kva.example",
        "app://*.shop.example",
    ],
)
def test_one_label_can_be_left_open(text: str) -> None:
    """The first label of a host may be a star, whatever scheme and port stand around it."""
    assert is_listable(text)


@pytest.mark.parametrize(
    "text",
    [
        "*://app.shop.example",
        "https://*",
        "https://*.example",
        "https://*.localhost.",
        "https://*.*.shop.example",
        "https://app.*.example",
        "https://app-*.shop.example",
        "https://*shop.example",
        "https://*.shop.example:*",
        "https://*.shop.example:443",
        "https://*.shop.example/",
        "https://*.Shop.example",
        "https://*.0.0.1",
        "https://*.[::1]",
        "*.shop.example",
    ],
)
def test_nothing_else_can(text: str) -> None:
    """A star for a scheme, a port, a part of a label or everything below a top level domain is refused."""
    assert not is_listable(text)


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://app.shop.example", True),
        ("https://pr-12_x.shop.example", True),
        ("https://other.example", True),
        ("https://shop.example", False),
        ("https://a.app.shop.example", False),
        ("https://.shop.example", False),
        ("http://app.shop.example", False),
        ("https://app.shop.example:8443", False),
        ("https://evilshop.example", False),
        ("https://app.shop.example.evil.example", False),
        ("https://app.shopXexample", False),
        ("https://app.shop.example\n", False),
        ("https://evil.example/.shop.example", False),
        ("https://evil.example#.shop.example", False),
        ("https://user@app.shop.example", False),
        ("https://APP.shop.example", False),
        ("https://*.shop.example", False),
        ("null", False),
        ("", False),
    ],
)
def test_a_pattern_is_one_label_below_its_name(origin: str, *, expected: bool) -> None:
    """Neither the name itself nor what is deeper, nor what only looks like it, is among them."""
    assert (origin in Origins(["https://*.shop.example", "https://other.example"])) is expected


def test_a_list_without_patterns_has_none() -> None:
    """Most lists are written out, and then nothing has to be matched."""
    origins = Origins(["https://other.example"])
    assert origins.pattern is None
    assert "https://app.other.example" not in origins


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://app.example", False),
        ("http://app.example", True),
        ("http://*.app.example", True),
        ("http://localhost:3000", False),
        ("http://*.localhost:3000", False),
        ("http://[::1]:3000", False),
        ("http://127.0.0.1", False),
        ("http://localhost.evil.example", True),
    ],
)
def test_what_travels_unprotected_is_told(text: str, *, expected: bool) -> None:
    """An http origin is anybody's on the network, unless it never leaves the machine."""
    assert is_plain(text) is expected
