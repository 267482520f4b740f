"""Runs the steps of a composite action as a runner of GitHub's does, except those of other actions."""

from __future__ import annotations

import os
import re
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.integration.documents import ROOT

ACTION = ROOT / ".github" / "actions" / "check" / "action.yml"
# How a runner starts a step with `shell: bash`.
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
EXPRESSION = re.compile(r"\$\{\{ (inputs|steps)\.([\w.-]+) \}\}")


def action() -> dict[str, Any]:
    """The action's document."""
    document = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How a step ended, and what it left for those behind it."""

    status: int
    log: str
    outputs: Mapping[str, str]
    summary: str


@dataclass(slots=True, kw_only=True)
class Job:
    """One use of the action.

    Attributes:
        folder: for what a runner keeps beside the workspace.
        workspace: what was checked out.
        inputs: what stands in `with`.
        environ: of the runner, on top of this process's.
        outputs: of the steps so far.
    """

    folder: Path
    workspace: Path
    inputs: Mapping[str, str]
    environ: Mapping[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)

    def run(self, name: str) -> Step:
        """Run the step of this name."""
        (step,) = [step for step in action()["runs"]["steps"] if step["name"] == name]
        mark = uuid.uuid4().hex
        script, output, summary = (self.folder / f"{part}-{mark}" for part in ("script", "output", "summary"))
        script.write_text(step["run"], encoding="utf-8")
        output.touch()
        summary.touch()
        temporary = self.folder / "temp"
        temporary.mkdir(exist_ok=True)
        done = subprocess.run(
            [*BASH, str(script)],
            cwd=self.workspace / self.value(step.get("working-directory", ".")),
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("GARRISON_")},
                "GITHUB_ACTIONS": "true",
                "GITHUB_ACTION_PATH": str(ACTION.parent),
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(summary),
                "GITHUB_WORKSPACE": str(self.workspace),
                "RUNNER_TEMP": str(temporary),
                **self.environ,
                **{name: self.value(value) for name, value in step.get("env", {}).items()},
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=50,
            check=False,
        )
        left = dict(line.split("=", 1) for line in output.read_text(encoding="utf-8").splitlines())
        self.outputs |= {f"{step.get('id')}.outputs.{key}": value for key, value in left.items()}
        return Step(
            status=done.returncode, log=done.stdout, outputs=left, summary=summary.read_text(encoding="utf-8")
        )

    def value(self, text: str) -> str:
        """A text of the action with its expressions in it, of which it has simple ones only."""

        def known(found: re.Match[str]) -> str:
            if found[1] == "steps":
                return self.outputs.get(found[2], "")
            given = action()["inputs"][found[2]]
            return self.inputs.get(found[2], given["default"])

        return EXPRESSION.sub(known, text)
