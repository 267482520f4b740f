"""A site of somebody else's: it signs people in, takes payments, opens and is opened, and attacks."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request


async def blank(request: Request) -> Response:
    """A page on which a test does what it likes."""
    return HTMLResponse("<!doctype html><title>Other</title><h1>Other</h1>")


async def authorize(request: Request) -> Response:
    """An OpenID provider that knows its user, and answers with `response_mode=form_post`."""
    state, back = (escape(request.query_params[name]) for name in ("state", "back"))
    return HTMLResponse(
        f"<form method=post action='{back}'><input name=state value='{state}'><input name=code value=1>"
        "</form><script>document.forms[0].submit()</script>"
    )


async def checkout(request: Request) -> Response:
    """A payment that needs no click: it sends its user back."""
    return RedirectResponse(request.query_params["back"], status_code=303)


async def script(request: Request) -> Response:
    """What runs in the place of a page's own script, or beside it."""
    stolen = "document.getElementById('found').textContent = 'stolen'"
    return Response(stolen, media_type="text/javascript")


async def icon(request: Request) -> Response:
    """Nothing, which is no error on anybody's console."""
    return Response(status_code=204)


async def greeter(request: Request) -> Response:
    """A pop-up that greets whoever opened it, and writes down what it is told."""
    return HTMLResponse(
        "<p id=heard></p><script>"
        "addEventListener('message', event => { heard.textContent = event.data });"
        "opener.postMessage('hello from the pop-up', '*')</script>"
    )


other_site = Starlette(
    routes=[
        Route("/", blank),
        Route("/evil.js", script),
        Route("/found.js", script),
        Route("/favicon.ico", icon),
        Route("/authorize", authorize),
        Route("/checkout", checkout),
        Route("/greeter", greeter),
    ]
)
