"""The shop's Dockerfile, as far as it goes without an engine."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.integration.documents import ROOT
from tests.integration.shop import GUARD, SHOP, environment
from tests.integration.shop_places import compose, instruction
from tests.ports import free_port
from tests.toolkit.server.conftest import wait_for

BIN = Path(sys.executable).parent


def test_the_image_holds_what_it_needs() -> None:
    """What is copied is there, the extras are Garrison's, and what is installed is what the shop imports."""
    for text in instruction("COPY"):
        *sources, _ = [word for word in text.split() if not word.startswith("--")]
        for source in sources:
            assert source.startswith(("dist/garrison-", "/venv")) or (SHOP / source).exists(), source
    extras = re.findall(r"\[([\w,]+)\]", instruction("RUN")[0])[0].split(",")
    known = {extra for one in requires("garrison") or [] for extra in re.findall(r"extra == '(\w+)'", one)}
    known |= {extra for one in requires("garrison") or [] for extra in re.findall(r'extra == "(\w+)"', one)}
    assert set(extras) <= known
    names = {Requirement(line).name for line in (SHOP / "requirements.txt").read_text().splitlines()}
    assert {"fastapi", "pyjwt", "python-multipart"} <= names


@pytest.mark.skipif(os.environ.get("PROOF") != "1", reason="builds an environment anew: PROOF=1")
@pytest.mark.timeout(600)
def test_the_image_is_built_as_its_file_says(tmp_path: Path) -> None:
    """The command that installs, in a folder of its own: what comes out runs as Compose starts it."""
    build = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        f"{tmp_path}/dist",
        f"{ROOT}",
    ]
    subprocess.run(build, check=True, capture_output=True, timeout=300)
    for file in (*(tmp_path / "dist").glob("*.whl"), SHOP / "requirements.txt"):
        shutil.copy(file, tmp_path)
    script = instruction("RUN")[0].replace("/venv", str(tmp_path / "venv"))
    told = {**environment(tmp_path), "PIP_CONSTRAINT": str(ROOT / "constraints.txt")}
    subprocess.run(
        ["sh", "-ec", script], cwd=tmp_path, env=told, check=True, capture_output=True, timeout=500
    )
    words = [*compose()["services"]["shop-1"]["command"], "--help"]
    path = f"{tmp_path / 'venv' / 'bin'}:/usr/bin:/bin"
    done = subprocess.run(
        ["env", *words], env={**told, "PATH": path}, capture_output=True, text=True, timeout=GUARD, check=True
    )
    assert "garrison run" in done.stdout
    imported = "import shop.main, jsonschema_rs, valkey, opentelemetry.sdk"
    python = [f"{tmp_path}/venv/bin/python", "-c", imported]
    subprocess.run(python, cwd=SHOP, env=told, check=True, timeout=GUARD)


def test_the_image_s_command_serves_and_its_health_check_notices(tmp_path: Path) -> None:
    """The words of CMD in the image's folder with its environment; the check fails once nobody is there."""
    shutil.copytree(SHOP / "shop", tmp_path / "shop")
    image = dict(pair.split("=", 1) for text in instruction("ENV") for pair in shlex.split(text))
    port = free_port()
    told = {
        **environment(tmp_path),
        **image,
        "PATH": str(BIN),
        "SHOP_DATA": str(tmp_path / "data"),
        "GARRISON_SERVER_HOST": "127.0.0.1",
        "GARRISON_SERVER_PORT": str(port),
        "GARRISON_SERVER_DRAIN_DELAY": "0s",
    }
    check = json.loads(instruction("HEALTHCHECK")[0].partition("CMD ")[2])
    check = [word.replace(":8000/", f":{port}/") for word in check]

    def is_healthy() -> bool:
        done = subprocess.run(check, env=told, capture_output=True, timeout=GUARD, check=False)
        return done.returncode == 0

    def takes_connections() -> bool:
        with socket.socket() as made:
            return made.connect_ex(("127.0.0.1", port)) == 0

    (words,) = map(json.loads, instruction("CMD"))
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(words, cwd=tmp_path, env=told, stdout=log, stderr=log)
    try:
        wait_for(takes_connections)
        wait_for(is_healthy)
        process.send_signal(signal.SIGTERM)
        assert process.wait(GUARD) == 0
        assert not is_healthy()
    finally:
        process.kill()
        process.wait(GUARD)
