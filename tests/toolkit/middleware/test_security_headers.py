"""The browser's protections: on every reply, by its kind, and never against the app's own word."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute

from garrison import (
    CookiesMiddleware,
    SecurityHeaders,
    SecurityHeadersMiddleware,
    Settings,
    SettingsError,
    harden,
)
from garrison.headers.banners import BANNERS
from tests.toolkit.driver import accepts, call, handshake, http_scope, replies_with, websocket_scope

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.websockets import WebSocket

    from garrison.asgi import Headers, Receive, Scope, Send
    from tests.toolkit.driver import Reply

PAGE: Final = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "base-uri 'self'; frame-ancestors 'self'",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "strict-origin-when-cross-origin",
}
API: Final = {
    "x-content-type-options": "nosniff",
    "content-security-policy": (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "no-referrer",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
OTHER: Final = {"x-content-type-options": "nosniff"}
HSTS: Final = "max-age=63072000"


def hardened(
    lines: Headers, settings: SecurityHeaders = SecurityHeaders(), *, status: int = 200, **scope: object
) -> Reply:
    """What becomes of a reply with these headers."""
    app = SecurityHeadersMiddleware(replies_with(status, lines), settings)
    return call(app, http_scope(**scope))  # type: ignore[arg-type]


def added(reply: Reply, *own: str) -> dict[str, str]:
    """The headers that the app did not set."""
    return {
        name.decode(): value.decode()
        for name, value in reply.headers
        if name.decode() not in {"content-type", "content-length", *own}
    }


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("text/html", PAGE),
        ("text/html; charset=utf-8", PAGE),
        ("Text/HTML ;charset=utf-8", PAGE),
        ("application/xhtml+xml", PAGE),
        ("application/json", API),
        ("APPLICATION/JSON;charset=UTF-8", API),
        ("application/problem+json", API),
        ("application/vnd.api+json; version=1", API),
        ("text/plain; charset=utf-8", API),
        ("text/javascript", OTHER),
        ("application/pdf", OTHER),
        ("image/svg+xml", OTHER),
        ("font/woff2", OTHER),
        ("text/event-stream", OTHER),
        ("", OTHER),
    ],
)
def test_the_policy_goes_by_what_the_reply_holds(content_type: str, expected: dict[str, str]) -> None:
    """Pages get what breaks nothing, API replies the strictest, everything else nosniff only."""
    bare = replies_with(200, [(b"content-type", content_type.encode())])
    assert added(call(bare)) == {}
    assert added(call(SecurityHeadersMiddleware(bare))) == expected


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("content_type", [b"text/plain; charset=utf-8", b"text/html", b"application/json"])
def test_a_redirect_is_nothing_to_look_at(status: int, content_type: bytes) -> None:
    """A policy for its body would cut the opener, the Referer, and images that are somewhere else."""
    for scheme in ("http", "https"):
        line = (b"content-type", content_type)
        reply = hardened([line, (b"location", b"/x")], status=status, scheme=scheme)
        assert added(reply, "location", "strict-transport-security") == OTHER


def test_the_opener_is_a_matter_of_https() -> None:
    """Over plain http browsers ignore the header and put an error on the console."""
    for kind, expected in ((b"application/json", "same-origin"), (b"text/html", "same-origin-allow-popups")):
        settings = SecurityHeaders(preset="web")
        for scheme, found in (("https", expected), ("http", None)):
            reply = hardened([(b"content-type", kind)], settings, scheme=scheme)
            assert reply.header("cross-origin-opener-policy") == found


def test_a_reply_without_a_content_type_gets_nosniff() -> None:
    """An empty reply is covered too."""
    assert added(hardened([], status=204)) == OTHER


@pytest.mark.parametrize("name", sorted({*PAGE, "strict-transport-security"}))
def test_what_the_app_says_itself_stays(name: str) -> None:
    """A header of the app wins, in any case, once and unchanged, and all others are still added."""
    line = (name.title().encode(), b"the app's own")
    reply = hardened([(b"content-type", b"text/html"), line], scheme="https")
    assert reply.all(name) == ["the app's own"]
    assert line in reply.headers
    assert {key.lower() for key in added(reply)} == {*PAGE, "strict-transport-security"}


@pytest.mark.parametrize("media_type", [b"text/html", b"application/json"])
@pytest.mark.parametrize("frames", [b"DENY", b"SAMEORIGIN"])
def test_an_apps_own_x_frame_options_keeps_its_force(media_type: bytes, frames: bytes) -> None:
    """The `frame-ancestors` that is added says the same: browsers that see one ignore X-Frame-Options."""
    reply = hardened([(b"content-type", media_type), (b"X-Frame-Options", frames)])
    assert reply.all("x-frame-options") == [frames.decode()]
    same = {b"DENY": "frame-ancestors 'none'", b"SAMEORIGIN": "frame-ancestors 'self'"}[frames]
    policy = (reply.header("content-security-policy") or "").split("; ")
    assert same in policy
    assert any(directive.startswith("base-uri ") for directive in policy)


@pytest.mark.parametrize(
    ("policy", "frames"),
    [
        (b"Frame-Ancestors https://partner.example", None),
        (b"script-src 'self'", "SAMEORIGIN"),
    ],
)
def test_an_app_that_says_who_may_frame_it_gets_no_x_frame_options(policy: bytes, frames: str | None) -> None:
    """Old browsers would keep out whom the app lets in; a policy about other things decides nothing."""
    reply = hardened([(b"content-type", b"text/html"), (b"content-security-policy", policy)])
    assert reply.all("content-security-policy") == [policy.decode()]
    assert reply.header("x-frame-options") == frames


def test_what_the_app_says_goes_where_the_settings_override() -> None:
    """With `override` the policy replaces the app's own headers, every one of them."""
    own = [(b"content-type", b"text/html"), (b"X-Frame-Options", b"ALLOW"), (b"x-frame-options", b"X")]
    assert added(hardened(own, SecurityHeaders(existing="override"))) == PAGE


