"""Whose trace a request belongs to, and whose baggage travels with it."""

from __future__ import annotations

import asyncio
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
from opentelemetry import baggage, propagate, trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.trace import set_span_in_context

from garrison import Proxy, Tracing
from garrison.middleware.proxy import ProxyMiddleware
from garrison.tracing.parents import parent_of
from tests.toolkit.driver import call, exchange, http_scope, replies_with, run
from tests.toolkit.middleware.traced import Traced

if TYPE_CHECKING:
    from collections.abc import Mapping

    from garrison.asgi import ASGIApp, Receive, Scope, Send

TRACE_ID: Final = "0af7651916cd43dd8448eb211c80319c"
CARRIED: Final = [
    (b"traceparent", f"00-{TRACE_ID}-b7ad6b7169203331-01".encode()),
    (b"tracestate", b"vendor=1"),
    (b"baggage", b"tenant=acme"),
    (b"baggage", b"user=ann"),
]
TRUSTED: Final = "10.0.0.1"


def behind_a_proxy(traced: Traced) -> ASGIApp:
    """The layer below one that trusts one address."""
    return ProxyMiddleware(traced.app, Proxy(trusted=(ip_network(TRUSTED),)))


@pytest.mark.parametrize(
    ("client", "settings", "taken"),
    [
        ("192.0.2.1", Tracing(), False),
        (TRUSTED, Tracing(), True),
        ("192.0.2.1", Tracing(continue_="always"), True),
    ],
)
def test_a_strangers_baggage_reaches_nobody(client: str, settings: Tracing, *, taken: bool) -> None:
    """The handler does not see it, and an instrumented client does not send it on."""
    seen: list[Mapping[str, object]] = []
    sent: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers)
        return httpx.Response(200)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(baggage.get_all())
        transport = httpx.MockTransport(answer)
        async with httpx.AsyncClient(transport=transport) as upstream:
            HTTPXClientInstrumentor.instrument_client(upstream, tracer_provider=traced.provider)
            await upstream.get("http://upstream.example/")
        await replies_with()(scope, receive, send)

    traced = Traced(app, settings)
    call(behind_a_proxy(traced), http_scope(headers=CARRIED, client=(client, 1)))
    assert dict(seen[0]) == ({"tenant": "acme", "user": "ann"} if taken else {})
    assert ("baggage" in sent[0]) is taken
    # The client's own span is there, below the server's: it is the stranger's word that is dropped.
    asked, server = traced.spans
    assert asked.parent is not None
    assert server.context is not None
    assert asked.parent.span_id == server.context.span_id
    assert (TRACE_ID in sent[0]["traceparent"]) is taken
    assert ("tracestate" in sent[0]) is taken


