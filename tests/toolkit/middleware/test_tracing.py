"""Spans and metrics by OpenTelemetry's conventions, as a real SDK records them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

import pytest
from opentelemetry import trace
from opentelemetry.metrics import Meter, NoOpHistogram, NoOpMeter, NoOpMeterProvider
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Decision, Sampler, SamplingResult
from opentelemetry.trace import SpanKind, StatusCode
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from garrison import (
    ErrorsMiddleware,
    Proxy,
    RequestIdMiddleware,
    SettingsError,
    Tracing,
    TracingMiddleware,
)
from garrison.conventions import server_attributes
from garrison.events import event_log
from garrison.middleware.proxy import ProxyMiddleware
from tests.toolkit.contract.subjects import sink
from tests.toolkit.driver import call, exchange, http_scope, raises, replies_with, run
from tests.toolkit.middleware.traced import Traced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span
    from opentelemetry.trace import Link, TraceState
    from opentelemetry.util.types import Attributes
    from starlette.requests import Request

    from garrison.asgi import Receive, Scope, Send

REMOTE: Final = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)


def test_one_id_is_in_the_reply_and_the_span() -> None:
    """The id of a reply finds its span; a failure has one made where no layer gave any."""
    failing = ErrorsMiddleware(raises(ValueError()), log=event_log("json", sink()))
    traced = Traced(failing)
    reply = call(RequestIdMiddleware(traced.app, make_id=lambda: "id-1"))
    assert (reply.header("x-request-id"), reply.json["request_id"]) == ("id-1", "id-1")
    assert (traced.span.attributes or {})["garrison.request_id"] == "id-1"
    alone = Traced(failing)
    made = call(alone.app).json["request_id"]
    assert (alone.span.attributes or {})["garrison.request_id"] == made
    nobody = Traced(replies_with())
    call(nobody.app)
    assert "garrison.request_id" not in (nobody.span.attributes or {})


def test_a_request_is_one_server_span_with_the_stable_attributes() -> None:
    """Everything that the conventions require or recommend is there, and nothing else."""
    traced = Traced(replies_with())
    headers = [(b"host", b"shop.example:8443"), (b"user-agent", b"curl/8.0")]
    call(traced.app, http_scope("/a", query=b"q=1&token=x", headers=headers, scheme="https"))
    span = traced.span
    assert (span.name, span.kind, span.status.status_code) == ("GET", SpanKind.SERVER, StatusCode.UNSET)
    assert span.attributes == {
        "http.request.method": "GET",
        "url.path": "/a",
        "url.query": "q=1&token=REDACTED",
        "url.scheme": "https",
        "network.protocol.version": "1.1",
        "client.address": "192.0.2.1",
        "network.peer.address": "192.0.2.1",
        "network.peer.port": 50000,
        "server.address": "shop.example",
        "server.port": 8443,
        "user_agent.original": "curl/8.0",
        "http.response.status_code": 200,
    }
    assert (span.parent, span.links, span.events) == (None, (), ())


def test_each_request_says_whom_it_asks_and_what_it_is() -> None:
    """What is remembered of one client is not told of another, and a header that is not there of none."""
    traced = Traced(replies_with())
    secret = b"token=hunter2"
    for host, agent in [(b"a.example", b"curl/8"), (b"b.example", b"curl/8"), (b"a.example", secret)]:
        call(traced.app, http_scope(headers=[(b"host", host), (b"user-agent", agent)]))
    call(traced.app)
    said = [span.attributes or {} for span in traced.spans]
    assert [(one.get("server.address"), one.get("user_agent.original")) for one in said] == [
        ("a.example", "curl/8"),
        ("b.example", "curl/8"),
        ("a.example", "token=[redacted]"),
        ("shop.example", None),
    ]


def test_a_query_is_masked_up_to_a_bound() -> None:
    """Masking takes time in proportion, and this layer sees a query before any other has bounded it."""
    traced = Traced(replies_with())
    call(traced.app, http_scope("/", query=b"q=1&" * 20_000))
    assert len(str((traced.span.attributes or {})["url.query"])) == 4096


@pytest.mark.parametrize(
    ("host", "scheme", "address", "port"),
    [
        (b"shop.example", "https", "shop.example", None),
        (b"Shop.Example:443", "https", "shop.example", 443),
        (b"shop.example:443", "http", "shop.example", 443),
        (b"[2001:DB8::1]:8000", "http", "2001:db8::1", 8000),
        (b"[2001:db8::1]", "http", "2001:db8::1", None),
        (b"shop.example:0", "http", "shop.example", None),
        (b"shop.example:99999", "http", "shop.example", None),
        (b"shop.example:\xb2", "http", None, None),
        (b"evil\\\xff", "http", None, None),
        (b"", "http", None, None),
    ],
)
def test_the_server_is_the_one_that_was_asked_for(
    host: bytes, scheme: str, address: str | None, port: int | None
) -> None:
    """Address and port come from the Host header, and nothing from one that is malformed."""
    traced = Traced(replies_with())
    call(traced.app, http_scope(headers=[(b"host", host)], scheme=scheme))
    attributes = traced.span.attributes or {}
    assert (attributes.get("server.address"), attributes.get("server.port")) == (address, port)


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [(200, None, StatusCode.UNSET), (404, None, StatusCode.UNSET), (503, "503", StatusCode.ERROR)],
)
def test_only_server_errors_are_errors(status: int, error: str | None, code: StatusCode) -> None:
    """A 4xx is the client's affair; a 5xx has its status as `error.type`, in span and metric."""
    traced = Traced(replies_with(status))
    call(traced.app)
    attributes = traced.span.attributes or {}
    assert (attributes["http.response.status_code"], attributes.get("error.type")) == (status, error)
    assert (traced.span.status.status_code, traced.span.status.description) == (code, None)
    assert (traced.points[0].attributes or {}).get("error.type") == error


