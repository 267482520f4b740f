"""What `garrison load` writes, and where to."""

from __future__ import annotations

import csv
import os
import pty
import re
import subprocess
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from xml.etree.ElementTree import parse

import pytest

from garrison_harness.load.command import load
from garrison_harness.load.report import live
from tests.harness.load.command_line import APPS, ENTRY, read_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.harness.load.command_line import Command

FORMS = {"json": "run.json", "junit": "run.xml", "html": "run.html", "csv": "run"}


def test_a_run_is_written_in_every_form_at_once(
    command: Command, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each where it was asked for, all of the same run; a job's log is told how far it is."""
    monkeypatch.setattr(live, "LINE_INTERVAL", 0.2)  # five seconds otherwise
    pairs = [
        word for form, name in FORMS.items() for word in ("--format", form, "--output", str(tmp_path / name))
    ]
    ended = command.run_here(
        url, "--users", "2", "--duration", "400ms", "--path", "/wait/0.05", "--progress",
        "--threshold", "errors==0%", *pairs, "--format", "text", "--output", "-",
    )  # fmt: skip
    found = read_json(tmp_path / "run.json")
    with (tmp_path / "run_stats.csv").open(encoding="utf-8") as stream:
        *_, whole = csv.DictReader(stream)
    suites = parse(tmp_path / "run.xml").getroot()  # noqa: S314 - our own

    assert (ended.status, ended.left) == (0, [])
    assert ended.stdout.startswith(f"Load on {url}\n")
    assert "\x1b" not in ended.stdout
    assert all(re.match(r"garrison: 0:0\d of 0:00, ", line) for line in ended.stderr.splitlines())
    assert ended.stderr.count("\n") >= 1
    assert found["requests"] == int(whole["Request Count"]) > 2
    assert sum(one["requests"] for one in found["series"]) == found["requests"]
    assert list(found["names"]) == ["GET /wait/0.05"]
    assert found["received"] > 0
    assert (suites.get("failures"), suites.get("errors")) == ("0", "0")
    assert f"{found['requests']:,}" in (tmp_path / "run.html").read_text(encoding="utf-8")
    names = {"run.json", "run.xml", "run.html"}
    names |= {f"run{suffix}.csv" for suffix in ("_stats", "_stats_history", "_failures", "_exceptions")}
    assert {path.name for path in tmp_path.iterdir()} == names


@contextmanager
def terminal() -> Iterator[tuple[int, list[bytes]]]:
    """The side of a terminal that a process writes to, and what came of it once the context is left."""
    master, slave = pty.openpty()
    seen: list[bytes] = []

    def watch() -> None:
        # Ends with an error once the other side is closed.
        with suppress(OSError):
            while part := os.read(master, 1 << 16):
                seen.append(part)

    reader = threading.Thread(target=watch)
    reader.start()
    try:
        yield slave, seen
    finally:
        os.close(slave)
        reader.join(timeout=50)
        os.close(master)


def test_a_terminal_shows_the_run_and_stdout_has_the_report_only(url: str) -> None:
    """What is drawn while it goes on is drawn on stderr."""
    words = [*ENTRY, url, "--users", "2", "--duration", "600ms", "--no-calibrate", "--no-watch"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    with terminal() as (slave, seen):
        done = subprocess.run(
            words, cwd=APPS, env=environment, stdout=subprocess.PIPE, stderr=slave, timeout=50, check=True
        )
    drawn, stdout = b"".join(seen).decode(), done.stdout.decode()

    assert stdout.startswith("Load on ")
    assert "\x1b" not in stdout
    assert "the load process is starting" in drawn
    assert "  rate  " in drawn
    assert " of 0:00" in drawn


def test_a_terminal_is_told_once_why_nothing_was_sent(
    url: str, locustfile: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run without a request fails, and says why at the end of the report, and not on stderr as well."""
    broken = locustfile(
        "from locust import FastHttpUser, task\n"
        "class Broken(FastHttpUser):\n"
        "    def __init__(self, environment):\n        raise OSError('no more users')\n"
        "    @task\n    def start(self): ...\n"
    )
    words = [url, "--locustfile", broken, "--duration", "300ms", "--threshold", "requests<5"]
    with terminal() as (slave, seen), open(slave, "w", encoding="utf-8", closefd=False) as screen:
        monkeypatch.setattr("sys.stdout", screen)
        monkeypatch.setattr("sys.stderr", screen)
        with pytest.raises(SystemExit) as ended:
            load([*words, "--no-calibrate", "--no-watch", "--log-directory", str(tmp_path)])
        monkeypatch.undo()
    assert ended.value.code == 1
    drawn = " ".join(b"".join(seen).decode().split())
    reason = "no request was sent: starting users: OSError: no more users"
    assert f"FAILED: {reason}" in drawn
    assert drawn.count(reason) == 1
    assert (tmp_path / "load" / "stderr.log").exists()
