"""Runs a job of an included file as GitLab and its runner do: inputs first, then the scripts in one shell."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import yaml

from tests.integration.documents import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TEMPLATE = EXAMPLES / "ci" / "gitlab.yml"
INPUT = re.compile(r"\$\[\[ inputs\.([\w-]+) \]\]")


def parts() -> tuple[dict[str, Any], dict[str, Any]]:
    """The header of the file, and the configuration behind it."""
    header, configuration = yaml.safe_load_all(TEMPLATE.read_text(encoding="utf-8"))
    return header, configuration


def included(inputs: Mapping[str, str]) -> dict[str, Any]:
    """The configuration with its inputs in it; one that is unknown, or no option, is an error there too."""
    header, configuration = parts()
    known = header["spec"]["inputs"]
    assert set(inputs) <= set(known)
    values = {name: inputs.get(name, known[name]["default"]) for name in known}
    for name, value in values.items():
        assert value in known[name].get("options", [value])

    def filled(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: filled(value) for key, value in node.items()}
        if isinstance(node, list):
            return [filled(value) for value in node]
        return INPUT.sub(lambda found: values[found[1]], node) if isinstance(node, str) else node

    made = filled(configuration)
    assert isinstance(made, dict)
    return made


def run(
    job: Mapping[str, Any], workspace: Path, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """The job's scripts, line by line in one bash that stops at the first that fails.

    Args:
        job: of the configuration.
        workspace: what was checked out.
        environ: what the image has.
    """
    lines = [*job["before_script"], *job["script"]]
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", "\n".join(lines)],
        cwd=workspace,
        env={**environ, **job["variables"]},
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )
