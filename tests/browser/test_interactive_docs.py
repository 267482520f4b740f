"""The interactive documentation of FastAPI and Litestar renders and works behind the defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from garrison import SecurityHeaders, Settings, harden
from tests.browser.sites.documented import on_fastapi, on_litestar

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp
    from tests.browser.conftest import Serve
    from tests.browser.visitor import Visitor

pytestmark = pytest.mark.usefixtures("cdn")

SWAGGER = [
    pytest.param(on_fastapi, "/docs", id="fastapi"),
    pytest.param(on_litestar, "/schema/swagger", id="litestar"),
]
REDOC = [
    pytest.param(on_fastapi, "/redoc", id="fastapi"),
    pytest.param(on_litestar, "/schema/redoc", id="litestar"),
    pytest.param(on_litestar, "/schema", id="litestar-index"),
]


@pytest.mark.parametrize(("app", "path"), SWAGGER)
def test_swagger_ui_executes_an_operation(
    visitor: Visitor, serve: Serve, request: pytest.FixtureRequest, app: ASGIApp, path: str
) -> None:
    """An operation is opened, tried out and executed, and its reply shows, with nothing on the console."""
    visitor.page.goto(serve(harden(app, Settings())) + path)
    execute(visitor)
    visitor.photograph(f"default-swagger-{request.node.callspec.id}")
    assert visitor.complaints == []


def execute(visitor: Visitor) -> None:
    """Do with the documentation what it is for."""
    page = visitor.page
    page.get_by_text("/teas/{number}").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_placeholder("number").fill("7")
    page.get_by_role("button", name="Execute", exact=True).click()
    reply = page.locator(".live-responses-table").get_by_text("Darjeeling 7")
    expect(reply).to_be_visible()
    reply.scroll_into_view_if_needed()


@pytest.mark.parametrize(("app", "path"), REDOC)
def test_redoc_shows_an_operation(
    visitor: Visitor, serve: Serve, request: pytest.FixtureRequest, app: ASGIApp, path: str
) -> None:
    """An operation is found in the menu and shows, with nothing on the console."""
    page = visitor.page
    page.goto(serve(harden(app, Settings())) + path)
    page.get_by_role("menuitem").get_by_text("Brew").first.click()
    expect(page.get_by_text("/teas/{number}").first).to_be_visible()
    visitor.photograph(f"default-redoc-{request.node.callspec.id}")
    assert visitor.complaints == []


def test_a_policy_that_is_too_strict_for_the_docs_is_noticed(visitor: Visitor, serve: Serve) -> None:
    """A policy without the CDN leaves the page empty, and the console says so, as the tests here expect."""
    strict = Settings(security_headers=SecurityHeaders(page_policy="default-src 'self'"))
    visitor.page.goto(serve(harden(on_fastapi, strict)) + "/docs")
    visitor.hears("script-src")
    assert visitor.page.get_by_text("/teas/{number}").count() == 0


def test_the_docs_work_beside_strict_pages(visitor: Visitor, serve: Serve) -> None:
    """A rule for their path keeps them working where every other page needs a nonce."""
    section = SecurityHeaders(preset="web", rules="/docs: auto")
    visitor.page.goto(serve(harden(on_fastapi, Settings(security_headers=section))) + "/docs")
    execute(visitor)
    assert visitor.complaints == []
