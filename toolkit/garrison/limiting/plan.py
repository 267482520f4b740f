"""What a layer asks of which request: targets, costs and refunds, ready for the first request."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from garrison.callables import imported
from garrison.limiting.counting import words_of
from garrison.limiting.who import Who
from garrison.ratelimit.client import network_of
from garrison.ratelimit.identity import Identity
from garrison.ratelimit.quota import Part
from garrison.ratelimit.tenants import TenantQuotas
from garrison.spellings import first_fits, widened

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import HTTPConnection

    from garrison.asgi import Scope
    from garrison.context import RequestContext
    from garrison.limiting.limiter import Limiter, Ruling
    from garrison.ratelimit.quota import Algorithm, Quota
    from garrison.ratelimit.targets import Grant, Target
    from garrison.rules import Rule

T = TypeVar("T")

# A page sends one preflight for a request at most, and other clients behind its address send some too.
PREFLIGHTS: Final = 10
# What a request costs that no rule is about: units, and no callable.
ONE_UNIT: Final = 1, None


class Bucket:
    """What requests of one target take from the quotas of one identity.

    Args:
        target: which requests.
        grant: whose quotas, and which.
        secret: keys the hashes of values that are no address.
        algorithm: of all quotas.
        setting: where it is written, for errors.
        prefix: tells kinds of requests apart that have the same rules.

    Attributes:
        quotas: those that are known before there is a request.
        tenants: those that a callable gives.
        has_address: whether somebody at another address has a quota of his own.
        label: what the keys begin with.
        who: reads the identity; None where it is the address and nothing else.
    """

    def __init__(
        self,
        target: Target,
        grant: Grant,
        secret: bytes,
        algorithm: Algorithm,
        setting: str,
        prefix: str = "",
    ) -> None:
        self.quotas = grant.quotas
        self.tenants = (
            TenantQuotas(imported(grant.tenants, setting), algorithm, setting=setting)
            if grant.tenants
            else None
        )
        self.has_address = grant.identity.has_address
        self.label = label_of(target.rule, grant, prefix)
        self.who = None if grant.identity.is_address else Who(grant.identity, secret, setting)

    async def all_values(self, scope: Scope, context: RequestContext) -> tuple[tuple[str, ...], ...]:
        """Whoever the request may be from, each of whom is counted; see `Who.all_values`."""
        if self.who is None:
            return ((network_of(context.client),),)
        return await self.who.all_values(scope, context)

    def key(self, values: tuple[str, ...]) -> str:
        """The key of who asks."""
        return f"{self.label} {values[0] if self.who is None else self.who.written(values)}"


class Plan:
    """What requests of one target are asked for.

    Args:
        buckets: at least one.

    Attributes:
        quick: label and quotas, where there is nothing but quotas of addresses; else None.
    """

    def __init__(self, buckets: tuple[Bucket, ...]) -> None:
        self._fixed = tuple(bucket for bucket in buckets if bucket.tenants is None)
        self._tenants = tuple(bucket for bucket in buckets if bucket.tenants is not None)
        only = buckets[0]
        plain = len(buckets) == 1 and only.tenants is None and only.who is None
        self.quick: tuple[str, tuple[Quota, ...]] | None = (only.label, only.quotas) if plain else None

    def and_also(self, other: Plan) -> Plan:
        """This plan and another one about the same request."""
        return Plan((*self._fixed, *self._tenants, *other._fixed, *other._tenants))

    async def judge(
        self, limiter: Limiter, scope: Scope, context: RequestContext, cost: int
    ) -> Ruling | None:
        """Decide about a request; None where no quota is about it.

        Tenants are only looked up for a request that the other quotas have room for: it may take a query,
        and names of tenants can be made up.

        Raises:
            StoreUnavailableError: nothing is known.
        """
        parts: list[Part] = []
        penal: list[Part] = []
        for bucket in self._fixed:
            for values in await bucket.all_values(scope, context):
                parts.append(Part(bucket.key(values), bucket.quotas, cost))
                if bucket.has_address:
                    penal.append(parts[-1])
        ruling = await limiter.decide(tuple(parts), penal) if parts else None
        if not self._tenants or (ruling is not None and not ruling.allowed):
            return ruling
        try:
            later = await self._judge_tenants(limiter, scope, context, cost)
        except BaseException:
            # Nobody is served for what was taken, be it that a callable failed or that the client left.
            if ruling is not None:
                await asyncio.shield(limiter.refund(ruling.parts))
            raise
        if later is None or ruling is None:
            return ruling if later is None else later
        if not later.allowed:
            await limiter.refund(ruling.parts)
            return later
        return ruling.and_also(later)

    async def _judge_tenants(
        self, limiter: Limiter, scope: Scope, context: RequestContext, cost: int
    ) -> Ruling | None:
        parts: list[Part] = []
        penal: list[Part] = []
        for bucket in self._tenants:
            for values in await bucket.all_values(scope, context):
                quotas = None if bucket.tenants is None else await bucket.tenants.quotas_for(*values)
                if quotas is not None:
                    parts.append(Part(bucket.key(values), quotas, cost))
                    if bucket.has_address:
                        penal.append(parts[-1])
        return await limiter.decide(tuple(parts), penal) if parts else None


def plan_of(target: Target, secret: bytes, algorithm: Algorithm, setting: str, prefix: str = "") -> Plan:
    """The plan for a target.

    Args:
        target: with at least one grant.
        secret: keys hashes.
        algorithm: of all quotas.
        setting: where it is written, for errors.
        prefix: tells kinds of requests apart that have the same rules.

    Raises:
        SettingsError: a callable cannot be imported.
    """
    return Plan(tuple(Bucket(target, grant, secret, algorithm, setting, prefix) for grant in target.grants))


def of_preflights(target: Target) -> Target | None:
    """What browsers may ask before the requests of a target; None where only a callable says.

    Each address has ten times the target's quotas by address, or where there are none its first ones.

    Args:
        target: of the requests themselves.
    """
    counted = [grant for grant in target.grants if grant.quotas]
    # A preflight has no credentials, and no header but those of CORS (Fetch, CORS-preflight fetch).
    by_address = [grant for grant in counted if grant.identity.is_address] or [
        replace(grant, identity=Identity()) for grant in counted[:1]
    ]
    grants = tuple(replace(grant, quotas=tuple(map(_of_preflights, grant.quotas))) for grant in by_address)
    return replace(target, grants=grants) if grants else None


def _of_preflights(quota: Quota) -> Quota:
    name = f"preflights-{PREFLIGHTS}x-{quota.name}"[:64]
    return replace(quota, name=name, limit=quota.limit * PREFLIGHTS)


def label_of(rule: Rule, grant: Grant, prefix: str = "") -> str:
    """What a target's keys begin with, so that layers with other quotas can share a store."""
    by = [] if grant.identity.is_address else [f"by:{grant.identity.text}"]
    counted = words_of(grant.quotas) or grant.tenants
    return " ".join(filter(None, [prefix, *sorted(rule.methods), rule.path, *by, counted]))


