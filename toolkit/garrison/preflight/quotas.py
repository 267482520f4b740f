"""What quotas lack, and where they do nothing or are unsafe."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from garrison.preflight.advice import Advice
from garrison.preflight.costs import examine_costs
from garrison.ratelimit.costs import parse_costs
from garrison.ratelimit.targets import parse_targets
from garrison.rules import EVERYTHING, covers, parse_paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.middleware.rate_limit import RateLimit
    from garrison.stack import Settings


def examine_quotas(settings: Settings) -> Iterator[Advice]:
    """Where quotas do not hold, or count nobody."""
    section = settings.rate_limit
    if section is None:
        return
    yield from _examine_exceptions(section)
    yield from _examine_penalty(section)
    yield from examine_costs(section)
    if (section.limits or section.messages) and not section.is_shared and settings.server.workers > 1:
        yield Advice(
            level="error",
            variable="GARRISON_SERVER_WORKERS",
            text=f"each of {settings.server.workers} workers counts for itself, so that a client gets"
            f" {settings.server.workers} times its quota. Name a Valkey or Redis server in"
            " GARRISON_RATE_LIMIT_STORAGE, or run one worker.",
        )
    if section.needs_secret and settings.secret is None:
        yield Advice(
            level="error",
            variable="GARRISON_SECRET",
            text=f"it is missing. {section.needs_secret} `openssl rand -hex 32` makes one.",
        )
    elif section.is_shared and settings.secret is None:
        yield Advice(
            level="warning",
            variable="GARRISON_SECRET",
            text="it is missing. Without it Limit and LoginLimit cannot count accounts, keys and principals"
            " in GARRISON_RATE_LIMIT_STORAGE, and routes that do fail. `openssl rand -hex 32` makes one.",
        )
    for name in ("limits", "messages"):
        grants = [grant for target in parse_targets(getattr(section, name)) for grant in target.grants]
        if not verifies(settings) and any(grant.identity.stage == "principal" for grant in grants):
            yield Advice(
                level="error",
                variable=f"GARRISON_RATE_LIMIT_{name.upper()}",
                text="no layer of this stack verifies who asks, so that what is `by principal` counts nobody."
                " Let GARRISON_CONTRACT_DOCUMENT verify callers. Or take it away here, and put"
                " RateLimitMiddleware below the app's own authentication or garrison.Limit on its routes.",
            )


def verifies(settings: Settings) -> bool:
    """Whether a layer of the stack finds out who asks."""
    section = settings.contract
    return section is not None and bool(section.document) and section.verifies


def examine_absence(settings: Settings) -> Iterator[Advice]:
    """Whether there are quotas at all."""
    if settings.rate_limit is None or not settings.rate_limit.limits:
        yield Advice(
            level="warning",
            variable="GARRISON_RATE_LIMIT_LIMITS",
            text="no client is limited. Set a quota such as 100/minute"
            + (
                "."
                if settings.proxy and settings.proxy.trusts_somebody
                else ", once GARRISON_PROXY_TRUSTED names the proxies in front of this app."
            ),
        )


def _examine_exceptions(section: RateLimit) -> Iterator[Advice]:
    """Exceptions from quotas that leave none of them, or that there are no quotas for."""
    if section.limits:
        free = [rule for rule, cost in parse_costs(section.costs) if cost == 0]
        everybody = any(network.prefixlen == 0 for network in section.exempt_clients)
        for name, is_all in (
            ("exempt", any(covers(rule, EVERYTHING) for rule in parse_paths(section.exempt, "/livez"))),
            ("exempt_clients", everybody),
            ("costs", any(covers(rule, EVERYTHING) for rule in free)),
        ):
            if is_all:
                yield Advice(
                    level="warning",
                    variable=f"GARRISON_RATE_LIMIT_{name.upper()}",
                    text="it is about every request, so that none is counted and GARRISON_RATE_LIMIT_LIMITS"
                    " does nothing. Name what is not to be counted only.",
                )
        return
    for name in ("costs", "refunds"):
        if getattr(section, name):
            yield Advice(
                level="warning",
                variable=f"GARRISON_RATE_LIMIT_{name.upper()}",
                text="no request is counted while GARRISON_RATE_LIMIT_LIMITS is empty. Set a quota there,"
                " such as 100/minute, or take this away.",
            )


def _examine_penalty(section: RateLimit) -> Iterator[Advice]:
    """What is said about penalties that nobody can get."""
    if section.penalty is not None and not (section.limits or section.messages):
        yield Advice(
            level="warning",
            variable="GARRISON_RATE_LIMIT_PENALTY",
            text="nobody is refused, and so nobody blocked, while GARRISON_RATE_LIMIT_LIMITS is empty. Set a"
            " quota there, such as 100/minute, or take this away.",
        )
    usual = next(field.default for field in fields(section) if field.name == "penalty_after")
    if section.penalty is None and section.penalty_after != usual:
        yield Advice(
            level="warning",
            variable="GARRISON_RATE_LIMIT_PENALTY_AFTER",
            text="nobody is blocked while GARRISON_RATE_LIMIT_PENALTY is not set. Say there for how long,"
            " such as 10m, or take this away.",
        )
