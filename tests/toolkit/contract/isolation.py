"""Clauses about what requests must not do to one another, however they end."""

from __future__ import annotations

import asyncio
import random
import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from garrison.asgi import Scope
from tests.toolkit.contract.clauses import clause
from tests.toolkit.contract.state import state_of
from tests.toolkit.contract.subjects import logged, sink
from tests.toolkit.driver import Wire, call, http_scope, read_body, request_messages, run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from garrison.asgi import ASGIApp, Receive, Send
    from tests.toolkit.contract.subjects import Subject

REQUESTS: Final = 100
RANDOM_ID: Final = re.compile(rb"[0-9a-f]{32}")
STATUSES: Final = (200, 201, 304, 404, 500, 503)


@dataclass(frozen=True)
class Request:
    """One of many requests, each unlike the others."""

    scope: Scope
    chunks: tuple[bytes, ...]


def many_requests() -> list[Request]:
    """A hundred requests with sizes, headers and clients of their own, half of them through a proxy."""
    found = []
    for index in range(REQUESTS):
        media_type = (b"application/json", b"application/octet-stream", b"text/plain")[index % 3]
        headers = [
            (b"x-request-id", b"request-%d" % index),
            (b"content-type", media_type),
            (b"transfer-encoding", b"chunked"),
            *[(b"x-n", b"%d" % number) for number in range(index % 4)],
        ]
        if index % 2:
            headers.append((b"x-forwarded-for", b"203.0.113.%d" % index))
        client = (f"198.51.100.{index}" if index % 2 else f"192.0.2.{index}", 40000 + index)
        scope = http_scope(f"/item/{index}", method="POST", headers=headers, client=client)
        found.append(Request(scope, tuple(b"[%d]" % index * (index % 5) for _ in range(index % 4))))
    return found


def jittery(rng: random.Random, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """The same coroutine function, with a few switches to other tasks before and after it."""

    async def slowly(*arguments: object) -> object:
        for _ in range(rng.randrange(3)):
            await asyncio.sleep(0)
        result = await call(*arguments)
        for _ in range(rng.randrange(3)):
            await asyncio.sleep(0)
        return result

    return slowly


async def answer_by_request(scope: Scope, receive: Receive, send: Send) -> None:
    """An app whose reply holds all that it saw of its request; every seventh request breaks it."""
    index = int(scope["path"].rpartition("/")[2])
    body = await read_body(receive)
    await asyncio.sleep(0)
    if index % 7 == 3:
        raise LookupError(index)
    cookies = [(b"set-cookie", b"n=%d" % number) for number in range(index % 3)]
    headers = [(b"content-type", b"text/plain"), (b"x-index", b"%d" % index), *cookies]
    await send({"type": "http.response.start", "status": STATUSES[index % 6], "headers": headers})
    for _ in range(index % 5):
        await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": body, "more_body": True})
    said = f"{index} {scope['client']} {len(scope['headers'])}".encode()
    await send({"type": "http.response.body", "body": said})


async def outcome(app: ASGIApp, request: Request, rng: random.Random) -> object:
    """All that a client and a server see of one request; ids that were made up are left out."""
    wire = Wire(deque(request_messages(*request.chunks)))
    raised = ""
    try:
        await app(request.scope, jittery(rng, wire.receive), jittery(rng, wire.send))
    except LookupError as error:
        raised = repr(error)
    for message in wire.sent:
        if b"request_id" in message.get("body", b""):
            message["body"] = RANDOM_ID.sub(b"id", message["body"])
    return raised, wire.sent


@clause
def interleaved_requests_equal_the_same_alone(subject: Subject) -> None:
    """A hundred requests at once get the replies that each of them gets alone."""

    async def main() -> None:
        rng = random.Random(7)  # noqa: S311 - jitter, the same in every run
        alone = [
            await outcome(subject.around(answer_by_request), request, rng) for request in many_requests()
        ]
        app = subject.around(answer_by_request)
        together = await asyncio.gather(*(outcome(app, request, rng) for request in many_requests()))
        for one, other in zip(alone, together, strict=True):
            assert one == other

    run(main())


@clause
def nothing_per_request_is_on_self(subject: Subject) -> None:
    """A layer looks the same before, during and after requests: what it is told stays on the context."""
    during: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        during.append(state_of(layer))
        await answer_by_request(scope, receive, send)
        during.append(state_of(layer))

    layer = subject.around(app)

    async def main() -> None:
        # What a layer makes for its first request and keeps, such as a tracer, is no request's.
        first, *others = many_requests()[:21]
        await outcome(layer, first, random.Random(1))  # noqa: S311 - jitter
        during.clear()
        for request in others:
            await outcome(layer, request, random.Random(1))  # noqa: S311 - jitter
            during.append(state_of(layer))

    run(main())
    for state in during[1:]:
        assert state == during[0]


# Acts on the paths of probes alone, and leaves nothing on the way of other requests.
UNSEEN: Final = frozenset({"HealthMiddleware"})


@clause
def a_second_mount_steps_aside(subject: Subject) -> None:
    """A layer that is mounted twice on one request acts, counts and logs once."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if subject.name not in UNSEEN:
            assert len(scope["garrison"]._mounts) > 0, "no layer has noted itself: is it active at all?"
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})

    headers = [(b"x-request-id", b"1"), (b"host", b"shop.example")]
    once, twice = sink(), sink()
    expected = call(subject.build(app, once), http_scope(headers=headers, scheme="https"))
    inner = subject.build(app, twice)
    found = call(subject.build(inner, twice), http_scope(headers=headers, scheme="https"))
    assert found.messages == expected.messages
    assert len(logged(twice)) == len(logged(once))
