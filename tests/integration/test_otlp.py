"""Spans and metrics on their way to a collector: a real SDK, a real exporter, real HTTP."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.integration.collector import Collector, attributes, collecting
from tests.toolkit.server import conftest
from tests.toolkit.server.conftest import Running, running, wait_for
from tests.toolkit.server.wire import ask

if TYPE_CHECKING:
    from collections.abc import Iterator

SITES: Final = Path(__file__).parent / "sites"
INSTRUMENT: Final = str(Path(sys.executable).with_name("opentelemetry-instrument"))
TRACE_ID: Final = "0af7651916cd43dd8448eb211c80319c"
DURATION: Final = "http.server.request.duration"


@pytest.fixture(scope="module", params=["starlette", "fastapi", "litestar", "bare"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Running, Collector]]:
    """The site of one framework behind `opentelemetry-instrument garrison run`, and where it exports to."""
    with collecting() as collector, pytest.MonkeyPatch.context() as patch:
        patch.setattr(conftest, "GARRISON", (INSTRUMENT, *conftest.GARRISON))
        logs = tmp_path_factory.mktemp(request.param)
        app = f"{request.param}_site:app"
        with running(logs, app, directory=SITES, **collector.environ) as up:
            yield up, collector


def arrived(collector: Collector, path: str) -> tuple[str, Span]:
    """The one server span of a path, once it has arrived, and who made it."""

    def found() -> list[tuple[str, Span]]:
        return [
            (maker, span)
            for maker, span in collector.spans
            if span.kind == Span.SPAN_KIND_SERVER and attributes(span.attributes)["url.path"] == path
        ]

    wait_for(found)
    ((maker, span),) = found()
    return maker, span


def test_a_span_arrives_and_is_in_the_log(site: tuple[Running, Collector]) -> None:
    """One request is one server span, with the conventions' attributes, under the ids of its log line."""
    up, collector = site
    identity = ask(up.port, "/items/7000?sig=hunter2", "User-Agent: curl/8.0")["x-request-id"]
    maker, span = arrived(collector, "/items/7000")
    found = attributes(span.attributes)
    assert maker == "garrison"
    assert span.name.startswith("GET")
    assert found["http.response.status_code"] == 200
    assert found["url.query"] == "sig=REDACTED"
    assert found["user_agent.original"] == "curl/8.0"
    wait_for(lambda: identity in up.stdout)
    (event,) = [event for event in up.events if event.get("request_id") == identity]
    assert (event["trace_id"], event["span_id"]) == (span.trace_id.hex(), span.span_id.hex())
    assert event.get("http.route") == found.get("http.route")


def test_the_trace_of_a_proxy_is_continued(site: tuple[Running, Collector]) -> None:
    """What this machine forwards has its parent, and what a stranger says is a link."""
    up, collector = site
    line = f"traceparent: 00-{TRACE_ID}-b7ad6b7169203331-01"
    ask(up.port, "/nowhere/trusted", line)
    ask(up.port, "/nowhere/stranger", line, source="127.0.0.9")
    _, trusted = arrived(collector, "/nowhere/trusted")
    assert (trusted.trace_id.hex(), trusted.parent_span_id.hex()) == (TRACE_ID, "b7ad6b7169203331")
    _, stranger = arrived(collector, "/nowhere/stranger")
    assert stranger.trace_id.hex() != TRACE_ID
    assert stranger.parent_span_id == b""
    assert [link.trace_id.hex() for link in stranger.links] == [TRACE_ID]


def test_a_failure_is_an_error_without_its_words(site: tuple[Running, Collector]) -> None:
    """The class of the exception arrives, and what it says does not."""
    up, collector = site
    assert ask(up.port, "/boom").status == 500
    _, span = arrived(collector, "/boom")
    assert attributes(span.attributes)["error.type"] == "RuntimeError"
    assert (span.status.code, span.status.message) == (Status.STATUS_CODE_ERROR, "")


def test_the_histogram_arrives(site: tuple[Running, Collector]) -> None:
    """Every request is in one duration histogram, with the conventions' buckets, and in nobody else's."""
    up, collector = site
    ask(up.port, "/items/8")

    def counted() -> int:
        metric = collector.metrics.get(("garrison", DURATION))
        points = [] if metric is None else metric.histogram.data_points
        return sum(point.count for point in points if point.attributes)

    wait_for(counted)
    metric = collector.metrics["garrison", DURATION]
    assert metric.unit == "s"
    assert tuple(metric.histogram.data_points[0].explicit_bounds)[:3] == (0.005, 0.01, 0.025)
    others = {name for name in collector.metrics if name[1].startswith("http.server.")}
    assert others == {("garrison", DURATION)}


@pytest.mark.parametrize("line", ["User-Agent: \xff\\", "traceparent: \xff\\", "baggage: \xff%\\=\xff"])
def test_bytes_that_no_decoder_takes_break_nothing(site: tuple[Running, Collector], line: str) -> None:
    """A header that makes other instrumentations answer with a 500 is served, from a proxy and a stranger."""
    up, _ = site
    for source in ("127.0.0.1", "127.0.0.9"):
        assert ask(up.port, "/items/7", line, source=source).status == 200


def test_every_request_has_one_server_span(site: tuple[Running, Collector]) -> None:
    """Nothing that is instrumented further in has made a span of its own."""
    up, collector = site
    before = len(collector.spans)
    for number in range(5):
        ask(up.port, f"/items/{100 + number}")
    wait_for(lambda: len(collector.spans) >= before + 5)
    assert {maker for maker, _ in collector.spans} == {"garrison"}


@pytest.mark.slow
def test_every_worker_exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`opentelemetry-instrument` reaches the processes of `--workers`, and each request has one span."""
    monkeypatch.setattr(conftest, "GARRISON", (INSTRUMENT, *conftest.GARRISON))
    words = ("starlette_site:app", "--workers", "2")
    with collecting() as collector, running(tmp_path, *words, directory=SITES, **collector.environ) as up:
        for number in range(8):
            ask(up.port, f"/items/{number}")
        wait_for(lambda: len(collector.spans) >= 8)
        assert [maker for maker, _ in collector.spans] == ["garrison"] * 8
