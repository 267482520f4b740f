"""The wheel in environments that have nothing else: each Python here, each extra alone, old and new versions.

`make test` has the base install in one of them; PROOF=1 has them all, and takes some minutes.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.packages.environments import HIGHEST, LOWEST, Environment, installed, metadata, requirements
from tests.packages.interpreters import supported
from tests.packages.serving import served

if TYPE_CHECKING:
    from collections.abc import Callable

PROOF = os.environ.get("PROOF") == "1"
PROGRAMS = Path(__file__).parent / "programs"
# The base install, and each extra that people install.
EXTRAS = ("", "server", "harness", "load", "valkey", "openapi", "patterns")
# What each brings along with itself.
INCLUDED = {"harness": {"server"}, "load": {"server", "harness"}}
# Which extra brings what some module cannot be imported without; gunicorn is there for those who use it.
BROUGHT = {
    "a2wsgi": "server", "h11": "server", "httptools": "server", "uvicorn": "server", "websockets": "server",
    "pytest": "harness", "rich": "harness",
    "gevent": "load", "geventhttpclient": "load", "locust": "load",
    "cryptography": "openapi", "jsonschema_rs": "openapi", "jwt": "openapi", "multipart": "openapi",
    "yaml": "openapi",
    "re2": "patterns", "valkey": "valkey", "gunicorn": "nothing",
}  # fmt: skip
# The base install is to be small.
MOST_MEGABYTES = 25.0
PYTHONS = supported() if PROOF else {"{}.{}".format(*sys.version_info): sys.executable}


def megabytes(environment: Environment) -> float:
    """What is installed, without what Python compiles."""
    files = [path for path in environment.site.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return sum(path.stat().st_size for path in files) / 1e6


def said(environment: Environment, cwd: Path, *words: str, status: int = 0) -> str:
    """What a program prints that ends as it should."""
    done = environment.run(*words, cwd=cwd)
    assert done.returncode == status, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout


def program(environment: Environment, cwd: Path, name: str, *words: str) -> str:
    """What one of the programs beside this file prints."""
    return said(environment, cwd, "python", str(PROGRAMS / f"{name}.py"), *words).strip()


def harden_an_app(environment: Environment, cwd: Path) -> None:
    """The base install hardens an app, shows its settings, and brings nothing that only extras need."""
    printed = program(environment, cwd, "use_base")
    assert printed.startswith("200 content-security-policy content-type ")
    assert printed.endswith("x-request-id []")
    for words in (("garrison",), ("python", "-m", "garrison")):
        assert "GARRISON_SERVER_PORT" in said(environment, cwd, *words, "config", "--check")
    assert megabytes(environment) <= MOST_MEGABYTES


def serve_an_app(environment: Environment, cwd: Path) -> None:
    """`garrison run` serves a page, hardened, and ends when it is told to."""
    status, headers = served(environment, PROGRAMS, cwd / "log")
    assert (status, "frame-ancestors" in str(headers)) == (200, True)


def audit_an_app(environment: Environment, cwd: Path) -> None:
    """`garrison check` and the plugin of pytest are red for the hole, and green where it is mended."""
    for target, status in (("shop:app", 1), ("shop:mended", 0)):
        words = ("garrison", "check", target, "--in-process", "--select", "H2")
        assert "H2" in said(environment, PROGRAMS, *words, status=status)
        plugin = (
            "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--garrison-target", target,
            "--garrison-select", "H2", str(cwd),
        )  # fmt: skip
        assert "H2" in said(environment, PROGRAMS, *plugin, status=status) or not status
    said(environment, PROGRAMS, "garrison", "check", "shop:app", "--harden", "--select", "H2")
    assert "H2" in said(environment, cwd, "garrison", "explain", "H2")


def load_an_app(environment: Environment, cwd: Path) -> None:
    """`garrison load` drives Locust at an app, and counts what was answered."""
    words = ("load", "shop:app", "--users", "1", "--duration", "1s", "--no-watch", "--format", "json")
    said(environment, PROGRAMS, "garrison", *words, "--output", str(cwd / "load.json"))
    report = json.loads((cwd / "load.json").read_text(encoding="utf-8"))
    assert (report["verdict"], report["requests"] > 0) == ("passed", True)


def count_in_a_store(environment: Environment, cwd: Path) -> None:
    """A quota is kept in a real server."""
    from tests.toolkit.ratelimit.servers import Server  # noqa: PLC0415 - for this only

    with Server() as server:
        assert program(environment, cwd, "use_valkey", server.url) == "200 200 429"


def keep_a_contract(environment: Environment, cwd: Path) -> None:
    """What the document does not allow is refused, and keys for tokens are read."""
    printed = program(environment, cwd, "use_openapi").splitlines()
    assert [line for line in printed if not line.startswith("{")] == ["200 422 200 422", "one"]


def mask_a_pattern(environment: Environment, cwd: Path) -> None:
    """A pattern is found on the linear engine."""
    assert program(environment, cwd, "use_patterns") == "an order of [redacted]"


USES: dict[str, Callable[[Environment, Path], None]] = {
    "": harden_an_app,
    "server": serve_an_app,
    "harness": audit_an_app,
    "load": load_an_app,
    "valkey": count_in_a_store,
    "openapi": keep_a_contract,
    "patterns": mask_a_pattern,
}


def everything_imports(environment: Environment, cwd: Path, extra: str) -> None:
    """Each module is there, but for those that need a package of another extra."""
    here = {extra, *INCLUDED.get(extra, ())}
    for part in ((), ("driving",)):
        printed = program(environment, cwd, "import_all", *part)
        count, lacking = json.loads(printed.splitlines()[-1])
        assert count > 20
        assert {name: want for name, want in lacking.items() if BROUGHT.get(want, "") in {"", *here}} == {}


@pytest.mark.timeout(300)
def test_the_base_install(base: Environment, tmp_path: Path) -> None:
    """Without extras an app is hardened and the settings can be looked at, in at most 25 MB."""
    harden_an_app(base, tmp_path)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (("garrison", "run", "shop:app"), "server"),
        (("garrison", "check", "shop:app"), "harness"),
        (("garrison", "explain", "H1"), "harness"),
        (("garrison", "load", "http://127.0.0.1:9"), "load"),
        (("garrison", "drill", "shop:app"), "harness"),
        (("python", "-m", "garrison_harness", "prove", "shop:app"), "harness"),
        (("python", "-m", "garrison_harness", "load", "shop:app"), "load"),
        (
            ("env", "GARRISON_CONTRACT_DOCUMENT=openapi.json", "garrison", "config", "--check"),
            "openapi",
        ),
        (("env", "GARRISON_REDACTION_PATTERNS=a+", "garrison", "config"), "patterns"),
        (("env", "GARRISON_RATE_LIMIT_STORAGE=valkey://127.0.0.1", "garrison", "config"), "valkey"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[-1],
)
def test_missing_extras_are_named(
    base: Environment, tmp_path: Path, words: tuple[str, ...], extra: str
) -> None:
    """What needs an extra says so in one line with the install command."""
    (tmp_path / "openapi.json").write_text('{"openapi": "3.1.0"}', encoding="utf-8")
    found = base.run(*words, cwd=tmp_path)
    lines = [line for line in found.stderr.splitlines() if "pip install" in line]
    assert found.returncode in {1, 2}, found.stderr
    assert (len(lines), f"pip install 'garrison[{extra}]'" in lines[0]) == (1, True), found.stderr
    assert "Traceback" not in found.stderr


@pytest.mark.skipif(not PROOF, reason="42 environments take minutes: `make packages` has them")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("version", PYTHONS)
@pytest.mark.parametrize("resolution", [HIGHEST, LOWEST])
@pytest.mark.parametrize("extra", EXTRAS, ids=lambda extra: extra or "base")
def test_each_extra_alone(wheel: Path, tmp_path: Path, version: str, resolution: str, extra: str) -> None:
    """With the newest and the oldest versions of all it asks for, an extra works on each Python here."""
    assert f"Programming Language :: Python :: {version}" in metadata(wheel).get_all("Classifier", [])
    wanted = [f"{wheel}[{extra}]" if extra else str(wheel)]
    if resolution == LOWEST:
        wanted = [str(wheel), *requirements(wheel, extra)]
    environment = installed(tmp_path / "environment", PYTHONS[version], wanted, resolution=resolution)
    assert "garrison run" in said(environment, tmp_path, "garrison", "--help")
    USES[extra](environment, tmp_path)
    everything_imports(environment, tmp_path, extra)
