"""The shop is checked, loaded and drilled as its page says, and its settings give nobody a false alarm."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from garrison_harness.drills.catalogue import DRILLS
from tests.integration.documents import DOCS, blocks
from tests.integration.shop import SHOP, environment

PROOF = os.environ.get("PROOF") == "1"
PAGE = SHOP / "README.md"
# Several families, and none of the checks that wait.
SAMPLE = () if PROOF else ("--select", "H1,O6,X1")
# What a busy machine does to its requests is nothing that the shop could hold.
TRIES = 4


def block(words: str) -> list[str]:
    """The commands of the block of the page that has these words."""
    (found,) = [one.text for one in blocks(PAGE, "sh") if words in one.text]
    return found.splitlines()


class Reader:
    """Somebody in the shop's folder, who keeps what it writes in another one."""

    def __init__(self, folder: Path) -> None:
        self.document = folder / "openapi.json"
        self._environ = {
            **environment(folder),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "AUDIT_PASSWORD": "correct horse",
            "OPENAPI": str(self.document),
            # No balancer watches it here.
            "GARRISON_SERVER_DRAIN_DELAY": "0s",
        }

    def type(self, line: str, *more: str) -> subprocess.CompletedProcess[str]:
        """A line of the page, with more words for the command."""
        line = line.replace("> openapi.json", '> "$OPENAPI"')
        words = ["sh", "-c", f"{line.replace(' -- ', ' $MORE -- ')}" if " -- " in line else f"{line} $MORE"]
        environ = {**self._environ, "MORE": " ".join(more)}
        return subprocess.run(
            words, cwd=SHOP, env=environ, capture_output=True, text=True, timeout=110, check=False
        )


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """Somebody who has opened the account of the audit."""
    found = Reader(tmp_path_factory.mktemp("reader"))
    for line in block("openapi.json")[1:3]:
        done = found.type(line)
        assert done.returncode == 0, done.stderr
    return found


@pytest.mark.timeout(240)
def test_the_audit_turns_green(reader: Reader) -> None:
    """The shop fails as it comes, and passes hardened, with nothing of severity medium or worse left."""
    openapi = ("--openapi", str(reader.document))
    bare, hardened = [line for line in block("openapi.json") if line.startswith("garrison check")]
    before = reader.type(bare, *SAMPLE, *openapi)
    assert before.returncode == 1, before.stdout + before.stderr
    assert set(re.findall(r"^FAIL  (\w+)", before.stdout, re.MULTILINE)) >= {"H1", "O6", "X1"}
    after = reader.type(hardened, *SAMPLE, *openapi)
    assert after.returncode == 0, after.stdout + after.stderr
    assert re.findall(r"^FAIL  (\w+)", after.stdout, re.MULTILINE) == []


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", [drill.name for drill in DRILLS] if PROOF else ["handler-exceptions"])
def test_the_shop_holds(name: str, reader: Reader) -> None:
    """Each drill on the hardened shop, as its page and that about drills say."""
    line = next(line for line in block("garrison drill") if line.startswith("garrison drill"))
    line = re.sub(r"--select \S+", f"--select {name}", line)
    assert line.partition(" --select")[0] in (DOCS / "how-to" / "drills.md").read_text(encoding="utf-8")
    done = None
    for _ in range(TRIES):
        done = reader.type(line, *(() if PROOF else ("--window", "0.5")))
        if done.returncode == 0:
            break
    assert done is not None
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"held      {name}: " in done.stdout


@pytest.mark.skipif(not PROOF, reason="loads for five seconds: PROOF=1")
def test_the_load_passes(reader: Reader) -> None:
    """The load of the page, with its threshold."""
    line = next(line for line in block("garrison load") if line.startswith("garrison load"))
    done = reader.type(line)
    assert done.returncode == 0, done.stdout + done.stderr
