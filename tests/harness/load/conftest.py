"""A target that is up, load on it, and a command that is gone after the test."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from garrison_harness.load.forks import Forks, forks
from garrison_harness.load.generator import generate
from garrison_harness.running import Running, running
from garrison_harness.target import parse_target
from tests.harness.load.command_line import APPS, Command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from garrison_harness.load.account import Account
    from garrison_harness.load.plan import Plan


@pytest.fixture
def command() -> Iterator[Command]:
    """A `garrison load` that is gone after the test."""
    made = Command()
    yield made
    made.clean()
    if made.process is not None:
        made.process.communicate(timeout=10)


@pytest.fixture(scope="session")
def serve() -> Callable[[str], AbstractContextManager[Running]]:
    """Serves one of the test apps."""

    def served(app: str) -> AbstractContextManager[Running]:
        uvicorn = [sys.executable, "-m", "uvicorn", "--app-dir", str(APPS), app, "--log-level", "warning"]
        return running(parse_target([*uvicorn, "--port", "{port}"]))

    return served


@pytest.fixture(scope="module")
def url(serve: Callable[[str], AbstractContextManager[Running]]) -> Iterator[str]:
    """The URL of the tiny app."""
    with serve("tiny_app:app") as up:
        yield up.base_url


@pytest.fixture(scope="session")
def shop(serve: Callable[[str], AbstractContextManager[Running]]) -> Iterator[str]:
    """The URL of the shop."""
    with serve("shop_app:app") as up:
        yield up.base_url


@pytest.fixture(scope="module")
def up(url: str) -> Iterator[Running]:
    """The tiny app, as a target."""
    with running(parse_target([url])) as target:
        yield target


@pytest.fixture(scope="session")
def load_processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """Makes load processes as the rounds of a comparison have them: Locust is imported once."""
    with forks(tmp_path_factory.mktemp("forks")) as made:
        yield made


@pytest.fixture
def run(up: Running, load_processes: Forks) -> Callable[[Plan], Account]:
    """Does a whole run on the tiny app; the result is what it saw."""

    def done(plan: Plan) -> Account:
        outcome = generate(plan.at(up.base_url), up, forks=load_processes)
        assert outcome.how == "finished", outcome.detail
        return outcome.account

    return done


@pytest.fixture
def locustfile(tmp_path: Path) -> Callable[[str], str]:
    """Writes a locustfile."""

    def written(source: str) -> str:
        path = tmp_path / "journeys.py"
        path.write_text(source, encoding="utf-8")
        return str(path)

    return written
