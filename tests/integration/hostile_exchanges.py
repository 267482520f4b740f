"""Requests that no honest client sends and apps that keep no rule, made from a number, the same each time."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from garrison.asgi import Message, Scope
from tests.integration.hostile_failures import FAILURES
from tests.toolkit.contract.hostility import NAMES, VALUES

if TYPE_CHECKING:
    from garrison.asgi import Headers

METHODS: Final = ("GET", "GET", "POST", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "get", "", "\xe9 X")
PATHS: Final = (
    "/", "/items/7", "/a//b/../c", "/%2e%2e/", "/\x1b[31m\r\nforged", "/\ud800\udfff", "/é/☃",
    "/" + "x" * 3000, "*", "", "/\u2028\u202e", '/{"event":"http.request"}',
    "/reset/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x",
)  # fmt: skip
QUERIES: Final = (
    b"", b"", b"a=1&b=2", b"token=hunter2", b"%74oken=hunter2", b"a=1;token=hunter2", b"\xff\xfe=%ff&%=&&=",
    b"user[password]=hunter2", b"&" * 2000, b"q=" + b"%25" * 900, b"\r\n\x1b[0m=\x00", b"next=%2f?token=x",
)  # fmt: skip
PEERS: Final = (
    None, ("192.0.2.1", 50000), ("127.0.0.1", 0), ("", 0), ("fe80::1%eth0", 65535), ("unix:", 0),
)  # fmt: skip
FINE: Final = (200, 200, 200, 204, 304, 404)
ERRORS: Final = (400, 413, 422, 500, 500, 502, 503, 599)
# A validation error that echoes nothing, unless what follows makes it one that nobody can read.
DETAIL: Final = b'{"detail":[{"type":"missing","loc":["body"],"msg":"no"}]}'
CHUNKS: Final = (
    b"", b"hello", b'{"name": "tea"}', b"\x00\xff" * 40, b"x" * 70_000, b"Internal Server Error",
    DETAIL, b"\x1f\x8b\x08broken", b"<h1>Sorry</h1>",
)  # fmt: skip
LEAKS: Final = (
    b"Traceback (most recent call last):\n  File x", b'{"dsn": "postgresql://shop:hunter2@db/shop"}',
    b'{"detail":[{"type":"missing","loc":["body"],"msg":"no","input":{"password":"hunter2"}}]}',
)  # fmt: skip
OTHERS: Final[tuple[Message, ...]] = (
    {"type": "http.response.trailers", "headers": [(b"x-end", b"1")]},
    {"type": "http.response.pathsend", "path": "/nowhere"},
    {"type": "http.response.push", "path": "/x", "headers": []},
    {"type": "http.response.debug", "info": {"template": object()}},
    {"type": "http.response.early_hint", "links": [b"</a.css>"]},
    {"type": "x.unknown", "more_body": True},
    {"type": ""},
)
WEBSOCKET: Final[tuple[Message, ...]] = (
    {"type": "websocket.accept"},
    {"type": "websocket.accept", "subprotocol": "chat", "headers": [(b"X-A", b"\xff")]},
    {"type": "websocket.send", "text": "hello"},
    {"type": "websocket.send", "bytes": b"\xff", "text": None},
    {"type": "websocket.close"},
    {"type": "websocket.close", "code": 1011, "reason": "\ud800"},
    {"type": "websocket.http.response.start", "status": 403, "headers": [(b"x-why", b"no")]},
    {"type": "websocket.http.response.body", "body": b"no"},
)
# What an app does besides.
BESIDE: Final[dict[str, tuple[object, ...]]] = {
    "linger": (None,),
    "route": ("/items/{id}", "/\ud800", "/" + "r" * 9000, "", 7, None),
    "principal": ("ann", "a\r\nb" * 999, 7),
}


class Step(NamedTuple):
    """One thing that an app does.

    Attributes:
        kind: `receive`, `echo`, `send`, `apart` (from another task), `caught` (inside an `except` block),
            `linger`, `route`, `principal`, `raise`.
        value: what with.
    """

    kind: str
    value: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request, what its app does, and what becomes of its connection.

    Attributes:
        number: which it was made from.
        scope: the scope.
        incoming: the messages of the client.
        steps: what the app does.
        stubborn: whether the app goes on whatever is raised into it.
        torn: the message of the server at which the client is found gone; None for never.
        cut: the call of the server in which the request is cancelled; None for never.
        leaks: whether a reply shows what nobody may see, or may do so.
        whole: whether the client sends all of its request and stays.
    """

    number: int
    scope: Scope
    incoming: tuple[Message, ...]
    steps: tuple[Step, ...]
    stubborn: bool
    torn: int | None
    cut: int | None
    leaks: bool
    whole: bool


