"""A site with an account behind a login: a form that is guarded by a token of its own, and one for programs.

Sessions live in this process, so that a second start of it knows nothing of the first.
"""

from __future__ import annotations

import json
import secrets
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import MutableMapping

USER, PASSWORD = "audit", "correct horse battery"
SESSIONS: set[str] = set()
TOKENS: set[str] = set()
FORM = """<!doctype html><title>Log in</title>
<form action="/search"><input type="hidden" name="scope" value="all"><input name="q"></form>
<form method="post" action=""><input type="hidden" name="csrf" value="{csrf}">
<input type="hidden" name="next" value="/account"><input name="username">
<input type="password" name="password">
</form>"""

Answer = tuple[int, dict[str, str], str]
HTML = {"content-type": "text/html; charset=utf-8"}
JSON = {"content-type": "application/json"}


async def app(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
    """Answer, and renew the session of whoever has one, as sites with sliding sessions do."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
    jar = SimpleCookie(headers.get("cookie", ""))
    cookies = {name: morsel.value for name, morsel in jar.items()}
    status, lines, text = respond(scope["method"], scope["path"], headers, cookies, body)
    content = text.encode()
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(name.encode(), value.encode()) for name, value in lines.items()],
        }
    )
    await send({"type": "http.response.body", "body": content})


def respond(method: str, path: str, headers: dict[str, str], cookies: dict[str, str], body: bytes) -> Answer:
    """Status, headers and content of the reply."""
    known = cookies.get("session") in SESSIONS or headers.get("authorization", "")[7:] in TOKENS
    if path == "/":
        return 200, HTML, "<!doctype html><title>Shop</title><p>Hello"
    if path == "/account" and known:
        # The page tells its user who is logged in, more than it should.
        shown = cookies.get("session", headers.get("authorization", ""))
        fresh = secrets.token_hex(16)
        SESSIONS.add(fresh)
        renewed = {"set-cookie": f"session={fresh}; HttpOnly; SameSite=Lax"} if "session" in cookies else {}
        return 200, {**HTML, **renewed, "x-session": shown}, f"<!doctype html><title>You</title><p>{shown}"
    if path == "/notes" and method == "POST":
        return (200, JSON, "{}") if known else (401, JSON, '{"detail": "Not authenticated"}')
    if path == "/account":
        return 303, {"location": "/login"}, ""
    if path == "/login":
        return _form(headers, cookies, body) if method == "POST" else _ask()
    if path == "/strict-login" and method == "POST":
        answer = _form(headers, cookies, body)
        return answer if answer[0] == 303 else (303, {"location": "/login"}, "")
    if path == "/token" and method == "POST":
        return _token(body)
    return 404, {"content-type": "text/plain"}, "Not Found"


def _ask() -> Answer:
    csrf = secrets.token_hex(8)
    return 200, {**HTML, "set-cookie": f"csrf={csrf}; SameSite=Lax"}, FORM.format(csrf=csrf)


def _form(headers: dict[str, str], cookies: dict[str, str], body: bytes) -> Answer:
    fields = dict(parse_qsl(body.decode()))
    genuine = bool(cookies.get("csrf")) and fields.get("csrf") == cookies["csrf"] and "scope" not in fields
    own = f"http://{headers['host']}"
    genuine = genuine and (headers.get("origin"), headers.get("referer")) == (own, f"{own}/login")
    stale = "session" in cookies and cookies["session"] not in SESSIONS
    if stale or not genuine:
        return 403, {"content-type": "text/plain"}, "stale" if stale else "forged"
    if (fields.get("username"), fields.get("password")) != (USER, PASSWORD):
        return _ask()
    session = secrets.token_hex(16)
    SESSIONS.add(session)
    lines = {"location": fields["next"], "set-cookie": f"session={session}; HttpOnly; SameSite=Lax"}
    return 303, lines, ""


def _token(body: bytes) -> Answer:
    said = json.loads(body)
    if (said.get("username"), said.get("password")) != (USER, PASSWORD):
        return 401, JSON, json.dumps({"detail": f"{said.get('password')} is wrong"})
    token = secrets.token_hex(16)
    TOKENS.add(token)
    return 200, JSON, json.dumps({"data": {"access/token": token}, "user": USER})
