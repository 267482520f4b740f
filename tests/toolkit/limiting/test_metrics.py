"""Metrics of quotas and of their store, as a real SDK records them."""

from __future__ import annotations

import asyncio
import gc
import io
import subprocess
import sys
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, NumberDataPoint

from garrison import RateLimit, RateLimitMiddleware
from garrison.events import event_log
from garrison.limiting.metrics import LimiterMetrics
from tests.integration.lifespan import alive, plain
from tests.ports import free_port
from tests.toolkit.driver import call, exchange, handshake, http_scope, websocket_scope
from tests.toolkit.ratelimit.servers import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.metrics import Histogram, Meter

    from garrison.asgi import ASGIApp, Receive, Scope, Send

REQUESTS = "garrison.rate_limit.requests"
DURATION = "garrison.rate_limit.store.duration"
FAILING = "garrison.rate_limit.store.failing"
OPENED = "garrison.rate_limit.store.opened"
BYPASSED = "garrison.rate_limit.store.bypassed"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A Valkey server."""
    with Server() as running:
        yield running


class Measured:
    """An SDK of its own, and layers that report to it."""

    def __init__(self) -> None:
        self.reader = InMemoryMetricReader()
        self.provider = MeterProvider([self.reader])

    def layer(self, app: ASGIApp = plain, **fields: Any) -> RateLimitMiddleware:
        """A layer whose events nobody reads."""
        return RateLimitMiddleware(
            app, RateLimit(**fields), meter_provider=self.provider, log=event_log("json", io.StringIO())
        )

    def points(self) -> dict[str, dict[str, float]]:
        """By metric and outcome what is reported now: a value, or of a histogram how many there were."""
        data = self.reader.get_metrics_data()
        found: dict[str, dict[str, float]] = {}
        for metric in data.resource_metrics[0].scope_metrics[0].metrics if data else ():
            for point in metric.data.data_points:
                (outcome,) = (point.attributes or {}).values() or ("",)
                assert isinstance(point, NumberDataPoint | HistogramDataPoint)
                value = point.value if isinstance(point, NumberDataPoint) else point.count
                found.setdefault(metric.name, {})[str(outcome)] = value
        return found


def requests(measured: Measured) -> list[float]:
    """How many were allowed, refused, blocked and unavailable."""
    found = measured.points()[REQUESTS]
    return [found[name] for name in ("allowed", "refused", "blocked", "unavailable")]


def test_what_becomes_of_requests_is_counted() -> None:
    """Allowed and refused requests are told apart, and those that no quota is about do not count."""
    measured = Measured()
    layer = measured.layer(limits="/api: 3/minute")
    for _ in range(5):
        call(layer, http_scope("/api"))
        call(layer, http_scope("/other"))
    assert requests(measured) == [3, 2, 0, 0]
    assert measured.points().keys() == {REQUESTS}


def test_blocks_and_unavailable_stores_are_outcomes_of_their_own() -> None:
    """Who is blocked, and who gets a 503 because nothing is known, is not counted as refused."""
    measured = Measured()
    layer = measured.layer(limits="1/minute", penalty=60, penalty_after=1)
    for _ in range(5):
        call(layer)
    gone = f"valkey://127.0.0.1:{free_port()}"
    assert call(measured.layer(limits="1/minute", storage=gone, on_storage_error="closed")).status == 503
    assert requests(measured) == [1, 1, 3, 1]


async def listens(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that accepts a WebSocket and takes what comes over it."""
    del scope
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


def test_messages_count_as_requests_do() -> None:
    """Each message over a WebSocket that quotas are about is one."""
    measured = Measured()
    layer = measured.layer(listens, messages="/ws: 2/minute")
    handshake(layer, websocket_scope("/ws"), *[{"type": "websocket.receive", "text": "a"}] * 4)
    assert requests(measured) == [2, 1, 0, 0]


def test_layers_of_one_process_are_summed_and_may_go() -> None:
    """Several layers report as one; one that is gone is not kept alive, and its counts stay."""
    measured = Measured()
    first, second = measured.layer(limits="1/minute"), measured.layer(limits="1/minute")
    for layer in (first, second, second):
        call(layer)
    assert requests(measured) == [2, 1, 0, 0]
    gone = weakref.ref(first)
    del first, layer
    gc.collect()
    assert gone() is None
    call(second)
    assert requests(measured) == [2, 2, 0, 0]


