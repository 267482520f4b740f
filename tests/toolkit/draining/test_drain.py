"""What becomes of requests that are under way, and of those that arrive, when the drain delay is over."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from garrison.rules import parse_paths
from tests.own_time import OwnTime
from tests.toolkit.draining.ending import Ending, settled, under_way
from tests.toolkit.driver import call, http_scope, replies_with, run, websocket_scope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from starlette.requests import Request
    from starlette.websockets import WebSocket

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send

EVENTS = [(b"Content-Type", b"text/event-stream; charset=utf-8")]
CONNECT: Message = {"type": "websocket.connect"}
END: Message = {"type": "http.response.body", "body": b"", "more_body": False}


def run_in_own_time(main: Coroutine[None, None, None]) -> None:
    """Run a coroutine in a loop whose time is nobody else's, so that what takes a second takes just that."""
    with asyncio.Runner(loop_factory=OwnTime) as runner:
        runner.run(main)


async def seconds_until(task: asyncio.Task[None]) -> float:
    """How long it takes until it is done, by the clock of the loop."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.wait([task])
    return loop.time() - began


def streams(headers: list[tuple[bytes, bytes]], *, listens: bool = True) -> ASGIApp:
    """An app that begins a reply and never ends it; one that listens leaves when its client does."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        while listens:
            if (await receive())["type"] == "http.disconnect":
                return
        await asyncio.sleep(60)

    return app


async def chats(scope: Scope, receive: Receive, send: Send) -> None:
    """A WebSocket app that listens until its client leaves."""
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


def test_a_stream_of_events_that_listens_ends_at_once() -> None:
    """It is told that its client is gone, ends, and the client gets a whole reply."""

    async def main() -> None:
        app = Ending(streams(EVENTS))
        async with under_way(app, http_scope()) as (wire, task):
            assert not task.done()
            app.end()
            await settled()
            assert task.done()
            assert task.exception() is None
            assert task.cancelling() == 0
            assert wire.sent[-1] == END
            assert app.outcomes == ["drained"]

    run(main())


def test_a_stream_that_does_not_listen_is_cancelled_after_a_second() -> None:
    """Whoever never asks whether the client is there is cancelled, and its client gets a whole reply, too."""

    async def main() -> None:
        app = Ending(streams(EVENTS, listens=False))
        async with under_way(app, http_scope()) as (wire, task):
            app.end()
            assert 0.8 < await seconds_until(task) <= 1.0
            assert task.exception() is None
            assert wire.sent[-1] == END
            assert app.outcomes == ["drained"]

    run_in_own_time(main())


def test_a_stream_that_only_sends_ends_with_what_it_sends_next() -> None:
    """Sending raises the OSError that the ASGI specification has for a client that is gone."""
    errors: list[BaseException] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": EVENTS})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
                await asyncio.sleep(0.01)
        except OSError as error:
            errors.append(error)
            raise

    async def main() -> None:
        ending = Ending(app)
        async with under_way(ending, http_scope()) as (wire, task):
            ending.end()
            await asyncio.wait([task], timeout=10)
            assert task.done()
            assert task.exception() is None
            assert len(errors) == 1
            assert wire.sent[-1] == END
            assert ending.outcomes == ["drained"]

    run(main())


def test_a_websocket_is_told_1012_and_closed_with_it() -> None:
    """The app gets a disconnect and the client a close that says to come again (RFC 6455, IANA: 1012)."""

    async def main() -> None:
        app = Ending(chats)
        async with under_way(app, websocket_scope(), CONNECT) as (wire, task):
            app.end()
            await settled()
            assert task.done()
            assert task.exception() is None
            assert wire.sent == [
                {"type": "websocket.accept"},
                {"type": "websocket.close", "code": 1012, "reason": ""},
            ]
            assert app.outcomes == ["drained"]

    run(main())


def test_a_websocket_that_does_not_listen_is_cancelled_and_closed() -> None:
    """One that waits for something else than its client is cancelled after a second, and closed."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await asyncio.sleep(60)

    async def main() -> None:
        ending = Ending(app)
        async with under_way(ending, websocket_scope(), CONNECT) as (wire, task):
            ending.end()
            assert 0.8 < await seconds_until(task) <= 1.0
            assert task.exception() is None
            assert wire.sent[-1]["code"] == 1012
            assert ending.outcomes == ["drained"]

    run_in_own_time(main())


def test_an_app_may_close_its_websocket_by_itself() -> None:
    """An app with a code of its own for this is heard, and no second close is sent."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await chats(scope, receive, send)
        await send({"type": "websocket.close", "code": 4000, "reason": "back soon"})

    async def main() -> None:
        ending = Ending(app)
        async with under_way(ending, websocket_scope(), CONNECT) as (wire, task):
            ending.end()
            await settled()
            assert task.done()
            assert [message["type"] for message in wire.sent] == ["websocket.accept", "websocket.close"]
            assert wire.sent[-1]["code"] == 4000

    run(main())


