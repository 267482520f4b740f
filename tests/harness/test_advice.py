"""What the checks advise, held against what the toolkit takes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from garrison_harness.checks.catalogue import CATALOGUE

if TYPE_CHECKING:
    from garrison_harness.checks.check import Check

NAME = re.compile(r"(GARRISON_[A-Z_]+)(?:=(?:'([^']+)'|([A-Za-z][\w-]*)))?")
ADVISED = sorted(
    {
        (match[1], match[2] or match[3] or "")
        for check in CATALOGUE
        for text in (check.why, check.how, check.fix, check.garrison)
        for match in NAME.finditer(text)
    }
)


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
    # A redirect to https needs to know whose hosts it may name.
    hosts = {"GARRISON_HOSTS_ALLOWED": "shop.example"}
    assert config(**hosts, **{name: value for name, value in ADVISED if value})


@pytest.mark.parametrize("name", ["W1", "W2", "M2", "R3", "R4"])
def test_what_the_toolkit_cures_is_said_to_be_cured(name: str) -> None:
    """Nobody is sent to look for another server where a layer of Garrison's refuses."""
    (check,) = (check for check in CATALOGUE if check.id == name)

    assert "GARRISON_REQUEST_LIMITS" in check.garrison


@pytest.mark.parametrize("check", CATALOGUE, ids=lambda check: str(check.id))
def test_a_check_advises_the_layers_that_it_depends_on(check: Check) -> None:
    """Whoever reads of a fault that a layer mends finds a variable of that layer."""
    for layer in set(check.layers) - {"SERVER"}:
        assert f"GARRISON_{layer}" in check.garrison
    if "SERVER" in check.layers:
        assert re.search("garrison run|GARRISON_SERVER_", check.garrison)


@pytest.mark.parametrize("check", CATALOGUE, ids=lambda check: str(check.id))
def test_a_check_says_what_to_do_and_refers_to_each_source_once(check: Check) -> None:
    """The weakness is told beside the reference, and not in it again."""
    assert check.fix
    assert "CWE-" not in check.reference
    assert not re.search(r"the section [A-Z]|[.;,]$", check.garrison)
