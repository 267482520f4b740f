"""What is written from the code and from measurements is what the code and the measurements say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

import garrison
from docs.site import cli_reference, figures, layers, python_reference
from garrison import Settings
from garrison.cli import COMMANDS
from garrison.sections import optional_sections
from tests.integration.documents import DOCS, FENCE

if TYPE_CHECKING:
    from pathlib import Path

REFERENCE = DOCS / "reference"
PICTURE = DOCS / "images" / "layers.svg"


def test_the_python_reference_is_what_the_docstrings_say() -> None:
    """Nobody edits the page, and nobody forgets to write it anew: `make reference`."""
    assert (REFERENCE / "python.md").read_text(encoding="utf-8") == python_reference.document()


def test_the_python_reference_has_every_public_name() -> None:
    """Each has a heading to link to, once."""
    text = (REFERENCE / "python.md").read_text(encoding="utf-8")

    assert sorted(re.findall(r"^### (.+)$", text, re.MULTILINE)) == sorted(garrison.__all__)


def test_signatures_are_python() -> None:
    """What is shown can be copied into a stub."""
    text = (REFERENCE / "python.md").read_text(encoding="utf-8")
    signatures = [found[2] for found in FENCE.finditer(text) if found[1] == "python"]

    assert len(signatures) >= len(garrison.__all__)
    for signature in signatures:
        compile(signature, "python.md", "exec")


def test_the_reference_of_commands_is_what_their_help_says() -> None:
    """Nobody edits the page, and nobody forgets to write it anew: `make reference`."""
    assert (REFERENCE / "cli.md").read_text(encoding="utf-8") == cli_reference.document()


def test_the_reference_of_commands_has_every_command() -> None:
    """Each has a heading to link to, and those below it have one too."""
    text = (REFERENCE / "cli.md").read_text(encoding="utf-8")
    headings = re.findall(r"^##+ garrison ?(.*)$", text, re.MULTILINE)

    assert {heading.partition(" ")[0] for heading in headings} == {"", *COMMANDS}
    assert {"csp hash", "limits reset", "contract key"} <= set(headings)


def test_the_commands_say_the_same_in_any_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page does not depend on how wide the window was in which it was written."""
    monkeypatch.setenv("COLUMNS", "200")

    assert (REFERENCE / "cli.md").read_text(encoding="utf-8") == cli_reference.document()


def test_the_picture_is_in_the_order_of_the_code() -> None:
    """Nobody edits it, and nobody forgets to write it anew: `make reference`."""
    assert PICTURE.read_text(encoding="utf-8") == layers.picture()


def test_the_picture_has_every_layer_from_top_to_bottom() -> None:
    """They stand as `harden()` puts them on, the app at the bottom."""
    root = ET.fromstring(PICTURE.read_text(encoding="utf-8"))  # noqa: S314 - our own file
    names = [
        (float(text.attrib["y"]), text.text)
        for text in root.iter("{http://www.w3.org/2000/svg}text")
        if text.get("font-family") == "monospace"
    ]

    assert [name for _, name in sorted(names)] == [*layers.order(), "your app"]
    assert [name for name in layers.order() if name != "rate_limit_by_principal"] == [
        name for name in Settings.__dataclass_fields__ if name in optional_sections(Settings)
    ]


def test_the_picture_needs_no_policy_and_can_be_read_by_programs() -> None:
    """It has no script and no style, and says in words what it shows."""
    text = PICTURE.read_text(encoding="utf-8")
    page = (DOCS / "explanation" / "architecture.md").read_text(encoding="utf-8")

    assert not re.search(r"<script|<style|style=|href=", text)
    assert "<title>" in text
    assert re.search(r"!\[[^\]]{30,}\]\(../images/layers.svg\)", page)
    assert f"<!-- legend -->\n{layers.legend()}\n<!-- end of legend -->" in page


def test_the_figures_of_the_page_are_those_that_were_kept() -> None:
    """`make figures` writes both; nobody rounds by hand."""
    kept = json.loads(figures.KEPT.read_bytes())
    (shown,) = figures.PLACE.findall(figures.PAGE.read_text(encoding="utf-8"))

    assert shown == figures.tables(kept)
    assert kept["measured"] in shown


def test_a_short_run_is_called_one() -> None:
    """Whoever reads the figures learns when they are worth little."""
    kept = json.loads(figures.KEPT.read_bytes())

    assert "short run" in figures.tables({**kept, "rounds": figures.ENOUGH - 1})
    assert "short run" not in figures.tables({**kept, "rounds": figures.ENOUGH})


@pytest.mark.parametrize("content", [None, "no JSON", "{}"])
def test_figures_without_a_bench_are_refused_in_one_line(tmp_path: Path, content: str | None) -> None:
    """The page stays as it is, and the line says what to do."""
    before = figures.PAGE.read_bytes()
    path = tmp_path / "bench.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    words = [sys.executable, "-m", "docs.site.figures", str(path)]
    done = subprocess.run(words, cwd=DOCS.parent, capture_output=True, text=True, timeout=50, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("figures: ")
    assert done.stderr.endswith("run make bench\n")
    assert figures.PAGE.read_bytes() == before