def case(number: int) -> Case:
    """The case of a number."""
    draw = Random(number)  # noqa: S311 - no secret depends on it
    kind = "websocket" if draw.random() < 0.15 else "http"
    if draw.random() < 0.01:
        kind = draw.choice(("lifespan", "mqtt", ""))
    scope = _scope(draw, kind)
    incoming, whole = _incoming(draw, kind)
    steps = _websocket_steps(draw) if kind == "websocket" else _http_steps(draw)
    sent = [step.value for step in steps if step.kind in {"send", "apart", "caught"}]
    bodies = [bytes(message.get("body", b"")) for message in sent if "body" in message]
    return Case(
        number=number,
        scope=scope,
        incoming=incoming,
        steps=tuple(steps),
        stubborn=draw.random() < 0.2,
        torn=draw.randrange(4) if draw.random() < 0.08 else None,
        cut=draw.randrange(6) if draw.random() < 0.08 else None,
        leaks=any(body in LEAKS for body in bodies) or (DETAIL in bodies and len(bodies) > 1),
        whole=whole,
    )


def _scope(draw: Random, kind: str) -> Scope:
    if kind not in {"http", "websocket"}:
        return {"type": kind, "asgi": {"version": "3.0"}}
    path = draw.choice(PATHS) if draw.random() < 0.5 else "/" + _text(draw)
    lines: Any = _lines(draw, _request_line)
    scope: dict[str, Any] = {
        "type": kind,
        "asgi": {"version": "3.0"},
        "http_version": draw.choice(("1.1", "1.1", "1.0", "2", "3")),
        "scheme": draw.choice(("http", "https", "ws")),
        "path": path,
        "query_string": draw.choice(QUERIES) if draw.random() < 0.7 else draw.randbytes(draw.randrange(60)),
        "headers": draw.choice((list, tuple))([(b"host", b"shop.example"), *lines]),
        "client": draw.choice(PEERS),
        "server": draw.choice((("127.0.0.1", 8000), ("/run/shop.sock", None), None)),
        "extensions": draw.choice(({"websocket.http.response": {}}, {}, None)),
        "root_path": draw.choice(("", "", "/shop")),
    }
    if kind == "http":
        scope["method"] = draw.choice(METHODS)
    for name in ("client", "server", "extensions", "root_path", "query_string", "scheme"):
        if draw.random() < 0.03:
            del scope[name]
    return scope


def _text(draw: Random) -> str:
    return "".join(chr(draw.choice((draw.randrange(128), draw.randrange(0x3000), 0xDC80))) for _ in range(8))


def _lines(draw: Random, line: Any) -> Headers:
    return [line(draw) for _ in range(draw.choice((0, 1, 1, 2, 4)))]


def _request_line(draw: Random) -> tuple[bytes, bytes]:
    name = draw.choice(NAMES) if draw.random() < 0.7 else draw.randbytes(draw.randrange(1, 12)).lower()
    return name, draw.choice(VALUES) if draw.random() < 0.6 else draw.randbytes(draw.randrange(30))


def _reply_line(draw: Random) -> tuple[bytes, bytes]:
    names = (b"Content-Type", b"content-type", b"X-Request-ID", b"x-a", b"ETag", b"\xff", b"", b"Location")
    values = (b"text/html", b"application/json", b"text/event-stream", b"gzip", b"\r\nx: y", b"\xff")
    if draw.random() < 0.05:
        return b"Content-Encoding", draw.choice((b"gzip", b"br", b"\xff"))
    return draw.choice(names), draw.choice(values)