def test_an_exception_is_named_and_not_told() -> None:
    """`error.type` is the exception's class; its words, which may hold anything, are in no span."""
    traced = Traced(raises(LookupError("password=hunter2")))
    with pytest.raises(LookupError):
        call(traced.app)
    attributes = traced.span.attributes or {}
    assert attributes["error.type"] == "LookupError"
    assert "http.response.status_code" not in attributes
    assert "hunter2" not in traced.span.to_json()
    assert (traced.points[0].attributes or {})["error.type"] == "LookupError"


def test_a_method_that_nobody_knows_is_other() -> None:
    """An attacker's method does not become a span name or a metric's attribute."""
    traced = Traced(replies_with())
    for method in ("EVIL", "get"):
        call(traced.app, http_scope(method=method))
    attributes = traced.spans[0].attributes or {}
    assert traced.spans[0].name == "HTTP"
    assert (attributes["http.request.method"], attributes["http.request.method_original"]) == (
        "_OTHER",
        "EVIL",
    )
    assert [(point.attributes or {})["http.request.method"] for point in traced.points] == ["_OTHER"]


def test_a_strangers_trace_is_a_link_and_a_trusted_one_the_parent() -> None:
    """Only a trusted hop's `traceparent` continues; a stranger's is kept as a link on a new root."""
    traced = Traced(replies_with())
    app = ProxyMiddleware(traced.app, Proxy(trusted=(ip_network("10.0.0.1"),)))
    headers = [(b"traceparent", REMOTE), (b"tracestate", b"vendor=1")]
    for client in ("192.0.2.1", "10.0.0.1"):
        call(app, http_scope(headers=headers, client=(client, 1)))
    stranger, trusted = traced.spans
    assert (stranger.parent, [link.context.span_id for link in stranger.links]) == (
        None,
        [0xB7AD6B7169203331],
    )
    assert stranger.context is not None
    assert stranger.context.trace_id != 0x0AF7651916CD43DD8448EB211C80319C
    assert trusted.parent is not None
    assert (trusted.parent.span_id, trusted.parent.is_remote) == (0xB7AD6B7169203331, True)
    assert trusted.parent.trace_state["vendor"] == "1"
    assert trusted.links == ()


