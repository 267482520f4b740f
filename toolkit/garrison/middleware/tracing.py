"""Makes one server span and one duration measurement a request, by OpenTelemetry's conventions."""

from __future__ import annotations

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
from garrison.conventions import (
    BUCKETS,
    SCHEMA,
    Deferred,
    known_method,
    measurement_attributes,
    reply_attributes,
    request_attributes,
    span_name,
)
from garrison.redaction import Redaction, Redactor
from garrison.settings import validate

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send

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
        method = known_method(context.method)
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
            span_name(method),
            context=parent,
            kind=SpanKind.SERVER,
            attributes=Deferred(lambda: request_attributes(scope, context, method, self._redactor)),
            links=links,
        )
        if span is not INVALID_SPAN:
            identity = span.get_span_context()
            if identity.is_valid:
                context.trace_id = trace.format_trace_id(identity.trace_id)
                context.span_id = trace.format_span_id(identity.span_id)
        return span

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
            recording = span.is_recording()
            self._duration.record(
                duration,
                Deferred(lambda: measurement_attributes(scope, context, method, status)),
                set_span_in_context(span) if recording else None,
            )
            if not recording:
                return
            attributes = reply_attributes(scope, context, status)
            if "http.route" in attributes:
                span.update_name(span_name(method, context.route(scope)))
            if "error.type" in attributes:
                span.set_status(StatusCode.ERROR)
            span.set_attributes(attributes)
            span.end()
        except Exception:  # noqa: BLE001 - telemetry fails open, whatever it was
            TracingMiddleware.dropped += 1


def _is_silent(provider: object) -> bool:
    # The API's own providers record nothing; every SDK brings classes of its own.
    return type(provider).__module__.startswith(("opentelemetry.trace", "opentelemetry.metrics"))


def _carrier(scope: Scope) -> dict[str, list[str]]:
    carrier: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        if name in {b"traceparent", b"tracestate"}:
            carrier.setdefault(name.decode("ascii"), []).append(value.decode("latin-1"))
    return carrier
