"""The import rules hold, and each of them is broken by the import that it is there for."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
STRANGERS = "the toolkit and the harness do not know each other"
FLOORS = "each floor stands on the floors below"
MIDDLEWARES = "a middleware knows no other middleware"
ENGINES = "engines know nothing of ASGI"
LOCUST = "Locust and gevent stay in the child process"

# Run from a copy: the packages are found there before the ones that are installed.
LINT = (
    "import sys\n"
    "sys.path[:0] = ['toolkit', 'harness']\n"
    "from importlinter.cli import lint_imports\n"
    "sys.exit(lint_imports(config_filename='pyproject.toml', cache_dir={cache!r}))\n"
)


@pytest.fixture(scope="module")
def lint(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, str]]:
    """Judges a copy of both packages with lines added to some of its modules, contract by contract."""
    original = tmp_path_factory.mktemp("original")
    cache = str(tmp_path_factory.mktemp("cache"))
    for source in ("toolkit", "harness"):
        shutil.copytree(ROOT / source, original / source, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", original)

    def judge(directory: Path, **planted: str) -> dict[str, str]:
        shutil.copytree(original, directory, dirs_exist_ok=True)
        for name, line in planted.items():
            source = "harness" if name.startswith("garrison_harness") else "toolkit"
            path = directory / source / f"{name.replace('__', '/')}.py"
            assert path.is_file(), path
            path.write_text(f"{path.read_text('utf-8')}\n{line}\n", "utf-8")
        found = subprocess.run(
            [sys.executable, "-c", LINT.format(cache=cache)], cwd=directory, capture_output=True,
            text=True, timeout=60, check=False,
        )  # fmt: skip
        verdicts = dict(re.findall(r"^(.+) (KEPT|BROKEN)$", found.stdout, re.MULTILINE))
        assert found.returncode == int("BROKEN" in verdicts.values()), found.stdout + found.stderr
        return verdicts

    return judge


def test_the_rules_hold(lint: Callable[..., dict[str, str]], tmp_path: Path) -> None:
    """As they are, the packages keep every contract, and these are the contracts."""
    assert lint(tmp_path) == dict.fromkeys((STRANGERS, FLOORS, MIDDLEWARES, ENGINES, LOCUST), "KEPT")


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("garrison__problems", "import garrison_harness", {STRANGERS}),
        ("garrison_harness__finding", "from garrison import redaction", {STRANGERS}),
        ("garrison__middleware__errors", "from garrison.middleware import proxy", {MIDDLEWARES}),
        ("garrison__ratelimit__memory", "import starlette.responses", {ENGINES}),
        ("garrison__ratelimit__memory", "from garrison import problems", {ENGINES}),
        ("garrison__values", "from garrison.headers import csp", {FLOORS}),
        ("garrison__middleware__errors", "from garrison import preflight", {FLOORS}),
        ("garrison__stack", "from garrison import server", {FLOORS}),
        ("garrison_harness__probe", "import locust", {LOCUST}),
    ],
)
def test_a_planted_import_breaks_its_rule(
    lint: Callable[..., dict[str, str]], tmp_path: Path, module: str, line: str, broken: set[str]
) -> None:
    """The import breaks the contract that is meant, and no other."""
    verdicts = lint(tmp_path, **{module: line})
    assert {name for name, verdict in verdicts.items() if verdict == "BROKEN"} == broken


def test_what_only_types_need_may_be_imported(lint: Callable[..., dict[str, str]], tmp_path: Path) -> None:
    """An import for the type checker only is no dependency."""
    line = "if TYPE_CHECKING:\n    from garrison import stack"
    assert (
        "BROKEN" not in lint(tmp_path, garrison__values=f"from typing import TYPE_CHECKING\n{line}").values()
    )


def test_constraints_are_names_and_versions() -> None:
    """The pins hold no address and no path, so that every index can serve them."""
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines():
        assert re.fullmatch(r"(#.*|[A-Za-z0-9][A-Za-z0-9._-]*==[0-9][A-Za-z0-9.!+-]*)?", line), line


def test_no_file_names_a_directory_of_one_machine() -> None:
    """Nothing in the repository works on the machine of its author only."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("not a git checkout")
    found = []
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and re.search(rb"(?<![\w.])/(?:home|root|work|Users)/\w", path.read_bytes()):
            found.append(name)
    assert found == []
