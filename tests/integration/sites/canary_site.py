"""An app that is careless with every secret it meets, and traced and measured into files."""

from __future__ import annotations

import logging
import os
import traceback
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import structlog
from fastapi import FastAPI, Form, Request
from fastapi.responses import PlainTextResponse
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from pydantic import BaseModel

spans = Path(os.environ["CANARY_SPANS"]).open("a", encoding="utf-8")  # noqa: SIM115 - open as long as the app
points = Path(os.environ["CANARY_METRICS"]).open("a", encoding="utf-8")  # noqa: SIM115 - the same
tracers = TracerProvider()
tracers.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=spans)))
trace.set_tracer_provider(tracers)
meters = MeterProvider([PeriodicExportingMetricReader(ConsoleMetricExporter(out=points), 200)])
metrics.set_meter_provider(meters)

log = logging.getLogger("shop")
app = FastAPI()


class Account(BaseModel):
    """What clients register with."""

    name: str
    password: str


@app.get("/headers")
async def headers(request: Request) -> None:
    """Quotes the credentials of a request, beside their names and alone."""
    log.warning("asked with %r", request.headers)
    credentials = request.headers.get("authorization", "").partition(" ")[2]
    key, cookie = request.headers.get("x-api-key"), request.cookies.get("session")
    raise PermissionError(f"nobody is {credentials} or {key} or {cookie} in {request.scope['headers']!r}")


@app.get("/query")
async def query(request: Request) -> None:
    """Quotes a query parameter and the whole URL."""
    log.warning("asked for %s", request.url)
    raise LookupError(f"no such token as {request.query_params['token']} in {request.url}")


@app.get("/reset/{code}")
async def reset(code: str) -> None:
    """Quotes a path parameter."""
    raise LookupError(f"no such code as {code}")


@app.post("/json")
async def json_body(request: Request) -> None:
    """Quotes a JSON body, read and raw."""
    log.warning("got %r", await request.json())
    raise ValueError(f"bad document {await request.json()!r} or {await request.body()!r}")


@app.post("/form")
async def form(password: Annotated[str, Form()], request: Request) -> None:
    """Quotes a form body."""
    raise ValueError(f"bad form {dict(await request.form())!r}, password={password}")


@app.get("/token")
async def token() -> None:
    """Quotes a token of another service."""
    log.error("upstream said no to Bearer %s", os.environ["CANARY_BEARER"])
    raise ConnectionError(f"upstream said no to {os.environ['CANARY_JWT']}")


@app.get("/local")
async def local() -> None:
    """Has a secret in a variable when it fails."""
    harmless = os.environ["CANARY_LOCAL"]
    structlog.get_logger().warning("signing in", password=harmless)
    raise RuntimeError(len(harmless))


@app.get("/url")
async def url() -> None:
    """Quotes the URL of its database."""
    dsn = os.environ["CANARY_URL"]
    log.warning("connecting to %s", dsn)
    try:
        raise TimeoutError(dsn)  # noqa: TRY301 - the traceback is what this is for
    except TimeoutError:
        log.exception("no answer from %s", urlsplit(dsn).hostname)
        raise


@app.get("/debug")
async def debug() -> PlainTextResponse:
    """Sends a traceback itself."""
    try:
        raise LookupError(os.environ["CANARY_SENT"])  # noqa: TRY301 - the same
    except LookupError:
        return PlainTextResponse(traceback.format_exc(), 500, {"x-debug-token": os.environ["CANARY_SENT"]})


@app.post("/accounts")
async def register(account: Account) -> dict[str, Any]:
    """Validates, and never gets here."""
    return {}
