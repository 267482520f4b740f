"""What the documentation says is so: every variable, command and snippet of it is tried."""

from __future__ import annotations

import http.client
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from garrison import Settings
from garrison.cli import main
from garrison.preflight import examine
from garrison.sections import sections_of, settings_of
from garrison.settings import load
from tests.integration.documents import (
    DOCS,
    EXAMPLES,
    GUIDES,
    PAGES,
    Block,
    all_blocks,
    anchors,
    blocks,
    commands,
    copied_notes,
    links,
    prose,
    squeezed,
    variables,
)
from tests.toolkit.server.conftest import environment, running

if TYPE_CHECKING:
    from pathlib import Path

REFERENCE = DOCS / "reference" / "settings.md"

# What a reader has and the tests do not: a network, servers that are already there, and other Makefiles.
OUTSIDE = frozenset({"pip", "curl", "uvicorn", "make"})
# What looks into a store, or audits an app of the reader's, is tried with one beside what its page says.
ELSEWHERE = frozenset({("garrison", "limits"), ("garrison", "prove"), ("pytest", "--garrison-target")})
# The tests that one page shows are run by pytest, with the fixtures that they ask for; what the other has of
# other packages runs beside what takes its place.
TESTS = frozenset({"pytest.md", "migrate.md"})


def named(block: Block) -> str:
    """The name of a test's parameter."""
    return block.name


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example in a folder of its own, which is the working directory."""
    folder = copied_notes(tmp_path)
    monkeypatch.chdir(folder)
    return folder


def test_the_reference_is_what_the_docstrings_say() -> None:
    """Nobody edits the reference, and nobody forgets to write it anew: `make reference`."""
    made = CliRunner().invoke(main, ["config", "--format", "markdown"])
    assert made.exit_code == 0
    assert REFERENCE.read_text(encoding="utf-8") == made.stdout


def test_the_reference_has_every_variable() -> None:
    """Each variable has a heading to link to, and each section one."""
    headings = re.findall(r"^#+ (\w+)$", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)
    wanted = [setting.variable for setting in settings_of(Settings)]
    assert [heading for heading in headings if heading.startswith("GARRISON_")] == wanted
    assert {name.upper() for name in sections_of(Settings)} <= set(headings)


def test_no_line_of_the_reference_became_a_list_by_chance() -> None:
    """A dash or a number at the begin of a wrapped line would be an item of a list."""
    text = REFERENCE.read_text(encoding="utf-8")
    for line in re.findall(r"^ *(?:[-+*>]|\d+[.)]) .*$", text, re.MULTILINE):
        assert re.match(r"- (\[|`|A |Any |In code )", line), line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every link to a file of this repository, and to a heading in one, is right."""
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_variable_is_one(page: Path) -> None:
    """A page names no variable that Garrison does not know."""
    known = {setting.variable for setting in settings_of(Settings)}
    known |= {f"GARRISON_{name.upper()}" for name in sections_of(Settings)}
    for name in re.findall(r"GARRISON_[A-Z_]*[A-Z]\b", page.read_text(encoding="utf-8")):
        assert name in known, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_values_in_the_text_can_be_read(page: Path) -> None:
    """What stands as `NAME=value` in a sentence can be set like this."""
    for name, value in re.findall(r"`(GARRISON_[A-Z_]+)=([^`…<]+)`", prose(page)):
        needs = {"GARRISON_HOSTS_ALLOWED": "shop.example"} if value == "redirect" else {}
        load(Settings, environ={**needs, name: value.strip('"')})


@pytest.mark.parametrize("block", all_blocks("env"), ids=named)
def test_settings_can_be_used(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block of settings is read from an env file as it stands, and `garrison run` starts with it."""
    # The files that settings name are those of this example.
    monkeypatch.chdir(EXAMPLES / "contract")
    loaded = load(Settings, environ=variables(block, tmp_path))
    assert not loaded.unused
    assert not [advice for advice in examine(loaded.value) if advice.level == "error"]


@pytest.mark.parametrize(
    "page", [page for page in GUIDES if page.name not in TESTS], ids=lambda page: page.name
)
def test_python_runs(page: Path, notes: Path) -> None:
    """The Python of a page runs from top to bottom."""
    found = blocks(page, "python")
    if any("garrison_harness.load.driving" in block.text for block in found):
        # Locust patches the process that imports it, and what the test runner itself stands on with it.
        source = "\n".join(block.text for block in found)
        subprocess.run([sys.executable, "-c", source], check=True, timeout=50)
        return
    namespace: dict[str, Any] = {}
    for block in found:
        exec(compile(block.text, block.name, "exec"), namespace)  # noqa: S102 - our own documentation


@pytest.mark.parametrize("block", all_blocks("console"), ids=named)
def test_commands_do_what_the_page_shows(block: Block, notes: Path, tmp_path: Path) -> None:
    """A command runs, and prints what stands below it; a server answers."""
    folder = notes
    for command in commands(block):
        if command.words[0] in OUTSIDE or command.words[:2] in ELSEWHERE:
            continue
        if "--unix-socket" in command.words:
            continue  # test_docs_proxies.py, behind nginx
        if command.words[0] == "cd":
            folder = notes if command.words[1] == "docs/examples/notes" else DOCS.parent / command.words[1]
        elif command.words[:2] == ("garrison", "run"):
            words = [word.replace("8000", "0") for word in command.words[2:]]
            with running(tmp_path, *words, directory=folder, **command.environ) as server:
                assert status_of(server.port) == 200
        else:
            words = [sys.executable, "-m", *command.words]
            if command.words[0] == "ls":
                words = ["ls", "-C", "-w", "80"]
            done = subprocess.run(
                words,
                cwd=folder,
                env=environment(command.environ),
                capture_output=True,
                text=True,
                timeout=20,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            assert not command.output or squeezed(done.stdout) == squeezed(command.output)


def status_of(port: int) -> int:
    """What a server on loopback answers for its first page."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    finally:
        connection.close()
