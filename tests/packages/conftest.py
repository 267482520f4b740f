"""What people install, built once, and in an environment that has nothing else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.packages.environments import build, installed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.packages.environments import Environment


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the sdist, and the wheel that was built from it."""
    directory = tmp_path_factory.mktemp("dist")
    build(directory)
    return directory


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    """The wheel."""
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def base(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the base install, of the versions that the project is tested with."""
    folder = tmp_path_factory.mktemp("base") / "environment"
    return installed(folder, sys.executable, [str(wheel)], constrained=True)
