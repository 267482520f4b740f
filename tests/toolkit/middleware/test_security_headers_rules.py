"""Other headers on some paths, and on single replies: rules, uploads, logout, and a handler's own word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from fastapi import FastAPI
from fastapi import Request as FastRequest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route

from garrison import SecurityHeaders, SecurityHeadersMiddleware, set_policy
from tests.toolkit.driver import call, http_scope, replies_with

if TYPE_CHECKING:
    from starlette.requests import Request

    from garrison.asgi import Headers
    from tests.toolkit.driver import Reply

CSP: Final = "content-security-policy"
RULES: Final = (
    "/docs: auto; /docs/*: auto; /admin/*: strict; /embed/*: frame-ancestors https://partner.example;"
    " /media/*: sandbox; /files/*: attachment; POST /logout: clear-site-data;"
    " /forget: clear-site-data cookies, frame-ancestors 'none'"
)


def on(
    path: str, *own: tuple[bytes, bytes], method: str = "GET", status: int = 200, **scope: object
) -> Reply:
    """What becomes of a page on this path, under the preset `web` and the rules."""
    lines: Headers = [(b"content-type", b"text/html"), *own]
    settings = SecurityHeaders(preset="web", rules=RULES)
    app = SecurityHeadersMiddleware(replies_with(status, lines), settings)
    return call(app, http_scope(path, method=method, **scope))  # type: ignore[arg-type]


def test_a_preset_by_path() -> None:
    """Interactive docs keep the policy that breaks nothing while the rest of the app has a nonce."""
    assert on("/docs").all(CSP) == ["base-uri 'self'; frame-ancestors 'self'"]
    assert on("/docs/oauth2-redirect").header("cross-origin-opener-policy") is None
    assert "nonce" in (on("/document").header(CSP) or "")
    assert on("/admin/users").header("cross-origin-embedder-policy") == "require-corp"


def test_a_directive_by_path() -> None:
    """Who may frame one page is changed there alone, for browsers old and new."""
    embedded = on("/embed/map")
    assert "frame-ancestors https://partner.example" in (embedded.header(CSP) or "")
    assert embedded.all("x-frame-options") == []
    assert "script-src 'nonce-" in (embedded.header(CSP) or "")
    assert on("/map").all("x-frame-options") == ["SAMEORIGIN"]


def test_uploads_that_are_shown_stand_in_a_sandbox() -> None:
    """Whatever was uploaded runs nothing and is nobody's origin, with the app's own policy still in force."""
    reply = on("/media/evil.html", (b"content-security-policy", b"default-src *"))
    own, sandbox = reply.all(CSP)
    assert own == "default-src *"
    assert sandbox.startswith("sandbox; default-src 'none'")
    settings = SecurityHeaders(rules="/media/*: sandbox")
    for kind in (b"image/svg+xml", b"application/pdf", b"text/plain"):
        app = SecurityHeadersMiddleware(replies_with(200, [(b"content-type", kind)]), settings)
        assert call(app, http_scope("/media/x")).all(CSP)[-1] == sandbox


@pytest.mark.parametrize(
    ("own", "disposition"),
    [
        ([], "attachment"),
        ([(b"Content-Disposition", b'inline; filename="a.html"')], 'attachment; filename="a.html"'),
        ([(b"content-disposition", b"attachment; filename=a")], "attachment; filename=a"),
    ],
)
def test_uploads_that_are_saved_keep_their_names(own: Headers, disposition: str) -> None:
    """Browsers save the file under the name that the app gave it; an error page is no file."""
    assert on("/files/a.html", *own).all("content-disposition") == [disposition]
    assert on("/files/none", status=404).all("content-disposition") == []


def test_a_logout_has_browsers_forget() -> None:
    """Clear-Site-Data is sent once the logout has worked, and for its method only."""
    assert on("/logout", method="POST").all("clear-site-data") == ['"cache", "cookies", "storage"']
    assert on("/logout", method="POST", status=303).all("clear-site-data") != []
    assert on("/logout", method="POST", status=403).all("clear-site-data") == []
    assert on("/logout").all("clear-site-data") == []
    forgotten = on("/forget")
    assert forgotten.all("clear-site-data") == ['"cookies"']
    assert forgotten.all("x-frame-options") == ["DENY"]


def test_one_rule_may_say_many_things() -> None:
    """All of them hold, and what a handler says comes on top."""

    async def upload(request: Request) -> Response:
        set_policy(request, headers={"Referrer-Policy": "origin"})
        return HTMLResponse("x")

    settings = SecurityHeaders(rules="/u: strict, sandbox, attachment, clear-site-data cache, img-src *")
    reply = call(
        SecurityHeadersMiddleware(Starlette(routes=[Route("/u", upload)]), settings), http_scope("/u")
    )
    page, sandbox = reply.all(CSP)
    assert "require-trusted-types-for" in page
    assert "img-src *;" in page
    assert sandbox.startswith("sandbox;")
    assert reply.header("content-disposition") == "attachment"
    assert reply.header("clear-site-data") == '"cache"'
    assert reply.header("referrer-policy") == "origin"


def test_rules_go_by_the_path_that_the_router_sees() -> None:
    """A root path in front, or a mount that moves the path while the app runs, changes nothing."""
    assert on("/shop/docs", root_path="/shop").all(CSP) == ["base-uri 'self'; frame-ancestors 'self'"]

    async def page(request: Request) -> Response:
        return HTMLResponse("x")

    inner = Starlette(routes=[Route("/map", page)])
    app = SecurityHeadersMiddleware(
        Starlette(routes=[Mount("/embed", inner)]), SecurityHeaders(rules="/embed/*: frame-ancestors 'none'")
    )
    assert call(app, http_scope("/embed/map")).all("x-frame-options") == ["DENY"]


def test_a_handler_has_the_last_word() -> None:
    """Directives, headers and presets of one reply; what it does not name stays as it is."""

    async def widget(request: Request) -> Response:
        set_policy(request, directives={"frame-ancestors": "https://partner.example", "form-action": None})
        set_policy(request, headers={"Cross-Origin-Opener-Policy": None, "Referrer-Policy": "no-referrer"})
        return HTMLResponse("x", headers={"referrer-policy": "unsafe-url"})

    async def old(request: Request) -> Response:
        set_policy(request, preset="auto")
        return HTMLResponse("x")

    async def data(request: Request) -> Response:
        set_policy(request, headers={"Cross-Origin-Resource-Policy": "cross-origin"})
        return JSONResponse({})

    app = SecurityHeadersMiddleware(
        Starlette(routes=[Route("/w", widget), Route("/o", old), Route("/d", data)]),
        SecurityHeaders(preset="web", rules="/w: frame-ancestors 'none'"),
    )
    reply = call(app, http_scope("/w"))
    assert "frame-ancestors https://partner.example" in (reply.header(CSP) or "")
    assert "form-action" not in (reply.header(CSP) or "")
    assert reply.all("x-frame-options") == []
    assert reply.all("cross-origin-opener-policy") == []
    assert reply.all("referrer-policy") == ["no-referrer"]
    assert call(app, http_scope("/o")).all(CSP) == ["base-uri 'self'; frame-ancestors 'self'"]
    assert call(app, http_scope("/d")).all("cross-origin-resource-policy") == ["cross-origin"]


@pytest.mark.parametrize(
    ("headers", "frames", "policy"),
    [
        ({"X-Frame-Options": "DENY"}, ["DENY"], ["base-uri 'self'; frame-ancestors 'none'"]),
        ({"X-Frame-Options": None}, [], ["base-uri 'self'; frame-ancestors 'self'"]),
        ({"X-Frame-Options": "ALLOWALL"}, ["ALLOWALL"], ["base-uri 'self'"]),
        ({CSP: "frame-ancestors https://a.example"}, [], ["frame-ancestors https://a.example"]),
        ({CSP: "frame-ancestors 'none'"}, ["DENY"], ["frame-ancestors 'none'"]),
        ({CSP: "img-src 'self'"}, ["SAMEORIGIN"], ["img-src 'self'"]),
        ({CSP: None}, ["SAMEORIGIN"], []),
        ({CSP: "frame-ancestors 'self'", "X-Frame-Options": "DENY"}, ["SAMEORIGIN"],
         ["frame-ancestors 'self'"]),
        ({CSP: "frame-ancestors 'self'", "X-Frame-Options": None}, [], ["frame-ancestors 'self'"]),
    ],
)  # fmt: skip
def test_what_a_handler_says_of_frames_holds_in_every_browser(
    headers: dict[str, str | None], frames: list[str], policy: list[str]
) -> None:
    """X-Frame-Options and `frame-ancestors` never say two things, whichever of them a handler gives."""

    async def page(request: Request) -> Response:
        set_policy(request, headers=headers)
        return HTMLResponse("x")

    reply = call(SecurityHeadersMiddleware(Starlette(routes=[Route("/", page)])), http_scope())
    assert (reply.all("x-frame-options"), reply.all(CSP)) == (frames, policy)


def test_a_policy_of_which_nothing_is_left_is_not_sent() -> None:
    """Where it spoke of frames only, a handler's X-Frame-Options that no policy can say is left alone."""

    async def page(request: Request) -> Response:
        set_policy(request, headers={"X-Frame-Options": "ALLOWALL"})
        return HTMLResponse("x")

    settings = SecurityHeaders(page_policy="frame-ancestors 'self'")
    reply = call(SecurityHeadersMiddleware(Starlette(routes=[Route("/", page)]), settings), http_scope())
    assert (reply.all("x-frame-options"), reply.all(CSP)) == (["ALLOWALL"], [])