@pytest.mark.parametrize(
    "own", ["cache-control: max-age=60", "ETag: x", "Expires: 0", "last-modified: x", "Pragma: x"]
)
def test_the_app_decides_about_caching_where_it_says_anything(own: str) -> None:
    """`no-store` is for API replies whose app said nothing about caching, and for no page."""
    name, _, value = own.partition(": ")
    reply = hardened([(b"content-type", b"application/json"), (name.encode(), value.encode())])
    assert reply.all("cache-control") == ([value] if name == "cache-control" else [])
    assert hardened([(b"content-type", b"text/html")]).all("cache-control") == []


@pytest.mark.parametrize(
    ("scheme", "host", "told"),
    [
        ("https", "shop.example", True),
        ("https", "shop.example:8443", True),
        ("http", "shop.example", False),
        ("https", "localhost", False),
        ("https", "localhost:8443", False),
        ("https", "app.localhost", False),
        ("https", "localhost.", False),
        ("https", "192.0.2.1.:8443", False),
        ("https", "shop.example.", True),
        ("https", "intranet", False),
        ("https", "192.0.2.1", False),
        ("https", "192.0.2.1:443", False),
        ("https", "[2001:db8::1]:443", False),
        ("https", "", False),
    ],
)
def test_hsts_is_told_on_https_to_real_names_only(scheme: str, host: str, *, told: bool) -> None:
    """Neither plain http nor an address nor a developer's localhost is locked to https for years."""
    reply = hardened([], scheme=scheme, headers=[(b"host", host.encode())])
    assert reply.header("strict-transport-security") == (HSTS if told else None)


def test_what_is_added_about_caching_can_be_off() -> None:
    """An API whose replies may be cached, and pages for somebody whom caches tell apart, say so once."""
    settings = SecurityHeaders(api_no_store=False, authenticated_cache=None)
    assert hardened([(b"content-type", b"application/json")], settings).all("cache-control") == []
    lines = [(b"content-type", b"text/html"), (b"set-cookie", b"session=1")]
    assert hardened(lines, settings).all("cache-control") == []


