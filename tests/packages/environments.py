"""Environments that have the built package and nothing that the tests have."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

if TYPE_CHECKING:
    from collections.abc import Sequence
    from email.message import EmailMessage

ROOT = Path(__file__).parents[2]
CONSTRAINTS = ROOT / "constraints.txt"
# Whoever installs the newest versions gets these, and whoever has long had others may have those.
HIGHEST, LOWEST = "highest", "lowest-direct"
# What the installer would do here but not elsewhere.
KEPT_OUT = ("GARRISON_", "PYTHON", "VIRTUAL_ENV", "UV_PYTHON", "UV_CONSTRAINT", "UV_RESOLUTION")


def build(directory: Path) -> None:
    """Put an sdist, and the wheel that is built from it, into a directory."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(directory), str(ROOT)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def metadata(wheel: Path) -> EmailMessage:
    """The metadata that indexes and installers read."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return message_from_bytes(archive.read(name), policy=default)


def requirements(wheel: Path, extra: str) -> list[str]:
    """What an install of the wheel with one extra asks for, itself excepted.

    Args:
        wheel: the built package.
        extra: of the package; empty for none.
    """
    found = []
    for line in metadata(wheel).get_all("Requires-Dist", []):
        needed = Requirement(line)
        if needed.marker is None or needed.marker.evaluate({"extra": extra}):
            needed.marker = None
            found.append(str(needed))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A virtual environment.

    Attributes:
        folder: where it is.
    """

    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def site(self) -> Path:
        """Where its packages are."""
        (found,) = self.folder.glob("lib/python3.*/site-packages")
        return found

    def run(self, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a program in a folder, one of the environment's own where it has it."""
        own = self.folder / "bin" / words[0]
        return subprocess.run(
            [str(own) if own.exists() else words[0], *words[1:]], cwd=cwd, env=self.variables(),
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    def variables(self) -> dict[str, str]:
        """The environment of its programs: nothing of this process but the way to other programs."""
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(self.folder), "NO_COLOR": "1"}


def as_tested(folder: Path, wanted: Sequence[str]) -> Environment:
    """A new environment of this Python with requirements, of the versions that the project is tested with.

    They come from where `make` had them from: by pip, with its settings and its cache.

    Args:
        folder: where it is made.
        wanted: requirements, and paths of wheels.
    """
    venv.create(folder, with_pip=False)
    made = Environment(folder=folder)
    command = [
        sys.executable, "-m", "pip", "--python", str(made.python), "install", "--quiet", "--no-compile",
        "--disable-pip-version-check", "--constraint", str(CONSTRAINTS), *wanted,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return made


def installed(folder: Path, python: str, wanted: Sequence[str], *, resolution: str = HIGHEST) -> Environment:
    """A new environment with these requirements.

    Args:
        folder: where it is made.
        python: what makes it.
        wanted: requirements, and paths of wheels.
        resolution: which versions are chosen where several would do.
    """
    _uv("venv", "--quiet", "--python", python, str(folder))
    made = Environment(folder=folder)
    # Nothing is compiled here: the oldest version that has a wheel for a Python is the oldest one there.
    options = ("--resolution", resolution, "--only-binary", ":all:")
    _uv("pip", "install", "--quiet", "--python", str(made.python), *options, *wanted)
    return made


def _uv(*words: str) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(KEPT_OUT)}
    for theirs, ours in (("SSL_CERT_FILE", "PIP_CERT"), ("UV_DEFAULT_INDEX", "PIP_INDEX_URL")):
        if ours in os.environ:
            environ.setdefault(theirs, os.environ[ours])
    command = [sys.executable, "-m", "uv", "--no-config", "--no-python-downloads", *words]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
