"""Other instrumentations of the same app: one server span and one duration a request, whoever is outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
from fastapi import FastAPI, WebSocket
from litestar import Litestar, get
from litestar.plugins.opentelemetry import OpenTelemetryConfig, OpenTelemetryPlugin
from opentelemetry import baggage
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.metrics.export import HistogramDataPoint
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode, get_current_span
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.opentelemetry import OpenTelemetryMiddleware as StarletteTelemetry
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from garrison import ErrorsMiddleware, RequestIdMiddleware, Tracing, TracingMiddleware
from garrison.events import event_log
from garrison.problems import Problem
from tests.toolkit.contract.subjects import sink
from tests.toolkit.driver import call, handshake, http_scope, replies_with, websocket_scope
from tests.toolkit.middleware.traced import Traced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry.sdk.trace import ReadableSpan
    from starlette.requests import Request

    from garrison.asgi import Receive, Scope, Send

# What a stranger sends along, and what an instrumentation further in would believe.
STRANGER: Final = [
    (b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    (b"baggage", b"tenant=acme"),
]


def servers(traced: Traced) -> list[ReadableSpan]:
    """The server spans that have ended, whoever made them."""
    return [span for span in traced.spans if span.kind is SpanKind.SERVER]


def durations(traced: Traced) -> int:
    """How many requests all duration metrics have counted, the old convention's too."""
    data = traced.reader.get_metrics_data()
    scopes = [] if data is None else data.resource_metrics[0].scope_metrics
    return sum(
        point.count
        for scope in scopes
        for metric in scope.metrics
        if metric.name in {"http.server.request.duration", "http.server.duration"}
        for point in metric.data.data_points
        if isinstance(point, HistogramDataPoint)
    )


class Inner:
    """An app that is instrumented by somebody else, in the same SDK as the layer around it."""

    def __init__(self, kind: str, settings: Tracing = Tracing()) -> None:
        self.seen: list[object] = []
        self.traced = Traced(self._late, settings)
        self.undo: Callable[[], None] = _nothing
        self.app: Any = getattr(self, kind)()

    async def _late(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)

    async def _asks_upstream(self) -> str:
        self.seen.append(dict(baggage.get_all()))
        transport = httpx.MockTransport(lambda _: httpx.Response(200))
        async with httpx.AsyncClient(transport=transport) as client:
            HTTPXClientInstrumentor.instrument_client(client, tracer_provider=self.traced.provider)
            await client.get("http://upstream.example/")
        return "ok"

    def fastapi_native(self) -> FastAPI:
        """FastAPI's own telemetry, which is on wherever there is an SDK."""
        app = FastAPI(
            telemetry={"tracer_provider": self.traced.provider, "meter_provider": self.traced.meters}
        )
        app.get("/items/{id}")(self._asks_upstream)
        return app

    def fastapi_instrumented(self) -> FastAPI:
        """What `opentelemetry-instrument` makes of a FastAPI app, and of one that is mounted in it."""
        app, mounted = FastAPI(), FastAPI()
        for each in (app, mounted):
            each.get("/items/{id}")(self._asks_upstream)
            FastAPIInstrumentor.instrument_app(
                each, tracer_provider=self.traced.provider, meter_provider=self.traced.meters
            )
        app.mount("/v1", mounted)

        def undo() -> None:
            FastAPIInstrumentor.uninstrument_app(app)
            FastAPIInstrumentor.uninstrument_app(mounted)

        self.undo = undo
        return app

    def starlette_native(self) -> Starlette:
        """Starlette's own middleware."""

        async def item(request: Request) -> Response:
            return PlainTextResponse(await self._asks_upstream())

        return Starlette(
            routes=[Route("/items/{id}", item)],
            middleware=[Middleware(StarletteTelemetry, tracer_provider=self.traced.provider)],
        )

    def litestar_plugin(self) -> Litestar:
        """Litestar's plugin, which brings OpenTelemetry's ASGI middleware."""

        @get("/items/{item:int}")
        async def item() -> str:
            return await self._asks_upstream()

        config = OpenTelemetryConfig(tracer_provider=self.traced.provider, meter_provider=self.traced.meters)
        return Litestar(
            [item], plugins=[OpenTelemetryPlugin(config)], logging_config=None, openapi_config=None
        )

    def asgi_middleware(self) -> OpenTelemetryMiddleware:
        """OpenTelemetry's ASGI middleware, put on by hand."""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await self._asks_upstream()
            await replies_with()(scope, receive, send)

        return OpenTelemetryMiddleware(
            app, tracer_provider=self.traced.provider, meter_provider=self.traced.meters
        )


def _nothing() -> None:
    """What there is to undo of most."""


KINDS: Final = (
    "fastapi_native",
    "fastapi_instrumented",
    "starlette_native",
    "litestar_plugin",
    "asgi_middleware",
)


@pytest.fixture(params=KINDS)
def inner(request: pytest.FixtureRequest) -> Iterator[Inner]:
    """Each of them in turn."""
    made = Inner(request.param)
    yield made
    made.undo()


def test_an_instrumentation_further_in_makes_no_second_span(inner: Inner) -> None:
    """There are the server's span and the client's, one duration, and no word of a stranger's."""
    call(inner.traced.app, http_scope("/items/7", headers=STRANGER))
    client, server = inner.traced.spans
    assert (client.kind, server.kind) == (SpanKind.CLIENT, SpanKind.SERVER)
    assert server.instrumentation_scope is not None
    assert (server.instrumentation_scope.name, server.parent, len(server.links)) == ("garrison", None, 1)
    assert client.parent == server.context
    assert (durations(inner.traced), inner.seen) == (1, [{}])


