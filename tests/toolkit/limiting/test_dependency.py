"""Quotas of one route: whom they count, what a refusal looks like, and where the counts are."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Response, WebSocket
from fastapi.responses import PlainTextResponse
from starlette.applications import Starlette
from starlette.authentication import UnauthenticatedUser
from starlette.responses import JSONResponse
from starlette.routing import Route

from garrison import (
    Limit,
    LoginLimit,
    QuotaExceededError,
    RateLimit,
    RateLimitMiddleware,
    Settings,
    SettingsError,
    harden,
    problem_handler,
)
from garrison.problems import QUOTA_EXCEEDED
from garrison.ratelimit.memory import MemoryStore
from garrison.ratelimit.resilient import ResilientStore
from garrison.ratelimit.valkey import ValkeyStore
from garrison.units import Secret
from tests.ports import free_port
from tests.toolkit.driver import Reply, call, exchange, handshake, http_scope, raises, websocket_scope
from tests.toolkit.ratelimit.servers import Server

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import HTTPConnection, Request

    from garrison.asgi import ASGIApp
    from garrison.ratelimit.quota import Algorithm


def site(*limits: Limit) -> FastAPI:
    """An app with one page, whose handler returns data."""
    app = FastAPI()

    @app.get("/", dependencies=[Depends(limit) for limit in limits])
    async def page() -> dict[str, str]:
        return {"said": "hello"}

    return app


def ask(app: ASGIApp, path: str = "/", client: str = "192.0.2.1", **headers: str) -> Reply:
    """One GET."""
    lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return call(app, http_scope(path, headers=lines, client=(client, 1)))


def statuses(app: ASGIApp, count: int, path: str = "/", **more: str) -> list[int]:
    """What several requests are answered."""
    return [ask(app, path, **more).status for _ in range(count)]


def test_a_route_has_a_quota_for_each_client() -> None:
    """The sixth request of a minute is refused, and another client's first is not."""
    app = site(Limit("5/minute"))
    assert statuses(app, 6) == [200] * 5 + [429]
    assert statuses(app, 1, client="192.0.2.2") == [200]


def test_an_ipv6_client_is_its_network() -> None:
    """A client that changes the address within its own /64 stays one client."""
    app = site(Limit("1/minute"))
    assert statuses(app, 1, client="2001:db8::1") == [200]
    assert statuses(app, 1, client="2001:db8::2") == [429]


def test_a_refusal_in_plain_fastapi_says_when_to_come_back() -> None:
    """The reply is FastAPI's JSON, with Retry-After and the headers of the draft, and is not cached."""
    app = site(Limit("2/minute"))
    reply = [ask(app) for _ in range(3)][-1]
    assert reply.status == 429
    assert reply.json == {"detail": "Request cannot be satisfied as assigned quota has been exceeded"}
    assert reply.header("retry-after") in {"30", "31", "32", "33"}
    assert reply.header("ratelimit-policy") == '"2-per-minute";q=2;w=60'
    assert reply.header("ratelimit") == '"2-per-minute";r=0;t=30'
    assert reply.header("cache-control") == "no-store"


def test_a_refusal_can_be_a_problem_document() -> None:
    """With the handler added, the reply is the draft's problem and names the quota."""
    app = site(Limit("1/minute as burst"))
    app.add_exception_handler(QuotaExceededError, problem_handler)
    reply = [ask(app) for _ in range(2)][-1]
    assert reply.status == 429
    assert reply.header("content-type") == "application/problem+json"
    assert reply.json["type"] == QUOTA_EXCEEDED
    assert reply.json["violated-policies"] == ["burst"]
    assert reply.header("retry-after") is not None