def test_anybodys_trace_continues_where_the_settings_say_so() -> None:
    """`always` makes every caller a parent; no other word is known."""
    traced = Traced(replies_with(), Tracing(continue_="always"))
    call(traced.app, http_scope(headers=[(b"traceparent", REMOTE)]))
    assert traced.span.parent is not None
    with pytest.raises(SettingsError, match="one of trusted, always"):
        Tracing(continue_="never")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value", [b"", b"00-0-0-00", b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01", b"\xff\\"]
)
def test_a_broken_traceparent_is_nothing(value: bytes) -> None:
    """What is no trace leaves neither parent nor link."""
    for settings in (Tracing(), Tracing(continue_="always")):
        traced = Traced(replies_with(), settings)
        call(traced.app, http_scope(headers=[(b"traceparent", value)]))
        assert (traced.span.parent, traced.span.links) == (None, ())


def test_the_histogram_has_the_conventions_buckets() -> None:
    """The duration is that of the reply, in seconds, in the recommended buckets."""
    times = iter([0.0, 0.03])
    traced = Traced(replies_with(), clock=lambda: next(times))
    call(traced.app, http_scope("/a"))
    (point,) = traced.points
    assert tuple(point.explicit_bounds) == BUCKETS
    assert (point.count, point.sum) == (1, 0.03)
    assert point.bucket_counts[3] == 1
    assert point.attributes == {
        "http.request.method": "GET",
        "url.scheme": "http",
        "network.protocol.version": "1.1",
        "http.response.status_code": 200,
    }


def test_spans_of_the_app_are_children() -> None:
    """What the app traces itself belongs to the request's span, and nothing is current afterwards."""
    traced = Traced(replies_with())
    before = trace.get_current_span()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        current = trace.get_current_span().get_span_context()
        assert trace.format_trace_id(current.trace_id) == scope["garrison"].trace_id
        assert trace.format_span_id(current.span_id) == scope["garrison"].span_id
        await replies_with()(scope, receive, send)

    traced = Traced(app)

    async def main() -> None:
        await exchange(traced.app, http_scope())
        assert trace.get_current_span() is before

    run(main())
    assert len(traced.spans) == 1


def test_a_background_task_is_not_in_the_duration() -> None:
    """Span and metric end with the last byte of the reply."""
    ended: list[int] = []

    async def background() -> None:
        await asyncio.sleep(0)
        ended.append(len(traced.spans))

    async def handler(request: Request) -> Response:
        return PlainTextResponse("ok", background=BackgroundTask(background))

    traced = Traced(Starlette(routes=[Route("/", handler)]))
    call(traced.app)
    assert (ended, traced.points[0].count) == ([1], 1)


def test_interleaved_requests_have_spans_of_their_own() -> None:
    """A hundred requests at once are a hundred spans, each with its own path and status."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        await replies_with(200 + int(scope["path"][1:]))(scope, receive, send)

    traced = Traced(app)

    async def main() -> None:
        await asyncio.gather(*(exchange(traced.app, http_scope(f"/{number}")) for number in range(100)))

    run(main())
    attributes = [span.attributes or {} for span in traced.spans]
    assert {(found["url.path"], found["http.response.status_code"]) for found in attributes} == {
        (f"/{number}", 200 + number) for number in range(100)
    }


def test_a_request_that_is_not_sampled_is_still_measured() -> None:
    """Sampling drops the span and not the metric, and the trace id is known all the same."""
    traced = Traced(replies_with(), sampler=ALWAYS_OFF)
    call(traced.app)
    assert (traced.spans, traced.points[0].count) == ((), 1)


class BrokenProcessor(SpanProcessor):
    """A processor that fails at the start or at the end."""

    def __init__(self, *, at_start: bool) -> None:
        self.at_start = at_start

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Fail, or not."""
        if self.at_start:
            raise RuntimeError

    def on_end(self, span: ReadableSpan) -> None:
        """Fail."""
        raise RuntimeError