@pytest.mark.parametrize(
    ("path", "code", "error"),
    [("/sold", StatusCode.UNSET, None), ("/broken", StatusCode.ERROR, "ValueError")],
)
def test_an_exception_that_is_an_answer_is_no_error_of_the_span(
    path: str, code: StatusCode, error: str | None
) -> None:
    """FastAPI's instrumentation calls every exception an error, with its words; the reply decides instead."""

    def problem_of(raised: Exception) -> Problem | None:
        return Problem(status=409) if isinstance(raised, KeyError) else None

    def sold() -> None:
        message = "for bob, password=hunter2"
        raise KeyError(message)

    def broken() -> None:
        message = "password=hunter2"
        raise ValueError(message)

    app = FastAPI()
    app.get("/sold")(sold)
    app.get("/broken")(broken)
    traced = Traced(ErrorsMiddleware(app, log=event_log("json", sink()), mapping=problem_of))
    FastAPIInstrumentor.instrument_app(app, tracer_provider=traced.provider, meter_provider=traced.meters)
    try:
        call(traced.app, http_scope(path))
    finally:
        FastAPIInstrumentor.uninstrument_app(app)
    (span,) = servers(traced)
    assert (span.status.status_code, span.status.description) == (code, None)
    assert (span.attributes or {}).get("error.type") == error
    assert "hunter2" not in span.to_json()


def test_a_status_that_the_app_sets_stays_masked() -> None:
    """What an app says of its own request counts where the request did not fail; its secrets do not."""
    spans = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        span = get_current_span()
        spans.append(span)
        try:
            int("none")
        except ValueError:
            span.set_status(StatusCode.ERROR, "stock unknown, password=hunter2")
        await replies_with()(scope, receive, send)

    traced = Traced(app)
    call(traced.app)
    assert (traced.span.status.status_code, traced.span.status.description) == (
        StatusCode.ERROR,
        "stock unknown, password=[redacted]",
    )
    assert not {"add_event", "set_status"} & vars(spans[0]).keys()


def test_a_mounted_app_makes_no_span_either() -> None:
    """An instrumented app in an instrumented app is still one request."""
    inner = Inner("fastapi_instrumented")
    try:
        call(inner.traced.app, http_scope("/v1/items/7"))
    finally:
        inner.undo()
    assert [span.kind for span in inner.traced.spans] == [SpanKind.CLIENT, SpanKind.SERVER]
    assert inner.traced.spans[1].name == "GET /v1/items/{id}"


@pytest.mark.parametrize("kind", KINDS)
def test_an_excluded_path_is_excluded_further_in_too(kind: str) -> None:
    """Who leaves a path out means that it has no span, and not that somebody else makes one."""
    inner = Inner(kind, Tracing(exclude="/items/*"))
    try:
        call(inner.traced.app, http_scope("/items/7", headers=STRANGER))
    finally:
        inner.undo()
    assert (servers(inner.traced), durations(inner.traced), inner.seen) == ([], 0, [{}])


def test_a_websocket_has_one_span_too() -> None:
    """FastAPI's own telemetry also spans WebSockets."""
    inner = Inner("fastapi_native")

    async def live(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    inner.app.add_api_websocket_route("/live", live)
    handshake(inner.traced.app, websocket_scope("/live"))
    assert len(servers(inner.traced)) == 1


def test_a_server_span_further_out_is_joined() -> None:
    """Where another instrumentation is around this one, its span is the request's, and the log knows it."""
    contexts = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        contexts.append(scope["garrison"])
        await replies_with()(scope, receive, send)

    traced = Traced(app)
    outer = OpenTelemetryMiddleware(
        RequestIdMiddleware(traced.app, make_id=lambda: "id-1"),
        tracer_provider=traced.provider,
        meter_provider=traced.meters,
        exclude_spans=["receive", "send"],
    )
    call(outer)
    (span,) = traced.spans
    assert span.context is not None
    assert (contexts[0].trace_id, contexts[0].span_id) == (
        f"{span.context.trace_id:032x}",
        f"{span.context.span_id:016x}",
    )
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.name == "opentelemetry.instrumentation.asgi"
    assert (span.attributes or {})["garrison.request_id"] == contexts[0].request_id == "id-1"
    assert durations(traced) == 1


def test_a_server_span_further_out_that_is_not_sampled_is_joined() -> None:
    """Nobody records the request, and its duration is measured once."""
    traced = Traced(replies_with())
    outer = OpenTelemetryMiddleware(
        traced.app, tracer_provider=TracerProvider(sampler=ALWAYS_OFF), meter_provider=traced.meters
    )
    call(outer)
    assert (traced.spans, durations(traced)) == ((), 1)


@pytest.mark.parametrize("framework", ["fastapi", "starlette"])
def test_the_telemetry_of_a_framework_further_out_is_joined(framework: str) -> None:
    """`add_middleware` puts the layer inside of the framework's own telemetry, which came first."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    app: Any
    if framework == "fastapi":
        app = FastAPI(telemetry={"tracer_provider": provider, "operation_spans": False})
        app.get("/items/{id}")(lambda: "ok")
        app.add_middleware(TracingMiddleware, tracer_provider=provider)
    else:
        app = Starlette(
            routes=[Route("/items/{id}", lambda _: PlainTextResponse("ok"))],
            middleware=[
                Middleware(StarletteTelemetry, tracer_provider=provider),
                Middleware(TracingMiddleware, tracer_provider=provider),
            ],
        )
    call(app, http_scope("/items/7"))
    (span,) = exporter.get_finished_spans()
    assert span.instrumentation_scope is not None
    assert (span.instrumentation_scope.name, span.name) == (framework, "GET /items/{id}")
