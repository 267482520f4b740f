"""An app that logs in every way that apps do, set up as the variable TALKS says."""

from __future__ import annotations

import asyncio
import logging
import logging.config
import os
import queue
import sys
import threading
import warnings
from contextlib import asynccontextmanager
from logging.handlers import QueueHandler, QueueListener
from typing import TYPE_CHECKING

import structlog
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response

MODE = os.environ.get("TALKS", "")
PASSWORD = "hunter2"  # what must not be shown
DSN = f"postgresql://shop:{PASSWORD}@db/shop"
FORMATS = {"own": {"format": "own %(levelname)s %(name)s %(message)s"}}
TO_STDERR = {"own": {"class": "logging.StreamHandler", "formatter": "own"}}
OWN = {"version": 1, "formatters": FORMATS, "handlers": TO_STDERR}

stdlib = logging.getLogger("shop")
events = structlog.get_logger("shop.events")


def set_up() -> None:
    """What apps write at the top of their main module, or into their startup."""
    if MODE == "logger":
        logging.config.dictConfig({**OWN, "loggers": {"shop": {"handlers": ["own"], "level": "INFO"}}})
    elif MODE in {"root", "late"}:
        root = {"handlers": ["own"], "level": "INFO"}
        logging.config.dictConfig({**OWN, "root": root, "loggers": {"shop": {}}})
    elif MODE == "handler":
        logging.getLogger().addHandler(logging.StreamHandler())
    elif MODE == "apart":
        stdlib.addHandler(logging.StreamHandler())
        stdlib.propagate = False
    elif MODE == "queue":
        waiting: queue.Queue[logging.LogRecord] = queue.Queue()
        stdlib.addHandler(QueueHandler(waiting))
        QueueListener(waiting, logging.StreamHandler()).start()
    elif MODE in {"structlog", "processors"}:
        structlog.configure(
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
            logger_factory=structlog.PrintLoggerFactory(sys.stdout) if MODE == "structlog" else None,
        )
    elif MODE == "structlog for people":
        structlog.configure(
            processors=[structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)],
            logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        )
    elif MODE == "recipe":
        # The recipe of structlog's documentation for rendering within structlog.
        logging.basicConfig(format="%(message)s", stream=sys.stdout, level=logging.INFO)
        structlog.configure(
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.add_log_level,
                structlog.processors.TimeStamper(fmt="iso"),
                structlog.processors.JSONRenderer(),
            ],
            logger_factory=structlog.stdlib.LoggerFactory(),
            wrapper_class=structlog.stdlib.BoundLogger,
        )
    elif MODE == "traced":
        trace.set_tracer_provider(TracerProvider())


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Where some apps set up their logging."""
    if MODE == "late":
        set_up()
    stdlib.info("opened")
    yield
    stdlib.info("closed")


async def sells(request: Request) -> Response:
    """A line of each kind."""
    stdlib.info("sold %s", "tea", extra={"price": 3, "password": "hunter2"})
    events.info("stored", article="tea", dsn=DSN, headers={"Cookie": "hunter2", "Accept": "*/*"})
    return PlainTextResponse("sold")


def in_a_thread(request: Request) -> Response:
    """The same from the thread of a sync endpoint."""
    stdlib.info("sold in a thread")
    return PlainTextResponse("sold")


async def span(request: Request) -> Response:
    """A line within a span of the app's own."""
    with trace.get_tracer("shop").start_as_current_span("query") as current:
        events.info("queried")
        return PlainTextResponse(f"{current.get_span_context().span_id:016x}")


def connect(password: str) -> None:
    """What quotes the password when it fails."""
    raise RuntimeError(f"no database at postgresql://shop:{password}@db/shop")


class Leaking:
    """What fails where nobody can catch it."""

    def __del__(self) -> None:
        raise LookupError(DSN)


async def fails(request: Request) -> Response:
    """Failures that are handled, and one of a thread that nobody handles."""
    password = "hunter2"
    try:
        connect(password)
    except RuntimeError:
        stdlib.exception("handled")
        events.exception("also handled")

    def die() -> None:
        raise LookupError(DSN)

    thread = threading.Thread(target=die, name="stock")
    thread.start()
    await asyncio.to_thread(thread.join)
    Leaking()
    return PlainTextResponse("failed")


async def logs_and_raises(request: Request) -> Response:
    """What many apps do: log, and leave the rest to the framework."""
    try:
        connect(PASSWORD)
    except RuntimeError:
        stdlib.exception("cannot connect")
        raise
    return PlainTextResponse("never")


async def tells_and_raises(request: Request) -> Response:
    """The same through structlog."""
    try:
        connect(PASSWORD)
    except RuntimeError:
        events.exception("cannot connect")
        raise
    return PlainTextResponse("never")


async def whispers(request: Request) -> Response:
    """Lines of two levels that are low."""
    stdlib.debug("debug of stdlib")
    events.debug("debug of structlog")
    stdlib.info("info of stdlib")
    events.info("info of structlog")
    stdlib.warning("done")
    return PlainTextResponse("whispered")


async def raises(request: Request) -> Response:
    """A failure that nobody logs; the framework's own handler for all exceptions does."""
    connect(PASSWORD)
    return PlainTextResponse("never")


async def forges(request: Request) -> Response:
    """What could break or forge a line."""
    stdlib.info('name\r\n{"event": "forged"}\x1b[31m \x9b31m \ud800 %s', "x" * 300_000)
    stdlib.info("%d items", "three")
    stdlib.info("level", extra={"level": "forged", "timestamp": 1, "request_id": "forged", "event": "e"})
    warnings.warn("old tea", UserWarning, stacklevel=1)
    return PlainTextResponse("forged")


async def long(request: Request) -> Response:
    """A long line, so that two processes could write into each other's."""
    stdlib.info("long", extra={"text": str(os.getpid() % 10) * 20_000})
    stdlib.info("short", extra={"text": str(os.getpid() % 10)})
    return PlainTextResponse(str(os.getpid()))


if MODE != "late":
    set_up()
app = Starlette(
    routes=[
        Route("/sells", sells),
        Route("/thread", in_a_thread),
        Route("/span", span),
        Route("/fails", fails),
        Route("/logs-and-raises", logs_and_raises),
        Route("/tells-and-raises", tells_and_raises),
        Route("/whispers", whispers),
        Route("/raises", raises),
        Route("/forges", forges),
        Route("/long", long),
    ],
    lifespan=lifespan,
)
