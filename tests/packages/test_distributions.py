"""The wheel and the sdist: what is in them, and what they say of themselves."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from garrison import __version__
from tests.packages.environments import ROOT, metadata

# Whoever comes first builds.
pytestmark = pytest.mark.timeout(300)

# What the code reads: a script for the store, the page of the report and the schema of its JSON.
DATA = (".css", ".js", ".json", ".lua")
DIST_INFO = f"garrison-{__version__}.dist-info"
# Of W002: packages that say nothing yet are empty files, of which one is as good as another.
EMPTY = re.compile(r"__init__\.py|py\.typed")


def contents(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel, in the order that they have there."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def tool(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """A tool that judges distributions."""
    command = [sys.executable, "-m", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)


def test_the_wheel_holds_the_two_packages(wheel: Path) -> None:
    """Nothing else of the repository is installed, and both packages are marked as typed."""
    names = list(contents(wheel))
    assert {name.partition("/")[0] for name in names} == {"garrison", "garrison_harness", DIST_INFO}
    assert {"garrison/py.typed", "garrison_harness/py.typed", f"{DIST_INFO}/licenses/LICENSE"} <= set(names)
    assert {Path(name).suffix for name in names if DIST_INFO not in name} == {".py", ".typed", *DATA}
    for source, package in (("toolkit", "garrison"), ("harness", "garrison_harness")):
        files = {path.relative_to(ROOT / source).as_posix() for path in (ROOT / source).rglob("*.*")}
        files = {file for file in files if file.endswith((".py", *DATA))}
        kept = {name for name in names if name.startswith(f"{package}/")}
        assert files == {name for name in kept if name.endswith((".py", *DATA))}


def test_the_sdist_holds_the_sources(built: Path) -> None:
    """The source archive has what the wheel is built from, and neither tests, environments nor caches."""
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        files = [name.split("/", 1)[1] for name in archive.getnames() if "/" in name]
    assert {file.partition("/")[0] for file in files} - {"CHANGELOG.md", ".gitignore"} == {
        "toolkit", "harness", "pyproject.toml", "README.md", "LICENSE", "PKG-INFO"
    }  # fmt: skip
    assert not [file for file in files if "__pycache__" in file or file.endswith(".pyc")]


def test_the_sdist_builds_the_same_wheel(tmp_path: Path) -> None:
    """Whoever builds from the source archive gets, byte for byte, what comes from the repository."""
    # Of one state, whatever somebody saves meanwhile.
    repository = tmp_path / "repository"
    for name in ("toolkit", "harness"):
        shutil.copytree(ROOT / name, repository / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE"):
        shutil.copy(ROOT / name, repository)
    wheels = []
    for options in ((), ("--wheel",)):
        folder = tmp_path / f"dist{len(options)}"
        done = tool("build", "--no-isolation", *options, "--outdir", folder, repository)
        assert done.returncode == 0, done.stdout + done.stderr
        (path,) = folder.glob("*.whl")
        wheels.append(path)
    (from_sdist, direct) = wheels
    assert contents(direct) == contents(from_sdist)
    assert direct.read_bytes() == from_sdist.read_bytes()


def test_the_metadata_says_what_is_needed(wheel: Path) -> None:
    """Name, version, licence, Python and extras are there, and no requirement names an address."""
    found = metadata(wheel)
    assert (found["Name"], found["Version"], found["License-Expression"]) == ("garrison", __version__, "MIT")
    assert found["Requires-Python"] == ">=3.11"
    assert {"server", "valkey", "harness", "load", "dev"} <= set(found.get_all("Provides-Extra", []))
    needed = found.get_all("Requires-Dist", [])
    base = [line for line in needed if "extra ==" not in line]
    assert len(base) <= 8
    assert not [line for line in needed if "@" in line or "://" in line]
    assert all(re.search(r">=\d", line) for line in base), "the least version that works is named"


def test_the_entry_points_are_there(wheel: Path) -> None:
    """The command, and the plugin that pytest finds by itself."""
    text = contents(wheel)[f"{DIST_INFO}/entry_points.txt"].decode()
    assert text.split() == [
        "[console_scripts]", "garrison", "=", "garrison.cli:main",
        "[pytest11]", "garrison", "=", "garrison_harness.pytest_plugin",
    ]  # fmt: skip


def test_an_index_takes_them(built: Path) -> None:
    """Metadata and description are as an index wants them, of both archives."""
    done = tool("twine", "check", "--strict", *sorted(built.iterdir()))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASSED") == 2


def test_nothing_is_wrong_with_the_wheel(wheel: Path) -> None:
    """No stray files, no compiled ones, no package that is also a module, and no file twice."""
    done = tool("check_wheel_contents", "--toplevel", "garrison,garrison_harness", "--ignore", "W002", wheel)
    assert done.returncode == 0, done.stdout + done.stderr
    by_content: dict[bytes, list[str]] = {}
    for name, content in contents(wheel).items():
        by_content.setdefault(content, []).append(name)
    for names in by_content.values():
        assert len(names) == 1 or all(EMPTY.search(name) for name in names), names
