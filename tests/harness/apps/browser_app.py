"""An app with one fault against browsers at each path: `/h2` is what H2 finds, `/` is right in all."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import MutableMapping

Lines = list[tuple[str, str]]

TOLD = "; report-uri /reports"
POLICY = f"default-src 'self'; base-uri 'self'; frame-ancestors 'self'{TOLD}"
SESSION = "sessionid=0123456789abcdef; Path=/; HttpOnly; SameSite=Lax"
SAFE = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=()",
    "Cache-Control": "private, no-cache",
    "Set-Cookie": SESSION,
}
FRONT = "http://localhost:3000"
# What a path sends in place of what is right; None leaves a header out.
INSTEAD: dict[str, dict[str, str | None]] = {
    "/h1": {"X-Content-Type-Options": None},
    "/h2": {"Content-Security-Policy": f"default-src 'self'; base-uri 'self'{TOLD}"},
    "/h3": {"Content-Security-Policy": f"base-uri 'self'; frame-ancestors 'self'{TOLD}"},
    "/h5": {"Referrer-Policy": "unsafe-url"},
    "/h7": {"Permissions-Policy": "camera 'none'; microphone 'none'"},
    "/h8": {"Content-Type": "text/html"},
    "/h9": {"X-Powered-By": "Paper/1.0"},
    "/h10": {"Referrer-Policy ": "strict-origin"},
    "/h11": {"Cache-Control": "public, max-age=60"},
    "/h13": {"Content-Security-Policy": f"{POLICY}; script-src 'self' 'unsafe-inline'"},
    "/h14": {"Content-Security-Policy": POLICY.removesuffix(TOLD)},
    "/c2": {"Set-Cookie": "sessionid=0123456789abcdef; SameSite=Lax"},
    "/c3": {"Set-Cookie": "sessionid=0123456789abcdef; HttpOnly"},
    "/c4": {"Set-Cookie ": "__Host-theme=dark; Path=/shop; Secure"},
    "/c5": {"Set-Cookie ": "theme=dark; Domain=other.example"},
}


async def app(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
    """Answer by the path."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    given = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    if scope["type"] == "websocket":
        await answer_handshake(scope["path"], given, receive, send)
        return
    while (await receive()).get("more_body"):
        pass
    status, changes = judged(scope["method"], scope["path"], given)
    lines = {**SAFE, **changes}
    headers = [
        (name.strip().lower().encode(), value.encode()) for name, value in lines.items() if value is not None
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    body = b"" if scope["method"] == "HEAD" or status == 204 else b"<!doctype html><title>Shop</title>"
    await send({"type": "http.response.body", "body": body})


async def answer_handshake(path: str, given: dict[str, str], receive: Any, send: Any) -> None:
    """Open for everybody at one path, and for the own origin at another."""
    await receive()
    own = given.get("origin") == f"http://{given['host']}"
    if path == "/o6" or (path == "/guarded" and own):
        await send({"type": "websocket.accept"})
        await receive()
    else:
        await send({"type": "websocket.close"})


def judged(method: str, path: str, given: dict[str, str]) -> tuple[int, dict[str, str | None]]:
    """The status, and what is sent in place of what is right."""
    if method == "POST" and path == "/o7":
        return 200, {}
    if method == "POST" and path == "/guarded":
        return (403 if given.get("sec-fetch-site") == "cross-site" else 200), {}
    if method == "POST" and path == "/reports":
        return 204, {}
    if method == "OPTIONS" and path == "/o4":
        granted = granting(given["origin"])
        granted["Access-Control-Allow-Methods"] = given["access-control-request-method"]
        granted["Access-Control-Allow-Headers"] = given["access-control-request-headers"]
        return 204, granted
    if method not in {"GET", "HEAD"}:
        return 405, {"Allow": "GET, HEAD"}
    if path == "/c6" and not given.get("cookie", "").isascii():
        return 500, {}
    if path == "/nonces":
        nonce = secrets.token_urlsafe(18)
        return 200, {"Content-Security-Policy": f"{POLICY}; script-src 'nonce-{nonce}' 'strict-dynamic'"}
    known = path in INSTEAD or path in {
        "/",
        "/guarded",
        "/listed",
        *(f"/o{number}" for number in range(1, 8)),
        "/c6",
    }
    return (200 if known else 404), {**INSTEAD.get(path, {}), **readers(path, given.get("origin", ""))}


def readers(path: str, origin: str) -> dict[str, str | None]:
    """The permission that an origin gets."""
    careless = {
        "/o1": bool(origin),
        "/o2": origin == "null",
        "/o3": origin.startswith("http://localhost"),
        "/o5": origin == FRONT,
        "/listed": origin == FRONT,
    }
    if path not in careless:
        return {}
    varying: dict[str, str | None] = {} if path == "/o5" else {"Vary": "Origin"}
    return {**varying, **(granting(origin) if careless[path] else {})}


def granting(origin: str) -> dict[str, str | None]:
    """The headers that let an origin read with cookies."""
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true"}
