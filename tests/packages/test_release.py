"""The recipe of a release: its workflow is one, its rules are there, and what it makes can be checked."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from garrison import __version__
from tests.integration.documents import DOCS, blocks, commands
from tests.packages.environments import ROOT

PROOF = os.environ.get("PROOF") == "1"
WORKFLOW = ROOT / ".github" / "workflows" / "release.yml"
PINNED = re.compile(r"[\w-]+/[\w/.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def jobs() -> dict[str, Any]:
    """The jobs of the workflow."""
    found = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]
    assert isinstance(found, dict)
    return found


def make(*words: str) -> subprocess.CompletedProcess[str]:
    """What make says in the repository, where everything is installed already."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", "--old-file", ".venv/.ready", *words], cwd=ROOT, env=environ, capture_output=True, text=True,
        timeout=200, check=False,
    )  # fmt: skip


def test_the_workflow_is_one() -> None:
    """It keeps its published schema, its actions are pinned, and no job may do more than it has to."""
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", WORKFLOW],
        capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    text = WORKFLOW.read_text(encoding="utf-8")
    uses = re.findall(r"uses: (.+)", text)
    assert uses
    assert all(PINNED.fullmatch(each) for each in uses), uses
    assert yaml.safe_load(text)["permissions"] == {}
    assert {name: job["permissions"] for name, job in jobs().items()} == {
        "build": {"contents": "read"},
        "attest": {"id-token": "write", "attestations": "write"},
        "publish": {"id-token": "write"},
    }
    assert jobs()["publish"]["environment"] == "release"


@pytest.mark.parametrize(("tag", "status"), [(f"v{__version__}", 0), ("v9.9.9", 1)])
def test_a_tag_is_the_version(tag: str, status: int) -> None:
    """Another tag ends the release before anything is built."""
    (step,) = [step for step in jobs()["build"]["steps"] if step.get("name") == "The tag is the version"]
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", step["run"]], cwd=ROOT, env={**os.environ, "TAG": tag}, check=False
    )
    assert done.returncode == status


def test_its_rules_are_those_of_the_makefile() -> None:
    """What the workflow and the guide run is there."""
    page = [
        command.words
        for block in blocks(DOCS / "how-to" / "release.md", "console")
        for command in commands(block)
    ]
    lines = [
        step["run"].split() for step in jobs()["build"]["steps"] if step.get("run", "").startswith("make ")
    ]
    rules = {word for words in (*page, *lines) for word in words[1:] if "=" not in word}
    assert rules == {"audit", "packages", "release"}
    # A forge sets CI, where a test that lacks a server fails: the same script installs them here and there.
    (script,) = [step["run"] for step in jobs()["build"]["steps"] if "/run" in step.get("run", "")]
    assert (ROOT / script.split()[-1]).exists()
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(re.search(rf"^{rule}:.* ## ", text, re.MULTILINE) for rule in rules)
    # What is uploaded is where the next jobs look for it.
    assert jobs()["build"]["steps"][-1]["with"]["path"] == "build/release"


@pytest.mark.skipif(not PROOF, reason="fetches the tool that lists what is brought along: `make packages`")
@pytest.mark.timeout(300)
def test_a_release_can_be_checked() -> None:
    """It has the two archives, built the same twice, and a list with the hash of each package behind it."""
    built = []
    for _ in range(2):
        done = make("release")
        assert done.returncode == 0, done.stdout + done.stderr
        files = sorted((ROOT / "build" / "release" / "dist").iterdir())
        built.append({path.name: path.read_bytes() for path in files})
    assert built[0] == built[1]
    assert {Path(name).suffix for name in built[0]} == {".whl", ".gz"}
    document = json.loads((ROOT / "build" / "release" / "garrison.cdx.json").read_text(encoding="utf-8"))
    names = {component["name"].lower() for component in document["components"]}
    assert (document["bomFormat"], document["metadata"]["component"]["name"]) == ("CycloneDX", "garrison")
    assert {"starlette", "uvicorn", "locust", "jsonschema-rs", "valkey", "google-re2"} <= names
    assert all(str(component).count("sha256") for component in document["components"])
