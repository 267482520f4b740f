"""What a proof asks: which checks with every layer on, which without one, and of what."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from garrison_harness.checks.catalogue import CATALOGUE
from garrison_harness.proving import planted
from garrison_harness.proving.plan import HOST, MAX_BODY, SLOW_LIMIT
from garrison_harness.site import Need, Site

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison_harness.checks.check import Check
    from garrison_harness.proving.plan import Plan


# What takes its time, or an audit of its own.
_COSTLY: Final = frozenset({Need.SLOW_PATH, Need.HTTPS})


def checks_for(plan: Plan, checks: Sequence[Check]) -> list[Check]:
    """The checks to ask with every layer on: those that name one, and others that take no time.

    Args:
        plan: Has the layers.
        checks: To choose from.
    """
    layers = set(plan.layers)
    return [
        check for check in checks if layers.intersection(check.layers) or not (_waits(check) or check.alone)
    ]


def narrowed(plan: Plan, checks: Sequence[Check]) -> Plan:
    """The plan in which a layer is idle whose checks were all left out; one that has none is not.

    Args:
        plan: Has the layers.
        checks: That were chosen.
    """
    lost = [layer for layer in plan.active if not _named(layer, checks) and _named(layer, CATALOGUE)]
    why = "--select and --ignore leave no check that names it"
    return replace(plan, idle={**plan.idle, **dict.fromkeys(lost, why)})


def _named(layer: str, checks: Sequence[Check]) -> bool:
    return any(layer in check.layers for check in checks)


def checks_without(layer: str, plan: Plan, checks: Sequence[Check]) -> list[Check]:
    """The checks to ask without a layer: those that name it, and others that take no time.

    Args:
        layer: As in `RATE_LIMIT`.
        plan: Has the layers.
        checks: To choose from.
    """
    return [check for check in checks_for(plan, checks) if layer in check.layers or not _waits(check)]


def _waits(check: Check) -> bool:
    return check.patient or check.instance or bool(_COSTLY & set(check.needs))


def planted_site(plan: Plan, canary: str) -> Site:
    """What is known of the planted routes.

    Args:
        plan: Has the settings that they are served with.
        canary: A word that occurs nowhere by itself.
    """
    return Site(
        authority=plan.host,
        canary=canary,
        path=planted.PAGE,
        body_path=planted.BODY,
        error_path=planted.RAISE,
        slow_path=planted.SLEEP,
        slow_limit=SLOW_LIMIT,
        quota=plan.quota,
        time_limit=plan.time_limit,
        concurrency=plan.concurrency,
        max_body=MAX_BODY,
        routes=planted.planted_routes(declared=plan.contract),
        document=planted.DOCUMENT if plan.contract else None,
    )


def behind_https(site: Site, number: int) -> Site:
    """The same routes, as a proxy on this machine asks for them that speaks https to its clients.

    Args:
        site: As it is over plain http.
        number: Tells the clients of that proxy from one another, because each has a quota.
    """
    told = (
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-For", f"198.51.100.{number}"),
        ("Forwarded", f"for=198.51.100.{number};proto=https"),
    )
    # Browsers are told of https for hosts that have a name.
    authority = site.authority if site.has_public_name else HOST
    return replace(site, authority=authority, https=True, addresses=False, headers=told)
