"""Bugs found in other header, CORS and redirect layers: the condition of each, and the whole stack in it.

Where the other layer is installed, the same test shows it failing first.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from typing import TYPE_CHECKING, Any, Final, get_args

import pytest
import uvicorn
from fastapi import FastAPI
from secure import Secure
from secure.middleware import SecureASGIMiddleware
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
from starlette.routing import Route

from garrison import CrossOrigin, RateLimit, SecurityHeaders, Settings, SettingsError, csp_nonce, harden
from garrison.headers.presets import Preset
from garrison.middleware.hosts import Hosts
from tests.toolkit.driver import (
    Wire,
    accepts,
    call,
    converse,
    handshake,
    http_scope,
    raises,
    replies_with,
    request_messages,
    run,
    websocket_scope,
)
from tests.toolkit.server.conftest import running
from tests.toolkit.server.wire import ask

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send
    from tests.toolkit.driver import Reply

HTML: Final = (b"content-type", b"text/html; charset=utf-8")
JSON: Final = (b"content-type", b"application/json")
EVIL: Final = (b"origin", b"https://evil.example")
COOKIE: Final = (b"cookie", b"session=1")
PRESETS: Final[tuple[Preset, ...]] = get_args(Preset)


def peer(app: ASGIApp, headers: Secure | None = None) -> ASGIApp:
    """The app behind `secure`, with its default headers."""
    found: Any = SecureASGIMiddleware(app, secure=headers)
    return found  # type: ignore[no-any-return]


def stack(app: ASGIApp, **sections: object) -> ASGIApp:
    """The app behind every layer that is on by default, and what these sections switch on."""
    return harden(app, Settings(**sections))  # type: ignore[arg-type]


def directives(reply: Reply) -> set[str]:
    """The names of the directives of the one policy that a reply has."""
    policy = reply.header("content-security-policy") or ""
    return {part.split()[0] for part in policy.split(";") if part.strip()}


# --- Header lists ---


def test_replacing_headers_keeps_the_content_type() -> None:
    """An app that sets two of the headers itself keeps its content type, and each header is there once."""
    lines = [(b"referrer-policy", b"origin"), (b"x-frame-options", b"DENY"), HTML]
    app = replies_with(200, lines)

    async def plain(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": list(lines)})
        await send({"type": "http.response.body", "body": b""})

    broken = call(peer(plain))
    assert broken.header("content-type") is None
    assert len(broken.all("x-frame-options")) == 2
    for existing in ("keep", "override"):
        section = SecurityHeaders(existing=existing)
        reply = call(stack(app, security_headers=section))
        assert reply.header("content-type") == "text/html; charset=utf-8"
        assert len(reply.all("x-frame-options")) == len(reply.all("referrer-policy")) == 1


def test_cookies_are_neither_lost_nor_folded() -> None:
    """Each cookie stays a line of its own, dates with commas among them, in the order of the app."""
    cookies = [
        b"a=1; Expires=Wed, 21 Oct 2037 07:28:00 GMT",
        b"a=2; Path=/x",
        b"b=3; Partitioned; Secure",
        b"c=4",
    ]
    lines = [(b"Set-Cookie" if value < b"b" else b"set-cookie", value) for value in cookies]
    sections = {"cross_origin": CrossOrigin(allowed=("https://evil.example",))}
    reply = call(stack(replies_with(200, [HTML, *lines]), **sections), http_scope(headers=[EVIL]))
    assert reply.all("set-cookie") == [value.decode() for value in cookies]


@pytest.mark.parametrize("name", [b"x-frame-options", b"X-Frame-Options", b"X-FRAME-OPTIONS"])
def test_names_in_another_case_are_the_same_header(name: bytes) -> None:
    """What the app has set in any case is not sent again beside it."""
    reply = call(stack(replies_with(200, [HTML, (name, b"DENY")])))
    assert reply.all("x-frame-options") == ["DENY"]


def test_two_policies_are_not_stacked() -> None:
    """Browsers enforce the intersection of several policies, so that an app's own stays the only one."""
    own = "default-src 'self' https://cdn.example; frame-ancestors https://partner.example"
    app = replies_with(200, [HTML, (b"content-security-policy", own.encode())])
    assert len(call(peer(app)).all("content-security-policy")) == 2
    reply = call(stack(app))
    assert reply.all("content-security-policy") == [own]
    # It would forbid the partner in browsers that obey both.
    assert reply.header("x-frame-options") is None