def test_hsts_can_be_shorter_or_off() -> None:
    """The time is the setting's, in whole seconds, and 0 sends nothing."""
    assert hardened([], SecurityHeaders(hsts=300.0), scheme="https").all("strict-transport-security") == [
        "max-age=300"
    ]
    assert hardened([], SecurityHeaders(hsts=0), scheme="https").all("strict-transport-security") == []


@pytest.mark.parametrize("name", BANNERS)
def test_banners_are_gone(name: str) -> None:
    """What tells an attacker which software runs here leaves no reply, in whatever case it was written."""
    reply = hardened([(name.title().encode(), b"Werkzeug/3.0"), (b"x-mine", b"1")])
    assert reply.all(name) == []
    assert reply.all("x-mine") == ["1"]


def test_what_is_removed_can_be_chosen() -> None:
    """A list of one's own replaces the list of banners."""
    reply = hardened([(b"server", b"x"), (b"X-Cost", b"1")], SecurityHeaders(remove=("X-Cost ",)))
    assert (reply.all("server"), reply.all("x-cost")) == (["x"], [])


def test_headers_about_caching_can_be_removed() -> None:
    """They are removed like any other, also where they are all that the app has set."""
    reply = hardened([(b"etag", b"x"), (b"pragma", b"y")], SecurityHeaders(remove=("pragma",)))
    assert (reply.all("etag"), reply.all("pragma")) == (["x"], [])


def test_a_304_does_not_change_what_it_does_not_name() -> None:
    """What it is about may be a page or data, which keep the headers that they came with."""
    settings = SecurityHeaders(preset="strict", other_resource="cross-origin")
    assert added(hardened([], settings, status=304)) == {"x-content-type-options": "nosniff"}
    assert added(hardened([], settings))["cross-origin-resource-policy"] == "cross-origin"


def test_many_cookies_survive() -> None:
    """A hundred Set-Cookie lines arrive as a hundred, in their order."""
    cookies = [(b"set-cookie", b"c%d=%d" % (number, number)) for number in range(100)]
    reply = hardened([*cookies, (b"server", b"x"), (b"content-type", b"text/html")])
    assert [line for line in reply.headers if line[0] == b"set-cookie"] == cookies


def test_headers_that_can_be_read_only_once() -> None:
    """An app may send any iterable; nothing of a generator is lost on its way through the layers."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        lines = [(b"content-type", b"text/html"), (b"set-cookie", b"session=1"), (b"set-cookie", b"b=2")]
        await send({"type": "http.response.start", "status": 200, "headers": (line for line in lines)})
        await send({"type": "http.response.body", "body": b"x"})

    for hardened_app in (
        SecurityHeadersMiddleware(app), CookiesMiddleware(app), harden(app, Settings(access_log=None)),
    ):  # fmt: skip
        reply = call(hardened_app, http_scope())
        assert reply.header("content-type") == "text/html"
        assert [line.partition(";")[0] for line in reply.all("set-cookie")] == ["session=1", "b=2"]


def test_page_policies_can_be_changed_one_by_one() -> None:
    """Each header of a page has its setting, and an empty one sends nothing."""
    settings = SecurityHeaders(page_policy="script-src 'self'", page_frames=None, page_referrer=None)
    assert added(hardened([(b"content-type", b"text/html")], settings)) == {
        "x-content-type-options": "nosniff",
        "content-security-policy": "script-src 'self'",
    }
    none = SecurityHeaders(page_policy="", page_frames="DENY")
    assert added(hardened([(b"content-type", b"text/html")], none)).get("content-security-policy") is None


@pytest.mark.parametrize(
    "fields",
    [
        {"page_policy": "scrpt-src 'self'"},
        {"page_policy": "script-src 'self'\r\nx: y"},
        {"hsts": 1.5},
        {"hsts": float("inf")},
        {"hsts": -1},
        {"existing": 1},
        {"preset": "none"},
        {"page_referrer": "unsafe-url"},
        {"page_frames": "ALLOW"},
        {"remove": ("",)},
    ],
)
def test_a_policy_that_no_browser_knows_fails_at_start(fields: dict[str, object]) -> None:
    """A misspelt directive, or a value that would split a header, is an error when the app starts."""
    with pytest.raises(SettingsError, match=f"SecurityHeaders.{next(iter(fields))}"):
        SecurityHeaders(**fields)  # type: ignore[arg-type]


def starlette_app() -> Starlette:
    """A real framework's replies of every sort."""

    async def page(request: Request) -> Response:
        return HTMLResponse("<p>", headers={"etag": "x"})

    async def unchanged(request: Request) -> Response:
        return Response(status_code=304, headers={"etag": "x"})

    async def away(request: Request) -> Response:
        return RedirectResponse("/")

    async def data(request: Request) -> Response:
        return JSONResponse({})

    async def broken(request: Request) -> Response:
        raise LookupError

    async def denying(websocket: WebSocket) -> None:
        await websocket.send_denial_response(JSONResponse({}, status_code=403))

    return Starlette(
        routes=[
            Route("/", page),
            Route("/304", unchanged),
            Route("/away", away),
            Route("/data", data),
            Route("/broken", broken),
            WebSocketRoute("/ws", denying),
        ]
    )


