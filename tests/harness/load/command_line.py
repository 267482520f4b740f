"""Runs `garrison load` as people run it, and sees what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from garrison_harness.load.command import load

if TYPE_CHECKING:
    from collections.abc import Callable

APPS = Path(__file__).parent / "apps"
ENTRY = [sys.executable, "-c", "from garrison_harness.load.command import load; load()"]
MARK = "LOAD_TEST_MARK"  # `garrison run` refuses variables with its prefix that it does not know


@dataclass
class Ended:
    """A command that is over."""

    status: int
    stdout: str
    stderr: str
    left: list[str]

    def assert_one_line(self, status: int, *words: str) -> None:
        """One line on stderr with these words, no traceback, and nothing left running."""
        assert (self.status, self.left) == (status, []), self.stderr
        assert self.stderr.startswith("garrison: "), self.stderr
        assert self.stderr.count("\n") == 1, self.stderr
        for word in words:
            assert word in self.stderr, self.stderr


@dataclass
class Command:
    """`garrison load`, by default in the directory of the test apps, with a mark on all that it starts."""

    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    process: subprocess.Popen[str] | None = None

    def start(
        self, *words: str, directory: Path = APPS, calibrate: bool = False, watch: bool = False
    ) -> subprocess.Popen[str]:
        """Start it; the generator is calibrated, and the target watched, only where that matters."""
        environment = {**os.environ, MARK: self.mark}
        flags = [*([] if calibrate else ["--no-calibrate"]), *([] if watch else ["--no-watch"])]
        self.process = subprocess.Popen(
            [*ENTRY, *flags, *words], cwd=directory, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        return self.process

    def start_worker(self, *words: str) -> subprocess.Popen[str]:
        """Start a worker, which takes no other options than where its master is."""
        environment = {**os.environ, MARK: self.mark}
        self.process = subprocess.Popen(
            [*ENTRY, "--worker", *words], env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        return self.process

    def end(self) -> Ended:
        """Wait for it, and see what is left running."""
        assert self.process is not None
        stdout, stderr = self.process.communicate(timeout=40)
        return Ended(self.process.returncode, stdout, stderr, list(self.marked().values()))

    def run(self, *words: str, calibrate: bool = False, watch: bool = False) -> Ended:
        """Start it and wait for it."""
        self.start(*words, calibrate=calibrate, watch=watch)
        return self.end()

    def run_here(self, *words: str, watch: bool = False) -> Ended:
        """Do the same in this process, where it does not matter whose it is: importing takes a while."""
        flags = ["--no-calibrate", *([] if watch else ["--no-watch"])]
        done = CliRunner(env={MARK: self.mark}).invoke(load, [*flags, *words])
        return Ended(done.exit_code, done.stdout, done.stderr, list(self.marked().values()))

    def marked(self) -> dict[int, str]:
        """Command lines by process id of everything that this command started and that still runs."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if f"{MARK}={self.mark}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().decode().replace("\0", " ")
            except OSError:
                continue  # gone, or not ours
        return found

    def clean(self) -> None:
        """End what a failed test left behind."""
        for number in self.marked():
            os.kill(number, signal.SIGKILL)


def wait_for(condition: Callable[[], object], *, seconds: float = 40.0) -> None:
    """Poll until the condition is true, nearly as long as a test may take at all."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file."""
    found = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found
