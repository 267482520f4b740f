"""The access log: one line for each request, however it ends, and no line that can be broken."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final, Literal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from garrison import (
    AccessLog,
    RateLimit,
    RateLimitMiddleware,
    Redaction,
    Settings,
    harden,
)
from garrison.context import enter
from garrison.events import EventLog
from tests.toolkit.driver import (
    accepts,
    call,
    exchange,
    handshake,
    http_scope,
    raises,
    replies_with,
    run,
    websocket_scope,
)
from tests.toolkit.middleware.logged import Logged

if TYPE_CHECKING:
    from starlette.requests import Request

    from garrison.asgi import Receive, Scope, Send

CANARY: Final = "hunter2-canary"


@pytest.mark.parametrize("format_", ["json", "console"])
def test_a_line_stays_a_line_whatever_a_client_sends(format_: Literal["json", "console"]) -> None:
    """Method, path, query and agent are cut where they are longer than any honest one."""
    logged = Logged(replies_with(), AccessLog(format=format_))
    scope = http_scope(
        "/" + "a" * 50_000, method="M" * 50_000, query=b"q" * 50_000, headers=[(b"user-agent", b"u" * 50_000)]
    )
    call(logged.app, scope)
    (line,) = logged.lines
    assert len(line) < 5000


def test_a_request_is_one_line_with_every_fact() -> None:
    """Method, path, query, status, sizes, seconds, client and agent, under OpenTelemetry's names."""
    times = iter([10.0, 10.125, 10.25])
    logged = Logged(replies_with(201, [], b"four", b"teen bytes"), clock=lambda: next(times))
    headers = [(b"user-agent", b"curl/8.0")]
    call(logged.app, http_scope("/a/b", method="POST", query=b"q=1", headers=headers))
    event = logged.event
    assert event.pop("timestamp").endswith("Z")
    assert event == {
        "event": "http.request",
        "level": "info",
        "http.request.method": "POST",
        "url.path": "/a/b",
        "url.query": "q=1",
        "http.response.status_code": 201,
        "http.response.body.size": 14,
        "http.request.body.size": 0,
        "http.server.request.duration": 0.25,
        "time_to_first_byte": 0.125,
        "outcome": "completed",
        "client.address": "192.0.2.1",
        "request_id": None,
        "user_agent.original": "curl/8.0",
    }


@pytest.mark.parametrize(("status", "level"), [(200, "info"), (404, "info"), (500, "error"), (503, "error")])
def test_the_level_tells_failures_apart(status: int, level: str) -> None:
    """A 5xx is an error, whatever the client did wrong is not."""
    logged = Logged(replies_with(status))
    call(logged.app)
    assert logged.event["level"] == level


def test_an_exception_is_one_line() -> None:
    """A failure that nobody handled has its type in the line, and goes on to the server."""
    logged = Logged(raises(LookupError("x")))
    with pytest.raises(LookupError):
        call(logged.app)
    event = logged.event
    assert (event["error.type"], event["level"]) == ("LookupError", "error")
    assert event["http.response.status_code"] is None


