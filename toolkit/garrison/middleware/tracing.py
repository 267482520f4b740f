"""Makes one server span and one duration measurement a request, by OpenTelemetry's conventions."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Final, Literal

from opentelemetry import metrics, trace
from opentelemetry.context import attach, detach
from opentelemetry.trace import INVALID_SPAN, Link, Span, SpanKind, StatusCode
from opentelemetry.trace.propagation import set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from garrison.asgi import Progress, header
from garrison.context import RequestContext, enter
from garrison.redaction import Redaction, Redactor
from garrison.settings import validate

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send

Value = str | int

# Semantic conventions for HTTP spans, `http.request.method`: anything else is `_OTHER`.
METHODS: Final = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"}
)
# Semantic conventions for HTTP metrics, `http.server.request.duration`.
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
SCHEMA: Final = "https://opentelemetry.io/schemas/1.44.0"
PARENT: Final = TraceContextTextMapPropagator()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracing:
    """The server span and the request metrics; both silent without an OpenTelemetry SDK.

    Attributes:
        continue_: whose `traceparent` becomes the span's parent: that of `trusted` proxies or of anybody
            (`always`). A stranger's becomes a link on a new root.
    """

    continue_: Literal["trusted", "always"] = "trusted"

    def __post_init__(self) -> None:
        validate(self)


class TracingMiddleware:
    """Spans the time from the request to the last byte of its reply.

    What a sampler, a processor or a reader raises is counted in `TracingMiddleware.dropped`, and the request
    goes on.

    Args:
        app: the app below.
        settings: the section.
        redaction: what is masked in `url.query`.
        tracer_provider: the global one unless given.
        meter_provider: the global one unless given.
        clock: seconds that never go back, for the duration metric.
    """

    dropped = 0

    def __init__(
        self,
        app: ASGIApp,
        settings: Tracing = Tracing(),
        *,
        redaction: Redaction = Redaction(),
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self.app = app
        self._always = settings.continue_ == "always"
        self._redactor = Redactor(redaction)
        self._clock = clock
        self._tracer_provider = tracer_provider
        self._meter_provider = meter_provider
        self._recording = False
        self._ask_again = float("-inf")
        self._tracer = trace.get_tracer("garrison", tracer_provider=tracer_provider, schema_url=SCHEMA)
        self._duration = metrics.get_meter(
            "garrison", meter_provider=meter_provider, schema_url=SCHEMA
        ).create_histogram(
            "http.server.request.duration",
            unit="s",
            description="Duration of HTTP server requests.",
            explicit_bucket_boundaries_advisory=BUCKETS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and `websocket`; `lifespan` and scopes of an unknown type pass through."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        scope, context = enter(scope)
        if not context.mount("tracing", self):
            await self.app(scope, receive, send)
            return

        started = self._clock()
        if not self._records(started) and header(scope["headers"], b"traceparent") is None:
            await self.app(scope, receive, send)
            return
        method = context.method if context.method in METHODS else "_OTHER"
        try:
            span = self._start(scope, context, method)
        except Exception:  # noqa: BLE001 - telemetry fails open, whatever it was
            TracingMiddleware.dropped += 1
            span = INVALID_SPAN
        progress = Progress()

        async def send_and_watch(message: Message) -> None:
            await send(message)
            if progress.sent(message):
                self._finish(scope, context, span, method, progress.status, self._clock() - started)

        # Without an SDK and without a parent there is nothing to make current.
        token = None if span is INVALID_SPAN else attach(set_span_in_context(span))
        try:
            await self.app(scope, receive, send_and_watch)
        except BaseException as error:
            context.exception = context.exception or error
            raise
        finally:
            if not progress.ended:
                self._finish(scope, context, span, method, progress.status, self._clock() - started)
            if token is not None:
                detach(token)

    def _records(self, now: float) -> bool:
        """Whether there is an SDK that would see a span or a measurement.

        An SDK is set up when a process starts, if ever, and asking for it costs more than the rest of
        this layer does without one; so it is asked for once a second.
        """
        if now >= self._ask_again:
            providers = (
                self._tracer_provider or trace.get_tracer_provider(),
                self._meter_provider or metrics.get_meter_provider(),
            )
            self._recording = not all(map(_is_silent, providers))
            self._ask_again = now + 1.0
        return self._recording

    def _start(self, scope: Scope, context: RequestContext, method: str) -> Span:
        parent: Context | None = None
        links: list[Link] | None = None
        traceparent = header(scope["headers"], b"traceparent")
        if traceparent is not None:
            remote = PARENT.extract(_carrier(scope))
            if context.trusted or self._always:
                parent = remote
            else:
                links = [Link(trace.get_current_span(remote).get_span_context())]
        span = self._tracer.start_span(
            method if method != "_OTHER" else "HTTP",
            context=parent,
            kind=SpanKind.SERVER,
            attributes=Deferred(lambda: self._attributes(scope, context, method)),
            links=links,
        )
        if span is not INVALID_SPAN:
            identity = span.get_span_context()
            if identity.is_valid:
                context.trace_id = trace.format_trace_id(identity.trace_id)
                context.span_id = trace.format_span_id(identity.span_id)
        return span

    def _attributes(self, scope: Scope, context: RequestContext, method: str) -> dict[str, Value]:
        """The attributes that the conventions want at a span's creation, where samplers see them."""
        attributes: dict[str, Value] = {
            "http.request.method": method,
            "url.path": context.path,
            "url.scheme": scope.get("scheme", "http"),
            "network.protocol.version": scope.get("http_version", "1.1"),
        }
        if scope["type"] == "websocket":
            attributes["network.protocol.name"] = "websocket"
        if method == "_OTHER":
            attributes["http.request.method_original"] = context.method
        if scope.get("query_string"):
            attributes["url.query"] = self._redactor.query(scope["query_string"])
        if context.client is not None:
            attributes["client.address"] = context.client
        if context.peer:
            attributes["network.peer.address"], attributes["network.peer.port"] = context.peer
        for name, value in scope["headers"]:
            if name == b"user-agent":
                attributes["user_agent.original"] = value.decode("latin-1")
            elif name == b"host":
                attributes.update(_server(value.decode("latin-1"), scope))
        return attributes

    def _finish(
        self,
        scope: Scope,
        context: RequestContext,
        span: Span,
        method: str,
        status: int | None,
        duration: float,
    ) -> None:
        try:
            self._end(scope, context, span, method, status, duration)
        except Exception:  # noqa: BLE001 - telemetry fails open, whatever it was
            TracingMiddleware.dropped += 1

    def _end(
        self,
        scope: Scope,
        context: RequestContext,
        span: Span,
        method: str,
        status: int | None,
        duration: float,
    ) -> None:
        recording = span.is_recording()
        self._duration.record(
            duration,
            Deferred(lambda: _outcome(scope, context, method, status)),
            set_span_in_context(span) if recording else None,
        )
        if not recording:
            return
        attributes: dict[str, Value] = {}
        route = context.route(scope)
        if route is not None:
            span.update_name(f"{method if method != '_OTHER' else 'HTTP'} {route}")
            attributes["http.route"] = route
        if status is not None:
            attributes["http.response.status_code"] = status
        error = _error_type(context, status)
        if error is not None:
            attributes["error.type"] = error
            span.set_status(StatusCode.ERROR)
        span.set_attributes(attributes)
        span.end()