class Costs:
    """What requests cost.

    Args:
        rules: from `parse_costs`.
        setting: where they are written, for errors.

    Raises:
        SettingsError: a callable cannot be imported.
    """

    def __init__(self, rules: tuple[tuple[Rule, int | str], ...], setting: str) -> None:
        self._rules = widened(
            (rule, (cost, None if isinstance(cost, int) else _of_scope(imported(cost, setting))))
            for rule, cost in rules
        )

    async def cost_of(self, scope: Scope, method: str, path: str) -> int:
        """Units; 0 for a request that is not counted. Of what a path may be read as, the dearest counts.

        Raises:
            TypeError: a callable returned no whole number.
            ValueError: it returned a negative one.
        """
        dearest = 0
        for cost, call in (found or ONE_UNIT for found in first_fits(self._rules, method, path)):
            if call is None:
                dearest = max(dearest, cast("int", cost))
            else:
                dearest = max(dearest, await asked(cast("str", cost), call, scope))
        return dearest


def _of_scope(call: Callable[[HTTPConnection], object]) -> Callable[[Scope], object]:
    from starlette.requests import HTTPConnection  # noqa: PLC0415 - slow, and only callables need it

    return lambda scope: call(HTTPConnection(scope))


async def asked(name: str, call: Callable[[T], object], request: T) -> int:
    """What a callable says that a request costs.

    Args:
        name: of the callable, for errors.
        call: takes the request, and may be a coroutine function; another one runs on the event loop, where
            every request waits for it.
        request: that is to be counted, or its scope.

    Raises:
        TypeError: it returned no whole number.
        ValueError: it returned a negative one.
    """
    found: Any = call(request)
    if isawaitable(found):
        found = await found
    if not isinstance(found, int) or isinstance(found, bool):
        raise TypeError(f"{name} returned {type(found).__name__}, expected units as an int")
    if found < 0:
        raise ValueError(f"{name} returned {found}, expected 0 or more units")
    return found
