"""What is not counted, what counts more, and what is given back."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Final

import pytest

from garrison import Proxy, ProxyMiddleware, RateLimit, RateLimitMiddleware, SettingsError
from tests.toolkit.driver import call, exchange, raises, replies_with
from tests.toolkit.middleware.limited import Limited, asked
from tests.toolkit.middleware.shop import HERE
from tests.toolkit.ratelimit.servers import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.asgi import ASGIApp, Receive, Scope, Send

LOGIN: Final[dict[str, Any]] = {"limits": "POST /login: 3/minute", "refunds": "POST /login: 2xx|303"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A Valkey for all tests of this module."""
    with Server() as found:
        yield found


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/startupz"])
def test_probes_are_not_counted(path: str) -> None:
    """An orchestrator that probes from one address uses nothing up, and nothing keeps it out."""
    limited = Limited(limits="2/minute")
    assert limited.statuses(5, path) == [200] * 5
    assert limited.get(path).header("ratelimit") is None
    assert limited.statuses(3) == [200, 200, 429]
    assert limited.statuses(1, path) == [200]
    assert limited.statuses(1, f"{path}/more") == [429]


def test_exempt_paths() -> None:
    """What is exempt by method and path is not counted; other methods are, and the probes too now."""
    limited = Limited(limits="2/minute", exempt="GET /static/*; /hook")
    assert limited.statuses(5, "/static/a.css") == [200] * 5
    assert limited.statuses(5, "/hook", method="POST") == [200] * 5
    assert limited.statuses(2, "/static/a.css", method="POST") == [200, 200]
    assert limited.statuses(1, "/livez") == [429]
    assert limited.statuses(1, "/static/a.css", method="HEAD") == [200]


@pytest.mark.parametrize("path", ["/static/../login", "/static//login", "/static/;/login", "/static/a\nb"])
def test_a_path_that_can_be_read_in_two_ways_is_not_exempt(path: str) -> None:
    """What something behind this layer may take for another path does not come around the quota."""
    limited = Limited(limits="1/minute", exempt="/static/*")
    assert limited.statuses(2, path) == [200, 429]


FRIENDS: Final = (ip_network("192.0.2.0/24"), ip_network("2001:db8::/32"))


