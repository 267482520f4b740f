"""The tables of OpenTelemetry's HTTP conventions for servers, row by row, and what each asks for.

From docs/http/http-spans.md and docs/http/http-metrics.md of the semantic conventions, schema 1.44.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import litestar
from fastapi import FastAPI
from fastapi import Request as FastRequest
from fastapi import Response as FastResponse
from fastapi import WebSocket as FastSocket
from litestar import Litestar
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from garrison import Tracing
from tests.toolkit.driver import http_scope, read_body, websocket_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.websockets import WebSocket

    from garrison.asgi import ASGIApp, Receive, Scope, Send

Level = Literal["Required", "Conditionally Required", "Recommended", "Opt-In"]

HEADERS: Final = [
    (b"host", b"shop.example:8443"),
    (b"user-agent", b"curl/8.0"),
    (b"x-tenant", b"acme"),
    (b"x-tenant", b"corp"),
]
# The routes of every app below: an item that echoes its body's size, a failure, and a plain 503.


def item(method: str = "POST", **more: Any) -> Scope:
    """A request for an item, over https at a port of its own."""
    return http_scope("/items/7", method=method, headers=HEADERS, scheme="https", **more)


def situations() -> Mapping[str, Scope]:
    """The requests that the rows are about."""
    return {
        "plain": item(query=b"q=1&sig=x"),
        "no query": item(),
        "own method": item("BREW"),
        "unavailable": http_scope("/unavailable", headers=HEADERS),
        "failing": http_scope("/fails", headers=HEADERS),
        "not found": http_scope("/nowhere", headers=HEADERS),
        "bare host": http_scope("/items/7", headers=[(b"host", b"shop.example")], method="POST"),
        "websocket": websocket_scope("/live", headers=HEADERS),
    }


BODY: Final = b"twelve bytes"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a table, and one thing that it says.

    Attributes:
        signal: `span`, or the metric that the table is of.
        attribute: its name; for a metric of its own, the empty text.
        level: the requirement level.
        situation: which request.
        expected: the attribute's value, one for each framework where they differ; None for no attribute.
    """

    signal: str
    attribute: str
    level: Level
    situation: str
    expected: Any


TEMPLATES: Final = {
    "bare": None,
    "starlette": "/items/{id}",
    "fastapi": "/items/{id}",
    "litestar": "/items/{id}",
}
OPT_IN: Final = Tracing(
    request_headers=("X-Tenant",),
    response_headers=("X-Shelf",),
    attributes=(
        "client.port",
        "network.local.address",
        "network.local.port",
        "network.transport",
        "http.request.body.size",
        "http.response.body.size",
    ),
    metrics=(
        "http.server.active_requests",
        "http.server.request.body.size",
        "http.server.response.body.size",
    ),
)


def _rows(signal: str, level: Level, *facts: tuple[str, str, Any]) -> list[Row]:
    return [
        Row(signal=signal, attribute=attribute, level=level, situation=situation, expected=expected)
        for attribute, situation, expected in facts
    ]


SPAN: Final = [
    *_rows(
        "span",
        "Required",
        ("http.request.method", "plain", "POST"),
        ("http.request.method", "own method", "_OTHER"),
        ("url.path", "plain", "/items/7"),
        ("url.scheme", "plain", "https"),
    ),
    *_rows(
        "span",
        "Conditionally Required",
        ("error.type", "failing", "LookupError"),
        ("error.type", "unavailable", "503"),
        ("error.type", "not found", None),
        ("http.request.method_original", "own method", "BREW"),
        ("http.request.method_original", "plain", None),
        ("http.response.status_code", "plain", 201),
        ("http.route", "plain", TEMPLATES),
        ("http.route", "not found", None),
        ("network.protocol.name", "websocket", "websocket"),
        ("network.protocol.name", "plain", None),
        ("server.port", "plain", 8443),
        ("server.port", "bare host", None),
        ("url.query", "plain", "q=1&sig=REDACTED"),
        ("url.query", "no query", None),
    ),
    *_rows(
        "span",
        "Recommended",
        ("client.address", "plain", "192.0.2.1"),
        ("network.peer.address", "plain", "192.0.2.1"),
        ("network.peer.port", "plain", 50000),
        ("network.protocol.version", "plain", "1.1"),
        ("server.address", "plain", "shop.example"),
        ("user_agent.original", "plain", "curl/8.0"),
    ),
    *_rows(
        "span",
        "Opt-In",
        ("client.port", "plain", 50000),
        ("http.request.body.size", "plain", len(BODY)),
        ("http.request.header.x-tenant", "plain", ("acme", "corp")),
        ("http.response.body.size", "plain", len(b"ok")),
        ("http.response.header.x-shelf", "plain", ("left",)),
        ("network.local.address", "plain", "127.0.0.1"),
        ("network.local.port", "plain", 8000),
        ("network.transport", "plain", "tcp"),
    ),
]

