"""Rules that are never reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.headers.override import parse_overrides
from garrison.preflight.advice import Advice
from garrison.ratelimit.costs import parse_costs, parse_refunds
from garrison.ratelimit.targets import of_stage, parse_targets
from garrison.rules import covers
from garrison.shedding.priorities import read_priorities

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.rules import Rule
    from garrison.stack import Settings


def examine_order(settings: Settings) -> Iterator[Advice]:
    """Rules behind a rule that fits whatever they are about."""
    listed: dict[str, list[Rule]] = {}
    if settings.security_headers is not None:
        overrides = parse_overrides(settings.security_headers.rules)
        listed["GARRISON_SECURITY_HEADERS_RULES"] = [rule for rule, _ in overrides]
    if settings.overload is not None:
        priorities = read_priorities(settings.overload.priorities)
        listed["GARRISON_OVERLOAD_PRIORITIES"] = [rule for rule, _ in priorities]
    section = settings.rate_limit
    if section is not None:
        for name in ("limits", "messages"):
            # Those by principal are looked through by themselves, and are an error in this stack.
            targets = of_stage(parse_targets(getattr(section, name)), "client")
            listed[f"GARRISON_RATE_LIMIT_{name.upper()}"] = [target.rule for target in targets]
        listed["GARRISON_RATE_LIMIT_COSTS"] = [rule for rule, _ in parse_costs(section.costs)]
        listed["GARRISON_RATE_LIMIT_REFUNDS"] = [rule for rule, _ in parse_refunds(section.refunds)]
    for variable, rules in listed.items():
        for place, later in enumerate(rules):
            earlier = next((rule for rule in rules[:place] if covers(rule, later)), None)
            if earlier is not None:
                yield Advice(
                    level="warning",
                    variable=variable,
                    text=f"the rule for {later.about} is never reached, because the one for"
                    f" {earlier.about} in front of it counts. Put it in front, or take it away.",
                )
