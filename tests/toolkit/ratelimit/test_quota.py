"""Quotas as people write them."""

from __future__ import annotations

import pytest

from garrison.ratelimit.quota import parse_quotas
from garrison.ratelimit.targets import parse_targets


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100/minute", [("100-per-minute", 100, 60.0)]),
        ("5 per 10 seconds", [("5-per-10-seconds", 5, 10.0)]),
        ("1/day; 2/hour", [("1-per-day", 1, 86400.0), ("2-per-hour", 2, 3600.0)]),
    ],
)
def test_quotas_are_read_as_limits_writes_them(text: str, expected: list[tuple[str, int, float]]) -> None:
    """The notation is that of the `limits` package, and names say what is in them."""
    assert [(quota.name, quota.limit, quota.period) for quota in parse_quotas(text)] == expected


@pytest.mark.parametrize("text", ["", "many", "0/minute", "5/fortnight", "5", "-1/second"])
def test_what_is_no_quota_is_refused_with_an_example(text: str) -> None:
    """A quota that could never admit anything, or that nobody can read, is an error."""
    with pytest.raises(ValueError, match="a quota such as 100/minute"):
        parse_quotas(text)


def test_quotas_are_counted_as_asked_for() -> None:
    """The algorithm is the same for all quotas of a text, and the token bucket unless another is named."""
    assert [quota.algorithm for quota in parse_quotas("1/day; 2/hour", "fixed-window")] == [
        "fixed-window"
    ] * 2
    assert [quota.algorithm for quota in parse_quotas("1/day")] == ["token-bucket"]


def test_rules_for_one_target_stand_together() -> None:
    """Two rules for the login are two quotas of one target, in front of the general one."""
    login, rest = parse_targets("POST /login: 5/minute by address; 100/minute; POST /login: 20/hour")
    assert [quota.name for quota in login.quotas] == ["5-per-minute", "20-per-hour"]
    assert [quota.name for quota in rest.quotas] == ["100-per-minute"]
    assert login.rule.applies("POST", "/login")
    assert not login.rule.applies("GET", "/login")


def test_an_identity_that_is_not_known_is_refused() -> None:
    """A quota by something that nobody resolves must not silently become one by address."""
    with pytest.raises(ValueError, match="by address, not 'by moon'"):
        parse_targets("5/minute by moon")