def test_interactive_documentation_still_renders() -> None:
    """FastAPI's `/docs` loads its scripts from a CDN, which the default policy of pages does not forbid."""
    app: Any = FastAPI()
    forbidden = {"default-src", "script-src", "style-src", "img-src", "connect-src"}
    assert directives(call(peer(app), http_scope("/docs"))) & forbidden
    reply = call(stack(app), http_scope("/docs"))
    assert (reply.status, directives(reply) & forbidden) == (200, set())


# --- Replies that header layers miss ---


async def fails(request: Request) -> Response:
    """A view with a bug."""
    raise RuntimeError("kaboom")


def test_failures_carry_the_headers() -> None:
    """Starlette answers a failure outside of all its middlewares; the stack stands outside of that."""
    routes = [Route("/", fails)]
    inside: Any = Starlette(routes=routes, middleware=[Middleware(SecureASGIMiddleware)])
    wire = Wire(deque(request_messages()))

    async def main() -> None:
        with pytest.raises(RuntimeError):
            await inside(http_scope(), wire.receive, wire.send)

    run(main())
    assert wire.reply.status == 500
    assert wire.reply.header("x-content-type-options") is None
    outside: Any = Starlette(routes=routes)
    for app in (outside, raises(RuntimeError("kaboom"))):
        reply = call(stack(app))
        assert reply.status == 500
        assert_protected(reply)


def assert_protected(reply: Reply) -> None:
    """Assert that a refusal or an error has what an API reply has."""
    assert reply.header("x-content-type-options") == "nosniff"
    assert reply.header("x-frame-options") == "SAMEORIGIN"
    assert "default-src" in directives(reply)
    assert reply.header("cache-control") == "no-store"


