"""The guides to GitLab, pre-commit and make: what they say to write down is run by the tool that reads it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.integration import gitlab_runner
from tests.integration.documents import DOCS, ROOT, blocks, commands
from tests.integration.github_runner import ACTION
from tests.integration.test_github_action import APP

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GITLAB, PRE_COMMIT, MAKE = (DOCS / "how-to" / f"{name}.md" for name in ("gitlab", "pre-commit", "makefile"))
HOOKS = ROOT / ".pre-commit-hooks.yaml"
MENDED = APP.replace(
    '(b"x-content-type-options", b"nosniff")]',
    '(b"x-content-type-options", b"nosniff"),\n'
    """               (b"content-security-policy", b"frame-ancestors 'self'")]""",
)
assert MENDED != APP
# What makes the audits of these tests short.
QUICK = "--in-process --select=H2"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A repository with the app that the guides name."""
    folder = tmp_path / "workspace"
    (folder / "shop").mkdir(parents=True)
    (folder / "shop" / "main.py").write_text(APP, encoding="utf-8")
    (folder / ".git").mkdir()
    return folder


def mend(workspace: Path) -> None:
    """Close the hole; the file has another size, so that no cache of the first serves for it."""
    (workspace / "shop" / "main.py").write_text(MENDED, encoding="utf-8")


def environ(folder: Path) -> dict[str, str]:
    """What somebody's shell has who has activated the environment with app and Garrison."""
    dropped = ("GARRISON_", "GIT_", "PRE_COMMIT", "MAKE", "MFLAGS", "PYTEST")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**kept, "PATH": path, "HOME": str(folder), "NO_COLOR": "1"}


def ran(
    words: Sequence[str], cwd: Path, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A command, and what it said."""
    return subprocess.run(
        words, cwd=cwd, env={**environ(cwd.parent), **(variables or {})}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=55, check=False,
    )  # fmt: skip


def documents(page: Path) -> list[Any]:
    """The YAML of a page."""
    return [yaml.safe_load(block.text) for block in blocks(page, "yaml")]


def valid(schema: str, path: Path) -> None:
    """A file is as the published schema wants it, which comes with the tool that holds it to it."""
    done = ran(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(path)],
        path.parent,
    )
    assert done.returncode == 0, done.stdout


def test_the_job_on_gitlab_is_red_and_then_green(workspace: Path) -> None:
    """Included as the guide says, it makes every report that it hands on, and fails for their finding."""
    (entry,) = documents(GITLAB)[0]["include"]
    assert f"{ROOT}{entry['file']}" == str(gitlab_runner.TEMPLATE)
    inputs = {**entry["inputs"], "arguments": QUICK, "install": "true"}
    job = gitlab_runner.included(inputs)["garrison"]
    done = gitlab_runner.run(job, workspace, environ(workspace.parent))

    assert done.returncode == 1, done.stderr
    assert "FAIL  H2" in done.stdout
    reports = job["artifacts"]["reports"]
    for path in (*job["artifacts"]["paths"], *reports.values()):
        assert "H2" in (workspace / path).read_text(encoding="utf-8")
    (issue,) = json.loads((workspace / reports["codequality"]).read_text(encoding="utf-8"))
    assert issue["location"]["path"] == "shop/main.py"
    mend(workspace)
    assert gitlab_runner.run(job, workspace, environ(workspace.parent)).returncode == 0


def test_the_job_on_gitlab_takes_what_the_guide_says(workspace: Path) -> None:
    """A row for each input with its default; a command is started, and what is no command is not run."""
    header, _ = gitlab_runner.parts()
    rows = re.findall(r"^\| `([\w-]+)` \| (?:`(.+?)`)?", GITLAB.read_text(encoding="utf-8"), re.MULTILINE)
    shown = {name: default for name, default in rows if name != "target"}
    known = {name: given["default"] for name, given in header["spec"]["inputs"].items() if name != "target"}
    assert shown == known

    started = f"{sys.executable} -m uvicorn shop.main:app --port {{port}}"
    inputs = {"command": started, "arguments": "--select=H2", "fail-on": "high", "install": "true"}
    job = gitlab_runner.included(inputs)["garrison"]
    done = gitlab_runner.run(job, workspace, environ(workspace.parent))
    assert (done.returncode, "FAIL  H2" in done.stdout) == (0, True), done.stderr
    for name in ("target", "arguments"):
        job = gitlab_runner.included({name: '$(touch made) "; touch made; "', "install": "true"})["garrison"]
        assert gitlab_runner.run(job, workspace, environ(workspace.parent)).returncode == 2
        assert not (workspace / "made").exists()


def test_the_files_are_as_their_readers_want_them(tmp_path: Path) -> None:
    """The job, with and without the guide's blocks in it, and the action keep their published schemas."""
    job = gitlab_runner.included({"target": "shop.main:app"})
    for number, more in enumerate([{}, *documents(GITLAB)[1:]]):
        assert set(more) <= set(job)
        path = tmp_path / f"{number}.yml"
        merged = {"garrison": job["garrison"] | more.get("garrison", {})}
        path.write_text(yaml.safe_dump(merged), encoding="utf-8")
    done = ran(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform",
         "gitlab-ci", *sorted(map(str, tmp_path.glob("*.yml")))],
        tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    valid("github-actions", ACTION)
    assert [
        each["garrison"]["allow_failure"] for each in documents(GITLAB) if "allow_failure" in str(each)
    ] == [{"exit_codes": 1}]


def git(folder: Path, *words: str) -> str:
    """What git says in a repository."""
    who = ("-c", "user.name=Somebody", "-c", "user.email=somebody@shop.example")
    done = ran(["git", *who, *words], folder, {"GIT_CONFIG_GLOBAL": os.devnull})
    assert done.returncode == 0, done.stdout
    return done.stdout.strip()


@pytest.fixture
def hooks(tmp_path: Path) -> tuple[Path, str]:
    """A repository of git with the hooks of this one, and the id of its commit."""
    folder = tmp_path / "garrison"
    folder.mkdir()
    shutil.copy(HOOKS, folder)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "Add hooks")
    return folder, git(folder, "rev-parse", "HEAD")


def test_the_hook_stops_a_commit_until_the_hole_is_mended(
    workspace: Path, hooks: tuple[Path, str], tmp_path: Path
) -> None:
    """pre-commit itself reads the guide's configuration, and git asks it before the commit."""
    folder, commit = hooks
    text = blocks(PRE_COMMIT, "yaml")[0].text
    text = text.replace("https://example.com/OWNER/garrison", str(folder)).replace("COMMIT", commit)
    text = text.replace("[shop.main:app]", "[shop.main:app, --select=H2]")
    (workspace / ".pre-commit-config.yaml").write_text(text, encoding="utf-8")
    (workspace / ".git").rmdir()
    (workspace / ".gitignore").write_text("__pycache__/\n", encoding="utf-8")
    git(workspace, "init", "--quiet")
    kept = {"PRE_COMMIT_HOME": str(tmp_path / "kept"), "GIT_CONFIG_GLOBAL": os.devnull}
    installed = ran([sys.executable, "-m", "pre_commit", "install"], workspace, kept)
    assert installed.returncode == 0, installed.stdout
    words = ["git", "-c", "user.name=S", "-c", "user.email=s@shop.example", "commit", "--message", "Sell"]

    git(workspace, "add", "shop")
    red = ran(words, workspace, kept)
    assert red.returncode == 1, red.stdout
    assert re.search(r"^garrison check\.+Failed$.*^H2 medium", red.stdout, re.MULTILINE | re.DOTALL)
    mend(workspace)
    git(workspace, "add", "shop")
    green = ran(words, workspace, kept)
    assert green.returncode == 0, green.stdout
    assert re.search(r"^garrison check\.+Passed$", green.stdout, re.MULTILINE)


def test_the_hook_and_the_guide_keep_the_forms_of_pre_commit(tmp_path: Path) -> None:
    """The manifest is one, both configurations are, and they name hooks that there are."""
    known = {hook["id"] for hook in yaml.safe_load(HOOKS.read_text(encoding="utf-8"))}
    used = [hook["id"] for one in documents(PRE_COMMIT) for repo in one["repos"] for hook in repo["hooks"]]
    assert set(used) == known
    paths = []
    for number, block in enumerate(blocks(PRE_COMMIT, "yaml")):
        paths.append(tmp_path / f"{number}.yaml")
        paths[-1].write_text(block.text, encoding="utf-8")
    for words in (("validate-manifest", HOOKS), ("validate-config", *paths)):
        done = ran([sys.executable, "-m", "pre_commit", *map(str, words)], tmp_path)
        assert done.returncode == 0, done.stdout


def test_make_is_red_and_then_green(workspace: Path) -> None:
    """The rules of the guide audit, accept and list what is missing; a missed audit ends make."""
    (rules,) = blocks(MAKE, "make")
    (workspace / "Makefile").write_text(rules.text, encoding="utf-8")
    quick = f"CHECK={QUICK}"
    red = ran(["make", "audit", quick], workspace)
    assert (red.returncode, "FAIL  H2" in red.stdout, "Error 1" in red.stdout) == (2, True, True), red.stdout
    assert "H2" in (workspace / "build" / "garrison.html").read_text(encoding="utf-8")

    accepted = ran(["make", "accept", "REASON=mended soon", "OWNER=me"], workspace)
    assert accepted.returncode == 0, accepted.stdout
    assert ran(["make", "audit", quick], workspace).returncode == 0
    (workspace / "garrison-baseline.toml").unlink()
    mend(workspace)
    assert ran(["make", "audit", quick], workspace).returncode == 0
    assert "GARRISON_HOSTS_ALLOWED" in ran(["make", "settings"], workspace).stdout


def test_the_commands_for_make_name_its_rules(workspace: Path) -> None:
    """Every rule that is shown is one, and takes what it is given."""
    (rules,) = blocks(MAKE, "make")
    (workspace / "Makefile").write_text(rules.text, encoding="utf-8")
    shown = [command.words for block in blocks(MAKE, "console") for command in commands(block)]
    assert len(shown) == 3
    for words in shown:
        dry = ran([*words, "--dry-run"], workspace)
        assert dry.returncode == 0, dry.stdout
        for word in words[2:]:
            assert word.partition("=")[2] in dry.stdout
    assert "--threshold 'p95<200ms'" in ran(["make", "load", "--dry-run"], workspace).stdout
