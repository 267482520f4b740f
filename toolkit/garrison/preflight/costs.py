"""Costs that no quota bears."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from garrison.preflight.advice import Advice
from garrison.ratelimit.costs import parse_costs
from garrison.ratelimit.targets import of_stage, parse_targets
from garrison.rules import covers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.middleware.rate_limit import RateLimit
    from garrison.ratelimit.targets import Target
    from garrison.rules import Rule


def examine_costs(section: RateLimit) -> Iterator[Advice]:
    """Requests that cost more than a quota has, and are never served however long their clients wait.

    It is an error where it is so of every request that the rule is about, and a warning where it may be so of
    some of them.
    """
    targets = of_stage(parse_targets(section.limits), "client")
    for rule, cost in parse_costs(section.costs):
        if isinstance(cost, str):
            continue
        for target in targets:
            if not _meet(target.rule, rule):
                continue
            least = min(target.quotas, key=lambda quota: quota.limit, default=None)
            first = next(other for other in targets if _meet(other.rule, rule))
            if least is not None and cost > least.limit:
                every = target is first and covers(target.rule, rule) and _bounds_everybody(target, cost)
                which = "no" if every else "not every"
                yield Advice(
                    level="error" if every else "warning",
                    variable="GARRISON_RATE_LIMIT_COSTS",
                    text=f"{which} request for {rule.about} can ever be served: it takes {cost} units, and"
                    f" {least.name} for {target.rule.about} has {least.limit}. Lower the cost, or raise the"
                    " quota.",
                )
            if covers(target.rule, rule):
                # No target behind it is about any of these requests.
                break


def _bounds_everybody(target: Target, cost: int) -> bool:
    """Whether no request of a target can bear a cost: each has an address, and may lack all else."""
    return any(
        cost > quota.limit for grant in target.grants if grant.identity.is_address for quota in grant.quotas
    )


def _meet(one: Rule, other: Rule) -> bool:
    """Whether some request fits both rules."""
    if one.methods and other.methods and not one.methods & other.methods:
        return False
    one, other = replace(one, methods=frozenset()), replace(other, methods=frozenset())
    return covers(one, other) or covers(other, one)
