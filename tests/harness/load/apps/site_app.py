"""A small web site with links, an ETag, an OpenAPI document, and places where a polite user does not go."""

from __future__ import annotations

import json
from typing import Any

PAGE = b"""<a href="/one">one</a> <a href="two?x=1">two</a> <a href="/logout">bye</a>
<a href="http://192.0.2.1/elsewhere">elsewhere</a> <a href="mailto:x@example.com">mail</a> <a href="http://[">?</a>"""
DOCUMENT = {
    "openapi": "3.1.0",
    "paths": {
        "/things": {"get": {"parameters": [{"name": "q", "in": "query"}]}},
        "/things/{id}": {"get": {}},
        "/needy": {"get": {"parameters": [{"name": "q", "in": "query", "required": True}]}},
        "/things/new": {"post": {}},
    },
}
PAGES = {
    "/": (200, b"text/html; charset=utf-8", PAGE),
    "/one": (200, b"text/html", b"<p>a page"),
    "/two": (200, b"text/html", b"<p>a page"),
    "/openapi.json": (200, b"application/json", json.dumps(DOCUMENT).encode()),
    "/things": (200, b"application/json", b"[1, 2]"),
}

visits: list[list[str]] = []


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Serve the site; `/visits` lists every method, path and status so far."""
    if scope["type"] != "http":
        return
    headers = dict(scope["headers"])
    status, kind, body = _reply(scope["path"], headers)
    if scope["path"] != "/visits":
        visits.append([scope["method"], scope["path"], str(status)])
    reply_headers = [(b"content-type", kind)]
    if scope["path"] == "/one":
        reply_headers.append((b"etag", b'"1"'))
    await send({"type": "http.response.start", "status": status, "headers": reply_headers})
    await send({"type": "http.response.body", "body": body})


def _reply(path: str, headers: dict[bytes, bytes]) -> tuple[int, bytes, bytes]:
    if path == "/one" and b"if-none-match" in headers:
        return 304, b"text/html", b""
    if path == "/" and headers.get(b"accept") == b"application/json":
        return 200, b"application/json", b"{}"
    if path == "/visits":
        return 200, b"application/json", json.dumps(visits).encode()
    return PAGES.get(path, (404, b"text/plain", b"nothing here"))
