"""The first ten minutes of somebody who has the wheel, an empty directory and an app of two lines.

What is typed is what the README says: install, serve, audit, load. PROOF=1 has it, with pip.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from typing import TYPE_CHECKING

import pytest

from tests.packages.environments import Environment
from tests.packages.serving import served

if TYPE_CHECKING:
    from pathlib import Path

PROOF = os.environ.get("PROOF") == "1"
APP = """\
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

app = Starlette(routes=[Route("/", lambda request: HTMLResponse("<!doctype html><title>Shop</title>"))])
"""


@pytest.mark.skipif(not PROOF, reason="installs everything with pip, which takes a minute: `make packages`")
@pytest.mark.timeout(500)
def test_from_the_wheel_to_a_load_report(wheel: Path, tmp_path: Path) -> None:
    """The app is served hardened, its audit is red bare and green hardened, and a load leaves its report."""
    environment = Environment(folder=tmp_path / "environment")
    venv.create(environment.folder, with_pip=True)
    pip = [str(environment.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*pip, f"{wheel}[load]"], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "empty"
    folder.mkdir()
    (folder / "shop.py").write_text(APP, encoding="utf-8")

    status, headers = served(environment, folder, folder / "run.log")
    assert (status, "x-request-id" in headers) == (200, True)
    red = environment.run("garrison", "check", "shop:app", cwd=folder)
    assert red.returncode == 1, red.stdout + red.stderr
    green = environment.run("garrison", "check", "shop:app", "--harden", cwd=folder)
    assert green.returncode == 0, green.stdout + green.stderr
    words = ("load", "shop:app", "--users", "2", "--duration", "2s", "--threshold", "errors<0.1%")
    load = environment.run("garrison", *words, "--format", "html", "--output", "load.html", cwd=folder)
    # A generator that is itself the limit on a busy machine is no fault of the package: it is told as such.
    assert load.returncode in {0, 4}, load.stdout + load.stderr
    assert "<title>" in (folder / "load.html").read_text(encoding="utf-8")
    assert sys.executable not in green.stdout
