"""`garrison run` whose log nobody reads: every request is served, and every line is accounted for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING

import orjson
import psutil

from tests.ports import free_port
from tests.toolkit.server.conftest import APPS, GARRISON, environment, wait_for
from tests.toolkit.server.wire import ask, connected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Waits for its reader for longer than a busy machine keeps that one from the processor.
PATIENT = (
    *(sys.executable, "-c"),
    "from garrison import cli, line_writer; line_writer.AT_EXIT = 20.0; cli.main(prog_name='garrison')",
)
# Against hanging only.
SECONDS = 20.0


class Piped:
    """A server that writes all it says into one pipe, and a program that reads there."""

    def __init__(self, log: Path, words: tuple[str, ...], program: tuple[str, ...]) -> None:
        self._log = log
        self.port = free_port()
        reader, writer = os.pipe()
        with log.open("wb") as target:
            self.reader = subprocess.Popen(["cat"], stdin=reader, stdout=target)
        self.server = subprocess.Popen(
            [*program, "run", "shop:app", "--port", str(self.port), *words],
            cwd=APPS,
            env=environment({"GARRISON_ACCESS_LOG_QUIET": ""}),
            stdout=writer,
            stderr=writer,
        )
        os.close(reader)
        os.close(writer)

    def stall(self) -> None:
        """Stop the program that reads, and see that it has stopped: it reads nothing until it goes on."""
        self.reader.send_signal(signal.SIGSTOP)
        wait_for(lambda: psutil.Process(self.reader.pid).status() == psutil.STATUS_STOPPED)

    def flow(self) -> None:
        """Let it go on."""
        self.reader.send_signal(signal.SIGCONT)

    def ask_often(self, count: int) -> float:
        """Ask so many times on one connection, and give the median of the seconds that the replies took."""
        took = []
        with connected(self.port) as connection:
            for number in range(count):
                began = time.monotonic()
                connection.send(f"GET /?number={number} HTTP/1.1", "Host: shop.example")
                assert connection.reply().status == 200
                took.append(time.monotonic() - began)
        return median(took)

    @property
    def text(self) -> bytes:
        """What was read so far."""
        return self._log.read_bytes()

    def requests(self) -> int:
        """How many requests the whole lines are about, those that were dropped included."""
        found = 0
        for line in self.text.rpartition(b"\n")[0].splitlines():
            event = orjson.loads(line)
            if event["event"] == "log_lines_dropped":
                found += event["dropped"]
            found += event["event"] == "http.request"
        return found

    def end(self) -> None:
        """Leave nothing behind."""
        for process in (self.server, self.reader):
            process.send_signal(signal.SIGCONT)
            process.terminate()
        try:
            self.server.wait(SECONDS)
        finally:
            self.server.kill()
            self.reader.kill()
            self.reader.wait(SECONDS)


@contextmanager
def piped(log: Path, *words: str, program: tuple[str, ...] = GARRISON) -> Iterator[Piped]:
    """A server that is up, and gone in the end."""
    started = Piped(log, words, program)

    def answers() -> bool:
        assert started.server.poll() is None, started.text
        try:
            ask(started.port)
        except OSError:
            return False
        return True

    try:
        wait_for(answers)
        yield started
    finally:
        started.end()


def test_a_reader_that_stalls_stalls_no_request(tmp_path: Path) -> None:
    """A pipe fills up, then the buffer; all are served, and in the end each is written or counted."""
    with piped(tmp_path / "log") as up:
        flowing = up.ask_often(100)
        wait_for(lambda: up.requests() == 101)
        up.stall()
        assert up.ask_often(4000) < 10 * flowing
        assert up.requests() == 101
        up.flow()
        wait_for(lambda: up.requests() == 4101)
        assert b"log_lines_dropped" in up.text
        # All is as before: the next request is written at once.
        ask(up.port)
        wait_for(lambda: up.requests() == 4102)


def test_lines_of_workers_do_not_mix(tmp_path: Path) -> None:
    """Two workers behind one stalled pipe: every line is whole, and none is missing."""
    with piped(tmp_path / "log", "--workers", "2") as up:
        wait_for(lambda: up.requests() >= 1)
        before = up.requests()
        up.stall()
        for _ in range(20):
            up.ask_often(40)
        up.flow()
        wait_for(lambda: up.requests() == before + 800)
        assert b"log_lines_dropped" not in up.text


def test_a_server_ends_although_nobody_reads(tmp_path: Path) -> None:
    """What is in the buffer has a few seconds, and then the process is gone."""
    with piped(tmp_path / "log") as up:
        up.stall()
        up.ask_often(500)
        up.server.send_signal(signal.SIGTERM)
        # Nobody reads until it has ended.
        assert up.server.wait(SECONDS) == 0


def test_the_last_lines_are_written(tmp_path: Path) -> None:
    """A server that ends while its reader is slow waits for it a little."""
    with piped(tmp_path / "log", program=PATIENT) as up:
        wait_for(lambda: up.requests() == 1)
        up.stall()
        up.ask_often(500)
        up.server.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        up.flow()
        assert up.server.wait(SECONDS) == 0
        wait_for(lambda: up.requests() == 501)
