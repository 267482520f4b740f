"""What is published of real apps is what `garrison check` finds in them."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest

from docs.examples.corpus.audit import APPS, PAGE, ROOT, App, faults, published
from tests.missing import do_without

if TYPE_CHECKING:
    from pathlib import Path

DATASETTE = ROOT / "build" / "datasette-env" / "bin"
EXPRESS = ROOT / "build" / "corpus" / "express"
# An audit takes some 20 seconds where nothing else runs.
PATIENTLY = pytest.mark.timeout(240)


def version(name: str) -> str:
    """The version that an app is pinned to."""
    if "packages" not in APPS[name]:
        package = PAGE.parents[1] / "examples" / "corpus" / "express" / "package.json"
        return str(json.loads(package.read_text(encoding="utf-8"))["dependencies"]["express"])
    pins = App(name, ROOT).pins.read_text(encoding="utf-8")
    pattern = rf"^{name.replace('-', '[-_]')}==(\S+)$"
    (found,) = re.findall(pattern, pins, re.IGNORECASE | re.MULTILINE)
    return str(found)


def found_in_express(name: str) -> dict[str, str]:
    """What an audit finds in a shop on Express."""
    if shutil.which("node") is None or not (EXPRESS / "node_modules").exists():
        do_without(
            f"node or {EXPRESS.relative_to(ROOT)} is missing: `make test` fills it where npm is installed"
        )
    return faults(App(name, EXPRESS).audit())


@PATIENTLY
def test_datasette_has_the_findings_that_are_published(tmp_path: Path) -> None:
    """As its authors ship it, and none but those that were judged by hand."""
    if not DATASETTE.exists():
        do_without(f"{DATASETTE.relative_to(ROOT)} is missing: `make test` sets its environment up")

    assert faults(App("datasette", tmp_path).audit(DATASETTE)) == published("datasette")


@PATIENTLY
@pytest.mark.parametrize("name", ["express", "express-helmet"])
def test_a_shop_on_express_has_the_findings_that_are_published(name: str) -> None:
    """In another language, with and without the middleware that sets headers there."""
    assert found_in_express(name) == published(name)


def test_helmet_takes_findings_away() -> None:
    """Headers are what it is about; who has a policy may want to hear what it blocks, and that is H14."""
    without, with_helmet = published("express"), published("express-helmet")

    assert without.keys() - with_helmet.keys() == {"H1", "H2", "H3", "H5", "H9"}
    assert with_helmet.keys() - without.keys() == {"H14"}


@pytest.mark.parametrize("name", APPS)
def test_every_app_is_published_with_its_version_its_command_and_its_findings(name: str) -> None:
    """Nobody has to guess what was audited."""
    _, _, section = PAGE.read_text(encoding="utf-8").partition(f"\n### {name} {version(name)}\n")
    command = " ".join(word.replace("{bin}/", "") for word in APPS[name]["command"])

    assert f"`{command}`" in section.partition("\n### ")[0]
    assert published(name)


def test_the_sums_are_those_of_the_tables() -> None:
    """No confirmed finding is a false alarm, and the likely ones that are have been counted."""
    text = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| [A-Z]\d+ \| (confirmed|likely) \| (right|wrong) \| .+ \|$", text, re.MULTILINE)
    likely = [verdict for sure, verdict in rows if sure == "likely"]

    assert ("confirmed", "wrong") not in rows
    assert f"Of {len(rows) - len(likely)} checks with a confirmed finding, all are right." in text
    assert f"Of {len(likely)} with a likely one, {likely.count('wrong')} are wrong" in text


def test_datasette_is_the_one_that_the_tests_install() -> None:
    """Its version is pinned in two places."""
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")

    assert f"datasette=={version('datasette')}\n" in constraints
