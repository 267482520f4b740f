"""`harden()` on the frameworks that people use, in process: all of it protected, none of it broken."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from garrison import RateLimit, Settings, harden
from tests.toolkit.driver import Wire, call, exchange, handshake, http_scope, run, websocket_scope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from garrison.asgi import ASGIApp, Message

NAMES = ("starlette", "fastapi", "litestar", "bare")
TRACEBACK = "Traceback (most recent call last)"


def site(name: str) -> ASGIApp:
    """The site as it is written for one framework."""
    found: ASGIApp = importlib.import_module(f"tests.integration.sites.{name}_site").app
    return found


@pytest.fixture(params=NAMES)
def plain(request: pytest.FixtureRequest) -> ASGIApp:
    """The site, once for each framework."""
    return site(request.param)


def events(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The events on standard output."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/items/7", 200),
        ("GET", "/page", 200),
        ("GET", "/nowhere", 404),
        ("POST", "/items/7", 405),
        ("TRACE", "/items/7", 405),
        ("GET", "/boom", 500),
    ],
)
def test_every_reply_has_its_headers(plain: ASGIApp, method: str, path: str, status: int) -> None:
    """Pages, documents, the framework's own error pages and refusals carry policy and id alike."""
    reply = call(harden(plain, Settings()), http_scope(path, method=method))
    assert reply.status == status
    assert reply.header("x-content-type-options") == "nosniff"
    assert len(reply.header("x-request-id") or "") == 32
    policy = reply.header("content-security-policy")
    if path == "/page":
        assert policy == "base-uri 'self'; frame-ancestors 'self'"
    else:
        assert policy is not None
        assert policy.startswith("default-src 'none'")
    assert reply.header("strict-transport-security") is None
    assert int(reply.header("content-length") or 0) == len(reply.body)


def test_https_gets_hsts(plain: ASGIApp) -> None:
    """Over https browsers are told to stay there."""
    reply = call(harden(plain, Settings()), http_scope("/page", scheme="https"))
    assert reply.header("strict-transport-security") == "max-age=63072000"


def test_an_exception_is_a_problem_and_one_traceback(
    plain: ASGIApp, capsys: pytest.CaptureFixture[str]
) -> None:
    """The client learns an id, and the log has one traceback under it, whatever the framework does."""
    reply = call(harden(plain, Settings()), http_scope("/boom"))
    assert (reply.status, reply.header("content-type")) == (500, "application/problem+json")
    assert b"kaboom" not in reply.body
    captured = capsys.readouterr()
    assert (captured.out + captured.err).count(TRACEBACK) == 1
    failure, access = [json.loads(line) for line in captured.out.splitlines()]
    assert (failure["event"], failure["error.type"]) == ("unhandled_exception", "RuntimeError")
    assert "kaboom" in failure["exception.stacktrace"]
    assert failure["request_id"] == access["request_id"] == reply.json["request_id"]
    assert (access["http.response.status_code"], access["error.type"]) == (500, "RuntimeError")