def test_a_failure_in_the_middle_is_one_line() -> None:
    """What had been sent by then is in the line."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise LookupError

    logged = Logged(app)
    with pytest.raises(LookupError):
        call(logged.app)
    event = logged.event
    assert (event["http.response.status_code"], event["http.response.body.size"]) == (200, 4)
    assert event["error.type"] == "LookupError"


def test_a_cancelled_request_is_one_line() -> None:
    """A server that shuts down cancels requests, and each of them is still told."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(60)

    logged = Logged(app)

    async def main() -> None:
        task = asyncio.ensure_future(exchange(logged.app, http_scope()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())
    assert logged.event["error.type"] == "asyncio.exceptions.CancelledError"


def test_websockets_are_one_line_each() -> None:
    """An accepted WebSocket is a 101, a denied one has its status, a closed handshake is a 403."""

    async def denies(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.http.response.start", "status": 401, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b""})

    async def closes(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.close", "code": 1008})

    for app, status in ((accepts, 101), (denies, 401), (closes, 403)):
        logged = Logged(app)
        handshake(logged.app, websocket_scope("/ws"))
        event = logged.event
        assert (event["http.response.status_code"], event["http.request.method"]) == (status, "GET")
        assert (event["network.protocol.name"], event["url.path"]) == ("websocket", "/ws")


def test_a_refusal_names_the_layer() -> None:
    """Who answered in place of the app is in the line."""
    logged = Logged(RateLimitMiddleware(replies_with(), RateLimit(limits="1/hour")))
    for _ in range(2):
        call(logged.app)
    first, second = logged.events
    assert "rejected_by" not in first
    assert (second["rejected_by"], second["http.response.status_code"]) == ("rate_limit", 429)


def test_a_file_that_the_server_sends_is_one_line() -> None:
    """Neither pathsend nor trailers hide the end of a reply, or make two of it."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [], "trailers": True})
        await send({"type": "http.response.body", "body": b"12345"})
        written.append(len(logged.lines))
        await send({"type": "http.response.trailers", "headers": []})
        written.append(len(logged.lines))

    async def sends_file(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.pathsend", "path": "/srv/file"})
        written.append(len(logged.lines))

    written: list[int] = []
    logged = Logged(app)
    call(logged.app)
    logged = Logged(sends_file)
    call(logged.app)
    assert written == [0, 1, 1]


def test_a_background_task_delays_no_line() -> None:
    """The line is there, with the time of the reply, while the task still runs."""
    seen: list[int] = []

    async def background() -> None:
        await asyncio.sleep(0)
        seen.append(len(logged.lines))

    async def handler(request: Request) -> Response:
        return PlainTextResponse("ok", background=BackgroundTask(background))

    logged = Logged(Starlette(routes=[Route("/", handler)]))
    call(logged.app)
    assert (seen, len(logged.lines)) == ([1], 1)


def test_a_stream_is_one_line_when_it_ends() -> None:
    """A streamed reply is told when its last byte is out, with its whole size."""

    async def chunks() -> Any:
        for _ in range(10):
            assert logged.lines == []
            yield b"x" * 10

    async def handler(request: Request) -> Response:
        return StreamingResponse(chunks())

    logged = Logged(Starlette(routes=[Route("/", handler)]))
    call(logged.app)
    assert logged.event["http.response.body.size"] == 100


def test_the_route_is_the_template() -> None:
    """What dashboards group by is the framework's template, through mounts too; a 404 has none."""

    async def handler(request: Request) -> Response:
        return PlainTextResponse("ok")

    routes = [Route("/items/{id:int}", handler), Mount("/v1", routes=[Route("/users/{name}", handler)])]
    logged = Logged(Starlette(routes=routes))
    for path in ("/items/7", "/v1/users/ann", "/nowhere"):
        call(logged.app, http_scope(path))
    assert [event.get("http.route") for event in logged.events] == ["/items/{id}", "/v1/users/{name}", None]
    assert [event["url.path"] for event in logged.events] == ["/items/7", "/v1/users/ann", "/nowhere"]


@pytest.mark.parametrize(
    "query",
    [
        f"token={CANARY}",
        f"a=1&API_KEY={CANARY}&b=2",
        f"pass%77ord={CANARY}",
        f"code={CANARY}&state=x",
        f"X-Amz-Signature={CANARY}",
        f"next=https://ann:{CANARY}@a.example/",
        f"q=Bearer%20x&r=bearer {CANARY}",
        f"filter=password={CANARY}",
    ],
)
def test_secrets_in_the_query_are_masked(query: str) -> None:
    """Credentials in a URL, by name or by shape, are not in the line; all else in the query is."""
    logged = Logged(replies_with())
    call(logged.app, http_scope(query=f"page=3&{query}".encode()))
    assert CANARY not in logged.lines[0].decode()
    assert logged.event["url.query"].startswith("page=3&")


def test_the_query_can_be_left_out_and_names_added() -> None:
    """One setting drops all queries, another masks a name of one's own."""
    logged = Logged(replies_with(), AccessLog(query=False))
    call(logged.app, http_scope(query=b"q=1"))
    assert "url.query" not in logged.event
    logged = Logged(replies_with(), redaction=Redaction(query=("Pin",)))
    call(logged.app, http_scope(query=b"pin=1234&code=seen"))
    assert logged.event["url.query"] == "pin=[redacted]&code=seen"


HOSTILE: Final = st.fixed_dictionaries(
    {
        "path": st.text(st.characters(), max_size=30) | st.just('/"\n{}\x1b[2J\u2028'),
        "query": st.binary(max_size=40) | st.just(b'"\r\n\x00\xff'),
        "agent": st.binary(max_size=40) | st.just(b'\xff\\"\n{"event": "forged"}'),
        "method": st.text(st.characters(), max_size=8),
        "client": st.text(st.characters(), max_size=8),
    }
)


@given(HOSTILE)
def test_no_bytes_can_break_a_line(parts: dict[str, Any]) -> None:
    """Whatever a client sends, there is one line, and it is valid JSON with the event's own name."""
    logged = Logged(replies_with())
    headers = [(b"user-agent", parts["agent"])]
    scope = http_scope(
        parts["path"],
        method=parts["method"],
        query=parts["query"],
        headers=headers,
        client=(parts["client"], 1),
    )
    call(logged.app, scope)
    assert logged.event["event"] == "http.request"
    assert logged.event["http.response.status_code"] == 200


def test_a_console_line_cannot_be_broken_either() -> None:
    """On a terminal too, line ends and escape sequences of a client are shown and not obeyed."""
    logged = Logged(replies_with(), AccessLog(format="console"))
    headers = [(b"user-agent", b"x\x1b[2J\r\nforged line")]
    call(logged.app, http_scope("/a\nforged", query=b"\x1b]0;title\x07", headers=headers))
    assert len(logged.lines) == 1
    assert b"\x1b" not in logged.lines[0]


def test_a_console_line_begins_with_what_people_look_for() -> None:
    """Request, status, duration and id come first and fit a row of a terminal; nothing else says anything."""
    times = iter([10.0, 10.001, 10.002])
    logged = Logged(replies_with(200, [], b"ok"), AccessLog(format="console"), clock=lambda: next(times))
    scope = http_scope("/items/3", query=b"page=2&token=x", headers=[(b"user-agent", b"curl/8")])
    scope["client"] = ("127.0.0.1", 5)
    scope, context = enter(scope)
    context.request_id = "d4085941e9f3c465d124dcd44c934a82"
    call(logged.app, scope)
    (line,) = logged.lines
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d\.\d{3}Z \[info\] GET /items/3\?page=2&token=\[redacted\] 200 2ms "
        "d4085941e9f3c465d124dcd44c934a82",
        line.decode().strip(),
    )


def test_a_console_line_says_what_is_out_of_the_ordinary() -> None:
    """A failure, a client from elsewhere, a WebSocket: they are there, under the names that JSON has."""
    logged = Logged(raises(LookupError("x")), AccessLog(format="console"))
    with pytest.raises(LookupError):
        call(logged.app, http_scope("/a b"))
    (line,) = logged.lines
    assert (
        b"[error] GET '/a b' - 0ms outcome='failed' client.address='192.0.2.1' error.type='LookupError'"
        in line
    )


def test_texts_are_cut() -> None:
    """A URL or an agent of many kilobytes does not make a line of that size."""
    logged = Logged(replies_with())
    scope = http_scope("/" + "a" * 9000, query=b"b" * 9000, headers=[(b"user-agent", b"c" * 9000)])
    call(logged.app, scope)
    assert len(logged.lines[0]) < 4000


def test_a_closed_stream_breaks_no_request() -> None:
    """When the log cannot be written, the request is served and the loss is counted."""
    logged = Logged(replies_with())
    logged.stream.close()
    before = EventLog.dropped
    assert call(logged.app).status == 200
    assert EventLog.dropped == before + 1


def test_interleaved_requests_have_lines_of_their_own() -> None:
    """A hundred requests at once are a hundred lines, each with its own path, status and size."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        number = int(scope["path"][1:])
        await asyncio.sleep(0)
        await send({"type": "http.response.start", "status": 200 + number, "headers": []})
        for _ in range(number % 7):
            await asyncio.sleep(0)
            await send({"type": "http.response.body", "body": b"x" * number, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    logged = Logged(app)

    async def main() -> None:
        await asyncio.gather(*(exchange(logged.app, http_scope(f"/{number}")) for number in range(100)))

    run(main())
    found = {
        (event["url.path"], event["http.response.status_code"], event["http.response.body.size"])
        for event in logged.events
    }
    assert found == {(f"/{number}", 200 + number, number * (number % 7)) for number in range(100)}


def test_the_whole_stack_logs_to_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """`harden()` writes one JSON line a request, with the id that is on the reply."""
    reply = call(harden(replies_with(), Settings()))
    (line,) = capfdbinary.readouterr().out.splitlines()
    assert orjson.loads(line)["request_id"] == reply.header("x-request-id")


def test_who_asks_is_in_the_line() -> None:
    """A principal that some layer has verified is there under OpenTelemetry's name, and nobody is no one."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["garrison"].principal = {"/ann": "ann", "/7": 7}.get(scope["path"])
        await replies_with()(scope, receive, send)

    logged = Logged(app)
    for path in ("/ann", "/7", "/"):
        call(logged.app, http_scope(path))
    first, second, third = logged.events
    assert first["enduser.id"] == "ann"
    assert second["enduser.id"] == "7"
    assert "enduser.id" not in third
