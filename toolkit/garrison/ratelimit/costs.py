"""What a request costs, and when it costs nothing after all: two notations of rules."""

from __future__ import annotations

import re
from typing import Final

from garrison.callables import is_import_string
from garrison.rules import NotationError, Rule, parse_rules

COST: Final = re.compile(r"[0-9]{1,9}")
STATUS: Final = re.compile(r"(?P<hundred>[1-5])xx|(?P<first>[1-5][0-9]{2})(-(?P<last>[1-5][0-9]{2}))?")

EXPECTED: Final = "status codes such as 'POST /login: 2xx|303' or '/api/*: 200-399'"


def parse_costs(text: str) -> tuple[tuple[Rule, int | str], ...]:
    """Read a setting such as `POST /export: 10; /graphql: shop.limits:cost`.

    Args:
        text: rules whose values are units, or callables that give them.

    Returns:
        Each rule with its units, or with the import string of its callable.

    Raises:
        NotationError: with the rule that does not fit.
    """
    found: list[tuple[Rule, int | str]] = []
    for rule in parse_rules(text):
        if rule.identity or not (COST.fullmatch(rule.value) or is_import_string(rule.value)):
            raise NotationError(
                "units such as 'POST /export: 10', 0 for nothing, or a callable such as shop.limits:cost",
                rule.value + (f" by {rule.identity}" if rule.identity else ""),
            )
        found.append((rule, rule.value if ":" in rule.value else int(rule.value)))
    return tuple(found)


def parse_refunds(text: str) -> tuple[tuple[Rule, frozenset[int]], ...]:
    """Read a setting such as `POST /login: 2xx|303`.

    Args:
        text: rules whose values are status codes, classes or ranges of them, joined by `|`.

    Returns:
        Each rule with its status codes.

    Raises:
        NotationError: with the rule that does not fit.
    """
    return tuple((rule, _statuses(rule)) for rule in parse_rules(text))


def _statuses(rule: Rule) -> frozenset[int]:
    found: set[int] = set()
    for part in rule.value.split("|"):
        match = STATUS.fullmatch(part.strip())
        if match is None or rule.identity:
            raise NotationError(EXPECTED, rule.value)
        if match["hundred"]:
            found.update(range(int(match["hundred"]) * 100, int(match["hundred"]) * 100 + 100))
        else:
            found.update(range(int(match["first"]), int(match["last"] or match["first"]) + 1))
    if not found:
        raise NotationError("status codes from the lower to the higher, such as 200-399", rule.value)
    return frozenset(found)