@pytest.mark.parametrize("name", ["starlette", "fastapi", "litestar"])
def test_the_log_knows_the_route(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The template that the framework chose is in the event, and not the value in the path."""
    call(harden(site(name), Settings()), http_scope("/items/7"))
    (event,) = events(capsys)
    assert event["http.route"] in {"/items/{number}", "/items/{number:int}"}
    assert event["url.path"] == "/items/7"


def test_websockets_talk(plain: ASGIApp) -> None:
    """A WebSocket is accepted with the request id on the handshake, and echoes."""
    wire = handshake(harden(plain, Settings()), websocket_scope("/echo"), text("hello"))
    accept, sent, close = wire.sent
    assert (accept["type"], sent["text"], close["type"]) == ("websocket.accept", "hello", "websocket.close")
    assert b"x-request-id" in dict(accept["headers"])


@pytest.mark.parametrize("path", ["/deny", "/nowhere"])
def test_websockets_can_be_denied(plain: ASGIApp, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An app that closes before it accepts, and a path that nobody serves, are a 403 with every header."""
    hardened = harden(plain, Settings())
    reply = handshake(hardened, websocket_scope(path)).reply
    assert (reply.status, reply.body) == (403, b"")
    assert reply.header("x-content-type-options") == "nosniff"
    assert reply.header("x-request-id") is not None
    # A server that cannot send a whole reply makes its own of the close.
    wire = handshake(hardened, websocket_scope(path, denial=False))
    assert [message["type"] for message in wire.sent] == ["websocket.close"]
    assert [event["http.response.status_code"] for event in events(capsys)] == [403, 403]


def test_a_refused_handshake_has_the_policy(plain: ASGIApp) -> None:
    """A WebSocket over its quota is denied with a whole reply, headers of the layers included."""
    hardened = harden(plain, Settings(rate_limit=RateLimit(limits="1/hour")))
    assert handshake(hardened, websocket_scope("/echo"), text("hello")).sent[0]["type"] == "websocket.accept"
    reply = handshake(hardened, websocket_scope("/echo"), text("hello")).reply
    assert (reply.status, reply.header("x-content-type-options")) == (429, "nosniff")
    assert reply.header("retry-after") is not None


def test_lifespan_state_and_background_tasks(plain: ASGIApp) -> None:
    """What the startup made reaches the requests, and what runs behind a reply has run."""

    async def main() -> None:
        async with started(harden(plain, Settings())) as (app, state):
            assert (await exchange(app, http_scope("/later", state=dict(state)))).body == b"soon"
            assert (await exchange(app, http_scope("/done", state=dict(state)))).json == ["task"]

    run(main())


def test_streams_stay_streams(plain: ASGIApp) -> None:
    """The first event is out before the second exists."""

    async def main() -> None:
        async with started(harden(plain, Settings())) as (app, state):
            wire = EventWire(deque([{"type": "http.request", "body": b"", "more_body": False}]))
            scope = http_scope("/stream", state=dict(state))
            streaming = asyncio.ensure_future(app(scope, wire.receive, wire.send))
            await wire.first.wait()
            assert wire.reply.body == b"data: first\n\n"
            assert (await exchange(app, http_scope("/open", state=dict(state)))).body == b"open"
            await streaming
            assert wire.reply.body == b"data: first\n\ndata: second\n\n"
            assert wire.reply.header("x-content-type-options") == "nosniff"

    run(main())


def test_fastapis_documentation_still_works() -> None:
    """The interactive pages load their scripts from elsewhere, which the page policy leaves alone."""
    app = harden(site("fastapi"), Settings())
    for path in ("/docs", "/redoc"):
        reply = call(app, http_scope(path))
        assert reply.status == 200
        assert b"<script" in reply.body
        policy = reply.header("content-security-policy") or ""
        assert not {"script-src", "default-src", "style-src", "connect-src"} & set(policy.split())
        assert reply.header("x-frame-options") == "SAMEORIGIN"
    assert call(app, http_scope("/openapi.json")).json["paths"]["/items/{number}"]


@dataclass
class EventWire(Wire):
    """A wire that says when the first byte of a body is out."""

    first: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, message: Message) -> None:
        """The `send` of the app."""
        await super().send(message)
        if message.get("body"):
            self.first.set()


def text(words: str) -> Message:
    """A message of a WebSocket client."""
    return {"type": "websocket.receive", "text": words}


@asynccontextmanager
async def started(app: ASGIApp) -> AsyncIterator[tuple[ASGIApp, dict[str, Any]]]:
    """The app between its startup and its shutdown, and the state that its requests are to have."""
    state: dict[str, Any] = {}
    incoming: asyncio.Queue[Message] = asyncio.Queue()
    sent: asyncio.Queue[Message] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": state}
    living = asyncio.ensure_future(app(scope, incoming.get, sent.put))
    await incoming.put({"type": "lifespan.startup"})
    assert (await sent.get())["type"] == "lifespan.startup.complete"
    yield app, state
    await incoming.put({"type": "lifespan.shutdown"})
    assert (await sent.get())["type"] == "lifespan.shutdown.complete"
    await living
