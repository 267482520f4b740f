"""Slow clients and slow handlers, in process."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from garrison import ErrorsMiddleware, SettingsError, Timeouts, TimeoutsMiddleware
from garrison.context import enter
from garrison.timing.exchange import BLIND, PIECE, GaveUpError
from tests.toolkit.driver import (
    Reply,
    Wire,
    call,
    echo,
    exchange,
    handshake,
    http_scope,
    read_body,
    replies_with,
    run,
    websocket_scope,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send
    from garrison.context import RequestContext

LENGTH = (b"content-length", b"1000")
GRACE = 0.1
HURRIED = Timeouts(handler=GRACE)


async def ask(app: ASGIApp, scope: Scope, *chunks: bytes, more: bool = False) -> Reply:
    """Send a request; its body goes on for ever where there is more."""
    messages: list[Message] = [{"type": "http.request", "body": part, "more_body": True} for part in chunks]
    if not more:
        messages.append({"type": "http.request", "body": b"", "more_body": False})
    wire = Wire(deque(messages))
    await app(scope, wire.receive, wire.send)
    return wire.reply


def asked(app: ASGIApp, scope: Scope, *chunks: bytes, more: bool = False) -> Reply:
    """`ask` in a loop of its own."""
    replies: list[Reply] = []

    async def main() -> None:
        replies.append(await ask(app, scope, *chunks, more=more))

    run(main())
    return replies[0]


async def hang(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that waits for something that never comes."""
    await asyncio.sleep(60)


def upload(**more: Any) -> Scope:
    """A POST with a body."""
    return http_scope(method="POST", headers=[LENGTH], **more)


@pytest.mark.parametrize("version", ["1.0", "1.1", "2"])
def test_a_body_that_stops_is_a_408(version: str) -> None:
    """The reply says so, and that the connection ends with it."""
    app = TimeoutsMiddleware(echo, Timeouts(body_grace=GRACE))
    reply = asked(app, upload(http_version=version), b"half", more=True)
    assert (reply.status, reply.json["status"]) == (408, 408)
    assert reply.header("connection") == "close"


def test_an_app_that_fails_over_half_a_body_is_not_at_fault() -> None:
    """What it raises once the body is withheld is not seen by anybody, nor is what it sends."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await read_body(receive)
        assert (await receive())["type"] == "http.disconnect"
        await replies_with(200)(scope, receive, send)
        raise ValueError("half a document")

    reply = asked(TimeoutsMiddleware(app, Timeouts(body_grace=GRACE)), upload(), b"half", more=True)
    assert reply.status == 408
    assert reply.whole


def test_a_body_is_the_clients_time_only_while_it_is_awaited() -> None:
    """An app that works between two pieces takes nothing of the patience with its client."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        more = True
        while more:
            await asyncio.sleep(GRACE * 2)
            more = (await receive())["more_body"]
        await replies_with()(scope, receive, send)

    reply = asked(TimeoutsMiddleware(app, Timeouts(body_grace=GRACE)), upload(), b"a", b"b")
    assert reply.status == 200


def test_a_body_that_stops_under_a_reply_ends_it() -> None:
    """Its status is out; the app learns that nothing more comes."""
    seen: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await receive()
        seen.append(await receive())

    reply = asked(TimeoutsMiddleware(app, Timeouts(body_grace=GRACE)), upload(), b"half", more=True)
    assert reply.status == 200
    assert not reply.whole
    assert seen == [{"type": "http.disconnect"}]


def test_a_request_without_a_body_may_wait_for_its_client() -> None:
    """A long poll listens for the client's leaving for as long as it likes."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE * 3):
                await receive()
        await replies_with()(scope, receive, send)

    settings = Timeouts(body_grace=GRACE)
    assert call(TimeoutsMiddleware(app, settings)).status == 200
    # The same behind a body that is whole.
    assert call(TimeoutsMiddleware(app, settings), upload(), b"all of it").status == 200


def test_a_handler_that_hangs_is_a_504() -> None:
    """The client has a problem document, and the handler is cancelled."""
    ended: list[BaseException] = []
    contexts: list[RequestContext] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        contexts.append(scope["garrison"])
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError as error:
            ended.append(error)
            raise

    reply = call(TimeoutsMiddleware(app, HURRIED))
    assert (reply.status, reply.json["status"]) == (504, 504)
    assert reply.header("cache-control") == "no-store"
    assert len(ended) == 1
    assert contexts[0].rejected_by == "timeouts"


def test_a_deadline_is_for_the_beginning_of_the_reply() -> None:
    """Server-sent events go on for as long as they like."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(GRACE * 3)
        await send({"type": "http.response.body", "body": b"late"})

    assert call(TimeoutsMiddleware(app, HURRIED)).body == b"late"


