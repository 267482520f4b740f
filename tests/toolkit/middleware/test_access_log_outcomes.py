"""The access log: how a request ended, when, and how much of it there was."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from garrison import AccessLog, ErrorsMiddleware
from garrison.events import event_log
from garrison.exchange import CLIENT_GONE
from tests.toolkit.contract.subjects import sink
from tests.toolkit.driver import (
    Wire,
    accepts,
    call,
    converse,
    echo,
    exchange,
    handshake,
    http_scope,
    raises,
    read_body,
    replies_with,
    request_messages,
    run,
    websocket_scope,
)
from tests.toolkit.middleware.logged import Logged

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send

GONE: Message = {"type": "http.disconnect"}


def ending(event: dict[str, Any]) -> tuple[object, ...]:
    """What an event says about the end of its request."""
    return event["http.response.status_code"], event["outcome"], event["level"], event.get("error.type")


def streams_then(error: BaseException | None) -> ASGIApp:
    """An app that gives up in the middle of its reply."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        if error is not None:
            raise error

    return app


def test_a_client_that_leaves_while_it_sends_is_a_499() -> None:
    """An app that is told so and gives up is no failure, and neither is one that Starlette gives up for."""

    async def handler(request: Request) -> Response:
        return PlainTextResponse(await request.body())

    starlette = Starlette(routes=[Route("/", handler, methods=["POST"])])
    part: Message = {"type": "http.request", "body": b"12345", "more_body": True}
    behind = ErrorsMiddleware(starlette, log=event_log("json", sink()))
    for app in (read_body_only, behind):
        logged = Logged(app)
        converse(logged.app, http_scope(method="POST"), [part, GONE])
        event = logged.event
        assert (event["http.response.status_code"], event["outcome"]) == (499, "client_gone")
        assert (event["level"], event["http.request.body.size"]) == ("info", 5)


