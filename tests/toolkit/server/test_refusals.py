"""`garrison run` where it cannot serve: one line that says why and what to do, and an exit status."""

from __future__ import annotations

import json
import re
import socket
from typing import TYPE_CHECKING

import pytest
import structlog
from click.testing import CliRunner

from garrison.cli import main
from garrison.server.listening import PortTakenError, listen_on, listen_on_path
from tests.ports import free_port
from tests.toolkit.server.conftest import APPS, Running, running, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def refused_at_once(*words: str, **environ: str) -> str:
    """The one line on stderr of a command that ends with status 2 before it does anything."""
    cleared: dict[str, str | None] = {"FORWARDED_ALLOW_IPS": None, "WEB_CONCURRENCY": None}
    found = CliRunner().invoke(main, ["run", *words], prog_name="garrison", env={**cleared, **environ})
    # The command sets up this process, which other tests have as it was.
    structlog.reset_defaults()
    assert (found.exit_code, found.stdout, found.stderr.count("\n")) == (2, "", 1)
    return found.stderr.strip()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((), "no app to serve. Name it as in `garrison run shop.main:app`, or set GARRISON_SERVER_TARGET."),
        (("shop",), "expected an app as module:attribute such as shop.main:app, found 'shop'"),
        (("shop.py:app",), "expected an app as module:attribute such as shop.main:app, found 'shop.py:app'"),
        (
            ("shop:app", "--port", "99999"),
            (
                "Invalid value for '--port': 99999 is not in the range 0<=x<=65535."
                " `garrison run --help` says what there is."
            ),
        ),
        (("shop:app", "--host", ""), "--host: expected an address or a host name, found ''."),
        (
            ("shop:app", "--env-file", "nowhere.env"),
            (
                "--env-file: expected the path of a readable file, found 'nowhere.env'."
                " No such file or directory."
            ),
        ),
    ],
)
def test_usage(words: tuple[str, ...], line: str) -> None:
    """What is wrong with the command line is exit status 2."""
    assert refused_at_once(*words) == f"garrison: {line}"


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        ({"GARRISON_SERVER_PORT": "http"}, "GARRISON_SERVER_PORT: expected a whole number, found 'http'."),
        ({"WEB_CONCURRENCY": "many"}, "WEB_CONCURRENCY: expected a whole number, found 'many'."),
        ({"WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY: expected from 1 to 1000, found '0'."),
        (
            {"GARRISON_SERVER_HOST_FILE": "nowhere"},
            (
                "GARRISON_SERVER_HOST_FILE: expected the path of a readable file, found 'nowhere'."
                " No such file or directory."
            ),
        ),
    ],
)
def test_settings(environ: dict[str, str], line: str) -> None:
    """What is wrong with a variable, uvicorn's among them, is exit status 2 and names that variable."""
    assert refused_at_once("shop:app", **environ) == f"garrison: {line}"


def test_addresses_that_uvicorn_takes_are_checked() -> None:
    """A wrong FORWARDED_ALLOW_IPS is named by its own name."""
    line = refused_at_once("shop:app", FORWARDED_ALLOW_IPS="10.0.0.1/8")
    assert line.startswith("garrison: FORWARDED_ALLOW_IPS: expected a comma-separated list")
    assert line.endswith("found '10.0.0.1/8'.")


def test_contradictions() -> None:
    """Settings that `garrison config --check` calls an error keep the server from starting."""
    line = refused_at_once("shop:app", "--workers", "2", GARRISON_RATE_LIMIT_LIMITS="5/minute")
    assert line.startswith("garrison: GARRISON_SERVER_WORKERS: each of 2 workers counts for itself")
    assert "2 times its quota" in line


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("nowhere:app",), f"there is no module 'nowhere' in {APPS} or in this environment"),
        (("shop:ap",), "shop has no attribute 'ap'. Did you mean 'app'?"),
    ],
)
def test_targets(refused: Callable[..., str], words: tuple[str, ...], line: str) -> None:
    """An app that cannot be had is exit status 3."""
    assert refused(3, *words) == f"garrison: {line}"


