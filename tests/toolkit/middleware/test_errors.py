"""Errors: no internal detail leaves, every failure is logged once, and the app's own words stay."""

from __future__ import annotations

import asyncio
import dataclasses
import gzip
import io
import random
import re
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import orjson
import pytest

from garrison import Errors, ErrorsMiddleware, RequestIdMiddleware
from garrison.conventions import error_type
from garrison.events import event_log
from tests.toolkit.driver import (
    Wire,
    accepts,
    call,
    converse,
    echo,
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
    from garrison.asgi import ASGIApp, Headers, Message, Receive, Scope, Send
    from tests.toolkit.driver import Reply

SECRET: Final = "planted-detail"
HTML: Final = [(b"content-type", b"text/html")]
TRACEBACK: Final = b'Traceback (most recent call last):\n  File "/srv/app.py", line 7, in pay\n'


class Guarded:
    """An app behind the layer, and what the layer logs."""

    def __init__(self, app: ASGIApp, settings: Errors = Errors()) -> None:
        self.stream = io.StringIO()
        self.app = ErrorsMiddleware(app, settings, log=event_log("json", self.stream))

    def call(self, scope: Scope | None = None, *chunks: bytes) -> Reply:
        """One request."""
        return call(self.app, scope, *chunks)

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was logged."""
        return [orjson.loads(line) for line in self.stream.getvalue().splitlines()]


def assert_problem(reply: Reply, status: int = 500) -> str:
    """The reply is a whole problem document that says nothing but its status; gives its id."""
    assert reply.status == status
    assert reply.header("content-type") == "application/problem+json"
    assert reply.header("cache-control") == "no-store"
    assert reply.header("content-length") == str(len(reply.body))
    assert reply.whole
    document = reply.json
    identifier: str = document.pop("request_id")
    assert set(document) == {"type", "title", "status"}
    assert document["status"] == status
    return identifier


def test_an_exception_becomes_a_problem_with_an_id() -> None:
    """The client gets an id and no detail; the log has the id, the traceback, method and path."""
    guarded = Guarded(raises(LookupError(SECRET)))
    reply = guarded.call(http_scope("/pay", method="POST"))
    identifier = assert_problem(reply)
    assert SECRET.encode() not in reply.body
    (event,) = guarded.events
    assert (event["event"], event["level"]) == ("unhandled_exception", "error")
    assert (event["request_id"], event["error.type"]) == (identifier, "LookupError")
    assert (event["http.request.method"], event["url.path"]) == ("POST", "/pay")
    assert event["exception.stacktrace"].count("Traceback (most recent call last)") == 1
    assert SECRET in event["exception.stacktrace"]


def test_the_id_is_the_one_on_the_reply() -> None:
    """Where the request has an id already, problem, log and X-Request-ID agree."""
    guarded = Guarded(raises(LookupError()))
    app = RequestIdMiddleware(guarded.app, make_id=lambda: "ours")
    reply = call(app)
    assert [reply.json["request_id"], reply.header("x-request-id")] == ["ours", "ours"]
    assert guarded.events[0]["request_id"] == "ours"


def test_the_traceback_shows_neither_locals_nor_secrets() -> None:
    """What has the shape of a secret is masked, and local variables are not written at all."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        local = "kept-in-a-" + "variable"
        raise ConnectionError("postgresql://shop:hunter2@db/shop?password=hunter3") from KeyError(len(local))

    guarded = Guarded(app)
    guarded.call()
    for leak in ("hunter2", "hunter3", "kept-in-a-variable"):
        assert leak not in guarded.stream.getvalue()
    assert "ConnectionError" in guarded.stream.getvalue()


def test_an_exception_that_quotes_the_request_keeps_both_ends() -> None:
    """What a client sent can be megabytes of a message, and masking it all would hold up everybody else."""
    quoted = "first" + "token " * 500_000 + "last"
    guarded = Guarded(raises(LookupError(quoted)))
    assert_problem(guarded.call())
    (event,) = guarded.events
    for text in (event["exception.message"], event["exception.stacktrace"]):
        assert len(text) < 64 * 1024
        assert "characters left out" in text
        assert text.rstrip().endswith("last")
    assert event["exception.message"].startswith("first")
    assert event["exception.stacktrace"].startswith("Traceback (most recent call last)")


class UnprintableError(Exception):
    """An exception that cannot even say what it is."""

    def __str__(self) -> str:
        raise RuntimeError


class NotelessError(Exception):
    """An exception that cannot be asked what was added to it."""

    def __getattribute__(self, name: str) -> Any:
        """Fail for that."""
        if name == "__notes__":
            raise RuntimeError
        return super().__getattribute__(name)


@pytest.mark.parametrize(
    "error",
    [
        UnprintableError(),
        NotelessError(),
        LookupError("\ud800\x00\n"),
        ExceptionGroup("g", [ValueError(SECRET)]),
        TimeoutError(),
    ],
    ids=repr,
)
def test_any_exception_can_be_logged(error: Exception) -> None:
    """An exception that cannot be printed, or holds no legal text, is still one line and one reply."""
    guarded = Guarded(raises(error))
    assert_problem(guarded.call(), 504 if isinstance(error, TimeoutError) else 500)
    assert [event["error.type"] for event in guarded.events] == [error_type(error)]


@pytest.mark.parametrize("error", [asyncio.CancelledError(), KeyboardInterrupt(), SystemExit(3)], ids=repr)
def test_the_end_of_the_process_is_no_failure_of_the_app(error: BaseException) -> None:
    """Cancellation and exit go through, without a reply and without a traceback."""
    guarded = Guarded(raises(error))
    wire = Wire(deque())

    async def main() -> None:
        try:
            await guarded.app(http_scope(), wire.receive, wire.send)
        except BaseException as raised:  # noqa: BLE001 - this is what the test is about
            assert raised is error  # noqa: PT017 - pytest.raises would let a KeyboardInterrupt end the loop

    run(main())
    assert (wire.sent, guarded.events) == ([], [])


def test_a_head_request_gets_the_length_only() -> None:
    """The problem's headers match those of GET, and no body follows."""
    reply = Guarded(raises(LookupError())).call(http_scope(method="HEAD"))
    assert reply.body == b""
    assert int(reply.header("content-length") or 0) > 50


def test_an_app_that_read_the_body_is_answered_for_at_once() -> None:
    """When the app fails after reading the request, nothing waits for more, and the connection stays."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await read_body(receive)
        raise LookupError

    scope = http_scope(method="POST", headers=[(b"content-length", b"6")])
    wire = converse(Guarded(app).app, scope, request_messages(b"abc", b"def"))
    assert_problem(wire.reply)
    assert (wire.received, wire.reply.header("connection")) == (2, None)


def test_a_body_given_up_in_the_middle_ends_the_connection() -> None:
    """When the app fails between two chunks, the rest cannot be told from the next request."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        raise LookupError

    scope = http_scope(method="POST", headers=[(b"transfer-encoding", b"chunked")])
    wire = converse(Guarded(app).app, scope, request_messages(b"abc", b"def"))
    assert (wire.received, wire.reply.header("connection")) == (1, "close")


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ([(b"content-type", b"text/plain")], TRACEBACK),
        (HTML, b"<pre>" + TRACEBACK.replace(b'"', b"&quot;") + b"</pre>"),
        ([(b"content-type", b"text/plain")], b"Error: no\n    at pay (/srv/app/pay.js:12:7)\n"),
        ([(b"content-type", b"text/plain")], b"x\n\tat com.shop.Pay.run(Pay.java:12)\n"),
        ([(b"content-type", b"application/json")], b'{"detail":"postgresql://u:hunter2@db/x"}'),
        ([(b"content-type", b"application/json")], b'{"error": "SQLSTATE[42000]: syntax"}'),
        ([(b"content-encoding", b"gzip"), *HTML], gzip.compress(TRACEBACK, mtime=0)),
        ([(b"Content-Encoding", b"GZIP"), *HTML], gzip.compress(b"x" * 5000 + TRACEBACK, mtime=0)),
    ],
)
def test_a_5xx_that_shows_a_leak_is_replaced(headers: Headers, body: bytes) -> None:
    """Tracebacks, debug pages, SQL errors and passwords leave a bare app, and never a guarded one."""
    headers = [*headers, (b"etag", b'"x"'), (b"content-length", b"%d" % len(body))]
    bare = replies_with(500, headers, body)
    assert call(bare).body == body
    guarded = Guarded(bare)
    reply = guarded.call()
    assert_problem(reply)
    assert {reply.header(name) for name in ("content-encoding", "etag")} == {None}