class Deferred(Mapping[str, Value]):
    """Attributes that are built when somebody reads them, which a tracer that records nothing never does.

    Args:
        build: makes the attributes.
    """

    __slots__ = ("_build", "_built")

    def __init__(self, build: Callable[[], dict[str, Value]]) -> None:
        self._build = build
        self._built: dict[str, Value] | None = None

    def _all(self) -> dict[str, Value]:
        if self._built is None:
            self._built = self._build()
        return self._built

    def __getitem__(self, key: str) -> Value:
        return self._all()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def items(self) -> ItemsView[str, Value]:
        """All of them at once; SDKs copy attributes by this, and going one by one costs much more."""
        return self._all().items()


def _is_silent(provider: object) -> bool:
    # The API's own providers record nothing; every SDK brings classes of its own.
    return type(provider).__module__.startswith(("opentelemetry.trace", "opentelemetry.metrics"))


def _carrier(scope: Scope) -> dict[str, list[str]]:
    carrier: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        if name in {b"traceparent", b"tracestate"}:
            carrier.setdefault(name.decode("ascii"), []).append(value.decode("latin-1"))
    return carrier


def _server(host: str, scope: Scope) -> dict[str, Value]:
    """`server.address` and `server.port` from the Host header, without a scheme's own port."""
    name, colon, port = host.rpartition(":")
    if not colon or not port.isdecimal() or len(port) > 5:
        return {"server.address": host}
    if int(port) == (443 if scope.get("scheme") in {"https", "wss"} else 80):
        return {"server.address": name}
    return {"server.address": name, "server.port": int(port)}


def _outcome(scope: Scope, context: RequestContext, method: str, status: int | None) -> dict[str, Value]:
    attributes: dict[str, Value] = {
        "http.request.method": method,
        "url.scheme": scope.get("scheme", "http"),
        "network.protocol.version": scope.get("http_version", "1.1"),
    }
    if scope["type"] == "websocket":
        attributes["network.protocol.name"] = "websocket"
    if status is not None:
        attributes["http.response.status_code"] = status
    route = context.route(scope)
    if route is not None:
        attributes["http.route"] = route
    error = _error_type(context, status)
    if error is not None:
        attributes["error.type"] = error
    return attributes


def _error_type(context: RequestContext, status: int | None) -> str | None:
    """`error.type`: the exception's class where there is one, else the status of a server error."""
    if context.exception is not None:
        return type(context.exception).__qualname__
    if status is not None and status >= 500:
        return str(status)
    return None
