"""A small app whose page anybody may put into a frame, and the same app mended."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request  # noqa: TC002 - FastAPI and others read annotations
from starlette.responses import HTMLResponse
from starlette.routing import Route

from garrison import Settings, harden


async def home(_request: Request) -> HTMLResponse:
    """The page, which says nothing of who may frame it."""
    return HTMLResponse("<!doctype html><title>Shop</title>", headers={"x-content-type-options": "nosniff"})


app = Starlette(routes=[Route("/", home)])
mended = harden(app, Settings())
