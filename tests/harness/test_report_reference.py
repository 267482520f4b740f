"""Every finding links to what is said of its check."""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING

import pytest

from garrison_harness.checks.catalogue import CATALOGUE
from garrison_harness.finding import judged
from garrison_harness.report import html_report, json_report, markdown, sarif
from garrison_harness.report.forms import FORMS, write
from garrison_harness.report.reference import published
from tests.harness.commands import check
from tests.harness.recordings import check_named
from tests.harness.reports import FOUND, report, results

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "https://docs.example/checks.html"


def found_in(form: str, reference: str) -> str:
    """A report of one finding."""
    page = io.StringIO()
    write(report(results(E1=judged((FOUND,))), reference=reference), form, page)
    return page.getvalue()


@pytest.mark.parametrize("form", FORMS)
def test_every_form_links_to_the_reference(form: str) -> None:
    """At the place where it tells of the check; without an address no form makes one up."""
    assert f"{PAGE}#e1" in found_in(form, f"{PAGE}#top")
    assert "docs.example" not in found_in(form, "")


def test_sarif_names_the_page_of_a_rule() -> None:
    """In place of that of the weakness, which is named as long as there is no other."""

    def rule(reference: str) -> str:
        (found,) = json.loads(found_in("sarif", reference))["runs"][0]["tool"]["driver"]["rules"]
        return str(found["helpUri"])

    assert rule(PAGE) == f"{PAGE}#e1"
    assert rule("") == f"https://cwe.mitre.org/data/definitions/{check_named('E1').cwe}.html"


def test_the_page_tells_all_of_every_check() -> None:
    """Each finding links to a part of the page itself, which says what, why, how it is judged, how to fix."""
    made = report(results(**{check.id: judged((FOUND,)) for check in CATALOGUE}))
    text = html_report.render(made)
    plain = re.sub(r"&(quot|#x27|amp|lt|gt);", "", text)

    for one in CATALOGUE:
        assert text.count(f'href="#{one.id.lower()}"') == 1
        assert text.count(f'id="{one.id.lower()}"') == 1
        for part in (one.why, one.how, one.fix, one.garrison):
            assert re.sub(r"[\"'&<>]", "", part) in plain


def test_what_else_carries_the_explanation() -> None:
    """Code scanning shows all of it beside a finding; Markdown says how to get at it."""
    made = report(results(E1=judged((FOUND,))))
    about = json.loads(sarif.render(made))["runs"][0]["tool"]["driver"]["rules"][0]["help"]
    one = check_named("E1")

    assert all(part in about[kind] for part in (one.why, one.how, one.fix) for kind in ("text", "markdown"))
    assert "More: `garrison explain E1`" in markdown.render(made)
    assert json.loads(json_report.render(made))["checks"][0]["page"] == "docs/reference/checks.md#e1"


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        (["Source, https://code.example"], ""),
        (["Documentation, https://docs.example"], "https://docs.example"),
        (["Documentation, https://docs.example", "Checks, https://docs.example/c"], "https://docs.example/c"),
    ],
)
def test_the_package_may_name_the_address(
    lines: list[str], address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the project URL called Checks, or else by Documentation."""
    information = tmp_path / "garrison-9.0.dist-info"
    information.mkdir()
    urls = "".join(f"Project-URL: {line}\n" for line in lines)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: garrison\nVersion: 9.0\n{urls}")
    monkeypatch.syspath_prepend(tmp_path)

    assert published() == address


def test_the_address_is_an_option_and_a_key(tmp_path: Path) -> None:
    """What the command is told is in its report, and the file can tell it."""
    (tmp_path / "garrison.toml").write_text(f'[tool.garrison]\nreference = "{PAGE}"\n')
    quick = ("good_app:app", "--in-process", "--select", "H2", "--format", "json")

    told = check(*quick, "--reference", "https://other.example/")
    filed = check(*quick, "--config", tmp_path / "garrison.toml")

    assert json.loads(told.stdout)["checks"][0]["page"] == "https://other.example/#h2"
    assert json.loads(filed.stdout)["checks"][0]["page"] == f"{PAGE}#h2"
