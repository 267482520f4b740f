"""Which quotas go with which requests, read from the notation for rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from garrison.ratelimit.quota import Algorithm, Quota, parse_quotas
from garrison.rules import NotationError, Rule, grouped, parse_rules

IDENTITIES: Final = frozenset({"", "address"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Requests that share their quotas.

    Attributes:
        rule: says which requests; its value is that of the first quota.
        quotas: what counts for them, all at once.
    """

    rule: Rule
    quotas: tuple[Quota, ...]


def parse_targets(text: str, algorithm: Algorithm = "token-bucket") -> tuple[Target, ...]:
    """Read a setting such as `POST /login: 5/minute by address; 100/minute; 1000/hour`.

    Args:
        text: rules whose values are quotas; the rules of one target stand together for one client.
        algorithm: how all of them are counted.

    Raises:
        NotationError: with what is expected, and the part that does not fit.
    """
    found = []
    for group in grouped(parse_rules(text)):
        for rule in group:
            if rule.identity not in IDENTITIES:
                raise NotationError("quotas by address", f"by {rule.identity}")
        quotas = tuple(quota for rule in group for quota in parse_quotas(rule.value, algorithm))
        found.append(Target(rule=group[0], quotas=quotas))
    return tuple(found)
