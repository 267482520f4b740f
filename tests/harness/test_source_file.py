"""The file that a finding is filed under."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from garrison_harness.report.source_file import source_file
from garrison_harness.target import Target, parse_target

if TYPE_CHECKING:
    from pathlib import Path

URL = "http://127.0.0.1:8000/"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory with an app, a database, an interpreter, and a configuration."""
    for name in (
        "shop/main.py",
        "src/store.py",
        "serve.py",
        "cities.db",
        "venv/bin/uvicorn",
        "gunicorn.toml",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def command(*words: str) -> Target:
    """A command target."""
    return parse_target(["/bin/sh", *words, "{port}"])


@pytest.mark.parametrize(
    ("target", "file"),
    [
        (parse_target(["shop.main:app"]), "shop/main.py"),
        (parse_target(["store:app"]), "src/store.py"),
        (command("venv/bin/uvicorn", "shop.main:app"), "shop/main.py"),
        (command("serve.py", "shop.main:create()"), "shop/main.py"),
        (command("venv/bin/uvicorn", "no.such:app", "--config", "gunicorn.toml"), "gunicorn.toml"),
        (command("serve", "cities.db", "serve.py", "gunicorn.toml"), "serve.py"),
    ],
)
def test_a_finding_is_filed_where_the_app_is_made(project: Path, target: Target, file: str) -> None:
    """A module first, then a file that people can read; never a database or a program."""
    assert source_file(target, project) == file


@pytest.mark.parametrize(
    "target", [parse_target([URL]), parse_target(["no.such:app"]), command("venv/bin/uvicorn", "cities.db")]
)
def test_what_has_no_file_of_its_own_goes_to_the_project_s(project: Path, target: Target) -> None:
    """The first that exists of those that make a project, whatever it is made with."""
    found = []
    for name in ("README.md", "go.mod", "package.json", "pyproject.toml"):
        (project / name).touch()
        found.append(source_file(target, project))

    assert found == ["README.md", "go.mod", "package.json", "pyproject.toml"]


def test_a_directory_without_any_file_has_a_name_all_the_same(tmp_path: Path) -> None:
    """Code scanning takes no result without a location."""
    assert source_file(parse_target([URL]), tmp_path) == "pyproject.toml"


def test_a_file_elsewhere_on_the_machine_is_none_of_the_project(project: Path) -> None:
    """Paths are relative to the directory of the audit, and stay inside it."""
    (project / "README.md").touch()
    outside = project / "shop"

    assert source_file(command("../serve.py"), outside) == "pyproject.toml"
