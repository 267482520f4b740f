"""A nonce for the scripts of one page: in the page and its policy, nowhere else, and in no shared cache."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest
from litestar import Litestar, MediaType, get
from litestar import Request as LitestarRequest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from garrison import SecurityHeaders, SecurityHeadersMiddleware, Settings, csp_nonce, harden, set_policy
from tests.toolkit.driver import call, http_scope, replies_with

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from garrison.asgi import Headers

CSP: Final = "content-security-policy"
WEB: Final = SecurityHeaders(preset="web")
PAGE: Final = (b"content-type", b"text/html")


def nonces_in(text: str) -> set[str]:
    """Every nonce that a policy names."""
    return set(re.findall(r"'nonce-([^']+)'", text))


def site(settings: SecurityHeaders = WEB) -> SecurityHeadersMiddleware:
    """An app with pages of every sort."""

    async def page(request: Request) -> Response:
        assert csp_nonce(request) == csp_nonce(request.scope)
        return HTMLResponse(f'<script nonce="{csp_nonce(request)}">1</script>')

    async def plain(request: Request) -> Response:
        return HTMLResponse("x")

    async def streamed(request: Request) -> Response:
        async def body() -> AsyncIterator[str]:
            yield "<p>"
            yield csp_nonce(request)

        return StreamingResponse(body(), media_type="text/html")

    async def data(request: Request) -> Response:
        return JSONResponse({})

    async def unchanged(request: Request) -> Response:
        return HTMLResponse(status_code=304, headers={"etag": "x"})

    routes = [Route(f"/{view.__name__}", view) for view in (page, plain, streamed, data, unchanged)]
    return SecurityHeadersMiddleware(Starlette(routes=routes), settings)


def test_page_and_policy_have_the_same_nonce() -> None:
    """The one that the template asked for is the one that the policy names, for scripts and styles."""
    reply = call(site(), http_scope("/page"))
    (nonce,) = nonces_in(reply.header(CSP) or "")
    assert f'nonce="{nonce}"' in reply.body.decode()
    assert (reply.header(CSP) or "").count(f"'nonce-{nonce}'") == 2


def test_a_page_that_streams_has_it_too() -> None:
    """Headers are sent before the template runs, and the nonce is already decided."""
    reply = call(site(), http_scope("/streamed"))
    (nonce,) = nonces_in(reply.header(CSP) or "")
    assert reply.body.decode() == f"<p>{nonce}"


def test_every_request_has_another_one_of_128_bits() -> None:
    """Nobody can guess it, or have seen it before."""
    found = [nonces_in(call(site(), http_scope("/plain")).header(CSP) or "").pop() for _ in range(50)]
    assert len(set(found)) == 50
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{22}", nonce) for nonce in found)


def test_where_no_page_is_there_is_no_nonce() -> None:
    """Data and pictures name none, and neither does a policy that does not ask for one."""
    assert nonces_in(str(call(site(), http_scope("/data")).headers)) == set()
    assert nonces_in(str(call(site(SecurityHeaders()), http_scope("/page")).headers)) == set()


def test_the_nonce_of_a_custom_policy() -> None:
    """The keyword `'nonce'` works in any policy, enforced or report-only."""
    settings = SecurityHeaders(
        page_policy="script-src 'nonce'", page_policy_report_only="style-src 'nonce'", reports="/r"
    )
    reply = call(site(settings), http_scope("/page"))
    (nonce,) = nonces_in(reply.header(CSP) or "")
    assert f"style-src 'nonce-{nonce}'" in (reply.header("content-security-policy-report-only") or "")


def test_no_nonce_on_a_304() -> None:
    """The page in the cache keeps the policy that came with it; under another nonce it would not run."""
    reply = call(site(), http_scope("/unchanged"))
    assert reply.status == 304
    assert reply.all(CSP) == []
    assert reply.header("x-frame-options") == "SAMEORIGIN"


@pytest.mark.parametrize("kind", [HTMLResponse, Response])
def test_no_nonce_of_the_apps_own_policy_on_a_304(kind: type[Response]) -> None:
    """It is the same where the app writes the policy, and where the 304 does not say what it is about."""

    async def unchanged(request: Request) -> Response:
        policy = f"script-src 'nonce-{csp_nonce(request)}'"
        return kind(status_code=304, headers={"content-security-policy": policy})

    app = SecurityHeadersMiddleware(Starlette(routes=[Route("/", unchanged)]))
    assert call(app, http_scope("/")).all(CSP) == []


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ([], ["private, no-cache"]),
        ([(b"cache-control", b"public, max-age=60")], ["private, max-age=60"]),
        ([(b"Cache-Control", b"s-maxage=600, max-age=60")], ["private, max-age=60"]),
        ([(b"cache-control", b"no-store")], ["no-store"]),
        ([(b"cache-control", b"private, max-age=5")], ["private, max-age=5"]),
        ([(b"cache-control", b'private="x-a", max-age=5')], ['private, private="x-a", max-age=5']),
        ([(b"expires", b"Thu, 01 Jan 2099 00:00:00 GMT")], ["private, no-cache"]),
    ],
)
def test_a_page_with_a_nonce_is_in_no_shared_cache(own: Headers, expected: list[str]) -> None:
    """Otherwise one visitor's nonce would be everybody's, an attacker's among them."""
    app = SecurityHeadersMiddleware(replies_with(200, [PAGE, *own]), WEB)
    assert call(app).all("cache-control") == expected


