"""Healthy pages, documents and headers that nobody sane writes: none of them may break the audit."""

from __future__ import annotations

import json
from typing import Any

PAGE = (
    b"<!doctype html><p>a <![foo[bar]]></p><script src='http://[a'></script><a href='/x'>x</a>" + b"\n" * 40
)
ZONE = b"Mon, 01 Jan 2020 00:00:00 +99999999999999"
HEADERS = [
    (b"content-security-policy", b"script-src http://[a"),
    (b"permissions-policy", b"geolocation=(https://maps.internal.customer-portal.example.com 'self')"),
    (b"ratelimit-reset", ZONE),
    (b"set-cookie", b"a=b; Max-Age=" + b"9" * 5000),
    (b"set-cookie", b"c=d; Expires=" + ZONE),
]
BROKEN = """{"openapi": "3.1.0", "paths": {
    "/healthy": {"get": {}},
    "/type": {"post": {"requestBody": {"content": {"application/json": {"schema": {"type": {}}}}}}},
    "/\\ud800": {"get": {}}}}"""


def answer(body: bytes, kind: bytes, headers: list[tuple[bytes, bytes]], status: int = 200) -> Any:
    """An app that answers everything in one way."""

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        head = [(b"content-type", kind), *headers]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": body})

    return app


page = answer(PAGE, b"text/html", HEADERS)
refusing = answer(b"{}", b"application/json", [(b"retry-after", b"\xb2")], 429)


async def documented(scope: Any, receive: Any, send: Any) -> None:
    """An API whose document is broken in parts."""
    found = scope["path"] == "/openapi.json"
    body = BROKEN.encode() if found else json.dumps({"fine": True}).encode()
    await answer(body, b"application/json", [])(scope, receive, send)


def limited() -> Any:
    """An API with a quota that says when to come back in a zone that there is not."""
    asked: dict[str, int] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        client = scope["client"][0]
        asked[client] = asked.get(client, 0) + 1
        over = asked[client] > 3
        headers = [(b"retry-after", ZONE)] if over else []
        await answer(b"{}", b"application/json", headers, 429 if over else 200)(scope, receive, send)

    return app