def test_a_slow_body_is_not_the_handlers_time() -> None:
    """The clock of the handler starts with the last of the body, which alone takes longer here."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await read_body(receive)
        await replies_with()(scope, receive, send)

    async def main() -> None:
        wire = Wire(deque())
        count = 0

        async def receive() -> Message:
            nonlocal count
            count += 1
            await asyncio.sleep(GRACE)
            return {"type": "http.request", "body": b"x", "more_body": count < 6}

        await TimeoutsMiddleware(app, Timeouts(handler=GRACE * 4))(upload(), receive, wire.send)
        assert wire.reply.status == 200

    run(main())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/reports", 200),
        ("GET", "/reports", 504),
        ("GET", "/Reports/", 504),
        ("GET", "/events/1", 200),
    ],
)
def test_rules_give_paths_other_times(method: str, path: str, status: int) -> None:
    """The first rule that fits counts, however the path is spelled; `off` is any time."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(GRACE * 3)
        await replies_with()(scope, receive, send)

    settings = Timeouts(handler=30.0, rules=f"POST /reports: 1m; /reports: {GRACE}s; /events/*: off")
    assert call(TimeoutsMiddleware(app, settings), http_scope(path, method=method)).status == status


@pytest.mark.parametrize("rules", ["/a", "2m", "/a: soon", "/a: 0", "/a: 1s by address"])
def test_rules_that_mean_nothing_are_refused(rules: str) -> None:
    """With the part that does not fit."""
    with pytest.raises(SettingsError, match=r"Timeouts\.rules: expected"):
        Timeouts(rules=rules)


@pytest.mark.parametrize(
    "field", ["body_rate", "body_grace", "handler", "reader", "overdue", "websocket_idle"]
)
def test_zero_would_let_nothing_through(field: str) -> None:
    """A time that nobody can keep is refused when it is set."""
    with pytest.raises(SettingsError, match=rf"Timeouts\.{field}: expected"):
        Timeouts(**{field: 0})  # type: ignore[arg-type]