@pytest.mark.parametrize(
    ("settings", "headers", "body", "reason", "said"),
    [
        (Errors(), HTML, TRACEBACK + b"password=hunter2", "debug_output", 'File "/srv/app.py", line 7'),
        (Errors(), HTML, b"no postgresql://u:hunter2@db/x", "secret", "no postgresql://[redacted]@db/x"),
        (Errors(replace="all"), HTML, b"the pool is empty", "all", "the pool is empty"),
        (
            Errors(),
            [(b"content-encoding", b"gzip")],
            gzip.compress(TRACEBACK, mtime=0),
            "debug_output",
            "line 7, in pay",
        ),
    ],
)
def test_what_a_client_did_not_get_is_in_the_log(
    settings: Errors, headers: Headers, body: bytes, reason: str, said: str
) -> None:
    """A replaced reply is one event, with its id and why, and in development what it said, secrets masked."""
    guarded = Guarded(replies_with(502, headers, body), dataclasses.replace(settings, details="local"))
    logged = Logged(guarded.app)
    identifier = assert_problem(call(logged.app), 502)
    (event,) = guarded.events
    assert (event["event"], event["level"], event["request_id"]) == ("reply_replaced", "error", identifier)
    assert (event["http.response.status_code"], event["reason"]) == (502, reason)
    assert said in event["body"]
    assert "hunter2" not in str(event)
    assert logged.event["replaced"] is True


