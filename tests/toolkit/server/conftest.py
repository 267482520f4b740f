"""`garrison run` as people start it, on loopback, and gone after the test."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.toolkit.server.wire import ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

APPS = Path(__file__).parent / "apps"
MARK = "SHOP_TEST_MARK"
# Against hanging only: a server with workers is some seconds of work for the processor, which it shares.
SECONDS = 45.0
GARRISON = (sys.executable, "-m", "garrison")


class Running:
    """A `garrison run` and what it has written so far."""

    def __init__(
        self, words: tuple[str, ...], environ: dict[str, str], logs: Path, directory: Path = APPS
    ) -> None:
        self.mark = uuid.uuid4().hex
        self.port = 0
        self._stdout, self._stderr = logs / "stdout", logs / "stderr"
        with self._stdout.open("wb") as stdout, self._stderr.open("wb") as stderr:
            self.process = subprocess.Popen(
                [*GARRISON, "run", *words],
                cwd=directory,
                env=environment({**environ, MARK: self.mark}),
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )

    @property
    def stdout(self) -> str:
        """What it wrote to standard output."""
        return self._stdout.read_text(encoding="utf-8")

    @property
    def stderr(self) -> str:
        """What it wrote to standard error."""
        return self._stderr.read_text(encoding="utf-8")

    @property
    def events(self) -> list[dict[str, Any]]:
        """The whole lines of standard output; each must be a JSON object."""
        return [json.loads(line) for line in self.stdout.rpartition("\n")[0].splitlines()]

    @property
    def records(self) -> list[dict[str, Any]]:
        """The whole lines of standard error; each must be a JSON object."""
        return [json.loads(line) for line in self.stderr.rpartition("\n")[0].splitlines()]

    def settled(self) -> int:
        """How many events there are when that of every earlier request is written."""
        last = ask(self.port)["x-request-id"]
        wait_for(lambda: last in self.stdout)
        return len(self.events)

    def events_after(self, before: int, count: int) -> list[dict[str, Any]]:
        """The events behind the first so many, when there are enough: a client is ahead of the log."""
        wait_for(lambda: len(self.events) >= before + count)
        return self.events[before:]

    def wait_until_up(self) -> None:
        """Wait until it serves on the port that it has told."""

        def connects() -> bool:
            assert self.process.poll() is None, self.stderr
            told = re.search(r"listening on https?://\S+:(\d+) ", self.stderr)
            if told is None:
                return False
            self.port = int(told[1])
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                return False
            return True

        wait_for(connects)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal to the process that was started, and wait for its exit status."""
        self.process.send_signal(number)
        return self.process.wait(SECONDS)

    def left(self) -> dict[int, str]:
        """Whatever this command started and still runs after two seconds: process id to command line.

        The resource tracker of multiprocessing outlives its parent by the time it takes to notice.
        """
        for _ in range(40):
            if not self._left():
                break
            time.sleep(0.05)
        return self._left()

    def _left(self) -> dict[int, str]:
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if f"{MARK}={self.mark}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().decode().replace("\0", " ")
            except OSError:
                continue  # gone, or somebody else's
        return found

    def clean(self) -> None:
        """End what a test left behind."""
        for number in self._left():
            os.kill(number, signal.SIGKILL)
        self.process.wait(SECONDS)


@contextmanager
def running(logs: Path, *words: str, directory: Path = APPS, **environ: str) -> Iterator[Running]:
    """A server that is up, on a free port unless the words say another."""
    port = () if "--port" in words else ("--port", "0")
    started = Running((*words, *port), environ, logs, directory)
    try:
        started.wait_until_up()
        yield started
    finally:
        started.clean()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The everyday app with nothing set."""
    with running(tmp_path_factory.mktemp("shop"), "shop:app") as up:
        yield up


@pytest.fixture
def refused(tmp_path: Path) -> Callable[..., str]:
    """Runs a command that must end by itself, and gives its one line on stderr."""

    def run(status: int, *words: str, **environ: str) -> str:
        found = Running(words, environ, tmp_path)
        try:
            assert found.process.wait(SECONDS) == status, found.stderr
            assert found.left() == {}
        finally:
            found.clean()
        lines = [line for line in found.stderr.splitlines() if not line.startswith("{")]
        assert len(lines) == 1, found.stderr
        assert lines[0].startswith("garrison: "), found.stderr
        assert found.stdout == ""
        return lines[0]

    return run


def environment(more: dict[str, str]) -> dict[str, str]:
    """The environment of this process without what would change a command's settings."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("GARRISON_")}
    for name in ("FORWARDED_ALLOW_IPS", "WEB_CONCURRENCY"):
        kept.pop(name, None)
    # No balancer watches a test that does not ask for one.
    return {**kept, "GARRISON_SERVER_DRAIN_DELAY": "0s", **more}


def wait_for(condition: Callable[[], object]) -> None:
    """Poll until the condition is true."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)
