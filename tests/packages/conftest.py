"""What people install, built once, and in an environment that has nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.once import once
from tests.packages.environments import Environment, as_tested, build

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the sdist, and the wheel that was built from it."""
    return once(tmp_path_factory, "dist", build)


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    """The wheel."""
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def base(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the base install, of the versions that the project is tested with."""
    return Environment(folder=once(tmp_path_factory, "base", lambda folder: as_tested(folder, [str(wheel)])))
