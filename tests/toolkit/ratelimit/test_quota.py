"""Quotas as people write them."""

from __future__ import annotations

import pytest

from garrison.ratelimit.quota import parse_quotas
from garrison.ratelimit.targets import parse_targets
from garrison.rules import NotationError


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


@pytest.mark.parametrize("parted", ["1/day; 2/hour", "1/day|2/hour", "1/day , 2/hour"])
def test_quotas_are_parted_as_limits_parts_them(parted: str) -> None:
    """A text that the `limits` package takes apart is taken apart in the same places."""
    assert [quota.name for quota in parse_quotas(parted)] == ["1-per-day", "2-per-hour"]


@pytest.mark.parametrize(
    "text", ["", "many", "5/fortnight", "5", "-1/second", "1/second;", "1/second:;2/second", "1/second as"]
)
def test_what_is_no_quota_is_refused_with_an_example(text: str) -> None:
    """A quota that nobody can read is an error, wherever in the text it is."""
    with pytest.raises(NotationError, match="a quota such as 100/minute"):
        parse_quotas(text)


@pytest.mark.parametrize(
    "text",
    [
        "0/minute",
        "5/0 minutes",
        "5 per 00 Hours",
        "1000000000000000/minute",
        "5/101 years",
        f"5/{10**400} seconds",
    ],
)
def test_a_quota_that_cannot_be_counted_is_refused(text: str) -> None:
    """A quota that admits nothing, or whose numbers do not fit a header or a server, says its bounds."""
    with pytest.raises(NotationError, match="of 1 to 999999999999999 in at most 100 years"):
        parse_quotas(text)


@pytest.mark.parametrize("text", ["999999999999999/100 years", "1/second"])
def test_the_bounds_of_a_quota_are_within(text: str) -> None:
    """The largest and the shortest quota are read like every other one."""
    assert len(parse_quotas(text)) == 1


def test_a_quota_can_have_a_name() -> None:
    """What stands behind `as` is the name that headers and problems use, and other quotas keep theirs."""
    burst, rest = parse_quotas("100/minute as Burst_1.a-b ; 1000/hour")
    assert (burst.name, burst.limit, burst.period) == ("Burst_1.a-b", 100, 60.0)
    assert rest.name == "1000-per-hour"


@pytest.mark.parametrize("name", [" ", "two words", 'quo"te', "a/b", "ä", "x" * 65])
def test_a_name_that_no_header_or_key_can_hold_is_refused(name: str) -> None:
    """Blanks, quotes and the like in a name, or one that is too long, are an error with an example."""
    with pytest.raises(NotationError, match=r"a name of at most 64 .* such as '100/minute as burst'"):
        parse_quotas(f"5/minute as {name}")
    assert parse_quotas(f"5/minute as {'x' * 64}")[0].name == "x" * 64


@pytest.mark.parametrize(
    "text", ["5/minute as a; 6/minute as a", "5/minute; 6/hour as 5-per-minute", "5/minute; 5/minute"]
)
def test_no_name_comes_twice(text: str) -> None:
    """Two quotas of one name could not be told apart by a client, so that one of them needs another."""
    with pytest.raises(NotationError, match=r"each name once, such as .*, not '[a5][a-z0-9-]* twice'"):
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
    with pytest.raises(ValueError, match=r"quotas by address, .* not 'by moon'"):
        parse_targets("5/minute by moon")
