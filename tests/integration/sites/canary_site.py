"""An app that is careless with every secret it meets, and traced and measured into files."""

from __future__ import annotations

import gzip
import logging
import os
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import structlog
from fastapi import FastAPI, Form, Request
from fastapi.responses import PlainTextResponse, Response, StreamingResponse
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

if "CANARY_SPANS" in os.environ:
    spans = Path(os.environ["CANARY_SPANS"]).open("a", encoding="utf-8")  # noqa: SIM115 - as long as the app
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


@app.get("/fine")
async def fine(request: Request) -> None:
    """Says what it was asked, and has nothing to complain of."""
    log.info("asked for %s", request.url)


@app.post("/raw")
async def raw(request: Request) -> None:
    """Quotes a body that it has not read."""
    raise ValueError(f"cannot read {await request.body()!r}")


@app.get("/group")
async def group(token: str) -> None:
    """Has it in everything that hangs on an exception."""
    cause = SyntaxError("bad token", ("rules", 1, 1, f"code == {token}", 1, 2))
    cause.add_note(f"while looking at {token}")
    inner = ValueError(f"not {token}")
    inner.__cause__ = cause
    failed = ExceptionGroup(f"all of {token}", [inner, OSError(2, "no such file", f"/run/{token}")])
    failed.__context__ = KeyError(token)
    raise failed


@app.get("/long")
async def long(token: str) -> None:
    """Quotes so much that the secret stands where a line is cut."""
    for size in (2048 - len(token) // 2, 2048 - len(token) + 3):
        log.warning("%s%s%s", "x" * size, token, "y" * 9000)
    raise ValueError("x" * (2048 - len(token) // 2) + token + "y" * 9000)


@app.get("/logged")
async def logged(request: Request) -> None:
    """Logs headers as fields, and warns of one."""
    log.warning("asked", extra={"headers": request.scope["headers"], "lines": dict(request.headers)})
    warnings.warn(f"do not send {request.headers['x-api-key']}", stacklevel=1)


@app.get("/outgoing")
async def outgoing() -> None:
    """Logs what it sends to others, as HTTP clients have it."""
    key = os.environ["CANARY_OUTGOING"]
    log.warning("asking %r", [[b"x-api-key", key.encode()]], extra={"sent": [("X-API-Key", key)]})
    log.warning("asking https://store.example/x?X-Amz-Signature=%s&x=1", key)
    log.warning("asking with %r", {"Authorization": f"AWS4 {key}"}, extra={"raw": {b"authorization": key}})


@app.get("/parts")
async def parts() -> StreamingResponse:
    """Sends a secret in several parts of a 500."""
    text = f'{{"dsn": "postgresql://shop:{os.environ["CANARY_PARTS"]}@db/shop"}}'.encode()

    async def chunks() -> AsyncIterator[bytes]:
        for index in range(0, len(text), 7):
            yield text[index : index + 7]

    size = {"content-length": str(len(text))}
    return StreamingResponse(chunks(), 500, size, media_type="application/json")


@app.get("/packed")
async def packed() -> Response:
    """Sends a traceback in a compressed 500."""
    text = f"Traceback (most recent call last):\n{os.environ['CANARY_PACKED']}"
    body = gzip.compress(text.encode(), mtime=0, compresslevel=0)
    return Response(body, 500, {"content-encoding": "x-gzip"})


@app.get("/late")
async def late() -> PlainTextResponse:
    """Sends a traceback at the end of a long 500."""
    text = f"{'x' * 300_000}\nTraceback (most recent call last):\n{os.environ['CANARY_LATE']}"
    return PlainTextResponse(text, 500)
