"""Apps as they are met in practice, which trip up whoever judges a status code alone."""

from __future__ import annotations

import asyncio
import html
import json
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Scope = MutableMapping[str, Any]
    App = Callable[[Scope, Any, Any], Awaitable[None]]
    Answer = tuple[int, dict[str, str], bytes]

HTML = {"content-type": "text/html; charset=utf-8"}
JSON = {"content-type": "application/json"}


def _app(answer: Callable[[Scope], Answer]) -> App:
    async def app(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            status, headers, body = answer(scope)
            lines = [(name.encode(), value.encode()) for name, value in headers.items()]
            await send({"type": "http.response.start", "status": status, "headers": lines})
            await send({"type": "http.response.body", "body": body})

    return app


def _single_page(_: Scope) -> Answer:
    """One page for every path and method, with a nonce of its own each time."""
    nonce = uuid.uuid4().hex
    return 200, HTML, f"<script nonce={nonce}>/* swagger-ui, login */</script><div id=app>".encode()


def _repeating_page(scope: Scope) -> Answer:
    """One page for everything that names the path, as it may: escaped."""
    return 200, HTML, f"<title>{html.escape(scope['path'])}</title>".encode()


def _echo(scope: Scope) -> Answer:
    """What was asked, as JSON, for every path and method."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query = scope["query_string"].decode("latin-1")
    return 200, JSON, json.dumps({"path": scope["path"], "query": query, "headers": headers}).encode()


def _login_wall(scope: Scope) -> Answer:
    """The way to the login for everything but the login."""
    if scope["path"] == "/login":
        return 200, HTML, b"<form><input type=password></form>"
    return 303, {"location": f"/login?next={quote(scope['path'])}"}, b""


def _friendly_wall(_: Scope) -> Answer:
    """A login page with 200 in place of everything."""
    return 200, HTML, b"<form>Log in: <input type=password></form>"


def _closed(_: Scope) -> Answer:
    """A 401 for everything."""
    return 401, JSON, b'{"detail": "Not authenticated"}'


def _api(scope: Scope) -> Answer:
    """An API without a page: one resource, and 404 for the rest."""
    if scope["path"] == "/items/1" and scope["method"] in {"GET", "HEAD"}:
        return 200, JSON, b'{"number": 1}' if scope["method"] == "GET" else b""
    return 404, JSON, b'{"detail": "Not Found"}'


def _always_fine(_: Scope) -> Answer:
    """An API that says in its content that something went wrong."""
    return 200, JSON, b'{"ok": false, "error": "unauthorized"}'


def _endless(kind: bytes) -> App:
    """A page, and a reply of this type at `/search` that goes on for as long as anybody listens."""

    async def app(scope: Scope, _receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        endless = scope["path"] == "/search"
        headers = [(b"content-type", kind if endless else b"text/html")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        while endless:
            await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
            await asyncio.sleep(0.2)
        await send({"type": "http.response.body", "body": b"<p>page"})

    return app


APPS: dict[str, App] = {
    "a single page": _app(_single_page),
    "a page that repeats the path": _app(_repeating_page),
    "an echo": _app(_echo),
    "a wall before everything": _app(_login_wall),
    "a login page with 200": _app(_friendly_wall),
    "closed": _app(_closed),
    "an API without a page": _app(_api),
    "an API that is always fine": _app(_always_fine),
}
"""By what they are."""

ENDLESS: App = _endless(b"text/event-stream")
ENDLESS_TEXT: App = _endless(b"text/plain")