def test_the_problem_handler_answers_other_exceptions_of_routes() -> None:
    """Added for every HTTPException it makes problems of texts and of anything else."""
    from fastapi import HTTPException  # noqa: PLC0415 - the name is Starlette's too

    app = FastAPI()
    app.add_exception_handler(HTTPException, problem_handler)
    app.add_api_route("/text", _raising(HTTPException(404, "no such note", {"x-note": "1"})))
    app.add_api_route("/data", _raising(HTTPException(409, {"taken": ["name"]})))
    reply = ask(app, "/text")
    assert (reply.status, reply.json["detail"], reply.header("x-note")) == (404, "no such note", "1")
    assert reply.header("cache-control") == "no-store"
    assert ask(app, "/data").json["errors"] == {"taken": ["name"]}


@pytest.mark.parametrize("status", [204, 304])
def test_a_reply_that_has_no_content_gets_none(status: int) -> None:
    """A problem behind such a status would be taken for the next reply on the connection."""
    from fastapi import HTTPException  # noqa: PLC0415 - the name is Starlette's too

    app = FastAPI()
    app.add_exception_handler(HTTPException, problem_handler)
    app.add_api_route("/", _raising(HTTPException(status, headers={"etag": '"1"'})))
    reply = ask(app, "/")
    assert (reply.status, reply.body, reply.header("etag")) == (status, b"", '"1"')


