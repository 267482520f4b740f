"""What the image serves: an app without a word of Garrison."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request


async def home(_: Request) -> JSONResponse:
    """One reply."""
    return JSONResponse({"articles": []})


app = Starlette(routes=[Route("/", home)])