@pytest.mark.parametrize("scope", [websocket_scope(), websocket_scope("/nowhere")])
def test_websocket_denials_carry_the_headers(scope: Scope) -> None:
    """A handshake that is denied is answered with a reply like any other."""

    async def denies(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        if scope["path"] == "/nowhere":
            await send({"type": "websocket.close", "code": 1000, "reason": ""})
            return
        await send({"type": "websocket.http.response.start", "status": 403, "headers": [JSON]})
        await send({"type": "websocket.http.response.body", "body": b"{}"})

    if scope["path"] != "/nowhere":
        assert handshake(peer(denies), scope).reply.header("x-content-type-options") is None
    reply = handshake(stack(denies), scope).reply
    assert (reply.status, reply.header("x-content-type-options")) == (403, "nosniff")


def test_refusals_carry_the_headers() -> None:
    """Whichever layer refuses, the reply is protected like one of the app."""
    spent = stack(replies_with(), rate_limit=RateLimit(limits="1/hour"))
    call(spent)
    forged = http_scope(method="POST", headers=[COOKIE, EVIL, (b"sec-fetch-site", b"cross-site")])
    refusals = [
        (call(spent), 429),
        (call(stack(replies_with(), cross_origin=CrossOrigin(mode="enforce")), forged), 403),
        (call(stack(replies_with(), hosts=Hosts(allowed=("other.example",)))), 421),
        (call(stack(replies_with()), http_scope(query=b"q" * 20_000)), 414),
    ]
    for reply, status in refusals:
        assert reply.status == status
        assert_protected(reply)


def test_a_head_has_the_headers_of_its_get() -> None:
    """HEAD tells what GET would send (RFC 9110 section 9.3.2)."""
    app = stack(replies_with(200, [HTML, (b"etag", b'"1"')]))

    def told(method: str) -> list[tuple[bytes, bytes]]:
        reply = call(app, http_scope(method=method))
        return [line for line in reply.headers if line[0] != b"x-request-id"]

    assert told("HEAD") == told("GET")


def test_a_304_contradicts_nothing_that_is_cached() -> None:
    """A cache takes over the headers of a 304, so that none may differ from those of the stored reply."""
    stored = dict(call(stack(replies_with(200, [HTML]))).headers)
    for lines in ([], [HTML]):
        fresh = call(stack(replies_with(304, [*lines, (b"etag", b'"1"')], b"")))
        told = {name: value for name, value in fresh.headers if name in stored and name != b"x-request-id"}
        assert told.items() <= stored.items()
        assert told[b"x-content-type-options"] == b"nosniff"


@pytest.mark.parametrize(
    "media_type", [b"text/html", b"application/json", b"text/event-stream", b"image/png"]
)
def test_streams_are_not_buffered(media_type: bytes) -> None:
    """A chunk is with the client before the app makes the next one, whatever it is made of."""
    arrived: list[bytes] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", media_type)]}
        await send(start)
        for number in range(3):
            await send({"type": "http.response.body", "body": b"%d" % number, "more_body": True})
            assert arrived[-1] == b"%d" % number
        await send({"type": "http.response.body", "body": b""})

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            arrived.append(message["body"])

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    sections = {
        "cross_origin": CrossOrigin(allowed=("https://evil.example",)),
        "rate_limit": RateLimit(limits="9/hour"),
    }
    run(stack(app, **sections)(http_scope(headers=[EVIL]), receive, send))  # type: ignore[arg-type]
    assert arrived == [b"0", b"1", b"2", b""]


# --- Nonces ---


def renders(status: int, *lines: tuple[bytes, bytes]) -> ASGIApp:
    """An app whose page has an inline script with the nonce of its request."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonce = csp_nonce(scope)
        body = b"" if status == 304 else f'<script nonce="{nonce}">start()</script>'.encode()
        await replies_with(status, [HTML, *lines], body)(scope, receive, send)

    return stack(app, security_headers=SecurityHeaders(preset="web"))


def nonce_of(reply: Reply) -> str | None:
    """The nonce in the policy of a reply."""
    match = re.search(r"'nonce-([^']+)'", reply.header("content-security-policy") or "")
    return match and match[1]


def test_a_304_does_not_change_the_nonce_of_a_cached_page() -> None:
    """A cache takes over the policy of a 304, and the scripts of the body that it has would be blocked."""
    page = call(renders(200, (b"etag", b'"1"')))
    assert (nonce_of(page) or "none").encode() in page.body
    assert nonce_of(call(renders(304, (b"etag", b'"1"')))) is None


def test_a_page_with_a_nonce_is_nobody_elses() -> None:
    """A shared cache would give one nonce to everybody, whatever the app says about caching."""
    app = renders(200, (b"cache-control", b"public, max-age=60, s-maxage=600"))
    first, second = call(app), call(app)
    assert first.header("cache-control") == "private, max-age=60"
    assert nonce_of(first) not in {None, nonce_of(second)}


def test_a_nonce_that_is_asked_for_late_is_still_the_policys() -> None:
    """Streams send their headers before a template renders, and both must speak of the same nonce."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [HTML]})
        await send({"type": "http.response.body", "body": csp_nonce(scope).encode()})

    reply = call(stack(app, security_headers=SecurityHeaders(preset="web")))
    assert reply.body.decode() == nonce_of(reply)


# --- Values ---


def test_hsts_is_for_https_only() -> None:
    """Over plain http, and for a developer's localhost, browsers are not told to use https for years."""
    app = replies_with(200, [HTML])
    assert call(peer(app)).header("strict-transport-security") is not None
    local = http_scope(headers=[(b"host", b"localhost:8000")], scheme="https")
    claimed = http_scope(headers=[(b"x-forwarded-proto", b"https")])
    for preset in PRESETS:
        protected = stack(app, security_headers=SecurityHeaders(preset=preset))
        for scope in (http_scope(), local, claimed):
            reply = call(protected, scope)
            assert reply.header("strict-transport-security") is None
            assert "upgrade-insecure-requests" not in directives(reply)
        assert call(protected, http_scope(scheme="https")).header("strict-transport-security") is not None


@pytest.mark.parametrize("preset", PRESETS)
def test_the_xss_filter_is_never_switched_on(preset: Preset) -> None:
    """`1; mode=block` opened holes in the browsers that had the filter; only `0` is ever sent."""
    for lines in ([HTML], [JSON]):
        app = stack(replies_with(200, lines), security_headers=SecurityHeaders(preset=preset))
        assert call(app).header("x-xss-protection") in {None, "0"}


def test_two_stacks_share_nothing() -> None:
    """An app with other settings in the same process keeps its own headers."""
    strict = stack(replies_with(200, [HTML]), security_headers=SecurityHeaders(preset="strict"))
    before = directives(call(strict))
    usual = stack(replies_with(200, [HTML]))
    assert directives(call(usual)) == {"base-uri", "frame-ancestors"}
    assert directives(call(strict)) == before


# --- Who may read, who may act ---


def test_no_origin_is_reflected_with_credentials() -> None:
    """`*` with credentials would hand every user's data to every site, and stops the start."""
    reflects: Any = CORSMiddleware(replies_with(), allow_origins=["*"], allow_credentials=True)
    reply = call(reflects, http_scope(headers=[EVIL, COOKIE]))
    assert reply.header("access-control-allow-origin") == "https://evil.example"
    assert reply.header("access-control-allow-credentials") == "true"
    with pytest.raises(SettingsError, match=r"CrossOrigin\.credentials"):
        CrossOrigin(allowed=("*",), credentials=True)
    listed = CrossOrigin(allowed=("https://app.example", "https://*.shop.example"), credentials=True)
    for settings in (CrossOrigin(), CrossOrigin(mode="enforce"), listed):
        for strange in (EVIL, (b"origin", b"null"), (b"origin", b"https://app.example.evil.example")):
            reply = call(stack(replies_with(), cross_origin=settings), http_scope(headers=[strange, COOKIE]))
            assert reply.header("access-control-allow-origin") is None
            assert reply.header("access-control-allow-credentials") is None


def test_handshakes_are_guarded() -> None:
    """CORS lets a WebSocket of any site through with the user's cookies; the guard does not."""
    lines = [EVIL, COOKIE]
    cors: Any = CORSMiddleware(accepts, allow_origins=["https://app.example"])
    assert handshake(cors, websocket_scope(headers=lines)).sent[0]["type"] == "websocket.accept"
    guarded = stack(accepts, cross_origin=CrossOrigin(allowed=("https://app.example",)))
    assert handshake(guarded, websocket_scope(headers=lines)).reply.status == 403


def test_a_forged_form_is_refused_where_cors_only_hides_the_reply() -> None:
    """A simple request is carried out before CORS says that its reply may not be read."""
    served = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        served.append(scope)
        await replies_with()(scope, receive, send)

    form = (b"content-type", b"application/x-www-form-urlencoded")
    scope = http_scope(method="POST", headers=[EVIL, COOKIE, form])
    cors: Any = CORSMiddleware(app, allow_origins=["https://app.example"])
    converse(cors, scope, request_messages(b"amount=1"))
    assert len(served) == 1
    guarded = stack(app, cross_origin=CrossOrigin(allowed=("https://app.example",)))
    assert call(guarded, scope, b"amount=1").status == 403
    assert len(served) == 1


# --- Where a reply leads, and who made it ---


@pytest.mark.parametrize("host", [b"evil.example", b"evil.example:443", b"EVIL.example"])
def test_a_stranger_names_no_host_to_go_to(host: bytes) -> None:
    """A redirect to https is made for hosts of the list only, since a cache may give it to anybody."""
    scope = http_scope("/x", headers=[(b"host", host), (b"accept", b"text/html")])
    redirects: Any = HTTPSRedirectMiddleware(replies_with())
    assert "evil.example" in (call(redirects, scope).header("location") or "").lower()
    with pytest.raises(SettingsError, match=r"Hosts\."):
        Hosts(https="redirect")
    hosts = Hosts(https="redirect", allowed=("shop.example",))
    reply = call(stack(replies_with(), hosts=hosts), scope)
    assert reply.status in {400, 421}
    assert reply.header("location") is None
    led = call(stack(replies_with(), hosts=hosts), http_scope("/x", headers=[(b"accept", b"text/html")]))
    assert (led.status, led.header("location")) == (308, "https://shop.example/x")
    assert led.header("x-content-type-options") == "nosniff"


BANNER: Final = """
async def app(scope, receive, send):
    if scope["type"] == "http":
        lines = [(b"server", b"shop/1.0"), (b"content-type", b"text/plain"), (b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": lines})
        await send({"type": "http.response.body", "body": b"ok"})
"""


def test_no_server_is_named_on_the_wire(tmp_path: Path) -> None:
    """Every middleware is too early to drop what uvicorn adds; `garrison run` has it add nothing."""
    assert [line.lower() for line in served_by_uvicorn() if line.lower().startswith(b"server:")] == [
        b"server: uvicorn",
        b"server: ",
    ]
    (tmp_path / "shop_with_banner.py").write_text(BANNER, encoding="utf-8")
    with running(tmp_path, "shop_with_banner:app", directory=tmp_path) as up:
        reply = ask(up.port, "/")
    assert (reply.status, "server" in reply) == (200, False)


def served_by_uvicorn() -> list[bytes]:
    """The header lines of a reply of `secure` with an empty Server, as uvicorn sends them."""
    found: list[bytes] = []
    app = peer(replies_with(200, [(b"content-length", b"5")]), Secure.with_default_headers())
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))

    async def main() -> None:
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n")
        found.extend((await reader.read()).partition(b"\r\n\r\n")[0].split(b"\r\n"))
        writer.close()
        server.should_exit = True
        await serving

    run(main())
    return found