def _incoming(draw: Random, kind: str) -> tuple[tuple[Message, ...], bool]:
    """The client's messages, and whether they are a whole request."""
    messages: list[Message]
    if kind == "websocket":
        messages = [{"type": "websocket.connect"}]
        messages += [{"type": "websocket.receive", "text": "hi"}] * draw.randrange(2)
        messages.append({"type": "websocket.disconnect", "code": 1001})
    elif kind == "http":
        chunks = [draw.choice(CHUNKS) for _ in range(draw.choice((1, 1, 1, 2, 3)))]
        messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
        messages[-1] = draw.choice(({"type": "http.request"}, {**messages[-1], "more_body": False}))
    else:
        messages = [{"type": f"{kind}.startup"}, {"type": f"{kind}.shutdown"}]
    whole = draw.random() < 0.8
    if not whole:
        unlikely: tuple[Message, ...] = (
            {"type": f"{kind}.disconnect"}, {"type": "http.request", "body": b"more"}, {"type": "x.unknown"},
        )  # fmt: skip
        messages.insert(draw.randrange(len(messages) + 1), draw.choice(unlikely))
        draw.shuffle(messages)
    return tuple(messages), whole


def _start(draw: Random, status: int) -> Message:
    message: dict[str, Any] = {"type": "http.response.start", "status": status}
    if draw.random() < 0.9:
        message["headers"] = draw.choice((list, tuple))(_lines(draw, _reply_line))
    if draw.random() < 0.05:
        message["trailers"] = True
    return message


def _body(draw: Random, *, more: bool) -> Message:
    message: dict[str, Any] = {"type": "http.response.body"}
    if draw.random() < 0.9:
        chunk = draw.choice(LEAKS) if draw.random() < 0.1 else draw.choice(CHUNKS)
        message["body"] = draw.choice((bytes, bytes, bytearray, memoryview))(chunk)
    if more or draw.random() < 0.3:
        message["more_body"] = more
    return message


def _http_steps(draw: Random) -> list[Step]:
    """Mostly a reply as it should be; then some of it is doubled, dropped, moved or broken off."""
    status = draw.choice(FINE) if draw.random() < 0.6 else draw.choice(ERRORS)
    parts = draw.choice((1, 1, 1, 2, 4))
    sends = [_start(draw, status), *(_body(draw, more=part < parts) for part in range(1, parts + 1))]
    steps = [Step("receive") for _ in range(draw.randrange(3))]
    steps += [Step(draw.choice(("send", "send", "send", "apart")), message) for message in sends]
    if draw.random() < 0.1:
        steps = [step._replace(kind="caught") if step.kind == "send" else step for step in steps]
    elif draw.random() < 0.1:
        steps = [Step("echo", _start(draw, 200))]
    return _disturbed(draw, steps, OTHERS + WEBSOCKET[:1] if draw.random() < 0.1 else OTHERS)


def _websocket_steps(draw: Random) -> list[Step]:
    steps = [Step("receive"), Step("send", draw.choice(WEBSOCKET)), Step("receive")]
    steps += [Step("send", draw.choice(WEBSOCKET)) for _ in range(draw.randrange(3))]
    strange = (_start(draw, draw.choice(ERRORS)), _body(draw, more=False))
    return _disturbed(draw, steps, OTHERS + strange if draw.random() < 0.1 else WEBSOCKET)


def _disturbed(draw: Random, steps: list[Step], messages: tuple[Message, ...]) -> list[Step]:
    if draw.random() < 0.3:
        where = draw.randrange(len(steps) + 1)
        change = draw.choice(("add", "double", "drop", "shuffle"))
        if change == "add":
            steps.insert(where, Step("send", draw.choice(messages)))
        elif change == "shuffle":
            draw.shuffle(steps)
        elif where < len(steps):
            steps[where : where + 1] = [steps[where]] * 2 if change == "double" else []
    for kind, values in BESIDE.items():
        if draw.random() < 0.1:
            steps.insert(draw.randrange(len(steps) + 1), Step(kind, draw.choice(values)))
    if draw.random() < 0.25:
        steps = [*steps[: draw.randrange(len(steps) + 1)], Step("raise", draw.choice(FAILURES))]
    return steps