def _raising(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def test_a_served_client_is_told_where_it_stands() -> None:
    """FastAPI's own replies have the headers, once for each limit."""
    reply = ask(site(Limit("5/minute"), Limit("100/hour")))
    assert reply.all("ratelimit") == ['"5-per-minute";r=4;t=12', '"100-per-hour";r=99;t=36']


def test_routes_have_counts_of_their_own() -> None:
    """One limit on two handlers counts each of them; the same handler under two paths is one."""
    limit = Limit("1/minute")
    app = FastAPI()
    router = APIRouter(dependencies=[Depends(limit)])

    @router.get("/one")
    @router.get("/alias")
    async def one() -> None: ...

    @router.get("/two")
    async def two() -> None: ...

    app.include_router(router)
    assert [ask(app, path).status for path in ("/one", "/two", "/alias")] == [200, 200, 429]


def test_a_name_joins_routes() -> None:
    """Routes whose limits have one name use up one quota."""
    store = MemoryStore()
    app = FastAPI()

    @app.get("/one", dependencies=[Depends(Limit("1/minute", name="both", store=store))])
    async def one() -> None: ...

    @app.get("/two", dependencies=[Depends(Limit("1/minute", name="both", store=store))])
    async def two() -> None: ...

    assert [ask(app, path).status for path in ("/one", "/two")] == [200, 429]


def test_a_starlette_handler_asks_by_itself() -> None:
    """`await limit(request)` refuses in a plain Starlette app too."""
    limit = Limit("1/minute")

    async def page(request: Request) -> JSONResponse:
        await limit(request)
        return JSONResponse({})

    app = Starlette(routes=[Route("/", page)])
    assert statuses(app, 2) == [200, 429]
    assert call(app).header("retry-after") is not None


def test_counts_are_where_the_layer_has_them() -> None:
    """Under a RateLimit layer the counts are in its store, and hidden from who can read that."""
    store = MemoryStore()
    app = RateLimitMiddleware(site(Limit("1/minute", key=lambda _: "ann")), store=store)
    assert statuses(app, 2) == [200, 429]
    keys = [key for table in store._tables.values() for shard in table.shards.values() for key in shard]
    assert len(keys) == 1
    assert "ann" not in keys[0]
    assert keys[0].startswith("limit tests.toolkit.limiting.test_dependency:site.<locals>.page by:key ")


def test_quotas_of_one_name_and_other_numbers_are_others() -> None:
    """At a server a key has one life; asking for a short quota must not end that of a long one."""
    store = MemoryStore()
    app = FastAPI()
    for path, quotas in (("/day", "3/day as burst"), ("/second", "9/second as burst")):
        limited = [Depends(Limit(quotas, name="both", store=store))]
        app.add_api_route(path, lambda: None, dependencies=limited)
    assert statuses(app, 1, "/day") + statuses(app, 1, "/second") == [200, 200]
    keys = [key for table in store._tables.values() for shard in table.shards.values() for key in shard]
    assert len(set(keys)) == 2


def test_two_apps_with_one_store_and_secret_count_together() -> None:
    """What one process has counted by a hash, another one finds."""
    store = MemoryStore()
    apps = [
        RateLimitMiddleware(
            site(Limit("1/minute", key=lambda _: "ann")), store=store, secret=Secret("s" * 32)
        )
        for _ in range(2)
    ]
    assert [ask(app).status for app in apps] == [200, 429]


@pytest.mark.parametrize("direct", [False, True], ids=["data", "response"])
@pytest.mark.parametrize(
    "settings",
    [RateLimit(limits="100/minute"), RateLimit(limits="/else: 1/minute"), RateLimit(refunds="/: 404")],
    ids=["limited", "not-limited", "refunds"],
)
def test_the_layer_tells_every_reply(*, direct: bool, settings: RateLimit) -> None:
    """Under a RateLimit layer a `Response` that the handler makes itself has the headers too."""
    app = FastAPI()

    @app.get("/", dependencies=[Depends(Limit("5/minute"))])
    async def page() -> Any:
        return PlainTextResponse("hello") if direct else {"said": "hello"}

    limits = "100/minute" if settings.refunds else settings.limits
    settings = RateLimit(limits=limits, refunds=settings.refunds)
    told = ", ".join(ask(RateLimitMiddleware(app, settings)).all("ratelimit"))
    assert told.count('"5-per-minute";r=4;t=12') == 1
    assert told.count('"100-per-minute"') == ("100" in limits)


@pytest.mark.parametrize(("count", "refunds"), [(1, ""), (6, ""), (1, "404")])
def test_legacy_headers_are_there_once(count: int, refunds: str) -> None:
    """With X-RateLimit headers the route's quota is told in place of the layer's."""
    layer = RateLimit(limits="100/minute", headers="legacy", refunds=refunds)
    app = RateLimitMiddleware(site(Limit("5/minute")), layer)
    reply = [ask(app) for _ in range(count)][-1]
    assert reply.header("x-ratelimit-limit") == "5"
    assert reply.header("x-ratelimit-remaining") == ("4" if count == 1 else "0")


def test_log_and_metrics_say_who_refused() -> None:
    """A refusal is noted on the context and counted, and so is a store that does not answer."""
    app = site(Limit("1/minute"))
    found: list[str | None] = []

    async def noting(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)
        found.append(scope["garrison"].rejected_by)

    layer = RateLimitMiddleware(noting)
    assert statuses(harden(layer, Settings(access_log=None, tracing=None)), 2) == [200, 429]
    gone = RateLimitMiddleware(noting, store=unreachable())
    assert statuses(gone, 1) == [503]
    assert found == [None, "rate_limit", "rate_limit"]
    outcomes = layer._limiter.outcomes
    assert (outcomes.allowed, outcomes.refused, gone._limiter.outcomes.unavailable) == (1, 1, 1)


def unreachable() -> ResilientStore:
    """A store that is gone, where requests are to be refused then."""
    gone = ValkeyStore(f"valkey://127.0.0.1:{free_port()}")
    return ResilientStore(gone, MemoryStore(), on_error="closed", deadline=1.0)


def test_a_store_that_is_given_wins_over_the_layer() -> None:
    """A limit with a store of its own counts there, whatever the layer above has."""
    own, layers = MemoryStore(), MemoryStore()
    assert statuses(RateLimitMiddleware(site(Limit("1/minute", store=own)), store=layers), 2) == [200, 429]
    assert (len(own), len(layers)) == (1, 0)


def test_the_outermost_layer_is_the_one_that_counts() -> None:
    """With a second layer on the way, a limit counts where the first one does."""
    outer, inner = MemoryStore(), MemoryStore()
    app = RateLimitMiddleware(site(Limit("1/minute")), RateLimit(limits="9/minute"), store=inner)
    assert statuses(RateLimitMiddleware(app, store=outer), 2) == [200, 429]
    assert (len(outer), len(inner)) == (1, 1)


def test_a_refused_client_is_not_asked_about_again() -> None:
    """Who is refused by a shared store is refused again without a round trip."""
    with Server() as server, asyncio.Runner() as runner:
        store = ValkeyStore(server.url)
        app = site(Limit("1/minute", store=store))
        replies = [runner.run(exchange(app, http_scope())).status for _ in range(2)]
        server.call("CONFIG", "RESETSTAT")
        assert [*replies, runner.run(exchange(app, http_scope())).status] == [200, 429, 429]
        assert server.calls("evalsha") == 0
        runner.run(store.aclose())


def test_partial_handlers_are_told_apart() -> None:
    """Handlers made with `functools.partial` have the counts of what they call."""
    limit = Limit("1/minute")

    async def one(request: Request, *, said: str) -> JSONResponse:
        await limit(request)
        return JSONResponse(said)

    async def two(request: Request, *, said: str) -> JSONResponse:
        return await one(request, said=said)

    routes = [Route("/one", partial(one, said="1")), Route("/two", partial(two, said="2"))]
    app = Starlette(routes=routes)
    assert [ask(app, path).status for path in ("/one", "/two", "/one")] == [200, 200, 429]


def test_who_counts_is_for_the_callable_to_say() -> None:
    """Whoever has the same key shares a quota, and a request without one is not counted."""

    async def key(request: Request) -> tuple[str, ...] | None:
        value = request.headers.get("x-tenant")
        return None if value is None else tuple(value.split("/"))

    app = site(Limit("1/minute", key=key))
    tenants = ["ab/c", "a/bc", "ab/c"]
    assert [ask(app, x_tenant=value).status for value in tenants] == [200, 200, 429]
    assert statuses(app, 3) == [200] * 3


def test_principals_are_counted_wherever_they_come_from() -> None:
    """A quota by principal follows the user from address to address."""

    async def authenticated(scope: Any, receive: Any, send: Any) -> None:
        user = type("User", (), {"is_authenticated": True, "identity": "ann"})()
        await app({**scope, "user": user}, receive, send)

    app = site(Limit("1/minute", by="principal"))
    assert statuses(authenticated, 1) == [200]
    assert statuses(authenticated, 1, client="192.0.2.2") == [429]


def test_a_quota_that_nobody_has_is_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    """Where nothing authenticates, a quota by principal limits nobody, and the log says so once."""
    app = site(Limit("1/minute", by="principal", name="api"))
    assert statuses(app, 3) == [200] * 3
    (record,) = caplog.records
    assert record.name == "garrison"
    assert record.levelname == "WARNING"
    assert record.getMessage() == (
        "Limit(by='principal') limits nobody at api: nothing has authenticated the request before it"
    )


def test_visitors_are_no_reason_for_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """Somebody looked who asks, and it was nobody: such a request is not counted, and that is meant."""
    app = site(Limit("1/minute", by="principal"))

    async def looking(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "user": UnauthenticatedUser()}, receive, send)

    assert statuses(looking, 3) == [200] * 3
    assert caplog.records == []


