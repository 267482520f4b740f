"""What is said where an extra is not installed: one sentence, whoever says it."""

from __future__ import annotations

from pathlib import Path

import pytest

import garrison
import garrison_harness
from garrison import extras
from garrison_harness import extras as harness_extras
from garrison_harness.target import UsageFault


def test_both_packages_say_it_in_the_same_words() -> None:
    """They do not import each other, so that each has the sentence, once."""
    assert extras.needs("`garrison check`", "rich", "harness") == (
        "`garrison check` needs rich. Install it with: pip install 'garrison[harness]'"
    )
    words = ("a Valkey store", "valkey", "valkey")
    assert extras.needs(*words) == harness_extras.needs(*words)


@pytest.mark.parametrize("package", [garrison, garrison_harness], ids=lambda one: str(one.__name__))
def test_nobody_else_writes_it(package: object) -> None:
    """What names the command to install an extra is in one module of each package."""
    (folder,) = map(Path, package.__path__)  # type: ignore[attr-defined]
    said = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*.py")
        if "pip install 'garrison[" in path.read_text("utf-8")
    }
    assert said == {"extras.py"}


def test_a_command_looks_without_importing() -> None:
    """The first package that is missing is named; what is there is fine."""
    harness_extras.require("check", "h11", "rich")
    with pytest.raises(UsageFault) as caught:
        harness_extras.require("load", "h11", "no_such_locust", extra="load")
    assert str(caught.value) == extras.needs("`garrison load`", "no_such_locust", "load")
