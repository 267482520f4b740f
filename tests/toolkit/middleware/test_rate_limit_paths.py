"""Ways around a quota by the way in which a request is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import litestar
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from garrison import RateLimit, RateLimitMiddleware
from garrison.limiting.messages import POLICY_VIOLATION
from tests.toolkit.driver import call, handshake, http_scope, replies_with, websocket_scope
from tests.toolkit.middleware.limited import Limited

if TYPE_CHECKING:
    from starlette.requests import Request

    from garrison.asgi import ASGIApp, Receive, Scope, Send
    from tests.toolkit.driver import Reply

ORIGIN: Final = (b"origin", b"https://app.example")


async def in_starlette(_: Request) -> PlainTextResponse:
    """A login."""
    return PlainTextResponse("in")


async def listening(_: Scope, receive: Receive, send: Send) -> None:
    """An app that takes whatever comes over a WebSocket."""
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


@litestar.post("/login", status_code=200)
async def in_litestar() -> str:
    """A login."""
    return "in"


@pytest.mark.parametrize(
    ("app", "path"),
    [
        (Starlette(routes=[Route("/login", in_starlette, methods=["POST"])]), "/login\n"),
        (litestar.Litestar([in_litestar], logging_config=None), "//login"),
        (litestar.Litestar([in_litestar], logging_config=None), "/login/"),
    ],
)
def test_another_spelling_of_a_path_has_no_quota_of_its_own(app: ASGIApp, path: str) -> None:
    """A router that does not mind a blank or a slash more is no way around the quota of a route."""
    assert Limited(app).get(path, method="POST").status == 200
    limited = Limited(app, limits="POST /login: 2/minute; 100/minute")
    assert limited.statuses(2, "/login", method="POST") == [200, 200]
    assert limited.statuses(1, path, method="POST") == [429]


@pytest.mark.parametrize("path", ["/LOGIN", "/./login", "/login;v=1", "/x/../login", "/login\x00"])
def test_spellings_of_other_routers(path: str) -> None:
    """Routers below may follow dots, drop parameters, or not care about case."""
    limited = Limited(limits="/login: 2/minute")
    assert [limited.statuses(1, each)[0] for each in ("/login", path, "/login")] == [200, 200, 429]


def test_a_lax_quota_is_not_reached_by_a_spelling() -> None:
    """Of a path that can be read in two ways the quotas of both count."""
    limited = Limited(limits="/public/*: 100/minute; 1/minute")
    assert limited.statuses(2, "/x/../public/a") == [200, 429]
    assert limited.statuses(2, "/public/a") == [200, 200]


def test_a_page_with_a_slash_at_its_end_keeps_its_quota() -> None:
    """A path that a rule is plainly about counts there and nowhere else."""
    limited = Limited(limits="/shop/*: 3/minute; 1/minute")
    assert limited.statuses(4, "/shop/") == [200, 200, 200, 429]
    assert limited.statuses(1, "/other") == [200]


def test_a_method_in_small_letters() -> None:
    """Some frameworks take `post` for POST, and not every server corrects it."""
    limited = Limited(limits="POST /login: 1/minute")
    assert limited.statuses(2, "/login", method="post") == [200, 429]


def test_the_dearest_reading_counts() -> None:
    """What is cheap, or free, is not had by spelling something else like it."""
    limited = Limited(limits="10/minute", costs="/export: 10; /free/*: 0")
    assert limited.statuses(2, "//export") == [200, 429]
    limited = Limited(limits="1/minute", costs="/free/*: 0")
    assert limited.statuses(2, "/free/../login") == [200, 429]
    assert limited.statuses(2, "/free/a") == [200, 200]


def test_a_refund_is_for_every_reading() -> None:
    """What some router may take for another path is not given back."""
    limited = Limited(limits="2/minute", refunds="/free/*: 2xx")
    assert limited.statuses(3, "/free/a") == [200, 200, 200]
    assert limited.statuses(3, "/free/../login") == [200, 200, 429]


def preflights(limited: Limited, count: int, path: str, method: str) -> list[Reply]:
    """What so many preflights get."""
    lines = [ORIGIN, (b"access-control-request-method", method.encode())]
    scope = http_scope(path, method="OPTIONS", headers=lines)
    return [call(limited.layer, scope) for _ in range(count)]


@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS", "ODD"])
@pytest.mark.parametrize("path", ["/files", "//files"])
def test_a_rule_for_options_holds_whatever_is_asked_for(method: str, path: str) -> None:
    """A preflight cannot choose the lax quota of another rule by naming another method."""
    limited = Limited(limits="PUT|OPTIONS /files: 1/minute; 100/minute")
    replies = preflights(limited, 11, path, method)
    assert [reply.status for reply in replies] == [200] * 10 + [429]


def test_layers_tell_legacy_fields_once() -> None:
    """Clients read X-RateLimit fields as one number each, which is that of the innermost layer."""
    for refunds in ("", "/: 5xx"):
        inner = Limited(limits="1/minute", headers="both", refunds=refunds)
        outer = Limited(inner.layer, limits="9/minute", headers="both")
        for status in (200, 429):
            reply = outer.get()
            assert reply.status == status
            told = [name for name, _ in reply.headers]
            assert reply.header("x-ratelimit-limit") == "1"
            assert told.count(b"x-ratelimit-limit") == 1
            assert told.count(b"ratelimit") == 2


def test_the_same_rules_are_one_layer_whatever_its_stage() -> None:
    """An app with its own layer, started by `garrison run` with the same quotas, keeps its whole quota."""
    limited = Limited()
    settings = RateLimit(limits="2/minute")
    inner = RateLimitMiddleware(replies_with(), settings, store=limited.store)
    app = RateLimitMiddleware(inner, settings, store=limited.store, stage="client")
    assert [call(app).status for _ in range(3)] == [200, 200, 429]


def test_messages_of_another_spelling() -> None:
    """What a client sends over a WebSocket counts however the path of its handshake is written."""
    said = [{"type": "websocket.receive", "text": "again"}] * 3
    limited = Limited(listening, messages="/ws/*: 2/minute")
    wire = handshake(limited.layer, websocket_scope("//ws/chat", client=("192.0.2.1", 40000)), *said)
    assert wire.sent[-1]["code"] == POLICY_VIOLATION
