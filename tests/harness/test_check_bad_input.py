"""What a person gets for a mistake: one line with the fix, the right status, and nothing left running."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from garrison_harness.cli import check as check_command
from tests.harness.commands import APPS, UVICORN, check, command, processes_with, wait_until

if TYPE_CHECKING:
    from pathlib import Path

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "no target"),
        (["shop"], "'shop' is no target: give module:attribute"),
        (["--", "python", "-m", "http.server"], "has no {port}"),
        (["--", "no-such-command", "{port}"], "is no command on PATH"),
        (["http://192.0.2.1/"], "not on this machine"),
        (["http://127.0.0.1:99999/"], "is no URL"),
        (["ftp://127.0.0.1/"], "must be http://host:port/"),
        (["http://127.0.0.1/\u65e5"], "percent-encode it"),
        (["http://127.0.0.1/?a=b"], "holds a user, a query or a fragment"),
        (["good_app:app", "--format", "xml"], "'xml' is not one of"),
        (["good_app:app", "--no-such-flag"], "No such option"),
        (["good_app:app", "--fail-on", "awful"], "'awful' is not one of"),
        (["good_app:app", "--select", "H99"], "'H99' is no check: did you mean H9"),
        (["good_app:app", "--select", "H1", "--ignore", "H1"], "leave no check"),
        (["good_app:app", "--quota", "many"], "'many' is no quota"),
        (["good_app:app", "--quota", "0/minute"], "is no quota"),
        (["good_app:app", "--max-body", "huge"], "'huge' is no size"),
        (["good_app:app", "--max-body", "1GB"], "out of range"),
        (["good_app:app", "--path", "items"], "is no path"),
        (["good_app:app", "--error-path", "/a\r\nb"], "is no path"),
        (["good_app:app", "--output", "no/such/directory/report.json"], "no directory to be in"),
        (["good_app:app", "--output", "."], "is a directory"),
        (["good_app:app", "--format", "json", "--format", "sarif"], "two formats cannot share stdout"),
        (["good_app:app", "--output", "-", "--output", "b"], "text to -, and no --format for b;"),
        (
            ["good_app:app", "--format", "text", "--format", "sarif", "--output", "g.sarif"],
            "text to g.sarif, and no --output for sarif; give each --format its --output, - for stdout",
        ),
        (["good_app:app", "--start-timeout", "0"], "0.0 is not in the range"),
        (["good_app:app", "--start-timeout", "nan"], "'--start-timeout': nan is no number of seconds"),
        (["good_app:app", "--timeout", "nan"], "'--timeout': nan is no number of seconds"),
        (["good_app:app", "--slow-limit", "nan"], "'--slow-limit': nan is no number of seconds"),
        (["good_app:app", "--time-limit", "NaN"], "'--time-limit': NaN is no number of seconds"),
        (["good_app:app", "--reference", "javascript:alert(1)"], "is no address of a page: write it as"),
        (["good_app:app", "--reference", "https://a.example/\n"], "is no address of a page: write it as"),
        (["good_app:app", "--host", "http://shop.example"], "is no host: write it as shop.example"),
        (["good_app:app", "--host", "shop.example\r\nX-A: b"], "is no host"),
        (["http://127.0.0.1:1/", "--harden"], "--harden needs an import string"),
        (["--factory", "--", *UVICORN, "good_app:app"], "--factory needs an import string"),
    ],
)
def test_a_usage_fault_is_one_line_with_the_fix(words: list[str], line: str) -> None:
    """Exit status 2, before anything is started."""
    ran = CliRunner().invoke(check_command, words)

    (only_line,) = ran.stderr.splitlines()
    assert ran.exit_code == 2
    assert line in only_line
    assert ran.stdout == ""


def test_a_fault_ends_the_process_in_the_same_way() -> None:
    """What the command says reaches stderr of the process, and its status the shell."""
    ran = check("shop")

    assert ran.status == 2
    assert ran.error_line.startswith("garrison: 'shop' is no target")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["no_such_module:app"], 'Could not import module "no_such_module"'),
        (
            ["good_app:no_such_app"],
            "good_app has no attribute 'no_such_app'. Name the attribute that is the app.",
        ),
        (
            ["--harden", "good_app:ap"],
            "answered: good_app has no attribute 'ap'. Did you mean 'app'? Start this",
        ),
        (["factory_app:create"], "add --factory"),
        (["--harden", "factory_app:create"], "add --factory"),
        (["broken_app:app"], "ModuleNotFoundError: No module named 'a_module_that_is_not_there'"),
        (["bereft_app:app"], "RuntimeError: the database is away; mend what the app does when it starts"),
        (["--harden", "bereft_app:app"], "); mend what the app does when it starts"),
        (["--server", "hypercorn", "bereft_app:app"], "; mend what the app does when it starts"),
        (["http://127.0.0.1:1/"], "start the app first"),
        (["--", "sh", "-c", "echo out of luck >&2; exit 5", "{port}"], "exited with status 5"),
        (["--", "sh", "-c", "kill -9 $$", "{port}"], "was ended by signal 9"),
    ],
)
def test_a_target_that_does_not_start_is_one_line_with_the_cause(words: list[str], line: str) -> None:
    """Exit status 3 and the exception that ended it, without its traceback."""
    ran = check(*words)

    assert ran.status == 3
    assert line in ran.error_line
    assert "Traceback" not in ran.stderr


def test_a_target_that_takes_long_to_start_is_given_the_time_that_it_is_told_to_need() -> None:
    """What is not up by then is no target, and the line names the option."""
    ran = check("--start-timeout", "1", "--", "sh", "-c", "sleep 30 # {port}")

    assert ran.status == 3
    assert "within 1 s" in ran.error_line
    assert "--start-timeout" in ran.error_line


def test_a_setting_that_is_wrong_is_no_fault_of_the_import() -> None:
    """A hardened start that is refused for its variables has the status of `garrison run`, and its words."""
    ran = check(
        "--harden", "good_app:app", GARRISON_HOSTS_ALOWED="shop.example", GARRISON_SERVER_GRACE="soon"
    )

    assert ran.status == 2
    assert ran.error_line.startswith("garrison: garrison run refuses its settings: GARRISON_")
    assert "found 'soon'; " in ran.error_line
    assert "GARRISON_HOSTS_ALOWED: expected a variable that Garrison knows." in ran.error_line
    assert "import" not in ran.error_line


def test_a_port_that_is_taken_is_named_as_the_cause() -> None:
    """A command that ignores the port it is given, and asks for one in use, ends in status 3."""
    with socket.create_server(("127.0.0.1", 0)) as occupier:
        port = str(occupier.getsockname()[1])
        server = [sys.executable, "-m", "uvicorn", "good_app:app", "--port", port]
        ran = check("--", "sh", "-c", 'exec "$@"', "{port}", *server)

    assert ran.status == 3
    assert "already in use" in ran.error_line
    assert "listen on the port that {port} names" in ran.error_line


def test_progress_and_summary_stay_off_a_machine_s_stdout(tmp_path: Path) -> None:
    """With a report in each format, stdout holds one document and stderr the verdict."""
    text = tmp_path / "report.txt"
    ran = check(
        *("--select", "H2", "--format", "text", "--output", str(text), "--format", "json", "--output", "-"),
        "good_app:app",
    )

    assert json.loads(ran.stdout)["schema_version"] == 1
    assert "PASS  H2" in text.read_text()
    assert "\x1b" not in text.read_text()
    assert "PASS: no confirmed finding" in ran.stderr


def test_the_log_directory_keeps_what_the_target_wrote(tmp_path: Path) -> None:
    """The app's own output can be read after the audit."""
    check("--select", "H2", "--log-directory", str(tmp_path / "logs"), "good_app:app")

    assert "Uvicorn running" in (tmp_path / "logs" / "stderr.log").read_text()