@pytest.mark.parametrize("client", ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8:1::7", "2001:DB8::1%eth0"])
def test_exempt_clients(client: str) -> None:
    """A monitor within one of the blocks is not counted, in whatever way its address is written."""
    limited = Limited(limits="1/minute", exempt_clients=FRIENDS)
    assert limited.statuses(3, client=client) == [200] * 3
    assert limited.keys == []


@pytest.mark.parametrize(
    "client", ["192.0.3.7", "::ffff:192.0.3.7", "2001:db9::7", "192.0.2.7.example", None]
)
def test_others_are_no_exempt_clients(client: str | None) -> None:
    """Nobody else is, a peer with a name or without any address among them."""
    limited = Limited(limits="1/minute", exempt_clients=FRIENDS)
    assert limited.statuses(2, client=client) == [200, 429]


def test_a_stranger_cannot_claim_to_be_exempt() -> None:
    """An address in X-Forwarded-For counts from a trusted proxy only."""
    limited = Limited(limits="1/minute", exempt_clients=FRIENDS)
    app = ProxyMiddleware(limited.layer, Proxy(trusted=(ip_network("10.0.0.1"),)))

    def statuses(peer: str) -> list[int]:
        claims = {"x-forwarded-for": "192.0.2.7"}
        return [call(app, asked(client=peer, headers=claims)).status for _ in range(3)]

    assert statuses("203.0.113.9") == [200, 429, 429]
    assert statuses("10.0.0.1") == [200] * 3


def test_costs_by_path() -> None:
    """An export takes ten units, what is free takes none, and the first rule that fits counts."""
    limited = Limited(limits="12/minute", costs="POST /export: 10; /free/*: 0; /export: 2")
    assert limited.get("/export", method="POST").header("ratelimit") == '"12-per-minute";r=2;t=5'
    refused = limited.get("/export", method="POST")
    # Eight more are missing, of which one comes back every five seconds.
    assert (refused.status, refused.header("retry-after")) == (429, "40")
    assert limited.statuses(2, "/export") == [200, 429]
    assert limited.statuses(9, "/free/a") == [200] * 9
    assert limited.get("/free/a").header("ratelimit") is None
    assert limited.get("/free/a").header("ratelimit-policy") is None


def test_what_costs_more_than_there_can_be_is_never_served() -> None:
    """A cost above the quota is refused whenever it comes, and nothing is taken for it."""
    limited = Limited(limits="5/minute", costs="/export: 6")
    assert limited.get("/export").header("retry-after") == "60"
    limited.now += 60
    assert limited.get("/export").status == 429
    assert limited.statuses(6) == [200] * 5 + [429]


@pytest.mark.parametrize("name", ["cost", "cost_soon"])
def test_a_callable_says_what_a_request_costs(name: str) -> None:
    """A query for many things costs as many units, and one for none is free."""
    limited = Limited(limits="10/minute", costs=f"/graphql: {HERE}:{name}")

    def status(things: int) -> int:
        return limited.get("/graphql", query=f"things={things}".encode()).status

    assert [status(things) for things in (7, 4, 0, 3, 0, 1)] == [200, 429, 200, 200, 200, 429]


@pytest.mark.parametrize("things", ["1" + "0" * 30, "9" * 400])
def test_a_cost_without_bounds_lets_nobody_through(server: Server, things: str) -> None:
    """A number beyond all reason is refused or an error, in memory and at a server, and never a pass."""
    reached = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope)

    async def ask(storage: str) -> None:
        section = RateLimit(limits="5/minute", costs=f"/*: {HERE}:cost", storage=storage, deadline=2.0)
        layer = RateLimitMiddleware(app, section)
        with suppress(ValueError, OverflowError):
            assert (await exchange(layer, asked(query=b"things=" + things.encode()))).status == 429
        await layer._store.aclose()

    for storage in ("memory://", server.url):
        asyncio.run(ask(storage))
    assert not reached


def answers(*statuses: int) -> ASGIApp:
    """An app that gives these replies one after the other, and the last one for ever."""
    left = list(statuses)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await replies_with(left.pop(0) if len(left) > 1 else left[0])(scope, receive, send)

    return app


def login(limited: Limited, count: int = 1) -> list[int]:
    """What so many logins get."""
    return limited.statuses(count, "/login", method="POST")


@pytest.mark.parametrize("status", [200, 204, 303])
def test_logins_that_succeed_do_not_count(status: int) -> None:
    """A client that logs in as often as it likes is never refused."""
    assert login(Limited(answers(status), **LOGIN), 10) == [status] * 10


@pytest.mark.parametrize("status", [401, 302, 422, 500])
def test_logins_that_fail_count(status: int) -> None:
    """After three failures there is no other try."""
    assert login(Limited(answers(status), **LOGIN), 5) == [status] * 3 + [429] * 2


def test_failures_count_between_successes() -> None:
    """A success gives back what it took itself, and not the failures before it."""
    assert login(Limited(answers(401, 200, 401, 200, 401), **LOGIN), 7) == [401, 200, 401, 200, 401, 429, 429]


def test_headers_tell_what_was_given_back() -> None:
    """The reply that gives a unit back tells where the client stands with it."""
    limited = Limited(answers(401, 200, 401), **LOGIN)
    told = [limited.get("/login", method="POST").header("ratelimit") for _ in range(3)]
    assert told == [f'"3-per-minute";{standing}' for standing in ("r=2;t=20", "r=2;t=20", "r=1;t=20")]


def test_other_requests_get_nothing_back() -> None:
    """A refund is for the requests that its rule names."""
    limited = Limited(limits="2/minute", refunds="POST /login: 2xx")
    assert limited.statuses(3, "/login") == [200, 200, 429]
    assert login(limited) == [429]


