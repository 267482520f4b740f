"""The guide to auditing any app: every command in it runs, on an app as it describes one."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.documents import DOCS, blocks
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = DOCS / "how-to" / "audit-any-app.md"
COMMANDS = [line for block in blocks(PAGE, "bash") for line in block.text.splitlines()]
APP = """
import asyncio
import os

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI()


class Credentials(BaseModel):
    name: str
    password: str


@app.post("/login")
async def login(_: Credentials) -> None:
    raise HTTPException(401)


@app.get("/")
async def page() -> str:
    return "hello"


@app.get("/boom")
async def boom() -> None:
    raise ZeroDivisionError


@app.get("/report")
async def report() -> None:
    await asyncio.sleep(float(os.environ.get("REPORT_SECONDS", "0")))
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A directory with the app that the guide names."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "main.py").write_text(APP, encoding="utf-8")
    (tmp_path / "shop.env").write_text('GARRISON_RATE_LIMIT_LIMITS="3/hour" # each\n', encoding="utf-8")
    return tmp_path


@pytest.fixture
def port(workspace: Path) -> Iterator[int]:
    """The app on a port."""
    port = free_port()
    words = [sys.executable, "-m", "uvicorn", "shop.main:app", "--port", str(port)]
    with subprocess.Popen(words, cwd=workspace, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            next(line for line in server.stderr if "running on" in line)
            yield port
        finally:
            server.terminate()


def run(line: str, workspace: Path, *more: str, report: float = 0) -> subprocess.CompletedProcess[str]:
    """A command of the guide, with further options before what it starts, and a report of so many seconds."""
    name, verb, *words = shlex.split(line)
    assert (name, verb) == ("garrison", "check")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GARRISON_")}
    return subprocess.run(
        [sys.executable, "-m", "garrison", "check", *more, *words],
        cwd=workspace, env=environment | {"COLUMNS": "200", "REPORT_SECONDS": str(report)},
        capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "line", [line for line in COMMANDS if not any(word in line for word in ("://", "--env-file", "POST"))]
)
def test_a_command_of_the_guide_runs(line: str, workspace: Path) -> None:
    """It starts what it names, and audits it."""
    done = run(line, workspace, "--select", "H1,M1")

    assert done.returncode in {0, 1}, done.stderr
    assert "PASS  M1" in done.stdout


def test_settings_come_from_the_file_that_is_named(workspace: Path) -> None:
    """The quota in it is the one that the hardened app keeps."""
    (line,) = [line for line in COMMANDS if "--env-file" in line]

    done = run(line, workspace, "--select", "L1", "--quota", "3/hour")

    assert done.returncode == 0, done.stderr
    assert "PASS  L1" in done.stdout


def test_the_quota_of_a_route_is_spent_by_what_it_takes(workspace: Path) -> None:
    """The body of a login that fails comes from the document, and nothing refuses the sixth."""
    (line,) = [line for line in COMMANDS if "POST" in line]

    done = run(line, workspace, "--in-process")

    assert done.returncode == 1, done.stderr
    assert "FAIL  L1" in done.stdout
    assert "POST /login -> 401" in done.stdout


def test_an_app_that_is_up_is_audited_by_its_address(workspace: Path, port: int) -> None:
    """On whatever port it is."""
    (line,) = [line for line in COMMANDS if "://" in line]

    done = run(line.replace("8000", str(port)), workspace, "--select", "M1")

    assert done.returncode == 0, done.stderr
    assert "PASS  M1" in done.stdout


@pytest.mark.parametrize(
    ("option", "names"),
    [("--error-path", "E5"), ("--quota", "L1"), ("--slow-path", "R10"), ("--concurrency", "R11")],
)
def test_an_option_of_the_guide_lets_its_check_run(option: str, names: str, workspace: Path) -> None:
    """Without it the check is not run, and the reason names it."""
    line = next(line for line in COMMANDS if option in line)

    without = run("garrison check shop.main:app", workspace, "--in-process", "--select", names)
    # Longer than the bound that the guide declares.
    told = run(line, workspace, "--in-process", "--select", names, report=2.5)

    assert f"----  {names}" in without.stdout
    assert option in without.stdout
    assert f"----  {names}" not in told.stdout