def test_ordinary_requests_go_on() -> None:
    """A request in flight and a download are left alone, and their connections end with them."""
    go_on = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/slow":
            await go_on.wait()
        headers = [(b"content-type", b"video/mp4"), (b"Connection", b"keep-alive")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await go_on.wait()
        await send({"type": "http.response.body", "body": b"all of it"})

    async def main() -> None:
        ending = Ending(app)
        async with (
            under_way(ending, http_scope("/slow")) as (slow, _),
            under_way(ending, http_scope("/download")) as (download, _),
        ):
            ending.end()
            await settled()
            go_on.set()
            await settled()
            assert slow.reply.body == download.reply.body == b"all of it"
            assert slow.reply.all("connection") == ["close"]
            assert ending.outcomes == ["completed", "completed"]

    run(main())


def test_what_is_left_at_the_end_of_the_grace_is_cancelled() -> None:
    """A request that takes longer than there is time for is cut off, and no half of it passes for a whole."""

    async def main() -> None:
        clock = asyncio.get_running_loop().time
        app = Ending(streams([(b"content-type", b"video/mp4")]), grace=8.0, clock=clock)
        async with under_way(app, http_scope()) as (wire, task):
            app.end()
            assert await seconds_until(task) == 8.0
            assert task.cancelled()
            assert wire.sent[-1]["more_body"] is True
            assert app.outcomes == ["cancelled"]

    run_in_own_time(main())


def test_who_has_had_no_reply_at_the_end_of_the_grace_is_told() -> None:
    """A 503 that says when to come back, and no failure of the app."""

    async def sleeps(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(60)

    async def main() -> None:
        app = Ending(sleeps, grace=8.0, clock=asyncio.get_running_loop().time)
        async with under_way(app, http_scope()) as (wire, task):
            app.end()
            assert await seconds_until(task) == 8.0
            assert task.exception() is None
            assert wire.sent[0]["status"] == 503
            assert (b"retry-after", b"1") in wire.sent[0]["headers"]
            assert app.outcomes == ["completed"]

    run_in_own_time(main())


def test_half_a_reply_stays_half_if_the_app_swallows_its_cancellation() -> None:
    """What the app has not ended is not ended for it when the grace is over."""

    async def stubborn(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)

    async def main() -> None:
        app = Ending(stubborn, grace=0.2)
        async with under_way(app, http_scope()) as (wire, task):
            app.end()
            await asyncio.wait([task], timeout=10)
            assert task.exception() is None
            assert wire.sent[-1]["body"] == b"half"

    run(main())


def test_a_declared_route_is_endless_whatever_it_sends() -> None:
    """A rule says which of the app's replies never end; one that has not begun may, or is a 503."""
    endless = parse_paths("/feed; GET /wait; GET /poll", "/feed")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/wait":
            await receive()
            await receive()
            return
        if scope["path"] == "/poll":
            await receive()
            await receive()
            await replies_with(200, [], b"no ", b"news")(scope, receive, send)
            return
        await streams([(b"content-type", b"application/x-ndjson")])(scope, receive, send)

    async def main() -> None:
        ending = Ending(app, endless=endless)
        async with (
            under_way(ending, http_scope("/feed")) as (feed, _),
            under_way(ending, http_scope("/wait")) as (wait, _),
            under_way(ending, http_scope("/poll")) as (poll, _),
            under_way(ending, http_scope("/other")) as (_, other),
        ):
            ending.end()
            await settled()
            assert feed.sent[-1] == END
            assert wait.reply.status == 503
            assert wait.reply.header("retry-after") == "1"
            assert wait.reply.header("connection") == "close"
            assert poll.reply.body == b"no news"
            assert poll.reply.header("connection") == "close"
            assert not other.done()

    run(main())


def test_what_arrives_is_served_until_there_is_too_little_time() -> None:
    """A reply in the phase `ending` closes its connection; the last quarter of a short grace refuses."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        ending = Ending(replies_with(), grace=2.0, clock=loop.time)
        ending.end()
        async with under_way(ending, http_scope()) as (wire, _):
            assert wire.reply.header("connection") == "close"
        async with under_way(ending, http_scope(http_version="2")) as (wire, _):
            assert wire.reply.header("connection") is None
        await asyncio.sleep(1.4)
        assert not ending.drain.refuses
        await asyncio.sleep(0.2)
        assert ending.drain.refuses

    run_in_own_time(main())


def test_a_stream_that_begins_too_late_ends_at_once() -> None:
    """A browser's EventSource connects again after an empty stream, and never after a 503."""

    async def main() -> None:
        app = Ending(streams(EVENTS))
        app.end()
        async with under_way(app, http_scope()) as (wire, task):
            assert task.done()
            assert wire.reply.status == 200
            assert wire.sent[-1] == END
        app = Ending(chats)
        app.end()
        async with under_way(app, websocket_scope(), CONNECT) as (wire, _):
            assert wire.sent[-1] == {"type": "websocket.close", "code": 1012, "reason": ""}

    run(main())


def test_a_reply_of_known_length_is_not_endless() -> None:
    """The answer to a long poll that has begun is sent whole, whatever a rule says of its route."""
    go_on = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"Content-Length", b"4")]})
        await go_on.wait()
        await send({"type": "http.response.body", "body": b"news"})

    async def main() -> None:
        ending = Ending(app, endless=parse_paths("/poll", "/poll"))
        async with under_way(ending, http_scope("/poll")) as (before, _):
            ending.end()
            async with under_way(ending, http_scope("/poll")) as (after, _):
                go_on.set()
                await settled()
                assert before.reply.body == after.reply.body == b"news"

    run(main())