async def swallows(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that takes a cancellation for nothing."""
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(60)
    await asyncio.sleep(0.05)
    await replies_with()(scope, receive, send)


async def in_a_group(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that waits in a task group of anyio."""
    async with anyio.create_task_group() as group:
        group.start_soon(asyncio.sleep, 60)


async def streams_late(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that begins an endless stream when it is too late."""
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(60)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": b"x", "more_body": True})


async def in_a_thread(scope: Scope, receive: Receive, send: Send) -> None:
    """An app whose thread takes longer than it may, and which goes on to wait then."""
    await asyncio.to_thread(time.sleep, GRACE * 2)
    await asyncio.sleep(60)


async def _wait(request: object) -> PlainTextResponse:
    await asyncio.sleep(60)
    return PlainTextResponse("late")


async def _pass(request: Any, call_next: Callable[[Any], Awaitable[Any]]) -> Any:
    return await call_next(request)


grouped = Starlette(
    routes=[Route("/", _wait)], middleware=[Middleware(BaseHTTPMiddleware, dispatch=_pass)] * 2
)


@pytest.mark.parametrize("app", [hang, swallows, in_a_group, streams_late, in_a_thread, grouped])
def test_a_cancellation_leaves_nothing_behind(app: ASGIApp) -> None:
    """Whatever the app makes of it, there is one reply, and the task can be cancelled by others as before."""

    async def main() -> None:
        own = asyncio.current_task()
        assert own is not None
        reply = await ask(TimeoutsMiddleware(app, HURRIED), http_scope())
        assert reply.status == 504
        assert reply.whole
        assert own.cancelling() == 0
        assert asyncio.all_tasks() == {own}
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await asyncio.sleep(60)

    run(main())


@pytest.mark.parametrize("app", [hang, in_a_group, grouped, echo])
@pytest.mark.parametrize("after", [GRACE / 2, GRACE * 1.02, GRACE * 1.2])
def test_a_cancellation_of_the_server_goes_through(app: ASGIApp, after: float) -> None:
    """Also when it comes at the same time as ours."""

    async def main() -> None:
        layer = TimeoutsMiddleware(app, Timeouts(handler=GRACE, body_grace=GRACE))
        stuck = asyncio.Event()

        async def send(message: Message) -> None:
            await stuck.wait()

        async def receive() -> Message:
            await stuck.wait()
            raise AssertionError

        task = asyncio.create_task(_called(layer, upload(), receive, send))
        await asyncio.sleep(after)
        task.cancel()
        (ended,) = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(ended, asyncio.CancelledError)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(main())


async def _called(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)


def test_timeouts_of_the_app_around_it_stay_its_own() -> None:
    """A cancellation that is not ours is not taken for ours, though ours was made before."""

    async def main() -> None:
        layer = TimeoutsMiddleware(echo, Timeouts(body_grace=GRACE))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(GRACE / 2):
                await ask(layer, upload(), b"half", more=True)
        reply = await ask(layer, upload(), b"half", more=True)
        assert reply.status == 408

    run(main())


def test_a_fault_after_the_deadline_is_still_one() -> None:
    """It is raised, so that whoever logs failures logs it."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise LookupError("while cleaning up")

    with pytest.raises(LookupError):
        call(TimeoutsMiddleware(app, HURRIED))


def test_handlers_that_go_on_are_counted() -> None:
    """While too many do, others are told to come back; once they end, all is as before."""

    async def main() -> None:
        may_end = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            while scope["path"] == "/stuck" and not may_end.is_set():
                with contextlib.suppress(asyncio.CancelledError):
                    await may_end.wait()
            await replies_with()(scope, receive, send)

        layer = TimeoutsMiddleware(app, Timeouts(handler=GRACE, overdue=2))
        stuck = [asyncio.create_task(ask(layer, http_scope("/stuck"))) for _ in range(2)]
        assert (await ask(layer, http_scope())).status == 200
        await asyncio.sleep(GRACE * 2)
        refused = await ask(layer, http_scope())
        assert (refused.status, refused.header("retry-after")) == (503, "1")
        may_end.set()
        assert [reply.status for reply in await asyncio.gather(*stuck)] == [504, 504]
        assert (await ask(layer, http_scope())).status == 200

    run(main())


class Stalled(Wire):
    """A server that takes some messages, and then no more."""

    def __init__(self, takes: int) -> None:
        super().__init__(deque())
        self.takes = takes

    async def send(self, message: Message) -> None:
        """Wait for ever once enough was taken."""
        await super().send(message)
        if len(self.sent) > self.takes:
            await asyncio.Event().wait()


def streams(seen: list[BaseException]) -> ASGIApp:
    """An app that streams, and tells what it was told when that ended."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"x", "more_body": True})
        except BaseException as error:
            seen.append(error)
            raise

    return app


def test_a_stalled_reader_is_given_up() -> None:
    """The app learns it as that of any client that has left, and nobody takes it for a failure."""

    async def main() -> None:
        seen: list[BaseException] = []
        wire = Stalled(3)
        scope, context = enter(http_scope())
        await TimeoutsMiddleware(streams(seen), Timeouts(reader=GRACE / 5))(scope, wire.receive, wire.send)
        assert [type(error) for error in seen] == [GaveUpError]
        assert context.rejected_by == "timeouts"
        own = asyncio.current_task()
        assert own is not None
        assert own.cancelling() == 0

    run(main())


def test_a_slow_reader_is_left_alone() -> None:
    """Each piece that is taken is a sign of life, however long all of them take."""

    async def main() -> None:
        wire = Wire(deque())

        async def send(message: Message) -> None:
            await asyncio.sleep(GRACE / 2)
            await wire.send(message)

        app = replies_with(200, [], *[b"x"] * 14)
        await TimeoutsMiddleware(app, Timeouts(reader=GRACE * 4 / BLIND))(http_scope(), wire.receive, send)
        assert wire.reply.whole

    run(main())


TRACEBACK = b'Traceback (most recent call last):\n  File "/srv/a.py", line 7, in pay\nValueError: secret\n'


def test_a_large_message_goes_in_pieces() -> None:
    """So that what nobody reads is not all in the server's memory; the bytes are the same."""
    body = bytes(range(256)) * 4096
    reply = call(TimeoutsMiddleware(replies_with(200, [], body, b"end")))
    assert reply.body == body + b"end"
    assert max(len(message.get("body", b"")) for message in reply.messages) == PIECE
    assert call(TimeoutsMiddleware(replies_with(200, [], body))).body == body


def test_a_large_error_stays_whole() -> None:
    """The layers above look for leaks in an error that comes at once, its end included."""
    guarded = ErrorsMiddleware(TimeoutsMiddleware(replies_with(500, [], b"x" * 2 * PIECE + TRACEBACK)))
    assert b"secret" not in call(guarded).body


def test_an_idle_websocket_is_closed() -> None:
    """The app sees its client leave."""
    seen: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        seen.extend([await receive(), await receive()])
        await send({"type": "websocket.close", "code": 1000})

    async def main() -> None:
        wire = Wire(deque([{"type": "websocket.connect"}]))
        layer = TimeoutsMiddleware(app, Timeouts(websocket_idle=GRACE))
        await layer(websocket_scope(), wire.receive, wire.send)
        assert [(one["type"], one.get("code")) for one in wire.sent[1:]] == [("websocket.close", 1001)]

    run(main())
    assert [message["type"] for message in seen] == ["websocket.disconnect"] * 2


def test_a_websocket_may_be_idle_by_default() -> None:
    """The pings of servers keep it alive, and nobody here sees them."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await asyncio.sleep(GRACE)
        assert (await receive())["text"] == "hello"
        await send({"type": "websocket.close", "code": 1000})

    wire = handshake(TimeoutsMiddleware(app), None, {"type": "websocket.receive", "text": "hello"})
    assert [one.get("code") for one in wire.sent] == [None, 1000]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"text": "x" * 100}, 1000),
        ({"text": "é" * 50}, 1000),
        ({"text": "é" * 51}, 1009),
        ({"text": "x" * 101}, 1009),
        ({"bytes": bytes(100), "text": None}, 1000),
        ({"bytes": bytes(101)}, 1009),
    ],
)
def test_a_websocket_message_has_a_largest_size(message: dict[str, object], code: int) -> None:
    """In bytes, whatever they stand for."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        await send({"type": "websocket.close", "code": 1000})

    layer = TimeoutsMiddleware(app, Timeouts(websocket_message=100))
    wire = handshake(layer, None, {"type": "websocket.receive", **message})
    assert [one.get("code") for one in wire.sent] == [None, code]


def test_requests_without_a_body_set_no_timer() -> None:
    """With everything as it is by default, a small exchange leaves the loop alone."""

    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        before = len(loop._scheduled)
        layer = TimeoutsMiddleware(replies_with())
        for _ in range(10):
            await exchange(layer, http_scope())
        assert len(loop._scheduled) == before

    run(main())


@pytest.mark.parametrize("depth", [0, 1])
def test_a_thread_below_a_task_group_is_counted(depth: int) -> None:
    """The client has its 504 while the thread runs; the request is in flight until it ends."""
    may_end = threading.Event()

    def wait(request: object) -> PlainTextResponse:
        may_end.wait(30)
        return PlainTextResponse("late")

    app = Starlette(
        routes=[Route("/", wait)], middleware=[Middleware(BaseHTTPMiddleware, dispatch=_pass)] * depth
    )

    async def main() -> None:
        layer = TimeoutsMiddleware(app, Timeouts(handler=GRACE, overdue=1))
        wire = Wire(deque([{"type": "http.request", "body": b"", "more_body": False}]))
        task = asyncio.create_task(_called(layer, http_scope(), wire.receive, wire.send))
        try:
            await wire.over.wait()
            assert wire.reply.status == 504
            assert (await ask(layer, http_scope())).status == 503
            assert not task.done()
        finally:
            may_end.set()
        await task

    run(main())
