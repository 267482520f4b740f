"""Callables of the app that say who asks, what a tenant may use, and what a request costs."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final

import pytest

from garrison import RateLimit, RateLimitMiddleware, Settings, SettingsError, harden
from tests.toolkit.driver import call, exchange, replies_with
from tests.toolkit.middleware import shop
from tests.toolkit.middleware.limited import Limited, asked
from tests.toolkit.middleware.shop import HERE

if TYPE_CHECKING:
    from garrison.asgi import Receive, Scope, Send

TENANTS: Final = f"9/minute; {HERE}:quotas by {HERE}:tenant"


@pytest.fixture(autouse=True)
def _nobody_is_looked_up() -> None:
    shop.looked_up.clear()


def of(tenant: str, **more: Any) -> dict[str, Any]:
    """A request for a tenant."""
    return {"headers": {"host": f"{tenant}.shop.example"}, "query": f"tenant={tenant}".encode(), **more}


@pytest.mark.parametrize("call_name", ["tenant", "tenant_soon"])
def test_a_callable_says_who_asks(call_name: str) -> None:
    """Requests for one tenant share a quota from wherever they come, those for another have their own."""
    limited = Limited(limits=f"2/minute by {HERE}:{call_name}")
    assert limited.statuses(2, **of("a")) == [200, 200]
    assert limited.statuses(1, **of("a", client="192.0.2.2")) == [429]
    assert limited.statuses(3, **of("b")) == [200, 200, 429]


def test_who_is_nobody_is_not_counted() -> None:
    """A callable that says None leaves the request to the other quotas."""
    limited = Limited(limits=f"3/minute; 1/minute by {HERE}:tenant_soon")
    assert limited.statuses(4) == [200] * 3 + [429]


@pytest.mark.parametrize("call_name", ["quotas", "quotas_soon"])
def test_each_tenant_has_the_quotas_that_it_paid_for(call_name: str) -> None:
    """What a callable says of a tenant holds for it, beside the quota of the address; None is no limit."""
    limited = Limited(limits=f"20/minute; {HERE}:{call_name} by {HERE}:tenant")
    assert limited.statuses(4, **of("gold")) == [200] * 3 + [429]
    assert limited.statuses(2, **of("free")) == [200, 429]
    assert limited.statuses(6, **of("staff")) == [200] * 6
    # The address has given 10 of 20.
    assert limited.get(**of("staff")).header("ratelimit") == '"20-per-minute";r=9;t=3'


def test_a_tenant_is_told_its_own_quotas() -> None:
    """The headers hold the quota of the address and those of the tenant."""
    reply = Limited(limits=TENANTS).get(**of("gold"))
    assert reply.header("ratelimit-policy") == '"9-per-minute";q=9;w=60, "3-per-minute";q=3;w=60'
    assert reply.header("ratelimit") == '"9-per-minute";r=8;t=7, "3-per-minute";r=2;t=20'


def test_a_tenant_is_looked_up_once_a_minute() -> None:
    """The answer for a tenant is kept, so that not every request is a query."""
    limited = Limited(limits=TENANTS)
    limited.statuses(4, **of("gold"))
    limited.statuses(2, **of("free"))
    assert shop.looked_up == ["gold", "free"]


def test_a_refused_address_reaches_no_callable() -> None:
    """Who makes up a tenant for each request causes as many queries as its address has units."""
    limited = Limited(limits=TENANTS)
    statuses = [limited.get(**of(f"junk{number}")).status for number in range(30)]
    assert statuses == [200] * 9 + [429] * 21
    assert len(shop.looked_up) == 9


def test_a_refused_tenant_takes_nothing_from_its_address() -> None:
    """An office in which one tenant is refused still serves the others."""
    limited = Limited(limits=TENANTS)
    assert limited.statuses(20, **of("free")) == [200] + [429] * 19
    assert limited.statuses(4, **of("gold")) == [200] * 3 + [429]
    assert limited.get(**of("staff")).header("ratelimit") == '"9-per-minute";r=4;t=7'


def test_a_fault_of_a_callable_takes_nothing_from_the_address() -> None:
    """Clients do not pay for what the app's own database does, nor for a request that they gave up."""
    limited = Limited(limits=f"2/minute; {HERE}:fails by {HERE}:tenant")
    for _ in range(5):
        with pytest.raises(LookupError):
            limited.get(**of("a"))
    assert limited.statuses(3, headers={"host": ".example"}) == [200, 200, 429]

    async def give_up(limited: Limited) -> None:
        for _ in range(5):
            task = asyncio.create_task(exchange(limited.layer, asked(**of("a"))))
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    slow = Limited(limits=f"2/minute; {HERE}:never by {HERE}:tenant")
    asyncio.run(give_up(slow))
    assert slow.statuses(3, headers={"host": ".example"}) == [200, 200, 429]


