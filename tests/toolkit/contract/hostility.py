"""Clauses about bytes that no honest client would send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypothesis import given
from hypothesis import strategies as st

from tests.toolkit.contract.clauses import clause
from tests.toolkit.driver import (
    converse,
    exchange,
    http_scope,
    replies_with,
    request_messages,
    run,
    websocket_scope,
)

if TYPE_CHECKING:
    from garrison.asgi import Message, Receive, Scope, Send
    from tests.toolkit.contract.subjects import Subject

# Every header that some layer reads, so that the hostile value is looked at.
NAMES: Final = [
    b"access-control-request-headers", b"access-control-request-method", b"authorization", b"baggage",
    b"connection", b"content-encoding", b"content-length", b"content-type", b"cookie", b"expect",
    b"forwarded", b"host", b"origin", b"sec-fetch-dest", b"sec-fetch-mode", b"sec-fetch-site",
    b"traceparent", b"tracestate", b"transfer-encoding", b"user-agent", b"x-forwarded-for",
    b"x-forwarded-host", b"x-forwarded-port", b"x-forwarded-prefix", b"x-forwarded-proto", b"x-request-id",
]  # fmt: skip
# Values on which parsers are known to trip: digits that are none, numbers too large, broken escapes.
VALUES: Final = [
    b"\xb2", b"a.example:\xb2", b"9" * 5000, b"\xff\\", b"\\x", b"[::1", b"]:[", b"1.2.3.4:99999999", b",,,",
    b"00-" + b"\xff" * 32 + b"-1", b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01", b"application/json",
    b"x/y+json;\xff", b"gzip", b"\0", b"\r\nx: y", b"-1", b"+5", b" 5 ", b"fe80::1%eth0", b"%",
    b"100-continue",
]  # fmt: skip
LINES: Final = st.lists(
    st.tuples(
        st.sampled_from(NAMES) | st.binary(min_size=1, max_size=20).map(bytes.lower),
        st.sampled_from(VALUES) | st.binary(max_size=60),
    ),
    max_size=8,
)
# Servers decode paths leniently, each in its own way: surrogates are among what they make.
PATHS: Final = st.text(max_size=40).map("/".__add__) | st.text(
    st.characters(categories=["Cs", "Cc", "Lu"]), max_size=8
)
PEERS: Final = st.sampled_from(
    [None, ("198.51.100.7", 1), ("192.0.2.1", 65535), ("::ffff:198.51.100.7", 0), ("unix:", 0), ("", 0)]
)
REQUEST: Final = st.fixed_dictionaries(
    {
        "headers": LINES,
        "path": PATHS,
        "query": st.binary(max_size=80) | st.just(b"token=\xff&%=&&=&" + b"%" * 9),
        "client": PEERS,
        "scheme": st.sampled_from(["http", "https"]),
        "http_version": st.sampled_from(["1.0", "1.1", "2", "3"]),
    }
)


@clause
def hostile_requests_never_raise(subject: Subject) -> None:
    """Whatever bytes a request is made of, it reaches the app or gets a refusal that says why."""

    @given(
        REQUEST,
        st.text(max_size=8) | st.sampled_from(["GET", "POST"]),
        st.lists(st.binary(), max_size=3),
        LINES,
    )
    def check(
        parts: dict[str, Any], method: str, chunks: list[bytes], lines: list[tuple[bytes, bytes]]
    ) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            await send({"type": "http.response.start", "status": 299, "headers": lines})
            await send({"type": "http.response.body", "body": b"ok"})

        scope = http_scope(method=method, **parts)
        reply = converse(layer(app), scope, request_messages(*chunks)).reply
        assert reply.status == 299 or 400 <= reply.status < 500
        assert reply.whole

    layer = subject.around
    check()


@clause
def hostile_headers_never_raise(subject: Subject) -> None:
    """Each value that is known to trip parsers is harmless in each header that some layer reads."""
    layer = subject.around(replies_with())

    async def main() -> None:
        for name in NAMES:
            for value in VALUES:
                scope = http_scope(method="POST", headers=[(name, value)], client=("198.51.100.7", 1))
                reply = await exchange(layer, scope, b"{}")
                assert reply.status == 200 or 400 <= reply.status < 500, (name, value)

    run(main())


@clause
def hostile_handshakes_never_raise(subject: Subject) -> None:
    """Whatever bytes a WebSocket handshake is made of, it reaches the app or is denied."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close"})

    layer = subject.around(app)

    @given(REQUEST, st.booleans())
    def check(parts: dict[str, Any], denial: bool) -> None:
        parts = {**parts, "scheme": parts["scheme"].replace("http", "ws")}
        arriving: list[Message] = [{"type": "websocket.connect"}]
        sent = converse(layer, websocket_scope(denial=denial, **parts), arriving).sent
        kinds = [message["type"] for message in sent]
        assert kinds[-1] in {"websocket.close", "websocket.http.response.body"}

    check()
