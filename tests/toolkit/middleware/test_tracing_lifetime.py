"""When a span begins and ends: streams, background tasks, clients that leave, and WebSockets."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import StatusCode
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from garrison import Tracing
from tests.toolkit.driver import (
    Wire,
    accepts,
    call,
    converse,
    handshake,
    http_scope,
    replies_with,
    request_messages,
    run,
    websocket_scope,
)
from tests.toolkit.middleware.traced import Traced

if TYPE_CHECKING:
    from starlette.requests import Request

    from garrison.asgi import Message, Receive, Scope, Send


def test_a_stream_of_a_hundred_chunks_is_one_span() -> None:
    """No message has a span of its own, and the size is that of all chunks."""
    chunks = [b"x" * 10] * 100
    traced = Traced(replies_with(200, [], *chunks), Tracing(attributes=("http.response.body.size",)))
    call(traced.app)
    assert (traced.span.attributes or {})["http.response.body.size"] == 1000
    assert traced.span.events == ()


def test_a_span_lasts_until_the_last_byte_is_sent() -> None:
    """The time to send counts, and span and metric tell the same time to the nanosecond."""
    times = iter([10.0, 10.25])

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        assert traced.spans == ()
        await send({"type": "http.response.body", "body": b"b"})
        assert len(traced.spans) == 1

    traced = Traced(app, clock=lambda: next(times))
    call(traced.app)
    span = traced.span
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.end_time - span.start_time == 250_000_000
    assert traced.points[0].sum == 0.25


def test_what_a_background_task_does_is_a_child_and_takes_no_time() -> None:
    """The server's span is over before the task runs, and the task's spans are in the same trace."""
    ended: list[int] = []

    async def background() -> None:
        ended.append(len(traced.spans))
        with traced.tracer.start_as_current_span("send a mail"):
            await asyncio.sleep(0)

    async def handler(request: Request) -> Response:
        return PlainTextResponse("ok", background=BackgroundTask(background))

    traced = Traced(Starlette(routes=[Route("/", handler)]))
    call(traced.app)
    server, task = traced.spans
    assert (ended, server.name, task.name) == ([1], "GET /", "send a mail")
    assert task.parent is not None
    assert server.context is not None
    assert task.parent.span_id == server.context.span_id
    assert task.parent.trace_id == server.context.trace_id


def test_a_client_that_went_away_is_an_error_and_no_status() -> None:
    """There is no status that nobody sent; what happened is in `error.type`."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        scope["garrison"].gone = True

    traced = Traced(app)
    converse(traced.app, http_scope(), request_messages())
    attributes = traced.span.attributes or {}
    assert attributes["error.type"] == "client_disconnected"
    assert "http.response.status_code" not in attributes
    assert traced.span.status.status_code is StatusCode.ERROR
    assert (traced.points[0].attributes or {})["error.type"] == "client_disconnected"


def test_a_client_that_left_in_the_middle_leaves_the_status_that_was_sent() -> None:
    """A reply that broke off is an error of the class that sending raised, whatever its status was."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise OSError("connection lost: token=hunter2hunter2")

    traced = Traced(app)
    with pytest.raises(OSError, match="lost"):
        call(traced.app)
    attributes = traced.span.attributes or {}
    assert (attributes["http.response.status_code"], attributes["error.type"]) == (200, "OSError")
    assert (traced.span.status.status_code, traced.span.status.description) == (StatusCode.ERROR, None)
    assert "hunter2" not in traced.span.to_json()


def test_an_app_that_says_nothing_failed() -> None:
    """A reply that never began has no status, and is an error that no word is known for."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()

    traced = Traced(app)
    converse(traced.app, http_scope(), request_messages())
    assert (traced.span.attributes or {})["error.type"] == "_OTHER"


def test_a_cancelled_request_has_an_end() -> None:
    """What a server cancels is a span with an error, a measurement, and no active request any more."""
    traced = Traced(_waits, Tracing(metrics=("http.server.active_requests",)))

    async def main() -> None:
        wire = Wire(deque(request_messages()))
        task = asyncio.create_task(_call(traced, wire))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())
    assert (traced.span.attributes or {})["error.type"] == "asyncio.exceptions.CancelledError"
    assert [point.value for point in traced.measured("http.server.active_requests")] == [0]
    assert traced.points[0].count == 1