@pytest.mark.parametrize(
    ("path", "method", "status", "expected"),
    [
        ("/", "GET", 200, PAGE),
        ("/", "HEAD", 200, PAGE),
        ("/304", "GET", 304, OTHER),
        ("/away", "GET", 307, OTHER),
        ("/data", "GET", 200, API),
        ("/data", "POST", 405, API),
        ("/nowhere", "GET", 404, API),
        ("/broken", "GET", 500, API),
        ("/", "TRACE", 405, API),
    ],
)
def test_every_reply_of_a_hardened_app_is_covered(
    path: str, method: str, status: int, expected: dict[str, str]
) -> None:
    """404s, 500s, 304s, HEAD, redirects and refusals carry the same protection as everything else."""
    reply = call(harden(starlette_app(), Settings(access_log=None)), http_scope(path, method=method))
    assert reply.status == status
    for name, value in expected.items():
        assert reply.all(name) == [value], name


def test_a_websocket_denial_is_covered() -> None:
    """A denied handshake is a reply like any other; an accepted one is left alone."""
    app = harden(starlette_app(), Settings(access_log=None))
    denied = handshake(app, websocket_scope("/ws", scheme="wss")).reply
    assert denied.status == 403
    assert {name: denied.header(name) for name in API} == API
    assert denied.header("cross-origin-opener-policy") == "same-origin"
    assert denied.header("strict-transport-security") == HSTS
    welcome = handshake(SecurityHeadersMiddleware(accepts)).sent[0]
    assert welcome == {"type": "websocket.accept"}


def test_a_websocket_that_is_closed_before_it_was_accepted_is_covered() -> None:
    """The 403 that a server would make of it carries no headers of ours, so that this one does."""

    async def closes(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.close", "code": 1008})

    reply = handshake(SecurityHeadersMiddleware(closes), websocket_scope()).reply
    assert (reply.status, added(reply), reply.whole) == (403, OTHER, True)
    bare = handshake(SecurityHeadersMiddleware(closes), websocket_scope(denial=False))
    assert [message["type"] for message in bare.sent] == ["websocket.close"]


def test_mounting_it_twice_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """The inner of two layers steps aside, so that no header is there twice, and says so once."""
    app = SecurityHeadersMiddleware(
        SecurityHeadersMiddleware(replies_with(200, [(b"content-type", b"text/html")]))
    )
    with caplog.at_level(logging.WARNING, "garrison"):
        replies = [call(app) for _ in range(3)]
    assert [added(reply) for reply in replies] == [PAGE] * 3
    assert len(replies[0].headers) == 1 + len(PAGE)
    assert len(caplog.records) <= 1
