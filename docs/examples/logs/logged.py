"""An app whose own handler names the ids of the request, for any server."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from garrison import RequestFilter, current_request, harden

if TYPE_CHECKING:
    from starlette.requests import Request

handler = logging.StreamHandler()
handler.addFilter(RequestFilter())
handler.setFormatter(logging.Formatter("%(levelname)s [%(request_id)s %(trace_id)s] %(message)s"))
log = logging.getLogger("shop")
log.addHandler(handler)
log.setLevel(logging.INFO)


def here(request: Request) -> PlainTextResponse:
    """Log a line, and reply with the id that is in it."""
    log.info("at %s", request.url.path)
    found = current_request()
    return PlainTextResponse(found.request_id if found else None)


app = harden(Starlette(routes=[Route("/", here)]))