# What ASGI does not tell, the bytes of the head on the wire, and what would be a guess.
NOT_OFFERED: Final = {"http.request.size", "http.response.size", "user_agent.synthetic.type"}

DURATION: Final = "http.server.request.duration"
ACTIVE: Final = "http.server.active_requests"
SIZES: Final = ("http.server.request.body.size", "http.server.response.body.size")


def _measured(metric: str) -> list[Row]:
    return [
        *_rows(
            metric,
            "Required",
            ("http.request.method", "plain", "POST"),
            ("http.request.method", "own method", "_OTHER"),
            ("url.scheme", "plain", "https"),
        ),
        *_rows(
            metric,
            "Conditionally Required",
            ("error.type", "failing", "LookupError"),
            ("error.type", "unavailable", "503"),
            ("error.type", "plain", None),
            ("http.response.status_code", "plain", 201),
            ("http.route", "plain", TEMPLATES),
            ("http.route", "not found", None),
            ("network.protocol.name", "plain", None),
        ),
        *_rows(metric, "Recommended", ("network.protocol.version", "plain", "1.1")),
        # Clients choose what they write into Host, and so would choose how many series there are.
        *_rows(metric, "Opt-In", ("server.address", "plain", None), ("server.port", "plain", None)),
    ]


METRICS: Final = [
    *_measured(DURATION),
    *(row for metric in SIZES for row in _measured(metric)),
    *_rows(
        ACTIVE,
        "Required",
        ("http.request.method", "plain", "POST"),
        ("http.request.method", "own method", "_OTHER"),
        ("url.scheme", "plain", "https"),
    ),
    *_rows(ACTIVE, "Opt-In", ("server.address", "plain", None), ("server.port", "plain", None)),
]


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """An app without a framework."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 1000})
        return
    await read_body(receive)
    if scope["path"] == "/fails":
        raise LookupError
    status = {"/items/7": 201, "/unavailable": 503}.get(scope["path"], 404)
    await send({"type": "http.response.start", "status": status, "headers": [(b"x-shelf", b"left")]})
    await send({"type": "http.response.body", "body": b"ok"})


def starlette_app() -> Starlette:
    """The same in Starlette."""

    async def item(request: Request) -> Response:
        await request.body()
        return PlainTextResponse("ok", 201, {"x-shelf": "left"})

    async def unavailable(request: Request) -> Response:
        return PlainTextResponse("no", 503)

    async def fails(request: Request) -> Response:
        raise LookupError

    async def live(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    return Starlette(
        routes=[
            Route("/items/{id}", item, methods=["POST", "BREW"]),
            Route("/unavailable", unavailable),
            Route("/fails", fails),
            WebSocketRoute("/live", live),
        ]
    )


def fastapi_app() -> FastAPI:
    """The same in FastAPI."""
    app = FastAPI()

    @app.api_route("/items/{id}", methods=["POST", "BREW"], status_code=201)
    async def item(request: FastRequest, response: FastResponse) -> FastResponse:
        await request.body()
        return PlainTextResponse("ok", 201, {"x-shelf": "left"})

    @app.get("/unavailable")
    async def unavailable() -> FastResponse:
        return PlainTextResponse("no", 503)

    @app.get("/fails")
    async def fails() -> None:
        raise LookupError

    @app.websocket("/live")
    async def live(websocket: FastSocket) -> None:
        await websocket.accept()
        await websocket.close()

    return app


def litestar_app() -> Litestar:
    """The same in Litestar."""

    @litestar.post("/items/{id:int}", media_type="text/plain", response_headers={"x-shelf": "left"})
    async def item(request: litestar.Request[Any, Any, Any]) -> str:
        await request.body()
        return "ok"

    @litestar.get("/unavailable", status_code=503, media_type="text/plain")
    async def unavailable() -> str:
        return "no"

    @litestar.get("/fails")
    async def fails() -> None:
        raise LookupError

    @litestar.websocket("/live")
    async def live(socket: litestar.WebSocket[Any, Any, Any]) -> None:
        await socket.accept()
        await socket.close()

    return Litestar([item, unavailable, fails, live], logging_config=None, openapi_config=None)


APPS: Final[Mapping[str, Callable[[], ASGIApp | Any]]] = {
    "bare": lambda: bare,
    "starlette": starlette_app,
    "fastapi": fastapi_app,
    "litestar": litestar_app,
}
