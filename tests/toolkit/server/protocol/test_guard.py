"""What is counted, how many clients are borne, and what their heads cost."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import ExitStack, suppress
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint

from garrison.events import event_log
from garrison.server.protocol.deadlines import Deadlines
from garrison.server.protocol.flaws import HOSTS, IDLE
from garrison.server.protocol.guard import Guard
from garrison.server_section import Server
from garrison.settings import SettingsError
from tests.own_time import OwnTime
from tests.toolkit.server.protocol.guarded import PARSERS, guarded
from tests.toolkit.server.protocol.shapes import HOST, get, head
from tests.toolkit.server.wire import connected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.toolkit.server.protocol.guarded import Guarded

# A clock of the kernel has ticks of 10 ms.
CPU_SECONDS = 0.05
EACH = 60


def test_refusals_are_counted_by_their_reason() -> None:
    """The metric has every connection that is ended; the log leaves those out that were never used."""
    reader, stream = InMemoryMetricReader(), StringIO()
    loop = asyncio.new_event_loop()
    try:
        guard = Guard(Server(), None, event_log("json", stream), loop, MeterProvider([reader]))
        guard.tell(HOSTS, ("192.0.2.1", 1234))
        guard.tell(HOSTS, None)
        guard.tell(IDLE, None, logged=False)
    finally:
        loop.close()
    data = reader.get_metrics_data()
    assert data is not None
    (metric,) = data.resource_metrics[0].scope_metrics[0].metrics
    assert metric.name == "garrison.server.refusals"
    points = [point for point in metric.data.data_points if isinstance(point, NumberDataPoint)]
    counts = {str((point.attributes or {})["garrison.reason"]): point.value for point in points}
    assert counts == {"host_repeated": 2, "idle": 1}
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert '"network.peer.address":"192.0.2.1","network.peer.port":1234' in lines[0]
    assert '"security_events":["input_validation_fail"]' in lines[0]


def test_each_has_the_same_time() -> None:
    """One timer is enough: who begins first is late first, and who has ended never is."""

    async def late_ones() -> list[tuple[str, int, float]]:
        late: list[tuple[str, int, float]] = []
        loop = asyncio.get_running_loop()
        deadlines: Deadlines[str] = Deadlines(
            loop, 0.1, lambda one: late.append((one, len(deadlines), round(loop.time(), 3)))
        )
        for name in ("first", "ended", "second"):
            deadlines.begin(name)
            await asyncio.sleep(0.02)
        deadlines.begin("first")
        deadlines.end("ended")
        await asyncio.sleep(0.15)
        deadlines.begin("third")
        await asyncio.sleep(0.15)
        return late

    with asyncio.Runner(loop_factory=OwnTime) as runner:
        assert runner.run(late_ones()) == [("first", 1, 0.1), ("second", 0, 0.14), ("third", 0, 0.31)]


@pytest.mark.parametrize(
    "section",
    [{"header_timeout": 0.0}, {"header_bytes": 100}, {"header_lines": 0}, {"keep_alive": 0.0}],
)
def test_bounds_that_let_nothing_through_are_refused(section: dict[str, float]) -> None:
    """A server that answers nobody is a mistake."""
    with pytest.raises(SettingsError):
        Server(**section)  # type: ignore[arg-type]


def pieces(head: bytes, line: bytes, count: int) -> Iterator[bytes]:
    """A head that is larger than anybody holds in one piece."""
    yield head
    while count > 0:
        yield line * min(count, 10_000)
        count -= 10_000


def seconds_for(up: Guarded, sent: Iterator[bytes]) -> float:
    """CPU time that a server takes for a head that it refuses."""
    before = up.settled()
    spent = up.seconds
    with connected(up.port) as connection, suppress(ConnectionError):
        for piece in sent:
            connection.socket.sendall(piece)
    event = up.wait_for("connection.refused", before)
    assert event["reason"] in {"head_size", "head_lines"}
    time.sleep(0.1)
    return up.seconds - spent


@pytest.fixture(scope="module", params=list(PARSERS))
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A server that has answered somebody, on each parser."""
    with guarded(request.param, tmp_path_factory.mktemp("huge")) as up:
        with connected(up.port) as connection:
            connection.socket.sendall(get())
            assert connection.reply().status == 200
        yield up


@pytest.mark.parametrize(
    ("line", "count"), [(b"a" * 1000, 50_000), (b"X-Header: v\r\n", 500_000), (b"a:\r\n", 500_000)]
)
def test_a_huge_head_costs_nothing(server: Guarded, line: bytes, count: int) -> None:
    """50 MB of a header, or 500,000 of them, are refused before they are there."""
    start = head(b"GET / HTTP/1.1", HOST)[:-2] + b"X-Long: "
    held = server.memory
    # The least of several: a neighbour on the machine makes a few of them dearer, and never cheaper.
    assert any(seconds_for(server, pieces(start, line, count)) < CPU_SECONDS for _ in range(5))
    assert server.memory - held < 8 * 1024 * 1024


@pytest.mark.parametrize("parser", list(PARSERS))
def test_many_slow_clients_are_borne(parser: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Slow heads, slow bodies and stalled readers end in their time, and others are served meanwhile."""
    settings = {
        "GARRISON_SERVER_HEADER_TIMEOUT": "1s",
        "GARRISON_TIMEOUTS_BODY_GRACE": "1s",
        "GARRISON_TIMEOUTS_READER": "1s",
    }
    beginnings = (
        get()[:-2],
        head(b"POST /shape HTTP/1.1", HOST, b"Content-Length: 100000", body=b"abc"),
        head(b"GET /stream HTTP/1.1", HOST),
    )
    with guarded(parser, tmp_path_factory.mktemp("many"), **settings) as up, ExitStack() as stack:
        start = time.monotonic()
        for beginning in beginnings * EACH:
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", up.port))
            client.sendall(beginning)
        with connected(up.port) as connection:
            connection.socket.sendall(get())
            assert connection.reply().status == 200
        # Against hanging only.
        while up.connections and time.monotonic() - start < 45:
            time.sleep(0.1)
        assert up.connections == 0
        up.settled()
        events = up.events
        heads = sum(event.get("reason") == "head_timeout" for event in events)
        others = sum(event.get("rejected_by") == "timeouts" for event in events)
        # On a busy machine it can be the test that is late with the heads of the others.
        assert heads >= EACH
        assert others > 0
        assert heads + others == 3 * EACH
