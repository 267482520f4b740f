"""Targets: how they are read, booted and ended."""

from __future__ import annotations

import socket
import sys
import threading
import uuid
from typing import TYPE_CHECKING

import pytest

from garrison_harness.process import Child
from garrison_harness.running import running
from garrison_harness.startup import likely_cause, port_was_taken, wait_until_ready
from garrison_harness.target import TargetFailed, UsageFault, parse_target
from tests.harness.commands import APPS, UVICORN, processes_with, wait_until

if TYPE_CHECKING:
    from pathlib import Path


def test_an_import_string_is_served_by_uvicorn() -> None:
    """The command names the module, a loopback address and the port."""
    command = parse_target(["shop.main:app"], factory=True).command(8123)

    assert command[:3] == [sys.executable, "-m", "uvicorn"]
    assert {"shop.main:app", "127.0.0.1", "8123", "--factory"} <= set(command)


def test_a_hardened_import_string_is_served_by_garrison_run() -> None:
    """The toolkit is started as a process of its own."""
    command = parse_target(["shop.main:app"], harden=True).command(8123)

    assert command[:5] == [sys.executable, "-m", "garrison", "run", "shop.main:app"]
    assert "--factory" not in command


def test_a_command_gets_the_port_wherever_it_asks_for_it() -> None:
    """`{port}` may stand alone, within a word, and more than once."""
    target = parse_target(["sh", "--listen=127.0.0.1:{port}", "{port}"])

    assert target.kind == "command"
    assert target.command(81) == ["sh", "--listen=127.0.0.1:81", "81"]


def test_the_path_of_a_url_is_the_page_to_judge() -> None:
    """A URL target may point at a page."""
    assert parse_target(["http://localhost:8000/app/"]).path == "/app/"


@pytest.mark.parametrize(
    "url", ["http://192.0.2.7/", "http://[2001:db8::1]/", "https://no-such-host.invalid/"]
)
def test_only_this_machine_is_driven(url: str) -> None:
    """An address elsewhere, or a name without one, is refused before anything is sent."""
    with pytest.raises(UsageFault, match="is not on this machine"):
        parse_target([url])


def test_a_target_runs_inside_the_block_and_not_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The app answers while it is needed, its logs are kept, and its process is gone afterwards."""
    monkeypatch.chdir(APPS)
    with running(parse_target(["good_app:app"]), log_directory=tmp_path) as app:
        assert app.base_url == f"http://127.0.0.1:{app.port}"
        assert app.alive()
        assert app.exit_status() is None
        assert any("Uvicorn running" in line for line in app.log_tail(10))
        assert app.stderr_path == tmp_path / "stderr.log"

    assert not app.alive()
    assert app.exit_status() is not None


def test_a_target_ends_when_the_block_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception inside is the caller's; the app is ended all the same."""
    monkeypatch.chdir(APPS)
    with pytest.raises(ZeroDivisionError), running(parse_target([*UVICORN, "good_app:app"])) as app:
        raise ZeroDivisionError

    assert not app.alive()


def test_a_url_is_reached_and_never_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not started here is not stopped here."""
    monkeypatch.chdir(APPS)
    with running(parse_target([*UVICORN, "good_app:app"])) as app:
        with running(parse_target([f"{app.base_url}/page"])) as same:
            assert same.port == app.port
            assert same.alive()
            assert same.log_tail(5) == []
            assert same.stdout_path is None
        assert app.alive()


def test_a_target_that_never_listens_is_given_up(tmp_path: Path) -> None:
    """The line says how long was waited; the log goes with it."""
    silent = parse_target(["sh", "-c", "echo thinking; sleep 60 # {port}"], start_timeout=0.5)

    with (
        pytest.raises(
            TargetFailed, match=r"did not answer HTTP on 127\.0\.0\.1:\d+ within 0\.5 s"
        ) as failure,
        running(silent),
    ):
        pytest.fail("it is not running")

    assert failure.value.log == ("thinking",)


def test_a_process_that_ignores_the_polite_signal_is_killed(tmp_path: Path) -> None:
    """SIGTERM may be ignored, SIGKILL may not."""
    mark = uuid.uuid4().hex
    script = f"trap '' TERM; echo ready; while :; do sleep 0.1; done # {mark}"
    stubborn = Child(["sh", "-c", script], logs=tmp_path, environment={})
    assert wait_until(lambda: stubborn.log_tail(1) == ["ready"])

    stubborn.end(grace=0.2)

    assert stubborn.exit_status() == -9
    assert wait_until(lambda: not processes_with(mark))


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        (["Traceback (most recent call last):", "shop.Oops: no", "KeyError: 'DSN'", ""], "KeyError: 'DSN'"),
        (["INFO:     Started", "ERROR:    Could not import", "INFO:     Bye"], "Could not import"),
        (["one", "last words"], "last words"),
        ([], ""),
    ],
)
def test_the_cause_is_the_line_that_says_most(log: list[str], cause: str) -> None:
    """The last exception wins, then the last error, then the last line."""
    assert likely_cause(log) == cause


def test_a_taken_port_is_recognized_in_any_language() -> None:
    """Python, Node and Rust word it differently."""
    assert port_was_taken(["OSError: [Errno 98] Address already in use"])
    assert port_was_taken(["Error: listen EADDRINUSE: address already in use :::80"])
    assert not port_was_taken(["listening"])


def test_a_process_is_asked_before_it_is_killed(tmp_path: Path) -> None:
    """An app gets the chance to shut down in order."""
    polite = Child(
        ["sh", "-c", "trap 'echo goodbye; exit 0' TERM; echo ready; while :; do sleep 0.05; done"],
        logs=tmp_path,
        environment={},
    )
    assert wait_until(lambda: polite.log_tail(1) == ["ready"])

    polite.end()

    assert polite.exit_status() == 0
    assert polite.stdout_path.read_text() == "ready\ngoodbye\n"


def test_a_stranger_on_the_port_is_not_taken_for_the_target(tmp_path: Path) -> None:
    """Whoever answers while the process is gone is somebody else, whom nobody asked to be audited."""
    child = Child(["sleep", "60"], logs=tmp_path, environment={})
    with socket.create_server(("127.0.0.1", 0)) as stranger:

        def answer() -> None:
            connection, _ = stranger.accept()
            with connection:
                child.end()
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        host = wait_until_ready(child, stranger.getsockname()[1], 5.0)
        thread.join()

    assert host is None


def test_a_port_that_is_lost_to_another_process_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody may listen on a port between finding it free and using it: the next one is tried."""
    monkeypatch.chdir(APPS)
    script = f'if mkdir "{tmp_path}/tried"; then echo "address already in use" >&2; exit 1; fi; exec "$@"'
    target = parse_target(["sh", "-c", script, "sh", *UVICORN, "good_app:app"])

    with running(target) as app:
        assert app.alive()


def test_a_name_with_one_foreign_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every address of a name has to be on this machine, or traffic could leave it."""
    answers = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in ("127.0.0.1", "192.0.2.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)

    with pytest.raises(UsageFault, match="is not on this machine"):
        parse_target(["http://two.example/"])
