"""Worker processes share a quota exactly, whatever they ask at the same moment."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.toolkit.ratelimit.servers import SECONDS, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
WORKERS = 4
PERIOD, LIMIT = 60.0, 100


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server for all tests of this module."""
    with Server() as found:
        yield found


def burst(
    server: Server, algorithm: str, requests: int, concurrent: int, deadline: float
) -> tuple[int, float]:
    """How many are admitted of a burst by all workers together, and how many seconds it took."""
    words = (server.url, algorithm, requests // WORKERS, concurrent // WORKERS, deadline)
    command = [sys.executable, "-m", "tests.toolkit.ratelimit.burst", *map(str, words)]
    server.call("FLUSHALL")
    with ExitStack() as stack:
        workers = []
        for _ in range(WORKERS):
            worker = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            stack.enter_context(worker)
            stack.callback(worker.kill)
            workers.append(worker)
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
        lines = [worker.communicate(timeout=SECONDS)[0].split() for worker in workers]
    assert all(len(line) == 3 for line in lines)
    began, ended = min(float(line[1]) for line in lines), max(float(line[2]) for line in lines)
    return sum(int(line[0]) for line in lines), ended - began


@pytest.mark.parametrize("algorithm", ["token-bucket", "sliding-window", "fixed-window"])
def test_four_workers_admit_exactly_the_quota(server: Server, algorithm: str) -> None:
    """Of 2,000 simultaneous requests at four workers 100 pass, plus what a bucket refills."""
    found, seconds = burst(server, algorithm, 2000, 2000, deadline=2)
    refilled = int(seconds * LIMIT / PERIOD) if algorithm == "token-bucket" else 0
    assert LIMIT <= found <= LIMIT + refilled
    assert server.immortal() == []


def test_the_deadline_that_is_the_default_is_long_enough(server: Server) -> None:
    """At a hundred concurrent requests the default deadline of 25 ms fails nobody, and 100 pass."""
    found, _ = burst(server, "fixed-window", 2000, 100, deadline=0.025)
    assert found == LIMIT