def test_a_shared_store_is_measured(server: Server) -> None:
    """Every decision that asked the store has a duration, in seconds; a refusal that is known asks nobody."""
    server.call("FLUSHALL")
    measured = Measured()
    layer = measured.layer(limits="3/minute", storage=server.url, deadline=2.0)

    async def ask() -> None:
        async with alive(layer):
            for _ in range(6):
                await exchange(layer, http_scope())

    asyncio.run(ask())
    assert requests(measured) == [3, 3, 0, 0]
    assert measured.points()[DURATION] == {"answered": 4}
    data = measured.reader.get_metrics_data()
    assert data is not None
    (histogram,) = [
        metric for metric in data.resource_metrics[0].scope_metrics[0].metrics if metric.name == DURATION
    ]
    (point,) = histogram.data.data_points
    assert isinstance(point, HistogramDataPoint)
    assert histogram.unit == "s"
    assert 0 < point.sum < 2
    assert point.explicit_bounds[0] == 0.0001


def test_a_store_that_fails_and_recovers_is_seen(server: Server) -> None:
    """The gauge is 1 while the store is not asked, and 0 again without anybody's doing."""
    measured = Measured()
    layer = measured.layer(limits="1000/minute", storage=server.url, on_storage_error="open")

    async def fail() -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
        async with alive(layer):
            await exchange(layer, http_scope())
            before = measured.points()
            server.freeze()
            try:
                for _ in range(10):
                    await exchange(layer, http_scope())
                return before, measured.points()
            finally:
                server.thaw()
                async with asyncio.timeout(5):
                    while measured.points()[FAILING][""]:
                        await exchange(layer, http_scope())
                        await asyncio.sleep(0.05)

    before, during = asyncio.run(fail())
    assert (before[FAILING], before[OPENED], before[BYPASSED]) == ({"": 0}, {"": 0}, {"": 0})
    assert before[DURATION] == {"answered": 1}
    failed = during[DURATION]["failed"]
    assert failed >= 1
    assert (during[FAILING], during[OPENED], during[BYPASSED]) == ({"": 1}, {"": 1}, {"": 10 - failed})


def test_a_store_of_two_layers_is_measured_once(server: Server) -> None:
    """The layers before and after authentication share a store, whose decisions are not counted twice."""
    measured = Measured()
    one = measured.layer(
        limits="1000/minute", storage=f"valkey://127.0.0.1:{free_port()}", on_storage_error="open"
    )
    del server
    two = RateLimitMiddleware(
        plain, RateLimit(limits="999/minute"), store=one._limiter.store, meter_provider=measured.provider
    )
    for _ in range(10):
        call(one)
        call(two)
    points = measured.points()
    assert points[FAILING] == {"": 1}
    assert points[OPENED] == {"": 1}
    assert points[DURATION]["failed"] + points[BYPASSED][""] == 20


class Broken(NoOpMeterProvider):
    """An SDK whose histograms raise."""

    def get_meter(self, *words: Any, **more: Any) -> Meter:
        """A meter that makes such histograms."""
        meter = super().get_meter(*words, **more)
        make = meter.create_histogram

        def create_histogram(*words: Any, **more: Any) -> Histogram:
            histogram = make(*words, **more)
            histogram.record = self.fail  # type: ignore[method-assign, assignment]
            return histogram

        meter.create_histogram = create_histogram  # type: ignore[method-assign]
        return meter

    def fail(self, *_: object) -> None:
        """What an SDK must not do."""
        raise RuntimeError("no metrics today")


def test_what_a_provider_raises_does_not_reach_the_request() -> None:
    """A measurement that cannot be made is dropped and counted."""
    gone = f"valkey://127.0.0.1:{free_port()}"
    settings = RateLimit(limits="9/minute", storage=gone)
    layer = RateLimitMiddleware(
        plain, settings, meter_provider=Broken(), log=event_log("json", io.StringIO())
    )
    dropped = LimiterMetrics.dropped
    assert call(layer).status == 200
    assert LimiterMetrics.dropped == dropped + 1


SET_UP_LATER = """
import logging
logging.basicConfig(level="WARNING")
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from garrison import RateLimit, RateLimitMiddleware
from tests.toolkit.driver import call, replies_with
early = RateLimitMiddleware(replies_with(), RateLimit(limits="9/minute"))
reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader]))
late = RateLimitMiddleware(replies_with(), RateLimit(limits="9/minute"))
named = RateLimitMiddleware(
    replies_with(), RateLimit(limits="9/minute"), meter_provider=metrics.get_meter_provider()
)
for layer in (early, late, named):
    call(layer)
(metric,) = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
print(metric.data.data_points[0].value, len(metric.data.data_points))
"""


def test_an_sdk_may_be_set_up_after_the_layers() -> None:
    """Layers made before and after the global provider is set report together, and nobody complains."""
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", SET_UP_LATER],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert (found.stdout, found.stderr) == ("3 4\n", "")
