"""An app that real servers serve: it replies, fails, and takes and refuses WebSockets."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from typing import TYPE_CHECKING

import structlog
from opentelemetry import trace
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute

from garrison import Hardened, Settings, harden

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.websockets import WebSocket


def state() -> dict[str, object]:
    """What is one for the whole process, and may be changed by nobody but its owner."""
    return {
        "handlers": len(logging.getLogger().handlers),
        "level": logging.getLogger().level,
        "structlog": structlog.is_configured(),
        "warnings": warnings.showwarning.__module__,
        "threads": threading.excepthook is threading.__excepthook__,
        "unraisable": sys.unraisablehook is sys.__unraisablehook__,
        "tracer": type(trace.get_tracer_provider()).__name__,
    }


BEFORE = {
    "handlers": 0,
    "level": logging.WARNING,
    "structlog": False,
    "warnings": "warnings",
    "threads": True,
    "unraisable": True,
    "tracer": "ProxyTracerProvider",
}


async def home(request: Request) -> Response:
    """The id as structlog has it, and the state of the process."""
    return JSONResponse({**structlog.contextvars.get_contextvars(), "state": state()})


def in_a_thread(request: Request) -> Response:
    """The id in a thread."""
    return JSONResponse(structlog.contextvars.get_contextvars())


async def boom(request: Request) -> Response:
    """A failure."""
    raise RuntimeError("boom")


async def accepts(websocket: WebSocket) -> None:
    """A WebSocket that is taken."""
    await websocket.accept()
    await websocket.close()


async def refuses(websocket: WebSocket) -> None:
    """A WebSocket that is closed before it was accepted."""
    await websocket.close()


def make() -> Hardened:
    """The app with every layer on that needs no setting."""
    routes = [
        Route("/", home),
        Route("/thread", in_a_thread),
        Route("/boom", boom),
        WebSocketRoute("/accepts", accepts),
        WebSocketRoute("/refuses", refuses),
    ]
    return harden(Starlette(routes=routes), Settings())