def test_a_refused_tenant_learns_when_to_come_again() -> None:
    """Retry-After is that of the tenant's quota, and the problem names it."""
    limited = Limited(limits=TENANTS)
    limited.get(**of("free"))
    reply = limited.get(**of("free"))
    assert (reply.status, reply.header("retry-after")) == (429, "60")
    assert reply.json["violated-policies"] == ["1-per-minute"]
    limited.now += 60
    assert limited.get(**of("free")).status == 200


WRONG: Final = {
    "who asks": [{"limits": f"5/minute by {HERE}:{name}"} for name in ("fails", "number", "yes")],
    "quotas": [
        {"limits": f"{HERE}:{name} by address"} for name in ("fails", "number", "yes", "negative", "nonsense")
    ],
    "cost": [
        {"limits": "5/minute", "costs": f"/*: {HERE}:{name}"}
        for name in ("fails", "number", "yes", "negative", "nonsense", "tenant_soon")
    ],
}


@pytest.mark.parametrize("fields", [fields for some in WRONG.values() for fields in some])
def test_a_callable_with_a_fault_lets_nobody_through(
    fields: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    """An exception or a result of the wrong kind is a 500 whose reason the client does not learn."""
    reached = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope)

    stack = harden(app, Settings(rate_limit=RateLimit(**fields)))  # type: ignore[arg-type]
    reply = call(stack, asked())
    assert reply.status == 500
    assert not reached
    assert HERE not in reply.body.decode() + repr(reply.headers)
    assert "hunter2" not in reply.body.decode()
    # The operator does learn it.
    assert re.search("LookupError|TypeError|ValueError", capfd.readouterr().out)


def test_a_negative_cost_is_named() -> None:
    """Whoever wrote the callable learns which one it is, and what it returned."""
    limited = Limited(limits="5/minute", costs=f"/*: {HERE}:negative")
    with pytest.raises(ValueError, match=f"{HERE}:negative returned -1, expected 0 or more units"):
        limited.get()


@pytest.mark.parametrize(
    ("fields", "where", "why"),
    [
        ({"limits": "5/minute by nowhere.at_all:tenant"}, "limits", "There is no module nowhere"),
        ({"limits": f"5/minute; {HERE}:quotos by address"}, "limits", "Did you mean quotas?"),
        ({"messages": f"5/minute by {HERE}:NOT_CALLABLE"}, "messages", "cannot be called"),
        ({"limits": "5/minute", "costs": f"/x: {HERE}:prise"}, "costs", "has no attribute prise"),
    ],
)
def test_a_callable_that_is_not_there_fails_at_start(fields: dict[str, str], where: str, why: str) -> None:
    """A misspelt import string is an error before the first request, which names variable and field."""
    names = rf"^GARRISON_RATE_LIMIT_{where.upper()} \(RateLimit\.{where}\): expected a callable"
    with pytest.raises(SettingsError, match=names) as error:
        RateLimitMiddleware(replies_with(), RateLimit(**fields))  # type: ignore[arg-type]
    assert why in str(error.value)