def test_what_is_logged_of_a_replaced_reply_is_bounded() -> None:
    """A debug page may be long; its ends are kept, where a traceback says most."""
    page = TRACEBACK + b"x" * 50_000 + b"ValueError: last"
    guarded = Guarded(replies_with(500, HTML, page), Errors(details="local"))
    guarded.call()
    (event,) = guarded.events
    assert len(event["body"]) < 5000
    assert event["body"].endswith("ValueError: last")


@pytest.mark.parametrize("quote", [b'"', b"&quot;", b"&#34;"])
def test_of_a_traceback_in_a_reply_the_log_has_the_places(quote: bytes) -> None:
    """In production the values that it shows stay out: no mask knows every secret."""
    guarded = Guarded(replies_with(500, HTML, TRACEBACK.replace(b'"', quote) + b"opaque-secret"))
    guarded.call()
    (event,) = guarded.events
    (place,) = event["code.places"]
    assert place.endswith(".py:7 in pay")
    assert "body" not in event
    assert "opaque-secret" not in str(event)


@pytest.mark.parametrize("chunks", [(TRACEBACK[:20], TRACEBACK[20:]), (b"", TRACEBACK, b"more", b"")])
def test_a_leak_is_found_across_chunks(chunks: tuple[bytes, ...]) -> None:
    """A traceback that is cut anywhere is still one."""
    assert_problem(Guarded(replies_with(502, HTML, *chunks)).call(), 502)


