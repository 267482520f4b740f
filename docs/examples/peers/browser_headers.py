"""Security headers beside `secure`: errors, headers of the app's own, its policies, WebSockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI
from secure.middleware import SecureASGIMiddleware
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from docs.examples.peers.asked import ask
from docs.examples.peers.case import Case
from garrison import Settings, harden

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.responses import Response

    from garrison.asgi import Receive, Scope, Send

PEER: Final = "secure"
OWN: Final = [(b"referrer-policy", b"origin"), (b"x-frame-options", b"DENY"), (b"content-type", b"text/html")]


async def fails(_request: Request) -> Response:
    """A view with a bug."""
    raise RuntimeError("kaboom")


async def sets_its_own(_scope: Scope, _receive: Receive, send: Send) -> None:
    """A page that says itself who may frame it, and what other sites are told."""
    await send({"type": "http.response.start", "status": 200, "headers": list(OWN)})
    await send({"type": "http.response.body", "body": b"<p>hello"})


async def denies(_scope: Scope, receive: Receive, send: Send) -> None:
    """A WebSocket for nobody."""
    await receive()
    lines = [(b"content-type", b"application/json")]
    await send({"type": "websocket.http.response.start", "status": 403, "headers": lines})
    await send({"type": "websocket.http.response.body", "body": b"{}"})


def cases() -> Iterator[Case]:
    """What is compared here."""
    routes = [Route("/", fails)]
    inside = Starlette(routes=routes, middleware=[Middleware(SecureASGIMiddleware)])
    around = harden(Starlette(routes=routes), Settings())
    yield Case(
        "a view raises: headers of the 500",
        PEER,
        _nosniff(ask(inside).header("x-content-type-options")),
        _nosniff(ask(around).header("x-content-type-options")),
    )
    theirs, ours = ask(_peer(sets_its_own)), ask(harden(sets_its_own, Settings()))
    yield Case(
        "the app sets Referrer-Policy and X-Frame-Options itself: its Content-Type",
        PEER,
        theirs.header("content-type") or "is gone",
        ours.header("content-type") or "is gone",
    )
    yield Case(
        "the same: X-Frame-Options of the reply",
        PEER,
        _lines(theirs.headers),
        _lines(ours.headers),
    )
    yield Case(
        "a WebSocket is denied: headers of the reply",
        PEER,
        _nosniff(ask(_peer(denies), type="websocket").header("x-content-type-options")),
        _nosniff(ask(harden(denies, Settings()), type="websocket").header("x-content-type-options")),
    )
    api = FastAPI()
    yield Case(
        "FastAPI's `/docs`, whose scripts come from a CDN",
        PEER,
        _docs(ask(_peer(api), "/docs").header("content-security-policy") or ""),
        _docs(ask(harden(api, Settings()), "/docs").header("content-security-policy") or ""),
    )


def _peer(app: Any) -> Any:
    return SecureASGIMiddleware(app)


def _nosniff(value: str | None) -> str:
    return "missing" if value is None else "there"


def _lines(headers: list[tuple[str, str]]) -> str:
    return " and ".join(value for name, value in headers if name == "x-frame-options")


def _docs(policy: str) -> str:
    return "blocked by the policy" if "default-src" in policy or "script-src" in policy else "works"
