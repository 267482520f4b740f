"""Clauses about what a layer leaves as it is."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

from tests.toolkit.contract.clauses import clause
from tests.toolkit.driver import call, converse, handshake, http_scope, request_messages, run, websocket_scope

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send
    from tests.toolkit.contract.subjects import Subject

COOKIES: Final = [(b"set-cookie", b"a=1; Path=/"), (b"Set-Cookie", b"b=2"), (b"set-cookie", b"a=3")]

# A name of each kind that some layer looks at, and others around them, each once.
LINES: Final = [
    (b"x-first", b"1"),
    (b"content-type", b"text/html; charset=utf-8"),
    (b"Content-Security-Policy", b"default-src 'self'"),
    (b"x-request-cost", b"\xff\xfe"),
    (b"set-cookie", b"session=1; HttpOnly"),
    (b"cache-control", b"max-age=60"),
    (b"x-last", b""),
]
REQUESTS: Final[list[tuple[dict[str, Any], list[bytes]]]] = [
    ({}, []),
    ({"method": "HEAD"}, []),
    ({"headers": [(b"origin", b"https://app.example"), (b"sec-fetch-site", b"cross-site")]}, []),
    ({"method": "QUERY", "query": b"q=1&token=x", "root_path": "/api", "path": "/api/x"}, []),
    ({"http_version": "2", "method": "POST", "headers": [(b"content-type", b"application/json")]}, [b"{}"]),
    *(
        (
            {
                "method": "POST",
                "headers": [
                    (b"transfer-encoding", b"chunked"),
                    (b"content-type", content_type),
                    (b"cookie", b"a=1"),
                    (b"cookie", b"b=2"),
                ],
            },
            [b'{"a":', b"", b"[1, 2]", b"}"],
        )
        for content_type in (
            b"application/json",
            b"application/octet-stream",
            b"application/x-www-form-urlencoded",
        )
    ),
]


def is_subsequence(part: list[tuple[bytes, bytes]], whole: list[tuple[bytes, bytes]]) -> bool:
    """Whether the lines of `part` are all in `whole`, in the same order."""
    rest = iter(whole)
    return all(line in rest for line in part)


@clause
def lifespan_passes_unchanged(subject: Subject) -> None:
    """An app starts up and shuts down below the layer as it does alone."""
    scope: Scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    arriving: list[Message] = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    leaving: list[Message] = [
        {"type": "lifespan.startup.complete"},
        {"type": "lifespan.shutdown.failed", "message": "no"},
    ]
    seen: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for answer in leaving:
            seen.append(await receive())
            scope["state"]["database"] = "open"
            await send(answer)

    wire = converse(subject.around(app), scope, arriving)
    assert seen == arriving
    assert wire.sent == leaving
    assert scope["state"] == {"database": "open"}, "what the app puts into the state was lost"


@clause
def unknown_scopes_pass_untouched(subject: Subject) -> None:
    """A connection of a type that nobody knows yet goes by as the same objects."""
    scope: Scope = {"type": "quic.datagram", "payload": [1]}
    before = copy.deepcopy(scope)
    seen: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend([scope, receive, send])

    async def receive() -> Message:
        return {"type": "quic.message"}

    async def send(message: Message) -> None:
        """Takes everything."""

    async def main() -> None:
        await subject.around(app)(scope, receive, send)

    run(main())
    assert [id(item) for item in seen] == [id(item) for item in (scope, receive, send)]
    assert scope == before


@clause
def allowed_requests_pass_byte_for_byte(subject: Subject) -> None:
    """On a request that is allowed, app and client see each other's bytes, chunk by chunk."""
    for status in (200, 204, 304, 404, 500, 503):
        for options, chunks in REQUESTS:
            _check_transparent(subject, status, options, chunks)


def _check_transparent(subject: Subject, status: int, options: dict[str, Any], chunks: list[bytes]) -> None:
    bodies: list[Message] = [
        {"type": "http.response.body", "body": b"one", "more_body": True},
        {"type": "http.response.body", "body": b"", "more_body": True},
        {"type": "http.response.body", "body": b"two"},
    ]
    seen: list[Message] = []
    scopes: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        seen.append(await receive())
        while seen[-1].get("more_body"):
            seen.append(await receive())
        await send({"type": "http.response.start", "status": status, "headers": list(LINES)})
        for body in bodies:
            await send(dict(body))

    scope = http_scope(**options)
    reply = call(subject.around(app), scope, *chunks)
    assert reply.status == status
    assert is_subsequence(LINES, reply.headers), reply.headers
    assert [m for m in reply.messages if m["type"] == "http.response.body"] == bodies
    assert seen == request_messages(*chunks)
    changed = {key for key in scope if scopes[0][key] != scope[key]}
    assert not changed, f"the app sees other values of {changed}"


