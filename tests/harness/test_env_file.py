"""`--env-file` gives what is started the variables that `garrison run --env-file` would read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from garrison_harness.cli import check
from garrison_harness.drills.command import drill
from garrison_harness.env_file import variables_in
from garrison_harness.load.command import load
from garrison_harness.options.target import target_of
from tests.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

    import click

COMMANDS = {"check": check, "load": load, "drill": drill}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the variables are."""
    return tmp_path / "shop.env"


def variables(command: click.Command, *words: str) -> tuple[tuple[str, str], ...]:
    """What the target of this command would find in its environment beside that of this process."""
    given: Any = command.make_context("garrison", [*words, "--config", "off"]).params
    return target_of(given).environment


@pytest.mark.parametrize(
    ("name", "words"), [("check", ["--in-process"]), ("load", ["--harden"]), ("drill", ["--harden"])]
)
def test_every_command_that_hardens_reads_the_file(
    name: str, words: list[str], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quotes and comments are those of `garrison run`; the environment wins, and `--env` over both."""
    file.write_text("# of the shop\nexport A='one # two'\nB=2 # for now\nC=3\nD=4\n", encoding="utf-8")
    monkeypatch.setenv("C", "here")

    found = variables(COMMANDS[name], "shop:app", *words, "--env-file", str(file), "--env", "D=5")

    assert dict(found) == {"A": "one # two", "B": "2", "D": "5"}


def test_what_is_started_here_drains_for_nobody(file: Path) -> None:
    """The delay is for balancers, of which there are none."""
    file.write_text("GARRISON_SERVER_DRAIN_DELAY=15s\nA=1\n", encoding="utf-8")

    assert variables_in(file) == [("A", "1")]


def test_the_file_does_not_say_where_to_listen(file: Path) -> None:
    """The settings of a service behind its socket or its certificate serve for an audit as they are."""
    file.write_text(
        "GARRISON_SERVER_UNIX_SOCKET=/run/shop.sock\nGARRISON_SERVER_TLS_CERTIFICATE=shop.pem\n"
        "GARRISON_SERVER_TLS_KEY_FILE=key\nGARRISON_SERVER_TLS_KEY_PASSWORD=x\nGARRISON_PROXY_UNIX=on\n",
        encoding="utf-8",
    )

    assert variables_in(file) == [("GARRISON_PROXY_UNIX", "on")]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_that_is_none_is_one_line(name: str, file: Path) -> None:
    """Exit status 2 before anything is started, and no line of the file is shown: it may be a secret."""
    file.write_text("A=1\nhunter2\nhunter2\n", encoding="utf-8")

    ran = CliRunner().invoke(COMMANDS[name], ["shop:app", "--harden", "--env-file", str(file)])

    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.stderr == (
        f"garrison: {file}, line 2: expected NAME=value; {file}, line 3: expected NAME=value\n"
    )


def test_a_file_that_is_not_there_is_named() -> None:
    """As `garrison run` names it."""
    ran = CliRunner().invoke(check, ["shop:app", "--env-file", "nowhere.env"])

    assert ran.exit_code == 2
    assert ran.stderr == (
        "garrison: --env-file: expected the path of a readable file, found 'nowhere.env'."
        " No such file or directory\n"
    )


def test_many_broken_lines_stay_one_line(file: Path) -> None:
    """A file of another kind is no page of complaints."""
    file.write_text("no\n" * 50, encoding="utf-8")

    ran = CliRunner().invoke(check, ["shop:app", "--env-file", str(file)])

    assert ran.exit_code == 2
    assert ran.stderr.count("expected NAME=value") == 3
    assert ran.stderr.endswith(" (and 47 more)\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_up_already_has_its_variables(name: str, file: Path) -> None:
    """Nothing is started for a URL, so a file for it is a mistake."""
    ran = CliRunner().invoke(COMMANDS[name], [f"http://127.0.0.1:{free_port()}/", "--env-file", str(file)])

    assert (ran.exit_code, ran.stderr) == (
        2,
        "garrison: --env-file is for what is started here, and a URL is not: leave it out\n",
    )
