"""Restarts, one instance after the other, behind a balancer that follows readiness: nobody notices."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import pytest

from tests.hostile.servers import ROOT
from tests.integration.balancer import Balancer, read_reply
from tests.ports import free_port
from tests.toolkit.server.conftest import environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PROOF: Final = os.environ.get("PROOF") == "1"
RESTARTS: Final = 50 if PROOF else 2
RATE: Final = 200

APP: Final = "tests.integration.sites.draining_site:app"
SETTINGS: Final = {
    "GARRISON_SERVER_DRAIN_DELAY": "1s",
    "GARRISON_SERVER_GRACE": "8s",
    "GARRISON_SERVER_KEEP_ALIVE": "1s",
    "GARRISON_ACCESS_LOG": "off",
}


class Instance:
    """A `garrison run` on a port that it keeps across restarts.

    Args:
        workers: how many processes serve.
        log: where it writes.
    """

    def __init__(self, workers: int, log: Path) -> None:
        self.port = free_port()
        self._workers = workers
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, without waiting until it is ready."""
        words = ["run", APP, "--port", str(self.port), "--workers", str(self._workers)]
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "garrison", *words,
                cwd=ROOT, env=environment(SETTINGS), stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    async def stop(self) -> int:
        """Send SIGTERM, and wait for its exit status."""
        assert self._process is not None
        self._process.terminate()
        async with asyncio.timeout(20):
            return await self._process.wait()

    async def kill(self) -> None:
        """Leave nothing behind."""
        if self._process is not None and self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()


class Load:
    """Requests at a constant rate, whatever becomes of them, on connections that are kept.

    Args:
        port: of the balancer.

    Attributes:
        sent: how many were sent.
        wrong: what came back other than the app's own reply.
    """

    def __init__(self, port: int) -> None:
        self.sent = 0
        self.wrong: list[str] = []
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def run(self, over: asyncio.Event) -> None:
        """Send requests until told that it is over, and wait for all replies."""
        async with asyncio.TaskGroup() as group:
            began = time.monotonic()
            while not over.is_set():
                group.create_task(self._ask())
                self.sent += 1
                await asyncio.sleep(max(0.0, began + self.sent / RATE - time.monotonic()))
        for _, writer in self._idle:
            writer.close()

    async def _ask(self) -> None:
        if self._idle:
            reader, writer = self._idle.pop()
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(b"GET /item HTTP/1.1\r\nhost: shop.example\r\n\r\n")
            reply, closes = await read_reply(reader)
        except (OSError, asyncio.IncompleteReadError) as error:
            self.wrong.append(repr(error))
            writer.close()
            return
        if not reply.startswith(b"HTTP/1.1 200 ") or not reply.endswith(b"whole."):
            self.wrong.append(reply.decode())
        if closes:
            # What a server says to its balancer comes through here as it is.
            writer.close()
        else:
            self._idle.append((reader, writer))


@asynccontextmanager
async def two_instances(workers: int, logs: Path) -> AsyncIterator[list[Instance]]:
    """Two of them that were started, gone at the end."""
    instances = [Instance(workers, logs / f"{name}.log") for name in ("one", "two")]
    try:
        for instance in instances:
            await instance.start()
        yield instances
    finally:
        for instance in instances:
            await instance.kill()


@asynccontextmanager
async def balanced(instances: list[Instance]) -> AsyncIterator[tuple[Balancer, int]]:
    """A balancer in front of them, and its port."""
    balancer = Balancer([instance.port for instance in instances])
    watching = asyncio.create_task(balancer.watch())
    server = await asyncio.start_server(balancer.serve, "127.0.0.1", 0)
    try:
        yield balancer, server.sockets[0].getsockname()[1]
    finally:
        watching.cancel()
        server.close()
        balancer.close()


async def ready(balancer: Balancer) -> None:
    """Wait until all are."""
    async with asyncio.timeout(30):
        for backend in balancer.backends:
            await backend.becomes(ready=True)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("workers", [1, 2])
def test_rolling_restarts_lose_nothing(workers: int, tmp_path: Path) -> None:
    """At 200 requests a second, with kept connections and no second try: no error, no request lost."""

    async def main() -> None:
        async with two_instances(workers, tmp_path) as instances, balanced(instances) as (balancer, port):
            await ready(balancer)
            load, over = Load(port), asyncio.Event()
            running = asyncio.create_task(load.run(over))
            for turn in range(RESTARTS):
                instance, backend = instances[turn % 2], balancer.backends[turn % 2]
                assert await instance.stop() == 0
                before = backend.answered
                await instance.start()
                await ready(balancer)
                async with asyncio.timeout(30):  # until it has its share of the load again
                    await backend.answers(before + 1)
            over.set()
            await running
            assert load.wrong == [], f"{len(load.wrong)} of {load.sent}"

    asyncio.run(main())