@clause
def duplicate_headers_keep_their_order(subject: Subject) -> None:
    """Every Set-Cookie of an app arrives, in its order and its spelling."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": list(COOKIES)})
        await send({"type": "http.response.body", "body": b""})

    reply = call(subject.around(app))
    assert [line for line in reply.headers if line[0].lower() == b"set-cookie"] == COOKIES


@clause
def unknown_messages_pass_untouched(subject: Subject) -> None:
    """What extensions of ASGI send and receive goes by as the same objects, in its place."""
    before: list[Message] = [
        {"type": "http.response.push", "path": "/a.css", "headers": []},
        {"type": "http.response.early_hint", "links": [b"</a.css>; rel=preload"]},
        {"type": "http.response.debug", "info": {"template": "x"}},
    ]
    after: list[Message] = [
        {"type": "http.response.zerocopysend", "file": 3, "more_body": True},
        {"type": "http.response.pathsend", "path": "/srv/file"},
        {"type": "http.response.trailers", "headers": [(b"x-sum", b"1")], "more_trailers": False},
    ]
    arriving: Message = {"type": "http.request.priority", "urgency": 1}
    seen: list[Message] = []
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(await receive())
        for message in before:
            await send(message)
        await send({"type": "http.response.start", "status": 200, "headers": [], "trailers": True})
        for message in after:
            await send(message)

    async def receive() -> Message:
        return arriving

    async def send(message: Message) -> None:
        sent.append(message)

    async def main() -> None:
        for content_type in (b"application/json", b"text/plain"):
            headers = [(b"content-type", content_type), (b"content-length", b"2")]
            await subject.around(app)(http_scope(method="POST", headers=headers), receive, send)

    expected = copy.deepcopy([*before, *after])
    run(main())
    assert [message is arriving for message in seen] == [True, True]
    for half in (sent[: len(sent) // 2], sent[len(sent) // 2 :]):
        others = [message for message in half if message["type"] != "http.response.start"]
        assert others == expected
        assert [id(message) for message in others] == [id(message) for message in (*before, *after)]
        assert half[len(before)]["trailers"] is True


@clause
def messages_are_not_changed_in_place(subject: Subject) -> None:
    """A reply that an app keeps and sends again is the same every time, and so is the server's scope."""
    replies: list[list[Message]] = [
        [
            {"type": "http.response.start", "status": status, "headers": [*LINES, (b"server", b"x")]},
            {"type": "http.response.body", "body": b"body"},
        ]
        for status in (200, 500)
    ]
    handshakes: list[list[Message]] = [
        [{"type": "websocket.accept", "headers": [(b"x-a", b"1")]}, {"type": "websocket.close"}],
        [
            {"type": "websocket.http.response.start", "status": 403, "headers": [(b"x-a", b"1")]},
            {"type": "websocket.http.response.body", "body": b"no"},
        ],
    ]
    origin = (b"origin", b"https://app.example")
    headers = [(b"x-forwarded-for", b"192.0.2.9"), (b"x-request-id", b"1"), origin]
    scopes = [http_scope(headers=headers), websocket_scope(headers=headers)]
    for messages, scope in [(m, scopes[0]) for m in replies] + [(m, scopes[1]) for m in handshakes]:
        kept, server = copy.deepcopy(messages), copy.deepcopy(scope)
        app = subject.around(_sends(messages))
        first = converse(app, scope, [{"type": "websocket.connect"}]).sent
        assert (messages, scope) == (kept, server)
        assert len(first) == len(messages)


def _sends(messages: list[Message]) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    return app


@clause
def websockets_pass_unchanged(subject: Subject) -> None:
    """A conversation over a WebSocket is the same with the layer as without it."""
    arriving: list[Message] = [
        {"type": "websocket.receive", "text": "hello"},
        {"type": "websocket.receive", "bytes": b"\xff"},
    ]
    said: list[Message] = [
        {"type": "websocket.accept", "subprotocol": "x", "headers": list(COOKIES)},
        {"type": "websocket.send", "text": "hello"},
        {"type": "websocket.send", "bytes": b"\xff"},
        {"type": "websocket.close", "code": 4000, "reason": "done"},
    ]
    seen: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in said:
            seen.append(await receive())
            await send(message)

    wire = handshake(subject.around(app), None, *arriving)
    assert seen[1:3] == arriving
    assert is_subsequence(COOKIES, wire.sent[0].pop("headers"))
    assert wire.sent == [{"type": "websocket.accept", "subprotocol": "x"}, *said[1:]]
    refused: list[Message] = [{"type": "websocket.close", "code": 1008, "reason": "no"}]
    denied = handshake(subject.around(_sends(refused)), websocket_scope(denial=False))
    assert denied.sent == refused
    denied = handshake(subject.around(_sends(refused)), websocket_scope(denial=True))
    # A layer may make the bare 403 that the server would send into a whole one, with headers.
    assert denied.sent == refused or (denied.reply.status, denied.reply.body) == (403, b"")
    reply: list[Message] = [
        {"type": "websocket.http.response.start", "status": 403, "headers": list(COOKIES)},
        {"type": "websocket.http.response.body", "body": b"n", "more_body": True},
        {"type": "websocket.http.response.body", "body": b"o"},
    ]
    denied = handshake(subject.around(_sends(reply)))
    assert is_subsequence(COOKIES, denied.reply.headers)
    assert denied.sent[1:] == reply[1:]