def test_cost_can_depend_on_the_request() -> None:
    """A request takes what the callable says, and nothing for 0."""

    async def cost(request: HTTPConnection) -> int:
        return int(request.query_params.get("n", "0"))

    app = site(Limit("10/minute", cost=cost))
    assert call(app, http_scope(query=b"n=8")).header("ratelimit") == '"10-per-minute";r=2;t=6'
    assert call(app, http_scope(query=b"n=3")).status == 429
    assert call(app, http_scope()).header("ratelimit") is None


def test_tenants_have_quotas_of_their_own() -> None:
    """A callable in place of quotas says what each key may use, and None is no limit."""
    plans = {"small": "1/minute", "large": "2/minute", "free": None}

    async def quotas(tenant: str) -> str | None:
        return plans[tenant]

    app = site(Limit(quotas, key=lambda request: request.headers["x-tenant"]))
    assert {name: statuses(app, 3, x_tenant=name) for name in plans} == {
        "small": [200, 429, 429],
        "large": [200, 200, 429],
        "free": [200, 200, 200],
    }


@pytest.mark.parametrize(
    "limit",
    [
        Limit("5/minute", key=lambda _: 1 / 0),  # type: ignore[arg-type,return-value]
        Limit("5/minute", key=lambda _: 5),  # type: ignore[arg-type,return-value]
        Limit("5/minute", key=lambda _: ()),
        Limit("5/minute", cost=lambda _: -1),
        Limit("5/minute", cost=lambda _: 1.5),  # type: ignore[arg-type,return-value]
        Limit(lambda _: "many"),
    ],
    ids=["key-fails", "key-is-number", "key-is-empty", "cost-negative", "cost-is-float", "quotas"],
)
def test_a_callable_that_fails_lets_nobody_through(limit: Limit) -> None:
    """An error in the app's own callable is an error, and never a pass."""
    with pytest.raises((TypeError, ValueError, ZeroDivisionError)):
        ask(site(limit))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"quotas": "many"}, "Limit.quotas: expected a quota such as 100/minute"),
        ({"by": "nobody"}, "Limit.by: expected quotas by address"),
        ({"by": "header:x-api-key"}, "Limit.by: expected an identity that a client cannot make up"),
        ({"by": "address+header:x-api-key"}, "Limit.by: expected an identity that a client cannot make up"),
        ({"by": "principal", "key": str}, "Limit.key: expected either by or key"),
        ({"cost": 0}, "Limit.cost: expected at least 1 unit"),
        ({"cost": -1}, "Limit.cost: expected at least 1 unit"),
        ({"cost": "2"}, "Limit.cost: expected at least 1 unit"),
        ({"cost": 6}, "Limit.cost: expected at most 5, or no request is ever served, found '6'"),
        ({"quotas": "9/hour; 2/minute", "cost": 3}, "Limit.cost: expected at most 2, or no request"),
        ({"name": "two words"}, "Limit.name: expected at most 64 letters"),
        ({"name": None}, "Limit.name: expected at most 64 letters"),
        ({"quotas": 5}, "Limit.quotas: expected quotas as a text such as '5/minute; 100/hour', found '5'"),
        ({"key": "user"}, "Limit.key: expected a callable that takes the request and returns who asks"),
        ({"by": str}, "Limit.by: expected a text such as 'address' or 'principal'"),
        ({"algorithm": "gcra"}, "Limit.algorithm: expected one of token-bucket, sliding-window"),
    ],
)
def test_wrong_arguments_are_refused_at_start(arguments: dict[str, Any], expected: str) -> None:
    """What cannot be used is said where the limit is made, with what would do."""
    with pytest.raises(SettingsError) as caught:
        Limit(**{"quotas": "5/minute", **arguments})
    assert str(caught.value).startswith(expected)