def test_a_leak_in_a_long_coded_5xx_is_found() -> None:
    """A page that an app compresses as one long chunk is looked into as a whole."""
    noise = "".join(random.Random(7).choices("0123456789abcdefghijklmnop \n", k=400_000)).encode()  # noqa: S311 - no secret
    body = gzip.compress(TRACEBACK + noise, mtime=0)
    assert len(body) > 200_000
    assert_problem(Guarded(replies_with(500, [*HTML, (b"content-encoding", b"gzip")], body)).call())


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
def test_a_5xx_that_leaks_nothing_is_the_apps_own(status: int) -> None:
    """A branded error page and a maintenance page arrive as they are, with all of their headers."""
    headers = [*HTML, (b"retry-after", b"60"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    guarded = Guarded(replies_with(status, headers, b"<h1>We are sorry", b", back soon</h1>"))
    reply = guarded.call()
    assert (reply.status, reply.headers) == (status, headers)
    assert [message.get("body") for message in reply.messages[1:]] == [
        b"<h1>We are sorry",
        b", back soon</h1>",
    ]
    assert guarded.events == []


def test_a_500_is_a_failure_only_when_something_failed() -> None:
    """Plain words with no fault behind them stay; with one in flight they become its problem."""
    plain = replies_with(500, [(b"content-type", b"text/plain")], b"Internal Server Error")

    async def answers_a_fault(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await raises(LookupError(SECRET))(scope, receive, send)
        except LookupError:
            await plain(scope, receive, send)

    guarded = Guarded(plain)
    assert guarded.call().body == b"Internal Server Error"
    assert guarded.events == []
    guarded = Guarded(answers_a_fault)
    identifier = assert_problem(guarded.call())
    assert [event["request_id"] for event in guarded.events] == [identifier]


def test_a_replaced_reply_keeps_what_is_not_about_its_body() -> None:
    """Retry-After and cookies survive the replacement."""
    headers = [*HTML, (b"retry-after", b"60"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    reply = Guarded(replies_with(503, headers, TRACEBACK)).call()
    assert_problem(reply, 503)
    assert (reply.all("retry-after"), reply.all("set-cookie")) == (["60"], ["a=1", "b=2"])


@pytest.mark.parametrize("status", [200, 302, 400, 404, 422])
def test_below_500_nothing_is_judged(status: int) -> None:
    """A page about tracebacks is content, and is streamed as it comes."""
    assert Guarded(replies_with(status, HTML, TRACEBACK)).call().body == TRACEBACK


@pytest.mark.parametrize(("status", "stay"), [(200, True), (302, True), (404, False), (500, False)])
def test_headers_of_debuggers_leave_with_no_error(status: int, *, stay: bool) -> None:
    """What frameworks and debuggers say of themselves is dropped from every error, and nothing else is."""
    headers = [
        *HTML,
        (b"X-Powered-By", b"x"),
        (b"x-debug-token", b"7"),
        (b"set-cookie", b"a"),
        (b"server", b"s"),
    ]
    reply = Guarded(replies_with(status, headers, b"text")).call()
    assert reply.headers == (headers if stay else [HTML[0], *headers[3:]])


def test_all_5xx_can_be_replaced() -> None:
    """With `all`, no words of the app about a failure reach a client, and 4xx are still its own."""
    strict = Errors(replace="all")
    assert_problem(Guarded(replies_with(503, HTML, b"We are sorry"), strict).call(), 503)
    assert Guarded(replies_with(404, HTML, b"Not here"), strict).call().body == b"Not here"


def test_a_long_5xx_is_let_go_after_its_first_part() -> None:
    """A huge 5xx is not collected in memory: it streams on once its beginning is judged."""
    sent_when: list[int] = []
    wire = Wire(deque())

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 500, "headers": HTML})
        for _ in range(5):
            await send({"type": "http.response.body", "body": b"x" * 30_000, "more_body": True})
            sent_when.append(len(wire.sent))
        await send({"type": "http.response.body", "body": b"end"})

    async def main() -> None:
        await Guarded(app).app(http_scope(), wire.receive, wire.send)

    run(main())
    assert sent_when == [0, 0, 4, 5, 6]
    assert wire.reply.body == b"x" * 150_000 + b"end"


def test_a_failure_after_the_start_is_not_a_whole_reply() -> None:
    """Half a body never looks like a whole one: the last byte is not sent, and the failure is logged."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HTML})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise LookupError(SECRET)

    guarded = Guarded(app)
    reply = guarded.call()
    assert (reply.status, reply.body, reply.whole) == (200, b"half", False)
    assert len(guarded.events) == 1


def test_a_failure_while_a_5xx_is_held_is_answered_whole() -> None:
    """What was held back of a 5xx gives way to the problem when the app then raises."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 503, "headers": HTML})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise LookupError

    guarded = Guarded(app)
    assert_problem(guarded.call())
    assert len(guarded.events) == 1


@pytest.mark.parametrize("read_first", [True, False])
def test_a_websocket_that_fails_before_it_is_accepted(*, read_first: bool) -> None:
    """The handshake is denied with a problem where the server can do that, and closed where not."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if read_first:
            await receive()
        raise LookupError(SECRET)

    guarded = Guarded(app)
    # A server has nothing to say between the handshake and its answer.
    arriving: list[Message] = [{"type": "websocket.connect"}]
    denied = converse(guarded.app, websocket_scope(), arriving)
    assert denied.reply.status == 500
    assert denied.reply.json["title"] == "Internal Server Error"
    assert denied.received == 1
    closed = converse(guarded.app, websocket_scope(denial=False), arriving).sent
    assert closed == [{"type": "websocket.close", "code": 1011, "reason": ""}]
    assert len(guarded.events) == 2


def test_a_websocket_that_fails_later_is_closed() -> None:
    """After the acceptance a failure closes with 1011, once, and after a close nothing is sent."""

    async def fails_open(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        raise LookupError(SECRET)

    async def fails_closed(scope: Scope, receive: Receive, send: Send) -> None:
        await accepts(scope, receive, send)
        raise LookupError(SECRET)

    for app, expected in (
        (fails_open, {"type": "websocket.close", "code": 1011, "reason": ""}),
        (fails_closed, {"type": "websocket.close", "code": 1000}),
    ):
        guarded = Guarded(app)
        assert handshake(guarded.app).sent == [{"type": "websocket.accept"}, expected]
        assert len(guarded.events) == 1


def test_a_healthy_app_is_left_alone() -> None:
    """Where nothing fails, nothing is logged and nothing is changed."""
    guarded = Guarded(echo)
    scope = http_scope(method="POST")
    assert guarded.call(scope, b"one", b"two").messages == call(echo, scope, b"one", b"two").messages
    assert guarded.events == []


@pytest.mark.parametrize("app", [raises(ValueError(SECRET)), replies_with(500)], ids=["fails", "replies"])
def test_a_client_that_is_gone_when_it_is_answered_is_no_failure(app: ASGIApp) -> None:
    """A server that cannot send the reply any more is not told so by another exception."""
    guarded = Guarded(app)

    async def send(message: Message) -> None:
        raise BrokenPipeError

    async def main() -> None:
        await guarded.app(http_scope(), Wire(deque()).receive, send)

    run(main())
    assert len(guarded.events) <= 1


def test_a_leak_at_the_end_of_a_long_5xx_is_found() -> None:
    """A traceback behind everything else is one, too."""
    assert_problem(Guarded(replies_with(500, HTML, b"x" * 300_000 + b"\n" + TRACEBACK)).call())


def test_a_log_that_is_gone_does_not_change_the_reply() -> None:
    """When standard output is closed, the client still gets its problem."""
    guarded = Guarded(raises(LookupError()))
    guarded.stream.close()
    assert re.fullmatch("[0-9a-f]{32}", assert_problem(guarded.call()))