def test_a_declared_route_that_is_asked_too_late_is_told_soon() -> None:
    """A long poll that arrives in the end is answered in time, by the app or for it, and never cut off."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/poll":
            await receive()
            await receive()
            await asyncio.sleep(60)
        await replies_with()(scope, receive, send)

    async def main() -> None:
        ending = Ending(app, endless=parse_paths("/poll; /short", "/poll"))
        ending.end()
        async with (
            under_way(ending, http_scope("/poll")) as (poll, waiting),
            under_way(ending, http_scope("/short")) as (short, _),
        ):
            assert short.reply.body == b"hello"
            assert not waiting.done()
            # A little time for a short one, and the second that everybody has who is told.
            assert 1.6 < await seconds_until(waiting) <= 2.0
            assert poll.reply.status == 503
            assert short.sent[-1]["body"] == b"hello"
        assert ending.outcomes == ["completed", "drained"]

    run_in_own_time(main())


def test_a_failure_that_has_nothing_to_do_with_the_end_is_one() -> None:
    """An app that breaks while it cleans up is not excused; its stream is closed all the same."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await streams(EVENTS)(scope, receive, send)
        raise KeyError("cleaning up")

    async def main() -> None:
        ending = Ending(app)
        async with under_way(ending, http_scope()) as (wire, task):
            ending.end()
            await settled()
            assert isinstance(task.exception(), KeyError)
            assert wire.sent[-1] == END

    run(main())


def test_who_else_cancels_is_obeyed() -> None:
    """A cancellation by the server is one, before the app is told and after."""

    async def main() -> None:
        app = Ending(streams(EVENTS))
        async with under_way(app, http_scope()) as (_, task):
            task.cancel()
            await settled()
            assert task.cancelled()
        app = Ending(streams(EVENTS, listens=False))
        async with under_way(app, http_scope()) as (_, task):
            app.end()
            task.cancel()
            await settled()
            assert task.cancelled()
        app = Ending(streams(EVENTS, listens=False))
        async with under_way(app, http_scope()) as (_, task):
            # Both at once, as when the server's grace is over in that moment.
            app.end()
            task.cancel()
            (work,) = app.drain._works
            work._cancel_told()
            await settled()
            assert task.cancelled()

    run(main())


def test_an_app_that_swallows_its_cancellation_is_closed() -> None:
    """What an app does when it is cancelled changes nothing, and the task is as if it had never been."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await streams(EVENTS, listens=False)(scope, receive, send)
        except asyncio.CancelledError:
            return

    async def main() -> None:
        ending = Ending(app)
        async with under_way(ending, http_scope()) as (wire, task):
            ending.end()
            await asyncio.wait([task], timeout=10)
            assert task.done()
            assert task.cancelling() == 0
            assert wire.sent[-1] == END

    run(main())


@pytest.mark.parametrize("version", ["2.3", "2.4"])
def test_streams_and_websockets_of_starlette_end(version: str) -> None:
    """Both ways in which Starlette notices that a client is gone work, and neither is logged as a failure."""
    left: list[str] = []

    async def ticks(request: Request) -> StreamingResponse:
        async def body() -> AsyncIterator[bytes]:
            while True:
                yield b"data: tick\n\n"
                await asyncio.sleep(0.01)

        return StreamingResponse(body(), media_type="text/event-stream")

    async def chat(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            while True:
                await websocket.receive_text()
        except WebSocketDisconnect as error:
            left.append(f"chat {error.code}")

    async def main() -> None:
        app = Ending(Starlette(routes=[Route("/ticks", ticks), WebSocketRoute("/chat", chat)]))
        asgi = {"version": "3.0", "spec_version": version}
        async with (
            under_way(app, http_scope("/ticks", asgi=asgi)) as (stream, streaming),
            under_way(app, websocket_scope("/chat"), CONNECT) as (socket, chatting),
        ):
            await asyncio.sleep(0.05)
            app.end()
            await asyncio.wait([streaming, chatting], timeout=10)
            assert streaming.done()
            assert chatting.done()
            assert streaming.exception() is None
            assert stream.sent[-1] == END
            assert socket.sent[-1] == {"type": "websocket.close", "code": 1012, "reason": ""}
        assert left == ["chat 1012"]
        assert app.outcomes == ["drained", "drained"]

    run(main())


def test_before_the_end_nothing_is_changed() -> None:
    """Until the drain delay is over every message passes as it is."""
    ending = Ending(replies_with(200, [(b"connection", b"keep-alive")]))
    ending.lifecycle.enter("ready")
    assert call(ending).all("connection") == ["keep-alive"]
    ending.lifecycle.enter("draining")
    assert call(ending).all("connection") == ["keep-alive"]
    assert not ending.drain.refuses
    assert ending.outcomes == ["completed", "completed"]