def test_what_else_the_process_propagates_is_taken_from_a_trusted_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The propagators that the process is configured with decide which headers are read."""

    class Own(TextMapPropagator):
        def extract(self, carrier: Any, context: Any = None, getter: Any = None) -> Any:
            (value,) = getter.get(carrier, "X-Own") or ["none"]
            return baggage.set_baggage("own", value, context)

        def inject(self, carrier: Any, context: Any = None, setter: Any = None) -> None:
            """Send nothing on."""

        @property
        def fields(self) -> set[str]:
            return {"x-own"}

    seen: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(baggage.get_baggage("own"))
        await replies_with()(scope, receive, send)

    monkeypatch.setattr(propagate, "_HTTP_TEXT_FORMAT", Own())
    app_behind = behind_a_proxy(Traced(app))
    for client in (TRUSTED, "192.0.2.1"):
        call(app_behind, http_scope(headers=[(b"x-own", b"1")], client=(client, 1)))
    assert seen == ["1", None]


def test_what_is_no_trace_is_linked_to_by_no_sdk() -> None:
    """A link without a trace is not even handed on; what an SDK would make of it is its own affair."""
    _, links = parent_of(http_scope(headers=[(b"traceparent", b"00-no-trace-00")]), Context(), trusted=False)
    assert links == []


def test_a_span_around_the_app_is_the_parent() -> None:
    """A program that calls its own app has the request in its trace."""
    traced = Traced(replies_with())
    with traced.tracer.start_as_current_span("job") as job:
        token = attach(baggage.set_baggage("tenant", "acme"))
        call(traced.app)
        detach(token)
    server, _ = traced.spans
    assert server.parent == job.get_span_context()


def test_the_next_request_of_a_connection_inherits_nothing() -> None:
    """A server that begins a request inside of the one before hands on a context that counts for nothing."""
    seen: list[Mapping[str, object]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(baggage.get_all())
        await replies_with()(scope, receive, send)
        if scope["path"] == "/first":
            tasks.append(asyncio.create_task(_exchange(behind, "/second", "192.0.2.1")))

    tasks: list[asyncio.Task[None]] = []
    traced = Traced(app)
    behind = behind_a_proxy(traced)

    async def main() -> None:
        await _exchange(behind, "/first", TRUSTED)
        await asyncio.gather(*tasks)

    run(main())
    first, second = traced.spans
    assert first.context is not None
    assert second.context is not None
    assert second.parent is None
    assert second.context.trace_id != first.context.trace_id
    assert [dict(found) for found in seen] == [{"tenant": "acme", "user": "ann"}, {}]


async def _exchange(app: ASGIApp, path: str, client: str) -> None:
    await exchange(app, http_scope(path, headers=CARRIED, client=(client, 1)))


@pytest.mark.parametrize("client", ["192.0.2.1", TRUSTED])
@pytest.mark.parametrize(
    "lines",
    [
        [(b"user-agent", b"\xff\\")],
        [(b"user-agent", b"\\N{BULLET}\x00\x1b[2J")],
        [(b"traceparent", b"\xff\\")],
        [CARRIED[0], CARRIED[0]],
        [CARRIED[0], (b"tracestate", b"\xff=" * 2000)],
        [(b"traceparent", b"00-" + b"f" * 10_000)],
        [(b"baggage", b"\xff%zz=%ff;;,==," * 1000)],
        [(b"host", b"\xff\\:99999999999999999999999")],
        [(b"content-length", b"\xb2"), (b"host", b"[::ffff:1.2.3.4.5]")],
    ],
)
def test_a_hostile_header_breaks_nothing(lines: list[tuple[bytes, bytes]], client: str) -> None:
    """Whatever bytes a client sends, the request is served, and there is a span of it."""
    traced = Traced(replies_with(), Tracing(request_headers=("user-agent", "host", "baggage")))
    reply = call(behind_a_proxy(traced), http_scope(headers=lines, client=(client, 1)))
    assert reply.status == 200
    assert traced.span.to_json()


@pytest.mark.parametrize("path", ["/\udcff", "/\x00\x1b", "/" + "é" * 10_000])
def test_a_hostile_path_fits_an_exporter(path: str) -> None:
    """What cannot be encoded would cost a whole batch of spans, so it is written in another way."""
    traced = Traced(replies_with())
    call(traced.app, http_scope(path, raw_path=b"/", method="B\udcff"))
    attributes = traced.span.attributes or {}
    for name in ("url.path", "http.request.method_original"):
        assert str(attributes[name]).encode()
        assert len(str(attributes[name])) <= 5000


def test_an_unsampled_span_around_the_app_is_not_doubled() -> None:
    """Whoever began a trace that is not sampled measures the request too."""
    traced = Traced(replies_with())
    identity = trace.SpanContext(0xA, 0xB, is_remote=False, trace_flags=trace.TraceFlags(0))
    token = attach(set_span_in_context(trace.NonRecordingSpan(identity)))
    try:
        call(traced.app)
    finally:
        detach(token)
    assert (traced.spans, traced.points) == ((), [])
