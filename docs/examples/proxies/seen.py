"""An app that tells what it sees of a request, to try what stands in front of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

FORWARDING = ("forwarded", "x-forwarded", "x-real-ip", "x-user-id")


async def seen(request: Request) -> JSONResponse:
    """What the app makes links, logs and decisions from."""
    facts: dict[str, Any] = {
        "client": request.client.host if request.client else None,
        "url": str(request.url),
        "root_path": request.scope["root_path"],
        "headers": [name for name in request.headers if name.startswith(FORWARDING)],
    }
    return JSONResponse(facts)


app = Starlette(routes=[Route("/{path:path}", seen)])
