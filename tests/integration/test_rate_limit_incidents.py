"""What happens to the storage of quotas in the middle of load does not happen to those who ask."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.integration.keepalive import clients
from tests.integration.test_rate_limit_workers import SITES
from tests.toolkit.ratelimit.servers import SECONDS, Server, wait_until
from tests.toolkit.server.conftest import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.keepalive import Answer, Client
    from tests.toolkit.server.conftest import Running

CONNECTIONS = 16
ROUNDS = 5 if os.environ.get("PROOF") == "1" else 1
DEADLINE = 0.1
HELD = 2.0  # seconds that the server stays frozen once that was noticed
MACHINE = 1.0  # seconds before the thaw: who asks later than that may still wait for a busy machine


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A Valkey to be broken, and well again after each incident."""
    with Server() as found:
        yield found


class Load:
    """Connections that ask without a break, each request for one of 250 clients behind a proxy.

    Attributes:
        answers: all that came.
        hung_up: how often the server ended a connection.
    """

    def __init__(self, port: int) -> None:
        self.answers: list[Answer] = []
        self.hung_up = 0
        self._port = port
        self._over = False

    async def during(self, incidents: Callable[[], None]) -> None:
        """Ask until what happens in a thread beside it has happened."""
        async with clients(self._port, CONNECTIONS, SECONDS * ROUNDS) as crowd:
            asking = [asyncio.create_task(self._ask(number, one)) for number, one in enumerate(crowd)]
            try:
                await asyncio.to_thread(incidents)
            finally:
                self._over = True
                await asyncio.gather(*asking)

    async def _ask(self, number: int, one: Client) -> None:
        turn = number
        while not self._over:
            turn += 1
            try:
                self.answers += await one.ask("/", f"X-Forwarded-For: 198.51.100.{turn % 250}")
            except (OSError, asyncio.IncompleteReadError):
                self.hung_up += 1
                return
            await asyncio.sleep(0.002)


class Incidents:
    """What happens to the server, while a site is asked.

    Attributes:
        outages: from when until when, in seconds of `time.monotonic`, the server did not answer or was not
            known to answer again.
        frozen: from when until when it was frozen.
    """

    def __init__(self, up: Running, server: Server) -> None:
        self.outages: list[tuple[float, float]] = []
        self.frozen: list[tuple[float, float]] = []
        self._up = up
        self._server = server

    def told(self) -> list[str]:
        """The states of the storage that were logged so far."""
        return [event["state"] for event in self._up.events if event["event"] == "rate_limit_store"]

    def happen(self) -> None:
        """Flush the scripts, freeze and thaw, kill and start; each time it must count again."""
        for _ in range(ROUNDS):
            self._counts()
            self._server.call("SCRIPT", "FLUSH")
            self._counts()
            with self._outage():
                self._server.freeze()
                began = time.monotonic()
                self._is_told("failing")
                time.sleep(HELD)
                self.frozen.append((began, time.monotonic()))
                self._server.thaw()
            self._counts()
            with self._outage():
                self._server.kill()
                self._is_told("failing")
                time.sleep(DEADLINE)
                self._server.start()
            self._counts()

    @contextmanager
    def _outage(self) -> Iterator[None]:
        began = time.monotonic()
        yield
        self._is_told("answering")
        self.outages.append((began, time.monotonic()))

    def _is_told(self, state: str) -> None:
        times = len(self.outages) + 1
        wait_until(lambda: self.told().count(state) == times)

    def _counts(self) -> None:
        """Clients are counted at the server, from nothing, and each of its keys ends."""
        self._server.call("FLUSHDB")
        wait_until(lambda: self._server.call("DBSIZE") > CONNECTIONS)
        assert self._server.immortal() == []


@pytest.mark.timeout(60 * ROUNDS)
@pytest.mark.parametrize(("on_error", "refusals"), [("memory", set()), ("open", set()), ("closed", {503})])
def test_a_storage_that_breaks_costs_nobody_a_reply(
    tmp_path: Path, server: Server, on_error: str, refusals: set[int]
) -> None:
    """Flushed, frozen or killed, it holds up no reply, and makes none a 503 unless the settings ask for that.

    Afterwards clients are counted there again, and each change is one event.
    """
    fields = {
        "LIMITS": "100000/minute",
        "STORAGE": server.url,
        "ON_STORAGE_ERROR": on_error,
        "DEADLINE": "100ms",
    }
    environ = {f"GARRISON_RATE_LIMIT_{name}": text for name, text in fields.items()}
    with running(tmp_path, "worker_site:app", directory=SITES, **environ) as up:
        load, incidents = Load(up.port), Incidents(up, server)
        asyncio.run(load.during(incidents.happen))
    assert load.hung_up == 0
    assert {answer.status for answer in load.answers} == {200} | refusals
    assert incidents.told() == ["failing", "answering"] * 2 * ROUNDS
    for frozen, thawed in incidents.frozen:
        asked = [answer for answer in load.answers if frozen < answer.began < thawed - MACHINE]
        assert len(asked) > CONNECTIONS
        assert [answer for answer in asked if answer.ended >= thawed] == []
    for answer in load.answers:
        if answer.status == 503:
            assert "#temporary-reduced-capacity" in answer.body
            assert any(began <= answer.ended and answer.began <= ended for began, ended in incidents.outages)
