"""Request ids: one for each request, on every reply, and nobody's but a trusted hop's."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import pytest

from garrison import Proxy, RequestId, RequestIdMiddleware, SettingsError
from garrison.middleware.proxy import ProxyMiddleware
from tests.toolkit.driver import accepts, call, handshake, http_scope, replies_with, websocket_scope

if TYPE_CHECKING:
    from garrison.asgi import Receive, Scope, Send

MADE = re.compile(r"[0-9a-f]{32}")


def with_id(value: bytes, **more: Any) -> Scope:
    """A request that brings an id."""
    return http_scope(headers=[(b"x-request-id", value)], **more)


def test_every_reply_has_an_id_of_its_own() -> None:
    """A thousand requests have a thousand ids of 128 random bits."""
    app = RequestIdMiddleware(replies_with())
    found = {call(app).header("x-request-id") or "" for _ in range(100)}
    assert len(found) == 100
    assert all(MADE.fullmatch(one) for one in found)


def test_the_app_can_read_the_id() -> None:
    """The id on the reply is the one on the request's context."""
    seen = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["garrison"].request_id)
        await replies_with()(scope, receive, send)

    assert call(RequestIdMiddleware(app)).header("x-request-id") == seen[0]


def test_a_stranger_cannot_choose_his_id() -> None:
    """What a client sends is replaced, and what a trusted proxy sends is echoed."""
    app = ProxyMiddleware(RequestIdMiddleware(replies_with()), Proxy(trusted=(ip_network("10.0.0.1"),)))
    assert call(app, with_id(b"mine")).header("x-request-id") != "mine"
    assert call(app, with_id(b"mine", client=("10.0.0.1", 1))).header("x-request-id") == "mine"


@pytest.mark.parametrize(
    ("accept", "client", "taken"),
    [("always", "192.0.2.1", True), ("never", "10.0.0.1", False), ("trusted", "10.0.0.1", True)],
)
def test_who_is_believed_is_a_setting(accept: Any, client: str, *, taken: bool) -> None:
    """`always` believes anybody, `never` nobody, not even a trusted proxy."""
    inner = RequestIdMiddleware(replies_with(), RequestId(accept=accept))
    app = ProxyMiddleware(inner, Proxy(trusted=(ip_network("10.0.0.1"),)))
    assert (call(app, with_id(b"mine", client=(client, 1))).header("x-request-id") == "mine") is taken
    with pytest.raises(SettingsError, match="one of trusted, always, never"):
        RequestId(accept="sometimes")  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [b"a", b"A-z_0.9", b"0" * 64])
def test_a_well_formed_id_is_kept(value: bytes) -> None:
    """Ids that a log, a header and a URL can carry are taken over as they are."""
    app = RequestIdMiddleware(replies_with(), RequestId(accept="always"))
    assert call(app, with_id(value)).all("x-request-id") == [value.decode()]


@pytest.mark.parametrize(
    "value", [b"", b"a" * 65, b"a b", b"a\r\nset-cookie: x", b"\xff", b"{}", b"\0", b"a/b"]
)
def test_a_malformed_id_is_replaced(value: bytes) -> None:
    """Whatever could break a line or fill a disk is never echoed."""
    app = RequestIdMiddleware(replies_with(), RequestId(accept="always"))
    assert MADE.fullmatch(call(app, with_id(value)).header("x-request-id") or "")


def test_the_app_cannot_send_a_second_id() -> None:
    """Where the app echoes an id itself, the reply still has just the one that the log knows."""
    app = RequestIdMiddleware(replies_with(200, [(b"X-Request-ID", b"theirs")]), make_id=lambda: "ours")
    assert call(app).all("x-request-id") == ["ours"]


def test_websockets_have_ids_too() -> None:
    """The acceptance of a handshake carries the id, and so does a denial."""
    app = RequestIdMiddleware(accepts, make_id=lambda: "ours")
    assert handshake(app).sent[0]["headers"] == [(b"x-request-id", b"ours")]

    async def denies(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.http.response.start", "status": 403, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b""})

    denied = handshake(RequestIdMiddleware(denies, make_id=lambda: "ours"), websocket_scope())
    assert denied.reply.header("x-request-id") == "ours"


def test_a_closed_handshake_has_an_id_where_the_server_can_send_it() -> None:
    """A close before the accept is the same 403 to the client, with the id; other servers get the close."""

    async def closes(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.close", "code": 4000})

    app = RequestIdMiddleware(closes, make_id=lambda: "ours")
    denied = handshake(app, websocket_scope())
    assert (denied.reply.status, denied.reply.header("x-request-id")) == (403, "ours")
    assert handshake(app, websocket_scope(denial=False)).sent == [{"type": "websocket.close", "code": 4000}]


TRACE = b"4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    "value",
    [
        b"00-%b-00f067aa0ba902b7-01" % TRACE,
        b"00-%b-00f067aa0ba902b7-00" % TRACE,
        b"cc-%b-00f067aa0ba902b7-01-what-comes-later" % TRACE,
    ],
)
def test_a_trace_of_a_trusted_hop_is_the_id(value: bytes) -> None:
    """Without an id of its own, a request has the trace id that its proxy gave it; an id of its own wins."""
    layer = RequestIdMiddleware(replies_with(), make_id=lambda: "made")
    app = ProxyMiddleware(layer, Proxy(trusted=(ip_network("10.0.0.1"),)))
    traced = [(b"traceparent", value)]
    trusted = ("10.0.0.1", 1)
    assert call(app, http_scope(headers=traced, client=trusted)).header("x-request-id") == TRACE.decode()
    assert call(app, http_scope(headers=traced)).header("x-request-id") == "made"
    both = [*traced, (b"x-request-id", b"mine")]
    assert call(app, http_scope(headers=both, client=trusted)).header("x-request-id") == "mine"


def test_a_trace_is_no_id_where_that_is_unwanted() -> None:
    """One trace may hold many requests; `trace=False` gives each of them an id of its own."""
    headers = [(b"traceparent", b"00-%b-00f067aa0ba902b7-01" % TRACE)]
    for settings, found in [
        (RequestId(accept="always"), TRACE.decode()),
        (RequestId(accept="always", trace=False), "made"),
        (RequestId(accept="never"), "made"),
    ]:
        app = RequestIdMiddleware(replies_with(), settings, make_id=lambda: "made")
        assert call(app, http_scope(headers=headers)).header("x-request-id") == found


@pytest.mark.parametrize(
    "value",
    [
        b"",
        TRACE,
        b"ff-%b-00f067aa0ba902b7-01" % TRACE,
        b"00-%b-00f067aa0ba902b7-01" % (b"0" * 32),
        b"00-%b-0000000000000000-01" % TRACE,
        b"00-%b-00f067aa0ba902b7-01" % TRACE.upper(),
        b"00-%b-00f067aa0ba902b7-01-more" % TRACE,
        b"00-%b-00f067aa0ba902b7-01\n" % TRACE,
        b"00-%b-00f067aa0ba902b7-1" % TRACE,
        b"\xff\\",
    ],
)
def test_an_invalid_trace_is_no_id(value: bytes) -> None:
    """What W3C Trace Context tells receivers to ignore is ignored."""
    app = RequestIdMiddleware(replies_with(), RequestId(accept="always"), make_id=lambda: "made")
    assert call(app, http_scope(headers=[(b"traceparent", value)])).header("x-request-id") == "made"
