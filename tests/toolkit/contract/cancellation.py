"""Clauses about requests that end before their time."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from tests.toolkit.contract.clauses import clause
from tests.toolkit.driver import Wire, exchange, http_scope, read_body, request_messages, run, websocket_scope

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send
    from tests.toolkit.contract.subjects import Subject


class Checkpoints:
    """Counts the points at which a task waits, and cancels it at one of them.

    Args:
        at: the number of the point, from 1.
    """

    def __init__(self, at: int) -> None:
        self.at = at
        self.passed = 0
        self.sent_after = 0

    @property
    def reached(self) -> bool:
        """Whether the cancellation happened."""
        return self.passed >= self.at

    async def point(self) -> None:
        """Wait here; or be cancelled here."""
        self.passed += 1
        if self.passed == self.at:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
        await asyncio.sleep(0)


def cancellable(app: ASGIApp, scope: Scope, wire: Wire, points: Checkpoints) -> Awaitable[None]:
    """One request in which app, `receive` and `send` all wait at a checkpoint before and after."""

    async def receive() -> Message:
        await points.point()
        message = await wire.receive()
        await points.point()
        return message

    async def send(message: Message) -> None:
        points.sent_after += points.reached
        await points.point()
        await wire.send(message)
        await points.point()

    return app({**scope, "points": points}, receive, send)


async def patient(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that waits between all that it does; its path says how it ends."""
    points: Checkpoints = scope["points"]
    await points.point()
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await points.point()
        await send({"type": "websocket.close"})
        return
    await read_body(receive)
    await points.point()
    if scope["path"] == "/raise":
        raise LookupError
    status = 500 if scope["path"] == "/fail" else 200
    await send({"type": "http.response.start", "status": status, "headers": []})
    await points.point()
    await send({"type": "http.response.body", "body": b"Traceback (most recent call last)"})
    await points.point()


def conversations() -> list[tuple[Scope, list[Message]]]:
    """Requests whose ways through a layer differ: bodies of both kinds, failures, a WebSocket."""
    raw = [(b"content-type", b"application/octet-stream"), (b"content-length", b"4")]
    text = [(b"content-type", b"application/json"), (b"content-length", b"4")]
    body = request_messages(b"[1", b"2]")
    return [
        (http_scope(method="POST", headers=raw), body),
        (http_scope(method="POST", headers=text), body),
        (http_scope("/fail", method="POST", headers=text), body),
        (http_scope("/raise", method="POST", headers=raw), body),
        (websocket_scope(), [{"type": "websocket.connect"}]),
    ]


@clause
def cancellation_goes_through(subject: Subject) -> None:
    """A request that is cancelled ends at once, at every point, and the next one is served as ever."""

    async def main() -> None:
        for scope, messages in conversations():
            app = subject.around(patient)
            at = 1
            while True:
                points = Checkpoints(at)
                task = asyncio.ensure_future(cancellable(app, scope, Wire(deque(messages)), points))
                (ended,) = await asyncio.gather(task, return_exceptions=True)
                if not points.reached:
                    break
                assert isinstance(ended, asyncio.CancelledError), f"{ended!r} instead of a cancellation"
                assert not points.sent_after, "something was sent after the cancellation"
                at += 1
            assert at > 5
            # Another client, whose quota is untouched.
            client = ("192.0.2.200", 1)
            after = http_scope(points=Checkpoints(0), headers=[(b"x-request-id", b"1")], client=client)
            expected = await exchange(subject.around(patient), after)
            assert (await exchange(app, after)).messages == expected.messages

    run(main())


@clause
def no_task_is_left(subject: Subject) -> None:
    """When a request is over, or was cancelled, nothing of it goes on."""

    async def main() -> None:
        own = asyncio.current_task()
        for scope, messages in conversations():
            for at in (0, 1, 3, 5):
                points = Checkpoints(at)
                app = subject.around(patient)
                task = asyncio.ensure_future(cancellable(app, scope, Wire(deque(messages)), points))
                await asyncio.gather(task, return_exceptions=True)
                left = asyncio.all_tasks() - {own}
                assert not left, f"still running: {left}"

    run(main())