async def _waits(scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.sleep(60)


async def _call(traced: Traced, wire: Wire) -> None:
    await traced.app(http_scope(), wire.receive, wire.send)


def test_an_exception_has_the_full_name_of_its_class() -> None:
    """A class of a module is named with its module, as OpenTelemetry's own SDK does."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise asyncio.QueueFull

    traced = Traced(app)
    with pytest.raises(asyncio.QueueFull):
        call(traced.app)
    assert (traced.span.attributes or {})["error.type"] == "asyncio.queues.QueueFull"


def test_a_recorded_exception_shows_no_secret() -> None:
    """What an instrumentation records of an exception on the span of a request is masked, as in the log."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        span = trace.get_current_span()
        span.record_exception(LookupError("no hunter2 in postgresql://ann:hunter3@db"), {"tries": 2})
        span.add_event("asked", {"of": "password=hunter4"})
        span.add_event("bare")
        await replies_with()(scope, receive, send)

    traced = Traced(app)
    call(traced.app, http_scope(query=b"token=hunter2"))
    failed, asked, bare = traced.span.events
    text = str([event.attributes for event in traced.span.events])
    assert "hunter" not in text
    assert (failed.name, asked.name, bare.name) == ("exception", "asked", "bare")
    said = dict(failed.attributes or {})
    assert said["exception.message"] == "no [redacted] in postgresql://[redacted]@db"
    assert said["tries"] == 2


@pytest.mark.parametrize(
    ("messages", "code", "error"),
    [
        ([{"type": "websocket.close", "code": 4000}], 4000, None),
        ([{"type": "websocket.close"}], 1000, None),
        ([{"type": "websocket.close", "code": 1011}], 1011, "1011"),
        ([], 1001, None),
    ],
)
def test_a_websocket_is_one_span_with_its_close_code(
    messages: list[Message], code: int, error: str | None
) -> None:
    """A WebSocket is a GET that was answered with 101, and says with which code it was closed."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "hello"})
        for message in messages:
            await send(message)
        await receive()

    traced = Traced(app)
    handshake(traced.app, websocket_scope("/live", scheme="wss"))
    attributes = traced.span.attributes or {}
    assert traced.span.name == "GET"
    assert (attributes["http.response.status_code"], attributes["url.scheme"]) == (101, "wss")
    assert attributes["network.protocol.name"] == "websocket"
    assert attributes["garrison.websocket.close_code"] == code
    assert attributes.get("error.type") == error
    expected = StatusCode.UNSET if error is None else StatusCode.ERROR
    assert traced.span.status.status_code is expected


def test_a_websocket_is_no_request_in_the_metrics() -> None:
    """How long connections last would drown how long requests take, so only a handshake that fails counts."""
    metrics: Any = Tracing(metrics=("http.server.active_requests", "http.server.response.body.size"))
    traced = Traced(accepts, metrics)
    handshake(traced.app)
    assert (len(traced.spans), traced.metrics) == (1, {})

    async def denies(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.http.response.start", "status": 403, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b"no"})

    traced = Traced(denies)
    handshake(traced.app)
    (point,) = traced.points
    assert (point.attributes or {})["http.response.status_code"] == 403
    assert (traced.span.attributes or {})["http.response.status_code"] == 403


def test_a_websocket_whose_client_leaves_first_is_no_error() -> None:
    """Nobody failed where a client did not wait for its handshake."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await receive()

    traced = Traced(app)
    handshake(traced.app)
    assert "error.type" not in (traced.span.attributes or {})
    assert traced.span.status.status_code is StatusCode.UNSET


def test_a_span_is_current_in_a_websocket() -> None:
    """What is done on a connection belongs to its span."""
    current = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        current.append(trace.get_current_span().get_span_context().span_id)
        await accepts(scope, receive, send)

    traced = Traced(app)
    handshake(traced.app)
    assert traced.span.context is not None
    assert current == [traced.span.context.span_id]