def test_hashes_that_other_processes_cannot_make_are_refused() -> None:
    """Keys on a shared store without a secret would give every worker a quota of its own."""
    store = ValkeyStore(f"valkey://127.0.0.1:{free_port()}")
    with pytest.raises(SettingsError, match="GARRISON_SECRET"):
        Limit("5/minute", key=lambda _: "ann", store=store)
    with pytest.raises(SettingsError, match="GARRISON_SECRET"):
        LoginLimit(store=store)
    # Neither addresses nor hashes with a key of their own need one.
    Limit("5/minute", store=store)
    LoginLimit(store=store, secret="s" * 32)


def test_a_missing_secret_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """Under a layer each request fails with what to do, and one line is logged."""
    store = ValkeyStore(f"valkey://127.0.0.1:{free_port()}")
    app = RateLimitMiddleware(site(Limit("5/minute", key=lambda _: "ann")), store=store)
    for _ in range(3):
        with pytest.raises(SettingsError) as caught:
            ask(app)
    assert str(caught.value) == (
        "GARRISON_SECRET: expected a secret text, the same for all processes. Accounts, keys and principals"
        " are stored as hashes, which all processes must make alike: set it for all of them, or give the"
        " Limit a secret. `openssl rand -hex 32` makes one."
    )
    assert [record.getMessage() for record in caplog.records] == [
        "GARRISON_SECRET is not set: a Limit on a shared storage serves nobody"
    ]


