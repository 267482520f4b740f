"""Bounds on the raw request: what is too much is refused early, and all else arrives as it was sent."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from garrison import RequestLimits, RequestLimitsMiddleware, SettingsError
from tests.toolkit.driver import (
    Wire,
    accepts,
    call,
    converse,
    echo,
    handshake,
    http_scope,
    replies_with,
    request_messages,
    run,
    websocket_scope,
)

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send

JSON: Final = (b"content-type", b"application/json")
FORM: Final = (b"content-type", b"application/x-www-form-urlencoded")
RAW: Final = (b"content-type", b"application/octet-stream")
CHUNKED: Final = (b"transfer-encoding", b"chunked")
SMALL: Final = RequestLimits(max_body=10, max_upload=10)


def length(size: int) -> tuple[bytes, bytes]:
    """A Content-Length."""
    return b"content-length", b"%d" % size


def post(*headers: tuple[bytes, bytes], **more: Any) -> Scope:
    """A request with a body."""
    return http_scope(method="POST", headers=headers, **more)


def limited(app: ASGIApp = echo, settings: RequestLimits = SMALL) -> ASGIApp:
    """An app behind the layer."""
    return RequestLimitsMiddleware(app, settings)


@pytest.mark.parametrize("content_type", [JSON, FORM, RAW, (b"content-type", b"multipart/form-data")])
@pytest.mark.parametrize("framing", [CHUNKED, length(11)], ids=["chunked", "declared"])
def test_a_body_over_the_limit_is_refused(
    content_type: tuple[bytes, bytes], framing: tuple[bytes, bytes]
) -> None:
    """A bare app reads eleven bytes; behind a limit of ten it gets none of them to its end."""
    scope = post(content_type, framing)
    chunks = (b'"12345', b'6789"')
    assert call(echo, scope, *chunks).body == b'"123456789"'
    reply = call(limited(), scope, *chunks)
    assert (reply.status, reply.json["title"]) == (413, "Content Too Large")
    assert reply.json["detail"] == "The body is longer than 10 bytes."


@pytest.mark.parametrize("content_type", [JSON, FORM, RAW])
@pytest.mark.parametrize("framing", [CHUNKED, length(10)], ids=["chunked", "declared"])
def test_a_body_at_the_limit_passes(content_type: tuple[bytes, bytes], framing: tuple[bytes, bytes]) -> None:
    """The limit itself is allowed, byte for byte."""
    assert call(limited(), post(content_type, framing), b'"1234', b'5678"').body == b'"12345678"'


def test_a_declared_length_is_never_trusted() -> None:
    """A server that lets more through than was declared does not get the app into trouble."""
    for content_type in (JSON, RAW):
        assert call(limited(), post(content_type, length(3)), b"[1]", b" " * 50).status == 413


def test_a_huge_declared_body_is_not_read_at_all() -> None:
    """The refusal comes before the first byte, and ends the connection instead of draining gigabytes."""
    for content_type in (JSON, RAW):
        wire = converse(limited(), post(content_type, length(10**12)), request_messages(b"x"))
        assert (wire.reply.status, wire.reply.header("connection"), wire.received) == (413, "close", 0)


@pytest.mark.parametrize("value", [b"", b"-1", b"+5", b"5 ", b"1e3", b"\xb2", b"9" * 5000, b"5, 5"])
def test_a_length_that_is_none_is_refused(value: bytes) -> None:
    """What is no number, or one that no body can have, is a 400."""
    assert call(limited(), post(RAW, (b"content-length", value)), b"x").status == 400


def test_two_framings_at_once_are_refused() -> None:
    """Content-Length beside Transfer-Encoding is how requests are smuggled, and so are two lengths."""
    for framing in (
        (length(1), CHUNKED),
        (CHUNKED, length(0)),
        (length(1), length(0)),
        (length(0), length(1)),
    ):
        assert call(limited(), post(RAW, *framing), b"x").status == 400, framing
    assert call(limited(), post(RAW, length(1), length(1)), b"x").status == 200


@pytest.mark.parametrize("framing", [CHUNKED, length(52)], ids=["chunked", "declared"])
def test_uploads_have_no_limit_until_one_is_set(framing: tuple[bytes, bytes]) -> None:
    """By default JSON and forms are bounded, and an upload may have any size."""
    app = limited(echo, RequestLimits(max_body=10))
    body = b"[" + b" " * 50 + b"]"
    for content_type, status in ((JSON, 413), (FORM, 413), (RAW, 200)):
        assert call(app, post(content_type, framing), body).status == status
    assert call(app, post(framing), body).body == body


def test_an_app_that_reads_no_body_is_not_bothered() -> None:
    """An app that never looks at a streamed body replies as it likes."""
    reply = call(limited(replies_with(200, [RAW], b"fine")), post(RAW, CHUNKED), b"x" * 50)
    assert (reply.status, reply.body) == (200, b"fine")


def test_an_app_that_hides_the_failure_cannot_hide_the_413() -> None:
    """Whatever an app makes of a body that is cut short, the client learns that it was too long."""

    async def stubborn(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await echo(scope, receive, send)
        except Exception:  # noqa: BLE001 - a stubborn app
            await replies_with(200, [RAW], b"all is well")(scope, receive, send)

    async def handler(request: Request) -> Response:
        await request.body()
        return PlainTextResponse("never")

    framework = Starlette(routes=[Route("/", handler, methods=["POST"])], debug=True)
    for app in (stubborn, framework):
        reply = call(limited(app), post(RAW, CHUNKED), b"x" * 6, b"x" * 6)
        assert (reply.status, len(reply.messages)) == (413, 2)
        assert reply.header("connection") is None, "all of it is read"
        unread = converse(limited(app), post(RAW, CHUNKED), request_messages(b"x" * 11, b"x")).reply
        assert (unread.status, unread.header("connection")) == (413, "close")


def test_a_reply_that_has_begun_is_not_begun_again() -> None:
    """An app that streams an answer while it reads sees the client go, and sends what it wants."""
    seen: list[Message] = []

    async def duplex(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        seen.extend([await receive() for _ in range(4)])
        await send({"type": "http.response.body", "body": b"end"})

    reply = call(limited(duplex), post(RAW, CHUNKED), b"x" * 6, b"x" * 6, b"x")
    assert [message["type"] for message in seen] == ["http.request", *["http.disconnect"] * 3]
    assert (reply.status, reply.body) == (200, b"end")


def test_a_failure_of_the_app_itself_goes_through() -> None:
    """Only what follows from the cut body is taken for its consequence."""

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        raise LookupError

    async def broken_later(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await broken(scope, receive, send)

    for app in (broken, broken_later):
        with pytest.raises(LookupError):
            call(limited(app), post(RAW, CHUNKED), b"x")


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        (http_scope("/" + "a" * 16383), 200),
        (http_scope("/" + "a" * 16384), 414),
        (http_scope(query=b"a" * 16383), 200),
        (http_scope(query=b"a" * 16384), 414),
        (http_scope("/" + "ä" * 8192), 414),
        (http_scope(query=b"&".join([b"a=1"] * 1000)), 200),
        (http_scope(query=b"&".join([b"a=1"] * 1001)), 400),
        (http_scope(headers=[(b"x-%d" % number, b"1") for number in range(127)]), 200),
        (http_scope(headers=[(b"x-%d" % number, b"1") for number in range(128)]), 431),
        (http_scope(headers=[(b"x", b"1" * 32_000)]), 200),
        (http_scope(headers=[(b"cookie", b"1" * 33_000)]), 431),
        (http_scope("/a" * 256), 200),
        (http_scope("/a" * 257), 414),
        (http_scope("/a/../b"), 400),
        (http_scope("/a", raw_path=b"/%zz"), 400),
        (http_scope("/ä", raw_path="/ä".encode("latin-1")), 400),
        (http_scope("/a\0", raw_path=b"/a%00"), 400),
        (http_scope("/a b/ä", raw_path=b"/a%20b%2F%C3%A4"), 200),
        (http_scope(query=b"q=100%&b=%00%ff"), 200),
        *[(http_scope(method=method), 405) for method in ("TRACE", "TRACK", "CONNECT")],
        *[(http_scope(method=method), 200) for method in ("GET", "QUERY", "PROPFIND", "trace", "")],
    ],
)
def test_the_head_of_a_request_is_bounded(scope: Scope, status: int) -> None:
    """URL, query, header lines and methods stay within their bounds, and at a bound all is well."""
    bare, reply = replies_with(), call(limited(replies_with(), RequestLimits()), scope)
    assert (call(bare, scope).status, reply.status) == (200, status)
    if status != 200:
        assert reply.header("content-type") == "application/problem+json"
    assert (reply.header("allow") is not None) is (status == 405)


def test_the_bounds_are_exact() -> None:
    """A bound is the most that passes, in bytes of names and values, and in separators."""
    limits = RequestLimits(max_header_bytes=20, max_query_parameters=2, max_path_segments=2, max_url=9)
    app = limited(replies_with(), limits)
    for scope, status in [
        (http_scope(headers=[(b"x", b"1" * 3)]), 200),  # beside the Host, which has sixteen
        (http_scope(headers=[(b"x", b"1" * 4)]), 431),
        (http_scope(query=b"&"), 200),
        (http_scope(query=b"&&"), 400),
        (http_scope("/a/"), 200),
        (http_scope("/a//"), 414),
        (http_scope("/a", query=b"1234567"), 200),
        (http_scope("/a", query=b"12345678"), 414),
    ]:
        assert call(app, scope).status == status, scope


def test_cookies_have_a_bound_of_their_own() -> None:
    """All cookies together count, in one line or in many, as HTTP/2 has them."""
    app = limited(replies_with(), RequestLimits(max_cookie_bytes=100))
    for size, status in ((50, 200), (51, 431)):
        lines = [(b"cookie", b"a" * 50), (b"cookie", b"a" * size)]
        assert call(app, http_scope(headers=lines)).status == status
    assert call(app, http_scope(headers=[(b"x-other", b"a" * 1000)])).status == 200


def test_strict_and_any_urls() -> None:
    """Strict refuses what is read in two ways and looks at the query; any refuses nothing."""
    odd, broken = http_scope("//a", query=b"q=%00"), http_scope("/a/../b", raw_path=b"/a/../b%")
    for url, statuses in (("any", (200, 200)), ("bounded", (200, 400)), ("strict", (400, 400))):
        app = limited(replies_with(), RequestLimits(url=url))  # type: ignore[arg-type]
        assert (call(app, odd).status, call(app, broken).status) == statuses
    query = http_scope(query=b"q=%00")
    assert call(limited(replies_with(), RequestLimits(url="strict")), query).status == 400


@pytest.mark.parametrize(
    ("hosts", "version", "status"),
    [
        ([b"shop.example"], "1.1", 200),
        ([], "1.1", 400),
        ([b"shop.example", b"evil.example"], "1.1", 400),
        ([], "1.0", 200),
        ([], "2", 200),
        ([b"shop.example", b"shop.example"], "2", 400),
    ],
)
def test_a_request_is_for_one_host(hosts: list[bytes], version: str, status: int) -> None:
    """HTTP/1.1 needs a Host, and no version may have two; older and newer ones may name it elsewhere."""
    lines = [(b"host", host) for host in hosts]
    scope = {**http_scope(http_version=version), "headers": lines}
    assert call(limited(replies_with()), scope).status == status


def test_preflights_for_listed_methods_pass() -> None:
    """A browser may ask for a method that is served, and for no other; plain OPTIONS stays refused."""
    app = limited(replies_with(204), RequestLimits(methods=("GET", "PUT")))
    by = (b"origin", b"https://app.example")
    for asked, expected in [(b"PUT", 204), (b"DELETE", 405), (b"TRACE", 405)]:
        lines = [by, (b"access-control-request-method", asked)]
        assert call(app, http_scope(method="OPTIONS", headers=lines)).status == expected
    assert call(app, http_scope(method="OPTIONS", headers=[by])).status == 405


def test_only_listed_methods_are_served() -> None:
    """With a list of methods another one is a 405 that names them."""
    app = limited(replies_with(), RequestLimits(methods=("GET", "HEAD")))
    assert call(app).status == 200
    refused = call(app, http_scope(method="DELETE"))
    assert (refused.status, refused.header("allow")) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 64 + b"]" * 64, 200),
        (b"[" * 65 + b"]" * 65, 400),
        (b'{"a":' * 65 + b"1" + b"}" * 65, 400),
        (b"[" * 100_000, 400),
        (b'["' + b"[" * 500 + b'"]', 200),
        (b'["\\"' + b"[" * 500 + b'"]', 200),
        (b'["\\\\", ' + b"[" * 65 + b"]" * 65 + b"]", 400),
        (b"[[]," * 500 + b"1", 400),
        (b"[" + b"[]," * 500 + b"[]]", 200),
        ('["ä", "\U0001f600"]'.encode(), 200),
        (b'["\xff"]', 400),
        (b'["\xc3"]', 400),
        (b'["\xed\xa0\x80"]', 400),
        ('["ä"]'.encode("utf-16"), 400),
        ('["∀", ' + "[" * 90 + "]" * 90 + "]", 400),
        (b'\xef\xbb\xbf{"bom": 1}', 200),
        (b"", 200),
        (b"not json at all", 200),
    ],
)  # fmt: skip
@pytest.mark.parametrize("content_type", [b"application/json", b"Application/Problem+JSON; charset=utf-8"])
def test_json_is_bounded(body: bytes | str, status: int, content_type: bytes) -> None:
    """JSON that is too deep or not UTF-8 never reaches a parser; all other JSON arrives as it was."""
    if isinstance(body, str):
        # What Python's own parser takes for UTF-16, and what is UTF-8 by accident.
        body = body.encode("utf-16-be")
    reply = call(limited(echo, RequestLimits()), post((b"content-type", content_type), CHUNKED), body)
    assert reply.status == status
    assert status != 200 or reply.body == body


def test_json_in_a_content_coding_passes() -> None:
    """What is compressed cannot be judged here, and is left to the app."""
    scope = post(JSON, CHUNKED, (b"content-encoding", b"gzip"))
    assert call(limited(echo, RequestLimits()), scope, b"\x1f\x8b\xff").body == b"\x1f\x8b\xff"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[NaN]",
        b"[Infinity]",
        b"[1e999]",
        b'{"a":1,"a":2}',
        b'["\\ud800"]',
        b"[" + b"9" * 200 + b"]",
        b"[1] x",
    ],
)
def test_strict_json_is_json(body: bytes) -> None:
    """What no sender means passes when JSON is bounded, and is a 400 when it is strict."""
    for settings, status in ((RequestLimits(), 200), (RequestLimits(json="strict"), 400)):
        assert call(limited(echo, settings), post(JSON, CHUNKED), body).status == status


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'\xef\xbb\xbf{"a": [1.5e3, -7, true, null]}', b'["\\ud83d\\ude00"]']
)
def test_strict_json_takes_every_honest_text(body: bytes) -> None:
    """Ordinary JSON, with a byte order mark, escapes or nothing at all, is fine."""
    assert call(limited(echo, RequestLimits(json="strict")), post(JSON, CHUNKED), body).body == body


def test_who_answers_by_the_head_alone_has_no_body_read() -> None:
    """A layer that refuses strangers does so before their JSON is in memory, or asked of them at all."""
    waiting = post(JSON, length(6), (b"expect", b"100-continue"))
    wire = converse(limited(replies_with(401)), waiting, request_messages(b"[1,", b"2]"))
    assert (wire.reply.status, wire.received) == (401, 0)


def test_a_look_at_the_client_loses_nothing_of_its_body() -> None:
    """Frameworks ask whether a client is gone by a `receive` that they cancel, before they read the body."""

    async def handler(request: Request) -> Response:
        assert not await request.is_disconnected()
        first, second = asyncio.ensure_future(request.receive()), asyncio.ensure_future(request.receive())
        await asyncio.wait([first, second], return_when=asyncio.FIRST_COMPLETED)
        (done,) = [task for task in (first, second) if task.done()]
        (waits,) = {first, second} - {done}
        waits.cancel()
        return Response(done.result()["body"])

    arriving = deque(request_messages(b"[1,2]"))

    async def receive() -> Message:
        await asyncio.sleep(0)
        if not arriving:
            await asyncio.Event().wait()
        return arriving.popleft()

    async def main() -> None:
        wire = Wire(deque())
        app = limited(Starlette(routes=[Route("/", handler, methods=["POST"])]))
        await app(post(JSON, length(5)), receive, wire.send)
        assert (wire.reply.status, wire.reply.body) == (200, b"[1,2]")

    run(main())


def test_json_is_replayed_chunk_by_chunk_and_then_the_client_goes() -> None:
    """The app gets the very messages of the server, and after them whatever the server says next."""
    seen: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend([await receive() for _ in range(4)])

    chunks = request_messages(b"[", b"", b"]")
    converse(limited(app), post(JSON, CHUNKED), [*chunks, {"type": "http.disconnect"}])
    assert seen == [*chunks, {"type": "http.disconnect"}]


@pytest.mark.parametrize("content_type", [JSON, FORM])
def test_a_body_that_is_cut_short_is_a_400(content_type: tuple[bytes, bytes]) -> None:
    """A client that goes, or whose chunks are broken, has not sent what an app could be asked to take."""
    arriving: list[Message] = [
        {"type": "http.request", "body": b"[1,", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        raise AssertionError("the app goes on")

    reply = converse(limited(app), post(content_type, CHUNKED), arriving).reply
    assert (reply.status, reply.json["detail"]) == (400, "The body ended before its end.")
    with pytest.raises(ClientDisconnect):
        converse(app, post(content_type, CHUNKED), arriving)


@pytest.mark.parametrize(
    ("headers", "chunks", "kept", "received"),
    [
        ((length(6),), (b"abc", b"def"), True, 2),
        ((length(0),), (), True, 0),
        ((), (), True, 0),
        ((length(65_536),), (b"x" * 40_000, b"x" * 25_536), True, 2),
        ((length(65_537),), (b"x",), False, 0),
        ((CHUNKED,), (b"abc",), False, 0),
        ((length(6), (b"expect", b"100-continue")), (b"abcdef",), False, 0),
    ],
)
def test_an_early_refusal_closes_only_when_it_must(
    headers: tuple[tuple[bytes, bytes], ...], chunks: tuple[bytes, ...], received: int, *, kept: bool
) -> None:
    """A small rest is drained, so that the connection lives; a large or unknown one is not."""
    scope = http_scope(method="TRACE", headers=headers)
    wire = converse(limited(replies_with(), RequestLimits()), scope, request_messages(*chunks))
    assert (wire.reply.status, wire.received) == (405, received)
    assert wire.reply.header("connection") == (None if kept else "close")


def test_http_2_knows_no_connection_header() -> None:
    """Over HTTP/2 the stream ends by itself, and nothing is drained."""
    scope = http_scope(method="TRACE", headers=[length(6)], http_version="2")
    wire = converse(limited(), scope, request_messages(b"abcdef"))
    assert (wire.reply.header("connection"), wire.received) == (None, 0)


def test_a_slow_rest_is_not_waited_for() -> None:
    """A client that trickles its body holds up a refusal for a second at most."""

    async def main() -> None:
        wire = Wire(deque())  # nothing arrives
        started = asyncio.get_running_loop().time()
        scope = http_scope(method="TRACE", headers=[length(6)])
        await limited()(scope, wire.receive, wire.send)
        assert asyncio.get_running_loop().time() - started < 2
        assert wire.reply.header("connection") == "close"

    run(main())


def test_a_handshake_is_bounded_too() -> None:
    """A WebSocket with an endless URL is denied, and an ordinary one is not."""
    app = limited(accepts, RequestLimits())
    assert handshake(app).sent[0]["type"] == "websocket.accept"
    assert handshake(app, websocket_scope("/" + "a" * 20_000)).reply.status == 414
    closed = handshake(app, websocket_scope("/" + "a" * 20_000, denial=False)).sent
    assert [message["type"] for message in closed] == ["websocket.close"]


@pytest.mark.parametrize(
    "fields",
    [
        {"max_url": 0},
        {"max_headers": 0},
        {"max_json_depth": 0},
        {"methods": ("TRACE",)},
        {"methods": ("get",)},
    ],
)
def test_a_bound_that_lets_nothing_through_fails_at_start(fields: dict[str, Any]) -> None:
    """Zero is no bound, and TRACE is never served."""
    with pytest.raises(SettingsError, match=f"RequestLimits.{next(iter(fields))}"):
        RequestLimits(**fields)
