"""One request and its reply, as a span and as measurements."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, StatusCode

from garrison.asgi import ANSWERS, Progress
from garrison.conventions import (
    OTHER,
    Deferred,
    Value,
    encodable,
    error_type,
    exchange_attributes,
    header_attributes,
    opt_in_attributes,
    reply_attributes,
    request_attributes,
    span_name,
)
from garrison.current import enter_trace, leave_trace
from garrison.tracing.instruments import REJECTING_LAYER
from garrison.tracing.neighbours import step_aside, with_span
from garrison.tracing.parents import TRACEPARENT, parent_of
from garrison.tracing.recorded_exceptions import add_masked, forget_events, set_masked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextvars import Token

    from opentelemetry.trace import Status
    from opentelemetry.util.types import Attributes

    from garrison.asgi import Message, Receive, Scope, Send
    from garrison.context import RequestContext
    from garrison.current import Bound
    from garrison.tracing.recorder import Recorder

CLOSE_CODE: Final = "garrison.websocket.close_code"
REQUEST_ID: Final = "garrison.request_id"

# RFC 6455 section 7.4.1: the server met a condition that it did not expect.
INTERNAL_ERROR: Final = 1011

SWITCHING: Final = 101


class Record(Progress):
    """What is recorded of one request, from its begin to the last byte of its reply.

    Nothing here raises because of an SDK; what it cannot record is told to the recorder.

    Args:
        recorder: what requests share.
        scope: of the request.
        context: of the request.
        receive: of the request.
        send: of the request.
        started: when it came, by the recorder's clock.
        outer: the span of another instrumentation around this one, which takes the place of one's own.
    """

    __slots__ = (
        "_active",
        "_begun",
        "_bound",
        "_captured",
        "_close_code",
        "_common",
        "_context",
        "_inside",
        "_method",
        "_outer",
        "_receive",
        "_received",
        "_recorder",
        "_replied",
        "_scope",
        "_send",
        "_span",
        "_started",
        "receive",
    )

    def __init__(
        self,
        recorder: Recorder,
        scope: Scope,
        context: RequestContext,
        receive: Receive,
        send: Send,
        started: float,
        outer: Span | None,
    ) -> None:
        super().__init__()
        self._recorder = recorder
        self._scope = scope
        self._context = context
        self._send = send
        self._started = started
        self._outer = outer
        self._method = method = context.method if context.method in recorder.methods else OTHER
        self._common = exchange_attributes(
            method, scope.get("scheme", "http"), scope.get("http_version", "1.1"), scope["type"]
        )
        self._span: Span = INVALID_SPAN
        self._inside: Context | None = None
        self._bound: Bound | None = None
        self._active: dict[str, Value] | None = None
        self._captured: dict[str, Value] | None = None
        self._replied: dict[str, Value] | None = None
        self._close_code: int | None = None
        self._received = 0
        self.receive: Receive = receive
        if recorder.counts_request or scope["type"] == "websocket":
            self._receive = receive
            self.receive = self._receive_and_count

    def begin(self, around: Context) -> Token[Context] | None:
        """Start the span, unless there is one, and make it current for the app.

        Args:
            around: the context that the request came in.

        Returns:
            What `close` takes.
        """
        if self._outer is not None:
            self._join(self._outer)
            return None
        recorder = self._recorder
        try:
            self._start(around)
        except Exception:  # noqa: BLE001 - telemetry fails open, whatever it was
            recorder.drop()
        active = recorder.instruments.active
        if active is not None and self._scope["type"] == "http":
            try:
                attributes = dict(self._common)
                del attributes["network.protocol.version"]
                active.add(1, attributes)
                self._active = attributes
            except Exception:  # noqa: BLE001 - telemetry fails open, whatever it was
                recorder.drop()
        return None if self._inside is None else attach(self._inside)

    def _start(self, around: Context) -> None:
        recorder, scope, context = self._recorder, self._scope, self._context
        lines: dict[bytes, bytes] = dict(scope["headers"])
        trusted = context.trusted or recorder.always
        parent, links = around, None
        if trusted or TRACEPARENT in lines:
            parent, links = parent_of(scope, around, trusted=trusted)
        inside = self._inside = step_aside(scope, parent)
        begun = self._begun = recorder.now()
        span = self._span = recorder.tracer.start_span(
            span_name(self._method),
            parent,
            SpanKind.SERVER,
            self._request_attributes(lines)
            if recorder.samples
            else Deferred(partial(self._request_attributes, lines)),
            links,
            begun,
        )
        recorder.samples = span.is_recording()
        if recorder.samples:
            # The span is not wrapped, because those who look for the current one ask for its class.
            own: Any = span
            own.add_event, own.set_status = self._add_event, self._set_status
        self._inside = with_span(span, inside)
        self._join(span)

    def _add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        """The span's `add_event`, until its end."""
        event = (name, attributes, timestamp)
        add_masked(self._span, self._scope, self._context, self._recorder.redactor, event)

    def _set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """The span's `set_status`, until its end."""
        said = (status, description)
        set_masked(self._span, self._scope, self._context, self._recorder.redactor, said)

    def _join(self, span: Span) -> None:
        identity, context = span.get_span_context(), self._context
        if identity.is_valid:
            # A third of what formatting as hex takes.
            context.trace_id = identity.trace_id.to_bytes(16, "big").hex()
            context.span_id = identity.span_id.to_bytes(8, "big").hex()
            self._bound = enter_trace(context)

    def _request_attributes(self, lines: Mapping[bytes, bytes]) -> dict[str, Value]:
        recorder, scope, context = self._recorder, self._scope, self._context
        attributes = request_attributes(
            scope, lines, context, self._common, recorder.redactor, recorder.caller
        )
        if recorder.asks:
            attributes |= opt_in_attributes(scope, context, recorder.attributes)
            names = recorder.request_headers
            attributes |= header_attributes("request", scope["headers"], names, recorder.redactor)
        return attributes

    async def _receive_and_count(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._received += len(message.get("body", b""))
        elif message["type"] == "websocket.disconnect" and self._close_code is None:
            self._close_code = message.get("code", 1005)
        return message

    async def send(self, message: Message) -> None:
        """The `send` of the app."""
        if self._outer is not None and message["type"] in ANSWERS:
            self._name(self._outer)
        await self._send(message)
        if self.sent(message):
            self.end()
        elif message["type"] in ANSWERS:
            names = self._recorder.response_headers
            if names:
                lines = message.get("headers", ())
                self._captured = header_attributes("response", lines, names, self._recorder.redactor)
        elif message["type"] == "websocket.close" and self._close_code is None:
            self._close_code = message.get("code", 1000)

    def _name(self, outer: Span) -> None:
        """Tell a span further out of the id, and the route, which its own copy of the scope does not say."""
        try:
            if self._context.request_id is not None and outer.is_recording():
                outer.set_attribute(REQUEST_ID, self._context.request_id)
            route = self._context.route(self._scope)
            if route is not None and outer.is_recording():
                outer.update_name(span_name(self._method, encodable(route)))
                outer.set_attribute("http.route", encodable(route))
        except Exception:  # noqa: BLE001 - telemetry fails open, whatever it was
            self._recorder.drop()

    def close(self, token: Token[Context] | None) -> None:
        """The app has returned: end what is not over, and leave the context as it was.

        Args:
            token: of `begin`.
        """
        if not self.ended:
            self.end()
        if self._bound is not None:
            leave_trace(self._bound)
        if token is not None:
            detach(token)

    def end(self) -> None:
        """Write down how the request ended."""
        recorder = self._recorder
        duration = recorder.clock() - self._started
        try:
            if recorder.measures:
                self._measure(duration)
        except Exception:  # noqa: BLE001 - telemetry fails open, whatever it was
            recorder.drop()
        try:
            if self._span.is_recording():
                self._finish(duration)
        except Exception:  # noqa: BLE001 - telemetry fails open, whatever it was
            recorder.drop()

    def _measure(self, duration: float) -> None:
        instruments, context = self._recorder.instruments, self._context
        if instruments.active is not None and self._active is not None:
            instruments.active.add(-1, self._active)
        if context.rejected_by is not None:
            attributes: dict[str, Value] = {REJECTING_LAYER: context.rejected_by}
            if self.status is not None:
                attributes["http.response.status_code"] = self.status
            instruments.rejections.add(1, attributes)
        # Whoever began the span measures too; and a WebSocket that was accepted is a connection, whose
        # hours would say nothing among the requests.
        if self._outer is not None or self.status == SWITCHING:
            return
        said = {**self._common, **self._reply()}
        # For exemplars, which are traces that are recorded.
        where = self._inside if self._span.is_recording() else None
        instruments.duration.record(duration, said, where)
        if instruments.request_size is not None:
            instruments.request_size.record(self._received, said, where)
        if instruments.response_size is not None:
            instruments.response_size.record(self.size, said, where)

    def _reply(self) -> dict[str, Value]:
        replied = self._replied
        if replied is None:
            status, context = self.status, self._context
            replied = self._replied = reply_attributes(self._scope, context, status)
            if status is not None and status >= 500 and context.exception is None:
                # Frameworks send their 500 inside the `except` block, and raise again later, if ever.
                failure = sys.exc_info()[1]
                if failure is not None and not hasattr(failure, "status_code"):
                    replied["error.type"] = error_type(failure)
            if self._close_code == INTERNAL_ERROR:
                replied.setdefault("error.type", str(INTERNAL_ERROR))
        return replied

    def _finish(self, duration: float) -> None:
        span, attributes = self._span, self._reply()
        if "http.route" in attributes:
            span.update_name(span_name(self._method, str(attributes["http.route"])))
        if "error.type" in attributes:
            # Also takes back what an exception said of itself, which may be anything.
            span.set_status(StatusCode.ERROR)
        if self._recorder.asks:
            self._add_sizes(attributes)
        # Here and not at its creation, for where no layer gave an id a failure has one made.
        request_id = self._context.request_id
        if request_id is not None:
            attributes[REQUEST_ID] = request_id
        if self._close_code is not None:
            attributes[CLOSE_CODE] = self._close_code
        if self._captured is not None:
            attributes |= self._captured
        span.set_attributes(attributes)
        # The same time as in the histogram, whatever has been done to the clock on the wall.
        span.end(self._begun + round(duration * 1e9))
        forget_events(span)

    def _add_sizes(self, attributes: dict[str, Value]) -> None:
        wanted = self._recorder.attributes
        if "http.request.body.size" in wanted:
            attributes["http.request.body.size"] = self._received
        if "http.response.body.size" in wanted:
            attributes["http.response.body.size"] = self.size
