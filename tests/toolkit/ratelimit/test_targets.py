"""Which quotas go with which requests."""

from __future__ import annotations

import pytest

from garrison.ratelimit.targets import Target, of_stage, parse_targets
from garrison.rules import NotationError


def shown(targets: tuple[Target, ...]) -> list[tuple[str, list[tuple[str, list[str], str]]]]:
    """Each target with its grants: identity, names of the quotas, callable."""
    return [
        (
            target.rule.about,
            [
                (grant.identity.text, [quota.name for quota in grant.quotas], grant.tenants)
                for grant in target.grants
            ],
        )
        for target in targets
    ]


def test_rules_of_one_target_stand_together() -> None:
    """Quotas of one path and method count at once, wherever they are written, one grant for each identity."""
    found = parse_targets(
        "POST /login: 5/minute; 100/minute; POST /login: 9/hour by address; 9/hour by header:x-a; 1000/day"
    )
    assert shown(found) == [
        ("POST /login", [("address", ["5-per-minute", "9-per-hour"], "")]),
        ("everything", [
            ("address", ["100-per-minute", "1000-per-day"], ""),
            ("header:x-a", ["9-per-hour-by-x-a"], ""),
        ]),
    ]  # fmt: skip
    assert [quota.name for quota in found[0].quotas] == ["5-per-minute", "9-per-hour"]


def test_callables_come_last() -> None:
    """Whatever a callable gives is asked for after what is known, in the order of the setting."""
    found = parse_targets("shop:plan by principal; shop:other; 5/minute")
    assert shown(found) == [
        ("everything", [
            ("address", ["5-per-minute"], ""), ("principal", [], "shop:plan"), ("address", [], "shop:other"),
        ]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("5/minute; 5/minute by principal", ["5-per-minute", "5-per-minute-by-principal"]),
        ("5/minute by address+principal", ["5-per-minute-by-address-principal"]),
        ("5/minute by shop.limits:tenant_of", ["5-per-minute-by-tenant-of"]),
        ("5/minute by shop:ключ", ["5-per-minute-by--"]),
        ("5/minute as burst by principal", ["burst"]),
        ("5/minute; 9/hour as slow; 9/hour as other by principal", ["5-per-minute", "slow", "other"]),
    ],
)
def test_names_tell_quotas_apart(text: str, names: list[str]) -> None:
    """What a quota is called says whom it counts, unless it has a name of its own; headers can hold it."""
    (target,) = parse_targets(text)
    assert [quota.name for quota in target.quotas] == names
    assert all(name.isascii() for name in names)


@pytest.mark.parametrize(
    ("text", "expected", "found"),
    [
        ("5/minute; 6/minute as 5-per-minute", "each name once for everything", "5-per-minute twice"),
        ("/a: 5/minute; /a: 5/minute", "each name once for /a", "5-per-minute twice"),
        ("5/minute as x; 5/minute as x by principal", "each name once for everything", "x twice"),
        ("shop:plan; shop:plan", "each callable once for everything", "shop:plan"),
        ("/a: shop:plan by principal; /a: shop:plan by principal", "each callable once for /a", "shop:plan"),
    ],
)
def test_nothing_counts_twice(text: str, expected: str, found: str) -> None:
    """Two quotas that nobody could tell apart are an error, whichever way they came about."""
    with pytest.raises(NotationError) as error:
        parse_targets(text)
    assert error.value.expected.startswith(expected)
    assert error.value.found == found


def test_the_same_callable_for_two_identities() -> None:
    """A callable may say what a user may use and what a tenant may use."""
    (target,) = parse_targets("shop:plan by principal; shop:plan by shop:tenant; /a: shop:plan")[:1]
    assert len(target.grants) == 2


def test_a_stage_has_its_own_targets() -> None:
    """What needs somebody to be authenticated is told from the rest; a target can be in both."""
    targets = parse_targets(
        "POST /x: 1/minute by principal; /y: 5/minute; /y: 2/minute by principal; 9/minute"
    )
    assert [target.rule.about for target in of_stage(targets, "client")] == ["/y", "everything"]
    later = of_stage(targets, "principal")
    assert shown(later) == [
        ("POST /x", [("principal", ["1-per-minute-by-principal"], "")]),
        ("/y", [("principal", ["2-per-minute-by-principal"], "")]),
    ]


def test_every_quota_has_the_algorithm() -> None:
    """The algorithm of the setting is that of every quota."""
    targets = parse_targets("/a: 5/minute; 9/hour as x by principal", "fixed-window")
    assert {quota.algorithm for target in targets for quota in target.quotas} == {"fixed-window"}
