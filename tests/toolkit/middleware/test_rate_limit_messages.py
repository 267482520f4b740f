"""What one client may send over WebSockets."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest
import uvicorn
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from garrison import RateLimit, RateLimitMiddleware
from garrison.ratelimit.memory import MemoryStore
from tests.ports import free_port
from tests.toolkit.driver import handshake, websocket_scope
from tests.toolkit.middleware.limited import Limited

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send
    from garrison.ratelimit.quota import Decision, Quota
    from tests.toolkit.driver import Wire

SECONDS: Final = 10.0


class Chat:
    """An app that echoes, and goes on sending when the client has left."""

    def __init__(self) -> None:
        self.received: list[Message] = []
        self.said_goodbye = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while True:
            message = await receive()
            self.received.append(message)
            if message["type"] == "websocket.disconnect":
                break
            await send({"type": "websocket.send", "text": message["text"]})
        if message["code"] == 1008:
            # Whoever looks again is told the same.
            self.received.append(await receive())
        await send({"type": "websocket.send", "text": "goodbye"})
        await send({"type": "websocket.close", "code": 1000})
        self.said_goodbye += 1


def says(app: ASGIApp, count: int, path: str = "/", client: str = "192.0.2.1", **more: Any) -> Wire:
    """One WebSocket of a client, which sends so many messages."""
    scope = websocket_scope(path, client=(client, 40000), **more)
    return handshake(app, scope, *({"type": "websocket.receive", "text": str(n)} for n in range(count)))


def echoes(wire: Wire) -> int:
    """How many messages the app has answered."""
    return sum(message["type"] == "websocket.send" and message["text"] != "goodbye" for message in wire.sent)


def codes(wire: Wire) -> list[int]:
    """With which codes the WebSocket was closed; before it was there, too."""
    return [message["code"] for message in wire.sent if message["type"] == "websocket.close"]


def test_a_client_with_too_many_messages_is_let_go() -> None:
    """Without the setting a flood is answered whole; with it the client has its quota and is closed 1008."""
    bare = says(Chat(), 10)
    assert (echoes(bare), codes(bare)) == (10, [1000])
    flood = says(Limited(Chat(), messages="3/minute").layer, 10)
    assert (echoes(flood), codes(flood)) == (3, [1008])
    assert flood.sent[-1]["reason"] == "too many messages"
    quiet = says(Limited(Chat(), messages="3/minute").layer, 3)
    assert (echoes(quiet), codes(quiet)) == (3, [1000])


def test_the_app_sees_a_client_that_left() -> None:
    """It receives a disconnect as often as it looks, and what it still sends harms nobody."""
    chat = Chat()
    wire = says(Limited(chat, messages="1/minute").layer, 5)
    assert [message["type"] for message in chat.received] == ["websocket.receive"] + [
        "websocket.disconnect"
    ] * 2
    assert chat.received[-1]["code"] == 1008
    assert chat.said_goodbye == 1
    assert wire.sent[-1]["type"] == "websocket.close"


def test_connections_of_a_client_share_the_quota() -> None:
    """Nobody gets more by opening another WebSocket, and nobody pays for another client."""
    limited = Limited(Chat(), messages="4/minute")
    assert [echoes(says(limited.layer, 3)) for _ in range(3)] == [3, 1, 0]
    assert echoes(says(limited.layer, 3, client="192.0.2.2")) == 3
    limited.now += 30
    assert echoes(says(limited.layer, 3)) == 2


def test_messages_and_requests_have_quotas_of_their_own() -> None:
    """Handshakes count as requests and messages as messages, even where the quotas are called the same."""
    limited = Limited(Chat(), limits="2/minute as messages; 3/minute as x", messages="3/minute as x")
    assert [echoes(says(limited.layer, 1)) for _ in range(2)] == [1, 1]
    denied = says(limited.layer, 1).reply
    assert (denied.status, denied.header("retry-after")) == (429, "30")
    assert denied.json["violated-policies"] == ["messages"]
    # At a server, one key cannot have two sets of quotas.
    assert len(set(limited.keys)) == len(limited.keys) == 2


def test_messages_by_path_and_identity() -> None:
    """The rules of messages go by path as others do, by more than the address where they say so."""
    limited = Limited(Chat(), messages="/ws/*: 2/minute; /ws/*: 1/minute by header:x-room; /quiet: 1/minute")

    def heard(path: str, room: str = "") -> int:
        headers = [(b"x-room", room.encode())] if room else []
        return echoes(says(limited.layer, 3, path, headers=headers))

    assert [heard("/ws/a", "red"), heard("/ws/b", "red"), heard("/ws/c", "blue")] == [1, 0, 1]
    assert [heard("/ws/a"), heard("/quiet"), heard("/elsewhere"), heard("/livez")] == [0, 1, 3, 3]


def test_the_log_knows_who_let_the_client_go() -> None:
    """The layer that ended the WebSocket is on the context, for the access log and the metrics."""
    contexts = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        contexts.append(scope["garrison"])
        await Chat()(scope, receive, send)

    limited = Limited(app, messages="1/minute")
    says(limited.layer, 1)
    says(limited.layer, 1)
    assert [context.rejected_by for context in contexts] == [None, "rate_limit"]
    outcomes = limited.layer._limiter.outcomes
    assert (outcomes.allowed, outcomes.refused) == (1, 1)


def test_a_store_that_is_gone_is_not_the_clients_fault() -> None:
    """With `closed` a client whose messages cannot be counted is told to come again, by 1013."""
    section = RateLimit(
        messages="3/minute", storage=f"valkey://127.0.0.1:{free_port()}", on_storage_error="closed"
    )
    wire = says(RateLimitMiddleware(Chat(), section), 3)
    assert (echoes(wire), codes(wire)) == (0, [1013])


class Slow(MemoryStore):
    """A store that takes a turn of the loop to answer, as any does that is elsewhere."""

    async def acquire(self, key: str, quotas: tuple[Quota, ...], cost: int = 1) -> Decision:
        """Decides in the next turn."""
        await asyncio.sleep(0)
        return await super().acquire(key, quotas, cost)


def test_an_app_that_gives_up_waiting_loses_no_message() -> None:
    """A message that is being judged while the app looks elsewhere is there when it looks again."""
    heard = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while True:
            waiting = asyncio.ensure_future(receive())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])
            message = await receive() if waiting.cancelled() else waiting.result()
            if message["type"] == "websocket.disconnect":
                break
            heard.append(message["text"])

    says(Limited(app, store=Slow(), messages="100/minute").layer, 3)
    assert heard == ["0", "1", "2"]


def test_a_socket_is_closed_once() -> None:
    """An app that closes while a message is being judged is not closed again, which a server would refuse."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        waiting = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        await send({"type": "websocket.close", "code": 1000})
        assert (await waiting)["type"] == "websocket.disconnect"

    assert codes(says(Limited(app, store=Slow(), messages="1/minute").layer, 2)) == [1000]


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """The app behind uvicorn; gives the address for WebSockets."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, lifespan="off", log_config=None, ws="websockets-sansio")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=partial(server.run, sockets=[listener]), daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + SECONDS
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join(SECONDS)
        listener.close()
        assert not thread.is_alive()


def test_behind_a_real_server() -> None:
    """A real client gets its quota of echoes, then the close with its reason, and the app ends in peace."""
    chat = Chat()
    section = RateLimit(messages="3/hour")
    with serving(RateLimitMiddleware(chat, section)) as url, connect(url, open_timeout=SECONDS) as client:
        for number in range(4):
            client.send(str(number))
        assert [client.recv(timeout=SECONDS) for _ in range(3)] == ["0", "1", "2"]
        with pytest.raises(ConnectionClosedError) as closed:
            client.recv(timeout=SECONDS)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "too many messages")
    assert chat.said_goodbye == 1


def test_an_app_that_sends_meanwhile_is_not_disturbed() -> None:
    """A task of the app that goes on sending writes nothing behind the close, and gets no error."""
    sent_by_task = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})

        async def feed() -> None:
            for number in range(20):
                await send({"type": "websocket.send", "text": f"news {number}"})
                sent_by_task.append(number)
                await asyncio.sleep(0)

        task = asyncio.ensure_future(feed())
        message = await receive()
        while message["type"] != "websocket.disconnect":
            await asyncio.sleep(0)
            message = await receive()
        await task

    wire = says(Limited(app, messages="2/minute").layer, 5)
    assert len(sent_by_task) == 20
    assert wire.sent[-1]["type"] == "websocket.close"
    assert 0 < len(wire.sent) - 2 < 20