def test_what_a_rule_allows_is_not_reported() -> None:
    """The report-only policy allows it too, and stays silent on what it has no rule about."""
    settings = SecurityHeaders(
        page_policy_report_only="default-src 'self'; frame-ancestors 'self'",
        reports="/r",
        rules="/*: frame-ancestors https://a.example, img-src *, form-action 'none'",
    )
    app = SecurityHeadersMiddleware(replies_with(200, [(b"content-type", b"text/html")]), settings)
    assert call(app, http_scope()).all(f"{CSP}-report-only") == [
        "default-src 'self'; frame-ancestors https://a.example; img-src *; report-uri /r"
    ]


def test_fastapi_hands_its_own_request_over() -> None:
    """The request that a path operation gets is enough, and another request is untouched."""
    api = FastAPI()

    @api.get("/w", response_class=HTMLResponse)
    def widget(request: FastRequest) -> str:
        set_policy(request, directives={"frame-ancestors": "'none'"})
        return "x"

    @api.get("/p", response_class=HTMLResponse)
    def page() -> str:
        return "x"

    app = SecurityHeadersMiddleware(api)
    assert call(app, http_scope("/w")).all("x-frame-options") == ["DENY"]
    assert call(app, http_scope("/p")).all("x-frame-options") == ["SAMEORIGIN"]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"preset": "strikt"}, "a preset is one of auto, web, strict, api"),
        ({"directives": {"frame-ancestor": "'none'"}}, "did you mean frame-ancestors"),
        ({"directives": {"script-src": "self"}}, "did you mean 'self'"),
        ({"directives": {"frame-ancestor": None}}, "did you mean frame-ancestors"),
        ({"directives": {"img-src": "x; script-src *"}}, "img-src"),
        ({"headers": {"Refferer-Policy": "no-referrer"}}, "did you mean referrer-policy"),
        ({"headers": {"Set-Cookie": "a=b"}}, "no security header"),
        ({"headers": {"Referrer-Policy": "a\r\nSet-Cookie: b"}}, "printable ASCII in one line"),
    ],
)
def test_a_handlers_mistake_is_an_error_where_it_is_made(wanted: dict[str, object], message: str) -> None:
    """A misspelt directive or a split header is a ValueError in the handler, and no broken policy."""
    with pytest.raises(ValueError, match=message):
        set_policy(http_scope(), **wanted)  # type: ignore[arg-type]


def test_without_the_layer_a_handlers_word_is_harmless() -> None:
    """The same handler works where the security headers are off."""

    async def page(request: Request) -> Response:
        set_policy(request, directives={"frame-ancestors": "'none'"})
        return HTMLResponse("x")

    assert call(Starlette(routes=[Route("/", page)]), http_scope()).all(CSP) == []


def test_what_is_no_request_is_refused() -> None:
    """A wrong argument is told as such."""
    with pytest.raises(TypeError, match="expected an ASGI scope or a request"):
        set_policy("request")