@pytest.mark.parametrize(("status", "kind"), [(200, "text/javascript"), (304, None), (304, "text/html")])
def test_an_app_that_always_asks_for_a_nonce_keeps_its_files_in_shared_caches(
    status: int, kind: str | None
) -> None:
    """Only a page has the nonce in it; a 304 goes to a cache that has the page already."""

    async def file(request: Request) -> Response:
        csp_nonce(request)
        lines = {"cache-control": "public, max-age=60"}
        return Response("" if status == 304 else "1", status, headers=lines, media_type=kind)

    app = SecurityHeadersMiddleware(Starlette(routes=[Route("/", file)]), WEB)
    assert call(app, http_scope()).all("cache-control") == ["public, max-age=60"]


def test_a_nonce_that_a_handler_asks_for_outside_of_a_page() -> None:
    """A drawing with scripts of its own has the nonce in its policy, and is in no shared cache either."""

    async def drawing(request: Request) -> Response:
        set_policy(request, headers={CSP: "script-src 'nonce'"})
        return Response(f'<script nonce="{csp_nonce(request)}"/>', media_type="image/svg+xml")

    reply = call(SecurityHeadersMiddleware(Starlette(routes=[Route("/", drawing)])), http_scope())
    (nonce,) = nonces_in(reply.header(CSP) or "")
    assert f'nonce="{nonce}"' in reply.body.decode()
    assert reply.all("cache-control") == ["private, no-cache"]


@pytest.mark.parametrize("name", ["CDN-Cache-Control", "cloudflare-cdn-cache-control", "surrogate-control"])
def test_caches_that_listen_elsewhere_are_kept_out_too(name: str) -> None:
    """Headers for the site's own shared caches would overrule Cache-Control there."""
    lines: Headers = [PAGE, (name.encode(), b"max-age=60")]
    assert call(SecurityHeadersMiddleware(replies_with(200, lines), WEB)).all(name) == []
    assert call(SecurityHeadersMiddleware(replies_with(200, lines))).all(name) == ["max-age=60"]


def test_a_page_whose_own_policy_has_the_nonce_is_private_too() -> None:
    """Whoever asked for a nonce has written it into the page."""
    reply = call(site(SecurityHeaders()), http_scope("/page"))
    assert reply.all("cache-control") == ["private, no-cache"]
    assert call(site(SecurityHeaders()), http_scope("/plain")).all("cache-control") == []


@pytest.mark.parametrize(
    ("preset", "request_line", "reply_line", "expected"),
    [
        ("auto", (b"cookie", b"theme=dark; sessionid=1"), None, ["private"]),
        ("auto", (b"authorization", b"Basic x"), None, ["private"]),
        ("auto", None, (b"Set-Cookie", b"session=1"), ["private"]),
        ("strict", (b"cookie", b"sessionid=1"), (b"cache-control", b"max-age=5"), ["private, max-age=5"]),
        ("auto", (b"cookie", b"theme=dark"), None, []),
        ("auto", (b"cookie", b"sessionid=1"), (b"cache-control", b"max-age=5"), ["max-age=5"]),
        ("auto", (b"cookie", b"sessionid=1"), (b"etag", b"x"), ["private"]),
    ],
)
def test_pages_for_somebody_who_is_logged_in_are_private(
    preset: str,
    request_line: tuple[bytes, bytes] | None,
    reply_line: tuple[bytes, bytes] | None,
    expected: list[str],
) -> None:
    """No shared cache hands them to the next visitor, unless the app has said that it may."""
    own = [PAGE, *([reply_line] if reply_line else [])]
    settings = SecurityHeaders(preset=preset)  # type: ignore[arg-type]
    app = SecurityHeadersMiddleware(replies_with(200, own), settings)
    reply = call(app, http_scope(headers=[request_line] if request_line else []))
    assert reply.all("cache-control") == expected


def test_pages_for_strangers_and_files_stay_cacheable() -> None:
    """A picture that is fetched with a cookie says nothing about anybody."""
    app = SecurityHeadersMiddleware(replies_with(200, [(b"content-type", b"image/png")]))
    assert call(app, http_scope(headers=[(b"cookie", b"sessionid=1")])).all("cache-control") == []


def test_a_nonce_without_the_layer() -> None:
    """Templates render in a test of the bare app, with a nonce that no policy names."""

    async def page(request: Request) -> Response:
        return HTMLResponse(csp_nonce(request) + " " + csp_nonce(request.scope))

    first, _, second = call(Starlette(routes=[Route("/", page)]), http_scope()).body.decode().partition(" ")
    assert first == second != ""


def test_litestar_hands_its_own_request_over() -> None:
    """Any request that has a scope will do."""

    @get("/", media_type=MediaType.HTML, sync_to_thread=False)
    def page(request: LitestarRequest) -> str:  # type: ignore[type-arg]
        return csp_nonce(request)

    app = harden(Litestar([page], logging_config=None), Settings(security_headers=WEB, access_log=None))
    reply = call(app, http_scope())
    assert nonces_in(reply.header(CSP) or "") == {reply.body.decode()}
