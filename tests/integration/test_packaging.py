"""What people install: the wheel, and the wheel in an environment that has nothing else."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import venv
import zipfile
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from garrison import __version__
from tests.toolkit.server.conftest import environment

if TYPE_CHECKING:
    from email.message import EmailMessage

ROOT = Path(__file__).parents[2]
# What the code reads: a script for the store, the page of the report and the schema of its JSON.
DATA = (".css", ".js", ".json", ".lua")
DIST_INFO = f"garrison-{__version__}.dist-info"
USE = """
import asyncio, importlib.util, json
from garrison import Settings, harden

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": b"hello"})

async def main():
    sent = []
    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}
    async def send(message):
        sent.append(message)
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"shop.example")]}
    await harden(app, Settings(access_log=None))(scope, receive, send)
    found = [name for name in ("uvicorn", "locust", "gevent", "rich", "h11", "pytest", "valkey")
             if importlib.util.find_spec(name)]
    print(json.dumps([sent[0]["status"], sorted(name.decode() for name, _ in sent[0]["headers"]), found]))

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the sdist, and the wheel that was built from it."""
    directory = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(directory), str(ROOT)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    return directory


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    """The wheel."""
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of an environment that has the wheel without extras and what it needs."""
    directory = tmp_path_factory.mktemp("environment")
    venv.create(directory, with_pip=False)
    python = directory / "bin" / "python"
    command = [
        sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-compile",
        "--disable-pip-version-check", "-c", str(ROOT / "constraints.txt"), str(wheel),
    ]  # fmt: skip
    found = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    return python.parent


def metadata(wheel: Path) -> EmailMessage:
    """The metadata that indexes and installers read."""
    with zipfile.ZipFile(wheel) as archive:
        return message_from_bytes(archive.read(f"{DIST_INFO}/METADATA"), policy=default)


def run(installed: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command of that environment, away from the repository."""
    return subprocess.run(
        [installed / words[0], *words[1:]], cwd=installed, capture_output=True, text=True, timeout=30,
        check=False, env=environment({}),
    )  # fmt: skip


def test_the_wheel_holds_the_two_packages(wheel: Path) -> None:
    """Nothing else of the repository is installed, and both packages are marked as typed."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.partition("/")[0] for name in names} == {"garrison", "garrison_harness", DIST_INFO}
    assert {"garrison/py.typed", "garrison_harness/py.typed", f"{DIST_INFO}/licenses/LICENSE"} <= set(names)
    assert {Path(name).suffix for name in names if DIST_INFO not in name} == {".py", ".typed", *DATA}
    for source, package in (("toolkit", "garrison"), ("harness", "garrison_harness")):
        files = {path.relative_to(ROOT / source).as_posix() for path in (ROOT / source).rglob("*.*")}
        files = {file for file in files if file.endswith((".py", *DATA))}
        kept = {name for name in names if name.startswith(f"{package}/")}
        assert files == {name for name in kept if name.endswith((".py", *DATA))}


def test_the_sdist_holds_the_sources(built: Path) -> None:
    """The source archive has what the wheel is built from, and neither environments nor build results."""
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.split("/", 2)[1] for name in archive.getnames() if "/" in name}
    assert names - {"CHANGELOG.md", ".gitignore"} == {
        "toolkit", "harness", "pyproject.toml", "README.md", "LICENSE", "PKG-INFO"
    }  # fmt: skip


def test_the_metadata_says_what_is_needed(wheel: Path) -> None:
    """Name, version, licence, Python and extras are there, and no requirement names an address."""
    found = metadata(wheel)
    assert (found["Name"], found["Version"], found["License-Expression"]) == ("garrison", __version__, "MIT")
    assert found["Requires-Python"] == ">=3.11"
    assert {"server", "valkey", "harness", "load", "dev"} <= set(found.get_all("Provides-Extra", []))
    requirements = found.get_all("Requires-Dist", [])
    base = [line for line in requirements if "extra ==" not in line]
    assert len(base) <= 8
    assert not [line for line in requirements if "@" in line or "://" in line]


def test_it_works_without_extras(installed: Path) -> None:
    """An app is hardened and answers, and nothing that only the extras bring is there."""
    found = run(installed, "python", "-W", "error", "-c", USE)
    assert found.stderr == ""
    assert found.stdout.startswith('[200, ["content-security-policy", "content-type", ')
    assert '"x-request-id"' in found.stdout
    assert found.stdout.endswith(", []]\n")


def test_the_command_works_without_extras(installed: Path) -> None:
    """The settings can be looked at, by the script and by `python -m`."""
    for words in (("garrison",), ("python", "-m", "garrison")):
        found = run(installed, *words, "config", "--check")
        assert (found.returncode, found.stderr.splitlines()[-1][:18]) == (0, "garrison: 0 errors")
        assert "GARRISON_SERVER_PORT" in found.stdout


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (("run", "shop:app"), "server"),
        (("check", "shop:app"), "harness"),
        (("explain", "H1"), "harness"),
        (("load", "http://127.0.0.1:9"), "load"),
    ],
)
def test_missing_extras_are_named(installed: Path, words: tuple[str, ...], extra: str) -> None:
    """What needs an extra says so in one line with the install command, and exit status 2."""
    found = run(installed, "garrison", *words)
    assert (found.returncode, found.stdout, found.stderr.count("\n")) == (2, "", 1), found.stderr
    assert f"pip install 'garrison[{extra}]'" in found.stderr
