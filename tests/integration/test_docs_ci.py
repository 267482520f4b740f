"""The guides to GitLab and pre-commit: their configurations, and the commands in them run."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.integration.documents import DOCS, ROOT, blocks
from tests.integration.test_github_action import APP

if TYPE_CHECKING:
    from pathlib import Path


GITLAB, PRE_COMMIT = (DOCS / "how-to" / f"{name}.md" for name in ("gitlab", "pre-commit"))
HOOKS = ROOT / ".pre-commit-hooks.yaml"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A repository with the app that the guides name."""
    package = tmp_path / "shop"
    package.mkdir()
    (package / "main.py").write_text(APP, encoding="utf-8")
    (tmp_path / ".git").mkdir()
    return tmp_path


def run(workspace: Path, words: list[str]) -> subprocess.CompletedProcess[str]:
    """A command of a guide, in the repository."""
    assert words[0] == "garrison"
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=workspace,
        env={name: value for name, value in os.environ.items() if not name.startswith("GARRISON_")},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def documents(page: Path) -> list[Any]:
    """The YAML of a page."""
    return [yaml.safe_load(block.text) for block in blocks(page, "yaml")]


def test_the_job_on_gitlab_makes_the_reports_that_it_hands_on(workspace: Path) -> None:
    """Its command writes every file among its artifacts, and fails with the finding in all of them."""
    job = documents(GITLAB)[0]["garrison"]
    done = run(workspace, [*shlex.split(job["script"][1]), "--in-process", "--select=H2"])

    assert done.returncode == 1, done.stderr
    assert "FAIL  H2" in done.stdout
    reports = job["artifacts"]["reports"]
    for path in (*job["artifacts"]["paths"], *reports.values()):
        assert "H2" in (workspace / path).read_text(encoding="utf-8")
    (issue,) = json.loads((workspace / reports["codequality"]).read_text(encoding="utf-8"))
    assert issue["location"]["path"] == "shop/main.py"


def test_the_other_blocks_for_gitlab_are_of_the_same_job() -> None:
    """They are to be put into it, and only findings may pass."""
    first, *others = documents(GITLAB)

    assert all(set(other) == set(first) for other in others)
    assert [
        other["garrison"]["allow_failure"] for other in others if "allow_failure" in other["garrison"]
    ] == [{"exit_codes": 1}]


def test_every_hook_of_the_guide_is_there() -> None:
    """The guide names hooks of the manifest, and overrides what pre-commit lets it override."""
    known = {hook["id"] for hook in yaml.safe_load(HOOKS.read_text(encoding="utf-8"))}
    used = [hook for one in documents(PRE_COMMIT) for repo in one["repos"] for hook in repo["hooks"]]

    assert used
    assert {hook["id"] for hook in used} == known
    for hook in used:
        assert set(hook) <= {"id", "alias", "name", "entry", "args", "stages", "always_run"}


@pytest.mark.parametrize("more", [[], ["--fail-on=high"]], ids=["red", "green"])
def test_the_hook_audits_the_app(workspace: Path, more: list[str]) -> None:
    """Its entry with the guide's target ends as the audit does."""
    (hook,) = yaml.safe_load(HOOKS.read_text(encoding="utf-8"))
    args = documents(PRE_COMMIT)[0]["repos"][0]["hooks"][0]["args"]
    done = run(workspace, [*shlex.split(hook["entry"]), *args, "--select=H2", *more])

    assert done.returncode == (0 if more else 1), done.stderr
    assert re.search(r"^FAIL  H2 .*\n\nH2 medium", done.stdout, re.MULTILINE)
    # The names of files are not its business: it is given a target.
    assert hook["pass_filenames"] is False
