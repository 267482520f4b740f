"""What the checks advise, held against what the toolkit takes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from garrison_harness.checks.catalogue import CATALOGUE

NAME = re.compile(r"(GARRISON_[A-Z_]+)(?:=([a-z]+))?")
ADVISED = sorted({(match[1], match[2]) for check in CATALOGUE for match in NAME.finditer(check.garrison)})


def config(**variables: str) -> set[str]:
    """The variables that `garrison config` lists, with these set."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GARRISON_")}
    done = subprocess.run(
        [sys.executable, "-m", "garrison", "config", "--format", "json"],
        env=environment | variables, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout)["settings"])


def test_every_variable_that_a_check_names_exists() -> None:
    """Each is a setting that `garrison config` lists, or the section of some, which switches a layer off."""
    known = config()

    unknown = {
        name
        for name, _ in ADVISED
        if name not in known and not any(one.startswith(f"{name}_") for one in known)
    }

    assert unknown == set()


def test_every_value_that_a_check_names_is_taken() -> None:
    """What is advised as NAME=value can be set like that."""
    assert config(**{name: value for name, value in ADVISED if value})


@pytest.mark.parametrize("name", ["W1", "W2", "M2", "R3", "R4"])
def test_what_the_toolkit_cures_is_said_to_be_cured(name: str) -> None:
    """Nobody is sent to look for another server where a layer of Garrison's refuses."""
    (check,) = (check for check in CATALOGUE if check.id == name)

    assert "GARRISON_REQUEST_LIMITS" in check.garrison
    assert "REQUEST_LIMITS" in check.layers