@pytest.mark.parametrize(("refunds", "attempts"), [("/*: 5xx", 5), ("/*: 500", 5), ("/*: 2xx", 2)])
def test_an_exception_is_a_500(refunds: str, attempts: int) -> None:
    """Where failures of the server do not count, an exception does not either."""
    limited = Limited(raises(LookupError()), limits="2/minute", refunds=refunds)
    for _ in range(attempts):
        with pytest.raises(LookupError):
            limited.get()
    assert limited.store.decide(limited.keys[0], next(iter(limited.store._tables))).allowed == (attempts == 5)


def test_a_refund_goes_to_everybody_who_paid() -> None:
    """The address, the key and the tenant each get back what a request took of their quotas."""
    limits = f"9/minute; 9/minute by header:x-api-key; {HERE}:quotas by {HERE}:tenant"
    limited = Limited(answers(200), limits=limits, refunds="/*: 2xx")
    more: dict[str, Any] = {"headers": {"x-api-key": "a", "host": "gold.shop.example"}}
    told = limited.get(**more).header("ratelimit") or ""
    assert told.count(";t=0") == 3
    assert limited.statuses(20, **more) == [200] * 20


def test_the_whole_cost_is_given_back() -> None:
    """An upload that costs five gives back five."""
    limited = Limited(answers(200), limits="5/minute", costs="/up: 5", refunds="/up: 2xx")
    assert limited.statuses(5, "/up") == [200] * 5
    assert limited.get("/up").header("ratelimit") == '"5-per-minute";r=5;t=0'


def test_preflights_are_not_given_back() -> None:
    """A flood of what looks like preflights ends, though each of them is a success."""
    limited = Limited(limits="1/minute", refunds="/*: 2xx")
    headers = {"origin": "https://app.example", "access-control-request-method": "POST"}
    replies = [limited.get(method="OPTIONS", headers=headers) for _ in range(12)]
    assert [reply.status for reply in replies] == [200] * 10 + [429] * 2
    assert replies[0].header("ratelimit") is None


def test_what_is_given_back_at_a_server_can_be_used_at_once(server: Server) -> None:
    """Nothing that a worker remembers stands in the way of units that came back."""
    server.call("FLUSHALL")
    section = RateLimit(limits="1/hour", refunds="/*: 2xx", storage=server.url, deadline=2.0)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if not begun.is_set():
            begun.set()
            await go_on.wait()
        await replies_with()(scope, receive, send)

    async def ask() -> list[int]:
        layer = RateLimitMiddleware(app, section)
        first = asyncio.ensure_future(exchange(layer, asked()))
        await begun.wait()
        refused = await exchange(layer, asked())
        go_on.set()
        found = [refused.status, (await first).status, (await exchange(layer, asked())).status]
        await layer._store.aclose()
        return found

    assert asyncio.run(ask()) == [429, 200, 200]


def test_a_storage_that_gives_nothing_back_fails_at_start() -> None:
    """Whoever has a storage that cannot take units back is told so, and which ones can."""
    with pytest.raises(SettingsError, match=r"^RateLimit\.refunds: .*Valkey or Redis.*memcached") as error:
        RateLimit(storage="memcached://127.0.0.1:1", algorithm="fixed-window", refunds="/login: 2xx")
    assert "found" not in str(error.value)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"costs": "/x: -1"}, "costs: expected units"),
        ({"costs": "/x: 1.5"}, "costs: expected units"),
        ({"costs": "/x: 1 by address"}, "costs: expected units"),
        ({"refunds": "/x: 600"}, "refunds: expected status codes"),
        ({"refunds": "/x: ok"}, "refunds: expected status codes"),
        ({"exempt": "GET"}, "exempt: expected paths"),
    ],
)
def test_rules_that_make_no_sense_fail_at_start(fields: dict[str, str], expected: str) -> None:
    """A wrong rule names its setting and what would fit."""
    with pytest.raises(SettingsError, match=rf"^RateLimit\.{expected}"):
        RateLimit(**fields)  # type: ignore[arg-type]
