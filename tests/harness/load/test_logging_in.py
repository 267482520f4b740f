"""A load of what is behind a login that `[tool.garrison.login]` describes."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from garrison_harness.load.command import load
from garrison_harness.load.compare.against import Bare, load_against
from garrison_harness.load.logging_in import logged_in
from garrison_harness.load.options.asked import asked_of
from garrison_harness.load.plan import Plan
from garrison_harness.login.settings import Login
from garrison_harness.running import running
from garrison_harness.target import parse_target
from tests.harness.apps import login_app

if TYPE_CHECKING:
    from tests.harness.load.command_line import Command, Ended

APPS = Path(__file__).parents[1] / "apps"
TABLE = """
[tool.garrison]
target = "login_app:app"

[tool.garrison.login]
path = "/login"
page = "/login"
form = { username = "audit", password = "%s" }
verify = "/account"

[tool.garrison.load]
users = 2
reports = { json = "-" }
"""

UVICORN = [
    sys.executable, "-m", "uvicorn", "--app-dir", str(APPS), "login_app:app", "--port", "{port}",
    "--log-level", "warning",
]  # fmt: skip
LOGIN = Login(
    path="/login", page="/login", form=(("username", "audit"), ("password", login_app.PASSWORD)),
    verify="/account",
)  # fmt: skip


@pytest.fixture
def run(command: Command, tmp_path: Path) -> Any:
    """Loads a path that answers 401 to strangers."""

    def run(password: str, *words: str) -> Ended:
        file, requests = tmp_path / "garrison.toml", tmp_path / "notes.list"
        file.write_text(TABLE % password, encoding="utf-8")
        requests.write_text("POST /notes\n", encoding="utf-8")
        command.start("--config", str(file), "--requests", str(requests), *words, directory=APPS)
        return command.end()

    return run


def test_load_is_let_in(run: Any) -> None:
    """The session of the login goes with every request, and no report holds it."""
    ended = run(login_app.PASSWORD, "--duration", "300ms")
    assert (ended.status, ended.stderr, ended.left) == (0, "", [])
    found = json.loads(ended.stdout)
    assert found["statuses"] == {"200": found["requests"]}
    assert "session=" not in ended.stdout


def test_login_that_fails_ends_the_load_before_it_begins(run: Any) -> None:
    """Exit status 2, with one line that says what was sent, and not the password."""
    ended = run("wrong", "--duration", "500ms")
    ended.assert_one_line(2, "the login failed: POST /login (with csrf, next, username, password)")
    assert "wrong" not in ended.stderr


def test_each_variant_has_a_login_of_its_own() -> None:
    """A comparison logs in to the bare app as well, which knows nothing of the other's session."""
    plan = Plan(users=2, duration=0.2, paths=("/account",))
    with running(parse_target(UVICORN)) as up:
        headers = logged_in(up, (), LOGIN)
        against = Bare(target=parse_target(UVICORN), rounds=1, login=LOGIN)
        loaded = load_against(against, up, replace(plan, base_url=up.base_url, headers=headers))
    assert loaded.outcome.how == "finished", loaded.outcome.detail
    assert loaded.baseline_account is not None
    for account in (loaded.outcome.account, loaded.baseline_account):
        assert account.tally.statuses.keys() == {200}


def test_the_login_of_the_bare_app_is_that_of_the_target() -> None:
    """`--compare bare` is told how to log in, and the headers from before anybody has."""
    words = ["login_app:app", "--harden", "--compare", "bare", "--header", "X-Own: 1"]
    given: Any = load.make_context("load", ["--config", "off", *words]).params
    asked = asked_of(given, login=LOGIN)
    assert isinstance(asked.against, Bare)
    assert (asked.login, asked.against.login) == (LOGIN, LOGIN)
    assert asked.against.headers == (("X-Own", "1"),)