def test_a_log_directory_that_cannot_be_made_is_a_usage_fault(tmp_path: Path) -> None:
    """A file is no directory."""
    (tmp_path / "file").touch()

    ran = check("--log-directory", str(tmp_path / "file" / "logs"), "good_app:app")

    assert ran.status == 2
    assert "give another --log-directory" in ran.error_line


def test_the_catalogue_is_listed() -> None:
    """`--list` needs no target and names every check."""
    ran = check("--list")

    assert ran.status == 0
    assert "H1   Every reply forbids content sniffing" in ran.stdout


@linux_only
@pytest.mark.parametrize(
    "words",
    [["--select", "H2"], ["--select", "H4"], ["--select", "M1,A1"]],
    ids=["pass", "inconclusive", "death"],
)
def test_nothing_is_left_running(words: list[str]) -> None:
    """However an audit ends, the process group of the target is gone, grandchildren included."""
    mark = uuid.uuid4().hex
    grandchild = f'{sys.executable} -c "import time; time.sleep(60)" {mark} & exec "$@"'

    check(*words, "--", "sh", "-c", grandchild, "sh", *UVICORN, "fragile_app:app")

    assert wait_until(lambda: not processes_with(mark))


@linux_only
@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL], ids=lambda one: one.name
)
def test_stopping_the_tool_stops_the_target(number: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C, SIGTERM and SIGHUP end both with status 4; a kill of the tool takes the target along."""
    mark = uuid.uuid4().hex
    never_ready = ["sh", "-c", f"sleep 60 # {mark} {{port}}"]
    with (tmp_path / "stderr").open("w") as stderr:
        tool = subprocess.Popen(
            command("--log-directory", tmp_path, "--", *never_ready), cwd=APPS, stderr=stderr
        )
        assert wait_until(lambda: len(processes_with(mark)) > 1)
        tool.send_signal(number)
        status = tool.wait(10)

    assert status == (-9 if number is signal.SIGKILL else 4)
    assert wait_until(lambda: not processes_with(mark))
    if number is not signal.SIGKILL:
        assert (tmp_path / "stderr").read_text() == "garrison: interrupted\n"


@linux_only
def test_an_interrupt_in_the_middle_keeps_what_was_found(tmp_path: Path) -> None:
    """What was judged before Ctrl-C is reported, the rest is not run, and the status is 4."""
    mark = f"X-{uuid.uuid4().hex}: 1"
    server = [*UVICORN, "slow_app:app", "--header", mark]
    with (tmp_path / "stdout").open("w") as stdout, (tmp_path / "stderr").open("w") as stderr:
        said = ("--select", "H2,H9", "--format", "json", "--log-directory", tmp_path / "logs")
        tool = subprocess.Popen(
            command(*said, "--", *server),
            cwd=APPS,
            stdout=stdout,
            stderr=stderr,
            env={**os.environ, "SLOW_PATH": "/garrison"},
        )
        # Only the second of the checks asks for a path that does not exist.
        assert wait_until(lambda: any("hangs" in log.read_text() for log in (tmp_path / "logs").glob("*")))
        tool.send_signal(signal.SIGINT)
        status = tool.wait(20)

    report = json.loads((tmp_path / "stdout").read_text())
    assert status == 4
    assert report["stopped"] == "the audit was interrupted"
    assert {found["id"]: found["status"] for found in report["checks"]} == {"H2": "passed", "H9": "not run"}
    assert wait_until(lambda: not processes_with(mark))
    assert "Traceback" not in (tmp_path / "stderr").read_text()
