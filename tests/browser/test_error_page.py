"""The page in place of a problem document, as somebody at a browser sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from garrison import Errors, ErrorsMiddleware, SecurityHeaders, Settings, harden

if TYPE_CHECKING:
    from tests.browser.conftest import Serve
    from tests.browser.visitor import Visitor


async def fails(request: Any) -> None:
    """A handler with a fault."""
    raise LookupError("planted-detail")


@pytest.mark.parametrize("preset", ["auto", "strict"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_visitor_sees_a_page(visitor: Visitor, serve: Serve, preset: Any, scheme: Any) -> None:
    """It is styled in light and in dark, says what happened and an id to ask for, and breaks no policy."""
    settings = Settings(security_headers=SecurityHeaders(preset=preset))
    origin = serve(harden(Starlette(routes=[Route("/", fails)]), settings))
    page = visitor.context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.emulate_media(color_scheme=scheme)
    answer = page.goto(f"{origin}/")
    assert answer is not None
    assert answer.status == 500
    assert page.title() == "500 Internal Server Error"
    assert page.locator("h1").inner_text() == "500 Internal Server Error"
    assert page.locator("code").inner_text() == answer.headers["x-request-id"]
    assert "planted-detail" not in page.content()
    style = "(element) => getComputedStyle(element)"
    assert page.locator("main").evaluate(f"{style}.maxWidth") == "640px"  # the style was not blocked
    background = page.locator("body").evaluate(f"{style}.backgroundColor")
    assert background == ("rgb(18, 18, 18)" if scheme == "dark" else "rgb(255, 255, 255)")
    assert [text for text in said if "Content Security Policy" in text] == []


@pytest.mark.parametrize("width", [380, 1000, 1600])
def test_a_developer_reads_every_line_to_its_end(visitor: Visitor, serve: Serve, width: int) -> None:
    """What was raised comes first, the traceback has the window, and nothing of it is cut off."""
    shows = ErrorsMiddleware(Starlette(routes=[Route("/", fails)]), Errors(details="local"))

    async def from_here(scope: Any, receive: Any, send: Any) -> None:
        """The visitor comes by the name of a shop, and a developer by that of his own machine."""
        if scope["type"] == "http":
            headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
            scope = {**scope, "headers": [*headers, (b"host", b"localhost")]}
        await shows(scope, receive, send)

    origin = serve(from_here)
    page = visitor.context.new_page()
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{origin}/")
    assert page.locator("strong").inner_text() == "LookupError: planted-detail"
    trace = page.locator("pre")
    assert f'{__file__}", line ' in trace.inner_text()
    assert trace.evaluate("(element) => element.scrollWidth <= element.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert trace.evaluate("(element) => element.clientWidth") > min(width - 80, 1150)
