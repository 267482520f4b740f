"""What is left of a request once it is over, and who may still speak then."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections import deque
from typing import TYPE_CHECKING, Final

import pytest

from garrison import Settings, Timeouts, TimeoutsMiddleware, harden
from garrison.timing.exchange import GaveUpError
from tests.toolkit.driver import Wire, echo, http_scope, read_body, request_messages, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send

TIMES: Final = Timeouts(body_grace=0.1)
HALF: Final[Message] = {"type": "http.request", "body": b"half", "more_body": True}

LAYERS: Final[dict[str, Callable[[ASGIApp], ASGIApp]]] = {
    "alone": lambda app: TimeoutsMiddleware(app, TIMES),
    "under the others": lambda app: harden(app, Settings(timeouts=TIMES, access_log=None)),
}


@pytest.fixture
def _no_collector() -> Iterator[None]:
    """Nothing ends but what nobody knows any more."""
    gc.disable()
    yield
    gc.enable()


async def served(app: ASGIApp, incoming: Iterable[Message]) -> tuple[weakref.ref[Wire], list[Message]]:
    """Upload something: the server's end of the request, if anybody still knows it, and what was sent."""
    wire = Wire(deque(incoming))
    await app(http_scope(method="POST", headers=[(b"content-length", b"1000")]), wire.receive, wire.send)
    # A task keeps the last exception that was thrown into it until it waits for something.
    await asyncio.sleep(0)
    return weakref.ref(wire), wire.sent


async def entangled(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that makes a reference cycle of its request, as frameworks do."""
    cycle: list[object] = [scope, receive, send]
    cycle.append(cycle)
    await read_body(receive)


@pytest.mark.usefixtures("_no_collector")
def test_a_body_leaves_nothing_to_collect() -> None:
    """A request whose body was read is gone with its reply, without the garbage collector."""

    async def main() -> None:
        wire, sent = await served(TimeoutsMiddleware(echo, TIMES), request_messages(b"one", b"two"))
        assert sent[-1]["body"] == b"onetwo"
        assert wire() is None

    run(main())


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize("layers", LAYERS)
def test_a_body_that_stops_leaves_its_connection(layers: str) -> None:
    """After the 408 nobody keeps the server's end of the request, whatever the app does with its own."""

    async def main() -> None:
        wire, sent = await served(LAYERS[layers](entangled), [HALF])
        assert sent[0]["status"] == 408
        assert wire() is None

    run(main())


def test_who_stays_after_a_body_that_stopped() -> None:
    """A task that goes on when its app has ended is told that the client is gone, and disturbs nobody."""
    told: list[Message] = []

    async def main() -> None:
        tasks: list[asyncio.Task[None]] = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            async def stay() -> None:
                await over.wait()
                told.append(await receive())
                with pytest.raises(GaveUpError):
                    await send({"type": "http.response.body", "body": b"more", "more_body": True})

            tasks.append(asyncio.create_task(stay()))
            # Its reply has begun, so that there is no 408 in its place.
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await read_body(receive)

        over = asyncio.Event()
        _, sent = await served(TimeoutsMiddleware(app, TIMES), [HALF])
        over.set()
        await tasks[0]
        assert [message["type"] for message in sent] == ["http.response.start"]

    run(main())
    assert told == [{"type": "http.disconnect"}]


def test_an_app_that_ends_before_its_reader_is_told() -> None:
    """Nothing is sent for a request that is over; the task that still reads hears that the client is gone."""

    async def main() -> None:
        readers: list[asyncio.Task[Message]] = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            async def read() -> Message:
                return await receive()

            readers.append(asyncio.create_task(read()))
            # The layer has cancelled what the reader waits for, and the reader has not run since.
            while not readers[0].cancelling():  # noqa: ASYNC110 - an event would be told too late
                await asyncio.sleep(0)

        _, sent = await served(TimeoutsMiddleware(app, TIMES), [])
        assert await readers[0] == {"type": "http.disconnect"}
        assert sent == []

    run(main())
