"""The drain among all the layers, in process."""

from __future__ import annotations

import asyncio
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from garrison import Hosts, Server, Settings, harden
from tests.toolkit.contract.subjects import logged, sink
from tests.toolkit.draining.ending import settled, under_way
from tests.toolkit.draining.test_drain import CONNECT, END, EVENTS, chats, streams
from tests.toolkit.driver import HOST, call, exchange, http_scope, raises, replies_with, run, websocket_scope

if TYPE_CHECKING:
    import io

    from garrison import Hardened
    from garrison.asgi import ASGIApp, Receive, Scope, Send


def hardened(app: ASGIApp) -> tuple[Hardened, io.TextIOWrapper]:
    """The app with every layer that has something to do, and its log."""
    stream = sink()
    settings = Settings(hosts=Hosts(allowed=(HOST[1].decode(),)), server=Server(drain_delay=0.0, grace=5.0))
    with redirect_stdout(stream):
        return harden(app, settings), stream


def events(stream: io.TextIOWrapper) -> list[dict[str, Any]]:
    """What the layers have logged."""
    return [orjson.loads(line) for line in logged(stream)]


async def only_sends(scope: Scope, receive: Receive, send: Send) -> None:
    """A stream that never listens."""
    await send({"type": "http.response.start", "status": 200, "headers": EVENTS})
    while True:
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("app", [streams(EVENTS), streams(EVENTS, listens=False), only_sends])
def test_a_stream_ends_whole_and_is_logged_once_as_drained(app: ASGIApp) -> None:
    """Through all layers, whether it listens, waits or only sends; and as no failure."""

    async def main() -> None:
        stack, stream = hardened(app)
        async with under_way(stack, http_scope()) as (wire, task):
            stack.lifecycle.enter("ending")
            await asyncio.wait([task], timeout=10)
            assert task.done()
            assert task.exception() is None
            assert wire.sent[-1] == END
        (event,) = events(stream)
        assert event["outcome"] == "drained"
        assert event["level"] == "info"
        assert event["http.response.status_code"] == 200

    run(main())


def test_a_websocket_is_closed_and_logged_as_drained() -> None:
    """With 1012, and a 101 in the log."""

    async def main() -> None:
        stack, stream = hardened(chats)
        async with under_way(stack, websocket_scope(headers=[HOST]), CONNECT) as (wire, task):
            stack.lifecycle.enter("ending")
            await settled()
            assert task.done()
            assert wire.sent[-1] == {"type": "websocket.close", "code": 1012, "reason": ""}
        (event,) = events(stream)
        assert event["outcome"] == "drained"
        assert event["http.response.status_code"] == 101

    run(main())


@pytest.mark.parametrize(
    ("app", "scope", "status"),
    [
        (replies_with(), http_scope(), 200),
        (replies_with(), http_scope(headers=[(b"host", b"evil.example")]), 421),
        (replies_with(), http_scope("/readyz"), 503),
        (raises(KeyError("broken")), http_scope(), 500),
        (replies_with(200, [(b"connection", b"close"), (b"Connection", b"keep-alive")]), http_scope(), 200),
    ],
)
def test_whoever_replies_closes_the_connection(app: ASGIApp, scope: Scope, status: int) -> None:
    """The app, a layer that refuses, a probe and a failure: one `connection: close` on each."""
    stack, _ = hardened(app)
    stack.lifecycle.enter("draining")
    stack.lifecycle.phase = "ending"
    reply = call(stack, dict(scope))
    assert reply.status == status
    assert reply.all("connection") == ["close"]


def test_what_comes_too_late_is_refused() -> None:
    """With too little of the grace left a 503 says when to come again; a probe of life is answered."""

    async def main() -> None:
        stack, stream = hardened(replies_with())
        stack.lifecycle.grace = 0.5
        stack.lifecycle.enter("ending")
        await settled()
        reply = await exchange(stack, http_scope())
        assert reply.status == 503
        assert reply.header("retry-after") == "1"
        assert reply.all("connection") == ["close"]
        (event,) = events(stream)
        assert event["rejected_by"] == "overload"
        assert (await exchange(stack, http_scope("/livez"))).status == 200

    run(main())


def test_a_failure_under_way_closes_the_connection() -> None:
    """The request came before the end and the layer that answers for it stands above: it closes, too."""
    go_on = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await go_on.wait()
        raise KeyError("broken")

    async def main() -> None:
        stack, _ = hardened(app)
        async with under_way(stack, http_scope()) as (wire, _):
            stack.lifecycle.enter("ending")
            go_on.set()
            await settled()
            assert wire.reply.status == 500
            assert wire.reply.all("connection") == ["close"]

    run(main())


def test_a_mount_inside_a_mount_steps_aside() -> None:
    """An app that calls `harden()` itself is drained and probed by the outer one alone."""

    async def main() -> None:
        inner, _ = hardened(chats)
        stack, stream = hardened(inner)
        async with under_way(stack, websocket_scope(headers=[HOST]), CONNECT) as (wire, _task):
            stack.lifecycle.enter("ending")
            await settled()
            assert wire.sent[-1]["code"] == 1012
        assert [event["outcome"] for event in events(stream)] == ["drained"]

    run(main())
    inner, _ = hardened(replies_with())
    stack, _ = hardened(inner)
    inner.lifecycle.enter("draining")
    assert call(stack, http_scope("/readyz")).json == {"status": "ok"}