@pytest.mark.parametrize("at_start", [True, False])
def test_a_broken_sdk_breaks_no_request(*, at_start: bool) -> None:
    """When a span cannot be made or ended, the request is served and the loss is counted."""
    provider = TracerProvider()
    provider.add_span_processor(BrokenProcessor(at_start=at_start))
    before = TracingMiddleware.dropped
    assert call(TracingMiddleware(replies_with(), tracer_provider=provider)).status == 200
    assert TracingMiddleware.dropped == before + 1


class BrokenHistogram(NoOpHistogram):
    """An instrument that fails."""

    def record(self, *_: object, **__: object) -> None:
        """Fail."""
        raise RuntimeError


class BrokenMeters(NoOpMeterProvider):
    """A meter provider of nobody's that the API knows, whose histograms fail."""

    def get_meter(self, *_: object, **__: object) -> Meter:
        """A meter of such."""
        meter = NoOpMeter("broken")
        meter.create_histogram = lambda *_, **__: BrokenHistogram("broken")  # type: ignore[method-assign]
        return meter


def test_a_broken_metric_costs_no_span() -> None:
    """What cannot be measured is counted, and the span ends all the same."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    before = TracingMiddleware.dropped
    app = TracingMiddleware(replies_with(), tracer_provider=provider, meter_provider=BrokenMeters())
    assert call(app).status == 200
    assert (len(exporter.get_finished_spans()), TracingMiddleware.dropped) == (1, before + 1)


class OnlyFirst(Sampler):
    """Samples the first trace and no other, without a look at what is known of it."""

    def __init__(self) -> None:
        self.decisions = [Decision.RECORD_AND_SAMPLE]

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Decide."""
        return SamplingResult(self.decisions.pop() if self.decisions else Decision.DROP, attributes)

    def get_description(self) -> str:
        """Say what this is."""
        return "OnlyFirst"


def test_a_trace_that_is_not_sampled_ends_the_building_of_attributes() -> None:
    """Where spans are recorded their attributes are built at once, until one is not."""
    traced = Traced(replies_with(), sampler=OnlyFirst())
    call(traced.app, http_scope("/first"))
    call(traced.app, http_scope("/second"))
    before = server_attributes.cache_info().misses
    call(traced.app, http_scope(headers=[(b"host", b"never-seen-either.example")]))
    assert server_attributes.cache_info().misses == before
    assert (traced.span.attributes or {})["url.path"] == "/first"


def test_no_attribute_is_built_for_a_tracer_that_records_nothing() -> None:
    """A trace that is not sampled costs no look at the request."""
    traced = Traced(replies_with(), sampler=ALWAYS_OFF)
    before = server_attributes.cache_info().misses
    call(traced.app, http_scope(headers=[(b"host", b"never-seen-before.example")]))
    assert server_attributes.cache_info().misses == before


def test_without_an_sdk_nothing_is_traced() -> None:
    """The bare API records nothing, yet a trusted caller's trace id is known to the log."""
    contexts = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        contexts.append(scope["garrison"])
        await replies_with()(scope, receive, send)

    layer = TracingMiddleware(app, Tracing(continue_="always"))
    call(layer)
    call(layer, http_scope(headers=[(b"traceparent", REMOTE)]))
    assert [context.trace_id for context in contexts] == [None, REMOTE.split(b"-")[1].decode()]


GLOBAL_SDK: Final = """
import asyncio, sys
from garrison import TracingMiddleware
from tests.toolkit.driver import accepts, call, replies_with
app = TracingMiddleware(replies_with(), clock=iter(range(100)).__next__)
assert "opentelemetry.sdk" not in sys.modules
call(app)
from opentelemetry import trace
from opentelemetry.metrics import Meter, NoOpHistogram, NoOpMeter, NoOpMeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
call(app)
print(len(exporter.get_finished_spans()))
"""


def test_an_sdk_that_is_set_up_later_is_found() -> None:
    """An app that configures OpenTelemetry while it starts, after it was hardened, is traced."""
    result = subprocess.run(
        [sys.executable, "-c", GLOBAL_SDK],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert (result.returncode, result.stdout) == (0, "1\n"), result.stderr
