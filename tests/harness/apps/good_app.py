"""The bad app's twin, which does right what the other does wrong; the quota is 5 requests a minute."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from typing import Any

SAFE = [
    (b"x-content-type-options", b"nosniff"),
    (
        b"content-security-policy",
        b"default-src 'self'; frame-ancestors 'self'; base-uri 'self'; report-uri /reports",
    ),
    (b"permissions-policy", b"camera=(), microphone=()"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"strict-transport-security", b"max-age=31536000"),
]
HTML = (b"content-type", b"text/html; charset=utf-8")
PROBLEM = (b"content-type", b"application/problem+json")
MAX_BODY = 200_000
VISITS: Counter[str] = Counter()


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer what is sound, and refuse the rest with a problem document."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    status, extra, body = await respond(scope, receive)
    if status >= 400:
        extra = [PROBLEM, *extra]
        body = json.dumps({"status": status, "title": "Problem"}).encode()
    headers = [*SAFE, *extra, (b"x-request-id", uuid.uuid4().hex.encode())]
    headers.append((b"content-length", str(len(body)).encode()))
    if status == 413:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


async def respond(scope: dict[str, Any], receive: Any) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and content of the reply."""
    method, path = scope["method"], scope["path"]
    if status := refusal(scope):
        return status, [], b""
    if path == "/reports" and method == "POST":
        return 204, [], b""
    if path == "/json":
        if method != "POST":
            return 405, [(b"allow", b"POST")], b""
        status = await read_json(scope, receive)
        return status, [HTML] if status == 200 else [], b"thanks"
    if path == "/raise":
        return 500, [], b""
    if path != "/":
        return 404, [], b""
    if method not in {"GET", "HEAD"}:
        return 405, [(b"allow", b"GET, HEAD")], b""
    VISITS[scope["client"][0]] += 1
    if VISITS[scope["client"][0]] > 5:
        return 429, [(b"retry-after", b"60")], b""
    return 200, [HTML], b"<!doctype html><title>Good</title>"


def refusal(scope: dict[str, Any]) -> int:
    """The status that a request deserves before anybody looks at it, 0 for none."""
    headers = scope["headers"]
    if sum(name == b"host" for name, _ in headers) != 1:
        return 400
    if (b"sec-fetch-site", b"cross-site") in headers and scope["method"] != "GET":
        return 403
    if len(headers) > 100 or sum(len(name) + len(value) for name, value in headers) > 32_768:
        return 431
    if len(scope["raw_path"]) + len(scope["query_string"]) > 8192:
        return 414
    return 400 if "\x00" in scope["path"] or "\ufffd" in scope["path"] else 0


async def read_json(scope: dict[str, Any], receive: Any) -> int:
    """The status for a body: bounded as announced and as it streams, then parsed."""
    announced = next((int(value) for name, value in scope["headers"] if name == b"content-length"), 0)
    if announced > MAX_BODY:
        return 413
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY:
            return 413
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return 400
    return 200
