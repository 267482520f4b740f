"""A shop that logs what it sells, through the standard library and through structlog."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import structlog
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

log = logging.getLogger("shop")
events = structlog.get_logger("shop.stock")


def buy(request: Request) -> PlainTextResponse:
    """Sell some tea."""
    log.info("sold %s", request.query_params.get("article", "tea"), extra={"price": 3})
    events.info("stock is low", article="tea", dsn="postgresql://shop:hunter2@db/shop")
    return PlainTextResponse("thank you")


app = Starlette(routes=[Route("/", buy)])
