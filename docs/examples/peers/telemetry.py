"""Traces beside OpenTelemetry's own instrumentation: how many spans, their names, what breaks them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from docs.examples.peers.asked import ask
from docs.examples.peers.case import Case
from garrison import TracingMiddleware

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from opentelemetry.sdk.trace import ReadableSpan

ASGI: Final = "opentelemetry-instrumentation-asgi"
FASTAPI: Final = "opentelemetry-instrumentation-fastapi"
CHUNKS: Final = 100
QUERY: Final = b"page=2&token=s3cret"


async def chunks() -> AsyncIterator[bytes]:
    """A reply that comes bit by bit."""
    for _ in range(CHUNKS):
        yield b"."


async def stream(number: int) -> StreamingResponse:  # noqa: ARG001 - it is in the path
    """A route with a parameter."""
    return StreamingResponse(chunks())


def cases() -> Iterator[Case]:
    """What is compared here."""
    theirs, spans = _traced()
    middleware: Any = OpenTelemetryMiddleware(_app(), tracer_provider=theirs)
    mine, own_spans = _traced()
    ours: Any = TracingMiddleware(_app(), tracer_provider=mine)
    for app in (middleware, ours):
        ask(app, "/stream/7", query_string=QUERY)
    their_spans, our_spans = spans.get_finished_spans(), own_spans.get_finished_spans()
    yield Case(
        f"a reply of {CHUNKS} chunks: how many spans", ASGI, str(len(their_spans)), str(len(our_spans))
    )
    yield Case(
        "`GET /stream/7` of the route `/stream/{number}`: the name of the span",
        ASGI,
        f"`{their_spans[-1].name}`",
        f"`{our_spans[-1].name}`",
    )
    yield Case("a token in the query: the span", ASGI, _secret(their_spans[-1]), _secret(our_spans[-1]))
    instrumented = _app()
    FastAPIInstrumentor.instrument_app(instrumented, tracer_provider=_traced()[0])
    odd = [(b"user-agent", b"\xff\\")]
    yield Case(
        "a User-Agent of the bytes `FF 5C`",
        FASTAPI,
        f"is answered with {ask(instrumented, '/stream/7', headers=odd).status}",
        f"is answered with {ask(ours, '/stream/7', headers=odd).status}",
    )


def _app() -> FastAPI:
    app = FastAPI()
    app.get("/stream/{number}")(stream)
    return app


def _traced() -> tuple[TracerProvider, InMemorySpanExporter]:
    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider, exporter


def _secret(span: ReadableSpan) -> str:
    return "shows it" if "s3cret" in str(dict(span.attributes or {})) else "masks it"
