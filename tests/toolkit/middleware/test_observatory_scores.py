"""What MDN HTTP Observatory gives a hardened app, page by page, by its published scoring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from garrison import CspReports, SecurityHeaders, Settings, csp_nonce, harden
from garrison_harness.observatory import Score, score
from tests.toolkit.driver import call, http_scope

if TYPE_CHECKING:
    from starlette.requests import Request

    from garrison.headers.presets import Preset

HTML: Final = (
    '<!doctype html><title>x</title><script nonce="{nonce}">1</script><script src="/app.js"></script>'
)


def site() -> Starlette:
    """A page with scripts of its own, data, a page with a login, and what frameworks make by themselves."""

    async def page(request: Request) -> Response:
        return HTMLResponse(HTML.format(nonce=csp_nonce(request)))

    async def plain(request: Request) -> Response:
        return HTMLResponse("<!doctype html><title>x</title><p>x")

    async def login(request: Request) -> Response:
        reply = HTMLResponse("<!doctype html><title>x</title><p>x")
        reply.set_cookie("session", "1", samesite=None)
        return reply

    async def data(request: Request) -> Response:
        return JSONResponse({})

    async def broken(request: Request) -> Response:
        raise LookupError

    views = {"/page": page, "/plain": plain, "/login": login, "/data": data, "/broken": broken}
    return Starlette(routes=[Route(path, view) for path, view in views.items()])


def scored(path: str, preset: Preset | None, *, reports: str = "") -> Score:
    """The score of one reply of the site, over https; without a preset, of the bare app."""
    if preset is None:
        reply = call(site(), http_scope(path, scheme="https"))
    else:
        settings = Settings(
            security_headers=SecurityHeaders(preset=preset),
            csp_reports=CspReports(path=reports),
            access_log=None,
        )
        reply = call(harden(site(), settings), http_scope(path, scheme="https"))
    return score(reply, any_status=True)


@pytest.mark.parametrize(
    ("preset", "path", "total"),
    [
        ("strict", "/page", 150),
        ("strict", "/plain", 150),
        ("strict", "/data", 150),
        ("strict", "/nowhere", 150),
        ("strict", "/broken", 150),
        ("api", "/plain", 150),
        ("api", "/data", 150),
        ("api", "/nowhere", 150),
        ("web", "/page", 140),
        ("web", "/plain", 140),
        ("web", "/data", 150),
        ("auto", "/data", 150),
        ("auto", "/nowhere", 150),
        ("auto", "/broken", 150),
        ("auto", "/page", 80),
        ("auto", "/plain", 80),
    ],
)
def test_what_each_preset_is_worth(preset: Preset, path: str, total: int) -> None:
    """From headers alone: all that there is for strict pages and for data, less where a page must render."""
    found = scored(path, preset)
    assert found.total == total, found.tests
    assert scored(path, preset, reports="/csp-reports").total == total


@pytest.mark.parametrize("path", ["/page", "/data"])
def test_the_bare_app_fails(path: str) -> None:
    """What was won is ours: without any layer the same site gets a D or less, hsts included."""
    found = scored(path, None)
    assert found.grade in {"D", "D-", "F"}, found


@pytest.mark.parametrize(("preset", "points"), [("strict", 5), ("web", 5), ("auto", 0)])
def test_session_cookies_are_worth_what_the_app_allows(preset: Preset, points: int) -> None:
    """Secure and HttpOnly always; SameSite with the presets that add it."""
    assert scored("/login", preset).tests["cookies"] == points
    assert scored("/login", None).tests["cookies"] == -40
