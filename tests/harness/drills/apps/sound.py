"""An app with a path for each drill; under `garrison run` it holds all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request


async def home(_request: Request) -> JSONResponse:
    """Answer."""
    return JSONResponse({"ok": True})


async def boom(_request: Request) -> JSONResponse:
    """Fail."""
    raise LookupError("no till at /srv/shop/till.py")


async def take(request: Request) -> JSONResponse:
    """Wait for the body."""
    return JSONResponse(await request.json())


async def large(_request: Request) -> PlainTextResponse:
    """Answer with more than a system holds back for a reader."""
    return PlainTextResponse("x" * 6_000_000)


app = Starlette(
    routes=[
        Route("/", home),
        Route("/boom", boom),
        Route("/items", take, methods=["POST"]),
        Route("/large", large),
    ]
)