def test_no_answer_of_the_store_is_no_refusal_by_quota() -> None:
    """Where the store is gone and the settings say closed, the reply is a 503 with Retry-After."""
    store = unreachable()
    reply = ask(site(Limit("5/minute", store=store)))
    assert reply.status == 503
    assert reply.header("retry-after") == "1"
    assert reply.header("ratelimit") is None
    assert handshake(sockets(Limit("5/minute", store=store))).reply.status == 503
    wire = handshake(chat(Limit("5/minute", store=store)), None, {"type": "websocket.receive", "text": "1"})
    assert wire.sent[-1] == {
        "type": "websocket.close",
        "code": 1013,
        "reason": "quotas cannot be counted",
    }


def sockets(limit: Limit) -> FastAPI:
    """An app with one WebSocket whose handshakes are limited."""
    app = FastAPI()

    @app.websocket("/", dependencies=[Depends(limit)])
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    return app


def chat(limit: Limit) -> FastAPI:
    """An app with one WebSocket whose messages are limited."""
    app = FastAPI()

    @app.websocket("/")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        while True:
            said = await websocket.receive_text()
            await limit(websocket)
            await websocket.send_text(said)

    return app


def test_a_handshake_too_many_is_denied() -> None:
    """A WebSocket over its quota gets the same 429 as a request."""
    app = sockets(Limit("1/minute"))
    assert handshake(app).sent[0]["type"] == "websocket.accept"
    reply = handshake(app).reply
    assert reply.status == 429
    assert reply.header("retry-after") is not None


def test_a_handshake_can_be_denied_with_a_problem() -> None:
    """The handler for problem documents answers handshakes too."""
    app = sockets(Limit("1/minute"))
    app.add_exception_handler(QuotaExceededError, problem_handler)
    handshake(app)
    assert handshake(app).reply.json["type"] == QUOTA_EXCEEDED


def test_a_server_without_denials_closes_the_handshake() -> None:
    """Where the server cannot send a reply it is told to close, with 1008."""
    app = sockets(Limit("1/minute"))
    handshake(app)
    assert [(message["type"], message.get("code")) for message in handshake(app, no_denial()).sent] == [
        ("websocket.close", 1008)
    ]


def no_denial() -> dict[str, Any]:
    """A handshake at a server that can only accept or close."""
    return dict(websocket_scope(denial=False))


def test_messages_can_be_limited() -> None:
    """An accepted WebSocket with too many messages is closed with 1008 and told when to come back."""
    messages = [{"type": "websocket.receive", "text": text} for text in ("1", "2", "3")]
    wire = handshake(chat(Limit("2/minute")), None, *messages)
    assert [message.get("text") for message in wire.sent] == [None, "1", "2", None]
    assert wire.sent[-1]["code"] == 1008
    assert wire.sent[-1]["reason"].startswith("quota exceeded, try again in 3")


@pytest.mark.parametrize("algorithm", ["token-bucket", "sliding-window", "fixed-window"])
def test_every_algorithm_serves(algorithm: Algorithm) -> None:
    """A limit counts in any of the three ways."""
    assert statuses(site(Limit("2/minute", algorithm=algorithm)), 3) == [200, 200, 429]


def test_responses_of_handlers_are_left_alone_without_a_layer() -> None:
    """Without a layer a `Response` that the handler makes is as it made it."""
    app = FastAPI()

    @app.get("/", dependencies=[Depends(Limit("5/minute"))])
    async def page() -> Response:
        return PlainTextResponse("hello")

    assert ask(app).header("ratelimit") is None
    with pytest.raises(TypeError, match="problem_handler answers HTTPException"):
        call(_broken())


def _broken() -> ASGIApp:
    app = Starlette(exception_handlers={ValueError: problem_handler})
    app.mount("/", raises(ValueError("kaboom")))
    return app