def test_port_taken(refused: Callable[..., str]) -> None:
    """A port that somebody listens on is named, with the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refused(3, "shop:app", "--port", str(port))
    assert line == (
        f"garrison: cannot listen on 127.0.0.1 port {port}: Address already in use. Choose another with"
        " --host and --port (--port 0 takes a free one), or stop what listens there."
    )


def test_a_path_that_is_no_socket(tmp_path: Path) -> None:
    """A file that a socket cannot replace is said to be one, and stays as it is."""
    path = tmp_path / "certificate.pem"
    path.write_text("kept")
    with pytest.raises(PortTakenError) as caught:
        listen_on_path(str(path))
    assert str(caught.value) == (
        f"cannot listen on {path}: there is something that is no socket. Choose another path with"
        " --unix-socket, or remove it."
    )
    assert path.read_text() == "kept"


def test_a_path_that_somebody_listens_on(tmp_path: Path) -> None:
    """It is taken as a port is."""
    path = str(tmp_path / "shop.sock")
    with listen_on_path(path) as bound:
        bound.listen()
        with pytest.raises(PortTakenError, match=r"Address already in use.* or stop what listens there"):
            listen_on_path(path)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_that_is_taken_while_the_app_starts(tmp_path: Path, workers: str) -> None:
    """Of two servers that start at once the slower one stops its app and ends, in place of serving nobody."""
    gate = tmp_path / "gate"
    port = free_port()
    words = ("late:app", "--port", str(port), "--workers", workers)
    started = Running(words, {"SHOP_MAY_START": str(gate)}, tmp_path)
    try:
        wait_for(lambda: started.stderr.count("Waiting for application startup") == int(workers))
        with socket.create_server(("127.0.0.1", port)):
            gate.touch()
            assert started.process.wait(20) == 3
        assert f"cannot listen on 127.0.0.1 port {port}: Address already in use." in started.stderr
        assert "Traceback" not in started.stderr
        assert started.stderr.splitlines()[-1].startswith("garrison: ")
        assert started.left() == {}
    finally:
        started.clean()


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 70, "a..b", "203.0.113.1"])
def test_hosts_that_are_not_here(host: str) -> None:
    """A host that is no host, or that of another machine, is named with the way out."""
    with pytest.raises(PortTakenError, match=rf"^cannot listen on {re.escape(host)} port 0: .* --host "):
        listen_on(host, 0)


def test_a_given_port_is_taken(tmp_path: Path) -> None:
    """The port of the command line wins over the variable and is the one that is served."""
    port = free_port()
    with running(tmp_path, "shop:app", "--port", str(port), GARRISON_SERVER_PORT="1") as up:
        assert up.port == port
        assert f"listening on http://127.0.0.1:{port} for shop:app" in up.stderr


class TestStartup:
    """An app that is loaded, and fails in its own startup."""

    def test_startup_failure(self, refused: Callable[..., str], tmp_path: Path) -> None:
        """The reason is the last line; the traceback is in the log once, as JSON, without the password."""
        line = refused(3, "shop:broken")
        start = "garrison: shop:broken did not start: RuntimeError: no database at postgresql://[redacted]@db/shop"
        assert line.startswith(start)
        assert f"{APPS / 'shop.py'}, line " in line
        text = (tmp_path / "stderr").read_text("utf-8")
        assert "hunter2" not in text
        assert text.count("Traceback (most recent call last)") == 1
        records = [json.loads(one) for one in text.splitlines()[:-1]]
        (failure,) = [record for record in records if record["event"] == "startup_failed"]
        assert failure["exception.stacktrace"].startswith("Traceback")
        assert f"did not start: {failure['reason']}" in line

    def test_startup_failure_without_a_reason(self, refused: Callable[..., str]) -> None:
        """An app that gives no reason is said to give none."""
        line = refused(3, "shop:mute")
        assert line == "garrison: shop:mute did not start: the app gave no reason"

    def test_startup_failure_in_workers(self, refused: Callable[..., str]) -> None:
        """Workers that cannot start are not started again and again."""
        line = refused(3, "shop:broken", "--workers", "2")
        assert line == "garrison: shop:broken did not start in a worker; the event above says why"

    def test_import_failure_in_workers(self, refused: Callable[..., str], tmp_path: Path) -> None:
        """An app that can be imported once only ends the command, not in a loop of restarts."""
        (tmp_path / "once.py").write_text(
            "import pathlib\n"
            f"pathlib.Path({str(tmp_path / 'seen')!r}).mkdir()\n"
            "async def app(scope, receive, send): pass\n",
            "utf-8",
        )
        line = refused(3, "once:app", "--workers", "2", PYTHONPATH=str(tmp_path))
        assert line == "garrison: once:app did not start in a worker; the event above says why"
        assert "FileExistsError" in (tmp_path / "stderr").read_text("utf-8")
