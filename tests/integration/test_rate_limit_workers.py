"""The workers of one `garrison run` share a quota exactly, whatever comes at the same moment."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.keepalive import clients
from tests.toolkit.ratelimit.servers import Server
from tests.toolkit.server.conftest import running, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

SITES = Path(__file__).parent / "sites"
WORKERS = 4
REQUESTS = 2000
LIMIT, PERIOD = 100, 60.0
# In a sample ten requests wait in each connection, behind one another; the proof has a connection for each.
CONNECTIONS = REQUESTS if os.environ.get("PROOF") == "1" else 200


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A Valkey for all tests of this module."""
    with Server() as found:
        yield found


@contextmanager
def site(logs: Path, server: Server, **fields: str) -> Iterator[int]:
    """The port of a `garrison run` whose workers all serve, with a quota on one path.

    A store that does not answer is a 503, so that no other count than the shared one can let anybody in.
    """
    server.call("FLUSHALL")
    settings = {"LIMITS": "/limited: 100/minute", "STORAGE": server.url, "ON_STORAGE_ERROR": "closed"}
    environ = {f"GARRISON_RATE_LIMIT_{name}": text for name, text in {**settings, **fields}.items()}
    words = ("worker_site:app", "--workers", str(WORKERS))
    with running(logs, *words, directory=SITES, **environ) as up:
        wait_for(lambda: up.stderr.count("Application startup complete.") == WORKERS)
        yield up.port


class Burst:
    """All requests of one client behind a proxy, from so many connections at the same moment.

    Attributes:
        statuses: how many replies had which.
        pids: of the workers that took part; which of them accepts a connection is up to the kernel.
        seconds: from the first request to the last reply.
    """

    def __init__(self, port: int, connections: int, client: str = "198.51.100.1") -> None:
        self.statuses: Counter[int] = Counter()
        self.pids: set[str] = set()
        self.seconds = 0.0
        asyncio.run(self._ask(port, connections, f"X-Forwarded-For: {client}"))

    async def _ask(self, port: int, connections: int, line: str) -> None:
        async with clients(port, connections) as crowd:
            # Every connection has been accepted when the burst begins.
            for one in crowd:
                self.pids.update(answer.body for answer in await one.ask())
            found = await asyncio.gather(
                *(one.ask("/limited", line, count=REQUESTS // connections) for one in crowd)
            )
        answers = [answer for several in found for answer in several]
        self.statuses.update(answer.status for answer in answers)
        self.seconds = max(one.ended for one in answers) - min(one.began for one in answers)


@pytest.mark.parametrize("algorithm", ["token-bucket", "sliding-window", "fixed-window"])
def test_four_workers_serve_exactly_the_quota(tmp_path: Path, server: Server, algorithm: str) -> None:
    """Of 2,000 requests, all of them sent before the first reply is read, 100 pass, plus what refills."""
    with site(tmp_path, server, ALGORITHM=algorithm, DEADLINE="2s") as port:
        found = Burst(port, CONNECTIONS)
    refilled = int(found.seconds * LIMIT / PERIOD) if algorithm == "token-bucket" else 0
    assert found.statuses.keys() == {200, 429}
    assert LIMIT <= found.statuses[200] <= LIMIT + refilled
    assert len(found.pids) > 1
    assert server.immortal() == []


def test_the_deadline_that_is_the_default_is_long_enough(tmp_path: Path, server: Server) -> None:
    """Of 2,000 requests, 100 of them at any moment, none misses the default deadline and 100 pass."""
    with site(tmp_path, server, ALGORITHM="fixed-window") as port:
        # A machine that is busy with other things may hold any of these processes up for longer than that.
        tries = (Burst(port, 100, f"198.51.100.{number}").statuses for number in range(4))
        assert any(statuses == {200: LIMIT, 429: REQUESTS - LIMIT} for statuses in tries)
