"""An app that does nearly everything wrong; BAD_QUOTA=1 adds a quota that is easy to get around."""

from __future__ import annotations

import json
import os
import traceback
from collections import Counter
from typing import Any
from urllib.parse import parse_qs, unquote

BANNER = [
    (b"x-powered-by", b"Paper/1.0"),
    (b"referrer-policy", b"origin"),
    (b"referrer-policy", b"unsafe-url"),
]
VISITS: Counter[str] = Counter()


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer everything, and trust everybody."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    status, extra, body = await respond(scope, headers, receive)
    if "x-request-id" in headers:
        extra.append((b"x-request-id", headers["x-request-id"].encode("latin-1")))
    await send({"type": "http.response.start", "status": status, "headers": [*BANNER, *extra]})
    await send({"type": "http.response.body", "body": body})


async def respond(
    scope: dict[str, Any], headers: dict[str, str], receive: Any
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Choose the worst reply."""
    html = [(b"content-type", b"text/html")]
    method, path = scope["method"], scope["path"]
    host = headers.get("x-forwarded-host") or headers.get("host", "")
    query = parse_qs(unquote(scope["query_string"].decode("latin-1")), errors="replace")
    if over_quota(scope, headers):
        return 429, html, b"later"
    if method == "POST":
        try:
            json.loads(await whole_body(receive))
        except (ValueError, RecursionError):
            return 500, [(b"content-type", b"text/plain")], traceback.format_exc().encode()
        return 200, html, b"thanks"
    if method == "TRACE":
        return 200, [(b"content-type", b"message/http")], repr(headers).encode()
    if method == "PROPFIND":
        return 405, html, b"no"
    if method == "HEAD":
        return 200, [(b"content-type", b"text/plain")], b""
    if path == "//":
        return 307, [(b"location", f"http://{host}/".encode())], b""
    if path == "/raise":
        return 500, html, b"<title>Starlette Debugger</title>\n" + planted_traceback()
    if "\x00" in path or "\ufffd" in path:
        return 500, html, b"oh"
    if path != "/":
        return 404, [(b"content-type", b"text/plain"), (b"content-length", b"100")], b"short"
    language = query.get("lang", ["en"])[0].encode("latin-1", "replace")
    return 200, [*html, (b"content-language", language)], b"<h1>Bad</h1>"


def over_quota(scope: dict[str, Any], headers: dict[str, str]) -> bool:
    """Whether the client, as it names itself, has asked five times."""
    if "BAD_QUOTA" not in os.environ or scope["path"] != "/":
        return False
    client = headers.get("x-forwarded-for", scope["client"][0])
    VISITS[client] += 1
    return VISITS[client] > 5


async def whole_body(receive: Any) -> bytes:
    """Everything that is sent, however much."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def planted_traceback() -> bytes:
    """What Python says about an error here."""
    try:
        json.loads("planted")
    except ValueError:
        return traceback.format_exc().encode()
    return b""
