"""One hardened app serves in several event loops, and in workers that were forked after it was imported."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.lifespan import alive
from tests.integration.preloaded import LIMIT, WORKERS, burst, limited
from tests.toolkit.ratelimit.servers import SECONDS, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
REQUESTS = 1000
# In each event loop; see `garrison.ratelimit.valkey`.
CONNECTIONS = 2


@pytest.fixture
def server() -> Iterator[Server]:
    """A Valkey that nobody else is connected to."""
    with Server() as found:
        yield found


@pytest.mark.parametrize("loops", [1, 2, 4])
def test_loops_share_an_app_and_not_a_connection(server: Server, loops: int) -> None:
    """A thousand requests at once in some threads are decided exactly, by two connections each at most."""
    app = limited(server.url)
    asked = threading.Barrier(loops + 1, timeout=SECONDS)

    async def ask() -> Counter[int]:
        async with alive(app):
            found = await burst(app, REQUESTS // loops)
            for _ in ("all were asked", "connections were counted"):
                await asyncio.to_thread(asked.wait)
            return found

    with ThreadPoolExecutor(loops) as threads:
        running = [threads.submit(asyncio.run, ask()) for _ in range(loops)]
        asked.wait()
        connections = server.connections()
        asked.wait()
        found = sum((one.result() for one in running), Counter[int]())
    assert found == {200: LIMIT, 429: REQUESTS - LIMIT}
    assert 1 <= connections <= loops * CONNECTIONS
    assert server.connections() == 0


def test_workers_that_were_forked_have_connections_of_their_own(server: Server) -> None:
    """A thousand requests at once, at workers of an app that was imported and asked before, fail nowhere."""
    command = [sys.executable, "-m", "tests.integration.preloaded", server.url, str(REQUESTS)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as preloaded:
        try:
            assert preloaded.stdout is not None
            counts = [list(map(int, preloaded.stdout.readline().split())) for _ in range(WORKERS)]
            connections = server.connections()
            preloaded.communicate("end\n", timeout=SECONDS)
        finally:
            preloaded.kill()
    assert [sum(column) for column in zip(*counts, strict=True)] == [LIMIT, REQUESTS - LIMIT, 0]
    # What was open before the fork still is.
    assert WORKERS <= connections <= (1 + WORKERS) * CONNECTIONS
    assert preloaded.returncode == 0
