"""The notations of costs and refunds."""

from __future__ import annotations

import pytest

from garrison.ratelimit.costs import parse_costs, parse_refunds
from garrison.rules import NotationError


def test_costs_are_units_or_callables() -> None:
    """Each rule has a number, 0 among them, or an import string, in the order of the setting."""
    found = parse_costs("POST /export: 10; /graphql: shop.limits:cost; 0")
    assert [(rule.about, cost) for rule, cost in found] == [
        ("POST /export", 10), ("/graphql", "shop.limits:cost"), ("everything", 0),
    ]  # fmt: skip
    assert parse_costs("") == ()


@pytest.mark.parametrize("value", ["-1", "1.5", "ten", "1e3", "1234567890", "٣", "shop:", "1 by address"])
def test_what_is_no_cost(value: str) -> None:
    """Negative, broken and endless numbers are refused, and what has somebody behind it."""
    with pytest.raises(NotationError, match=r"units such as 'POST /export: 10', 0 for nothing") as error:
        parse_costs(f"/x: {value}")
    assert error.value.found == value


@pytest.mark.parametrize(
    ("value", "statuses"),
    [
        ("200", {200}),
        ("2xx", set(range(200, 300))),
        ("2xx|303", {*range(200, 300), 303}),
        ("200-202 | 404", {200, 201, 202, 404}),
        ("399-401|400", {399, 400, 401}),
        ("101", {101}),
    ],
)
def test_refunds_are_status_codes(value: str, statuses: set[int]) -> None:
    """Codes, classes and ranges of them, joined by a bar."""
    ((rule, found),) = parse_refunds(f"POST /login: {value}")
    assert rule.about == "POST /login"
    assert set(found) == statuses


@pytest.mark.parametrize(
    "value", ["ok", "20", "2000", "600", "6xx", "099", "2xx|", "2xx,303", "300-200", "200-", "2xx by address"]
)
def test_what_is_no_status(value: str) -> None:
    """What no reply can have is refused, and a range from the higher to the lower."""
    with pytest.raises(NotationError, match="status codes"):
        parse_refunds(f"/x: {value}")