async def read_body_only(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that reads, and has nothing to say to nobody."""
    await read_body(receive)


def test_a_reply_to_nobody_is_a_499() -> None:
    """What an app sends when its client has left was never received, whatever its status."""
    logged = Logged(echo)
    converse(logged.app, http_scope(method="POST"), [GONE])
    assert ending(logged.event) == (499, "client_gone", "info", None)
    assert "time_to_first_byte" not in logged.event


def test_a_server_that_knows_is_asked() -> None:
    """An app that never asks sends its reply to nobody, from the first byte on or from the middle."""
    gone = False

    async def streams(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal gone
        gone = scope["path"] == "/before"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"12345", "more_body": True})
        gone = scope["path"] != "/whole"
        await send({"type": "http.response.body", "body": b"12345"})

    async def never(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal gone
        gone = True

    for app, path, status, outcome, size in (
        (streams, "/before", 499, "client_gone", 0),
        (streams, "/middle", 200, "client_gone", 5),
        (streams, "/whole", 200, "completed", 10),
        (never, "/before", 499, "client_gone", 0),
    ):
        logged = Logged(app)
        call(logged.app, {**http_scope(path), CLIENT_GONE: lambda: gone})
        event = logged.event
        assert ending(event) == (status, outcome, "info", None)
        assert event["http.response.body.size"] == size


@pytest.mark.parametrize(
    ("method", "sent", "outcome"),
    [("GET", b"12345", "completed"), ("GET", b"1234", "client_gone"), ("HEAD", b"", "completed")],
)
def test_a_client_that_leaves_with_the_last_byte_has_all(method: str, sent: bytes, outcome: str) -> None:
    """An app may end its reply with a message without bytes, when a client that counts them has closed."""
    gone = False

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal gone
        headers = [(b"Content-Length", b"5")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": sent, "more_body": True})
        gone = True
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    logged = Logged(app)
    call(logged.app, {**http_scope(method=method), CLIENT_GONE: lambda: gone})
    assert ending(logged.event) == (200, outcome, "info", None)


@pytest.mark.parametrize("error", [BrokenPipeError, ConnectionResetError, OSError])
def test_a_send_that_fails_is_a_client_that_is_gone(error: type[OSError]) -> None:
    """Servers that tell it with an exception do not make an error of it."""

    async def broken(message: Message) -> None:
        raise error

    logged = Logged(replies_with())
    wire = Wire(deque(request_messages()))

    async def main() -> None:
        with pytest.raises(error):
            await logged.app(http_scope(), wire.receive, broken)

    run(main())
    assert ending(logged.event) == (499, "client_gone", "info", None)


def test_a_client_that_leaves_in_the_middle_has_its_status() -> None:
    """A download that somebody gave up began with a 200, and the event says how far it came."""
    sent = 0

    async def breaks(message: Message) -> None:
        nonlocal sent
        sent += 1
        if sent > 2:
            raise BrokenPipeError

    logged = Logged(replies_with(200, [], b"12345", b"12345"))
    wire = Wire(deque(request_messages()))

    async def main() -> None:
        with pytest.raises(BrokenPipeError):
            await logged.app(http_scope(), wire.receive, breaks)

    run(main())
    assert ending(logged.event) == (200, "client_gone", "info", None)
    assert logged.event["http.response.body.size"] == 5


def test_an_app_that_asks_once_more_has_answered() -> None:
    """That nobody is there when the reply is whole is no news."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await replies_with()(scope, receive, send)
        assert (await receive())["type"] == "http.request"
        assert (await receive())["type"] == "http.disconnect"

    logged = Logged(app)
    call(logged.app)
    assert ending(logged.event) == (200, "completed", "info", None)


@pytest.mark.parametrize(
    ("app", "expected"),
    [
        (replies_with(503), (503, "completed", "error", None)),
        (raises(LookupError()), (None, "failed", "error", "LookupError")),
        (streams_then(LookupError()), (200, "failed", "error", "LookupError")),
        (streams_then(None), (200, "failed", "error", None)),
    ],
)
def test_failures_are_errors(app: ASGIApp, expected: tuple[object, ...]) -> None:
    """A 5xx, an exception before or in the middle of a reply, and a reply without an end."""
    logged = Logged(app)
    with suppress(LookupError):
        call(logged.app)
    assert ending(logged.event) == expected


def test_an_exception_that_was_answered_is_in_the_event() -> None:
    """The layer that answers for an app leaves the type of its failure, and the reply is whole."""
    logged = Logged(ErrorsMiddleware(raises(LookupError()), log=event_log("json", sink())))
    assert call(logged.app).status == 500
    assert ending(logged.event) == (500, "completed", "error", "LookupError")


def test_a_request_that_is_cancelled_says_so() -> None:
    """What a server cuts off when it stops has an outcome of its own."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(60)

    logged = Logged(app)

    async def main() -> None:
        task = asyncio.ensure_future(exchange(logged.app, http_scope()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())
    assert ending(logged.event) == (None, "cancelled", "error", "asyncio.exceptions.CancelledError")


def test_bodies_are_counted_as_they_pass() -> None:
    """Sizes are those of the bytes that came and went, whatever a header declares."""
    logged = Logged(echo)
    headers = [(b"content-length", b"1000")]
    call(logged.app, http_scope(method="POST", headers=headers), b"123", b"4567")
    event = logged.event
    assert (event["http.request.body.size"], event["http.response.body.size"]) == (7, 7)


def test_the_first_byte_and_the_last_have_their_times() -> None:
    """A stream's reply begins long before it ends, and both are told in seconds."""
    now = 100.0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal now
        now = 100.5
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(3):
            now += 1.0
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        now += 50.0

    logged = Logged(app, clock=lambda: now)
    call(logged.app)
    event = logged.event
    assert (event["time_to_first_byte"], event["http.server.request.duration"]) == (0.5, 3.5)
    assert "time_to_first_byte" not in Logged_of_nothing().event


def Logged_of_nothing() -> Logged:  # noqa: N802 - it stands for one
    """A request that nobody answers."""
    logged = Logged(read_body_only)
    call(logged.app)
    return logged


def test_websockets_have_outcomes_too() -> None:
    """A conversation that ends well, one that fails, and a client that leaves before it is accepted."""

    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        raise LookupError

    async def waits(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await receive()

    logged = Logged(accepts)
    handshake(logged.app)
    assert ending(logged.event) == (101, "completed", "info", None)
    assert "http.response.body.size" not in logged.event
    logged = Logged(fails)
    with pytest.raises(LookupError):
        handshake(logged.app)
    assert ending(logged.event) == (101, "failed", "error", "LookupError")
    logged = Logged(waits)
    handshake(logged.app)
    assert ending(logged.event) == (499, "client_gone", "info", None)
    logged = Logged(ErrorsMiddleware(raises(LookupError()), log=event_log("json", sink())))
    handshake(logged.app)
    assert ending(logged.event) == (500, "completed", "error", "LookupError")


def test_how_a_websocket_was_closed() -> None:
    """An aborted connection is told from one that the client closed, or the app."""

    async def listens(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()

    async def closes(scope: Scope, receive: Receive, send: Send) -> None:
        await listens(scope, receive, send)
        await send({"type": "websocket.close", "code": 4000})

    def code(app: ASGIApp, said: Message) -> object:
        logged = Logged(app)
        converse(logged.app, websocket_scope(), [{"type": "websocket.connect"}, said])
        return logged.event.get("close_code")

    assert code(listens, {"type": "websocket.disconnect", "code": 1006}) == 1006
    assert code(listens, {"type": "websocket.disconnect"}) == 1005
    assert code(listens, {"type": "websocket.receive", "text": "x"}) is None
    assert code(closes, {"type": "websocket.receive", "text": "x"}) == 4000
    assert code(closes, {"type": "websocket.disconnect", "code": 1001}) == 1001


def test_headers_that_can_be_read_only_once_are_left_to_the_server() -> None:
    """ASGI lets an app send any iterable; one that is wrong starts its reply again, for who has left."""
    lines = [(b"content-type", b"text/plain"), (b"content-length", b"2")]
    served: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        for _ in range(2):
            await send({"type": "http.response.start", "status": 200, "headers": iter(lines)})

    async def gone() -> Message:
        return GONE

    async def send(message: Message) -> None:
        served.append(list(message["headers"]))

    asyncio.run(Logged(app).app(http_scope(), gone, send))
    assert served == [lines, lines]


@pytest.mark.parametrize(("seconds", "level"), [(1.9, "info"), (2.1, "warning")])
def test_a_slow_request_is_flagged(seconds: float, level: str) -> None:
    """What takes longer than the threshold is a warning that can be filtered by."""
    times = iter([0.0, 0.1, seconds])
    logged = Logged(replies_with(), AccessLog(slow=2.0), clock=lambda: next(times))
    call(logged.app)
    assert (logged.event.get("slow", False), logged.event["level"]) == (level == "warning", level)


def test_a_slow_failure_stays_an_error() -> None:
    """The flag does not hide what is worse."""
    times = iter([0.0, 0.1, 9.0])
    logged = Logged(replies_with(500), clock=lambda: next(times))
    call(logged.app)
    assert (logged.event["slow"], logged.event["level"]) == (True, "error")


def test_what_is_meant_to_last_is_not_slow() -> None:
    """A stream of events and a WebSocket are open for hours, and a threshold can be off."""
    apps: list[tuple[ASGIApp, AccessLog]] = [
        (replies_with(200, [(b"Content-Type", b"text/event-stream; charset=utf-8")]), AccessLog()),
        (replies_with(), AccessLog(slow=None)),
    ]
    for app, settings in apps:
        times = iter([0.0, 0.1, 9000.0])
        logged = Logged(app, settings, clock=lambda times=times: next(times))  # type: ignore[misc]
        call(logged.app)
        assert (logged.event["level"], "slow" in logged.event) == ("info", False)
    now = iter([0.0, 0.1, 9000.0])
    logged = Logged(accepts, clock=lambda: next(now))
    handshake(logged.app, websocket_scope())
    assert (logged.event["level"], "slow" in logged.event) == ("info", False)


def test_what_cannot_be_told_breaks_no_request() -> None:
    """A framework that leaves something odd as its route costs an event and not a reply."""

    class Odd:
        @property
        def path(self) -> str:
            raise RuntimeError

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = Odd()
        await replies_with()(scope, receive, send)

    logged = Logged(app)
    assert call(logged.app).status == 200
    assert logged.lines == []
