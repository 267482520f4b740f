"""The HTML report of an audit, opened from a file as somebody does who has downloaded it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from garrison_harness.checks.catalogue import CATALOGUE
from garrison_harness.finding import judged, not_run
from garrison_harness.report import html_report
from tests.browser.visitor import Visitor
from tests.harness.reports import FOUND, HINT, LIKELY, report, results

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page


@pytest.fixture
def reader(chromium: Browser) -> Iterator[Visitor]:
    """Somebody who opens a file."""
    context = chromium.new_context(viewport={"width": 1200, "height": 900})
    yield Visitor(context)
    context.close()


@pytest.fixture
def page(reader: Visitor, tmp_path: Path) -> Page:
    """A report with a finding of each kind, opened."""
    states = {check.id: judged(()) for check in CATALOGUE}
    states |= {"E1": judged((FOUND,)), "H2": judged((LIKELY, HINT)), "H4": not_run("no https")}
    file = tmp_path / "report.html"
    file.write_text(html_report.render(report(results(**states))), encoding="utf-8")
    reader.page.goto(file.as_uri())
    return reader.page


def shown(page: Page) -> list[str]:
    """The ids of the findings that are to be seen."""
    return page.locator("article:visible summary b").all_inner_texts()


def checks(page: Page) -> list[str]:
    """The ids of the checks that are to be seen."""
    return page.locator("#checks tbody tr:visible td.id").all_inner_texts()


def test_the_page_loads_nothing_and_complains_of_nothing(reader: Visitor, tmp_path: Path) -> None:
    """Its own policy blocks no part of it, and it asks for nothing but itself."""
    asked: list[str] = []
    reader.page.on("request", lambda request: asked.append(request.url))
    file = tmp_path / "report.html"
    file.write_text(html_report.render(report()), encoding="utf-8")
    reader.page.goto(file.as_uri())
    reader.page.locator("article summary").first.click()

    assert asked == [file.as_uri()]
    assert reader.complaints == []
    assert reader.page.locator("#filters").is_visible()
    assert reader.page.evaluate("getComputedStyle(document.querySelector('.verdict')).fontWeight") == "700"


def test_findings_and_checks_are_filtered(page: Page, reader: Visitor) -> None:
    """By severity, confidence, status, family and words, alone and together; what is left is counted."""
    count = page.locator("#count")
    expect(count).to_have_text(f"3 findings, {len(CATALOGUE)} checks")
    page.get_by_label("severity").select_option("high")
    assert shown(page) == ["E1"]
    reader.photograph("report-filtered")
    page.get_by_label("severity").select_option("any")
    page.get_by_label("confidence").select_option("likely")
    assert shown(page) == ["H2"]
    page.get_by_role("button", name="Reset").click()
    expect(count).to_have_text(f"3 findings, {len(CATALOGUE)} checks")
    page.get_by_label("status").select_option("not run")
    assert (shown(page), checks(page)) == (["H2"], ["H4"])
    page.get_by_label("status").select_option("any")
    page.get_by_label("family").select_option("E")
    page.get_by_label("search").fill("LOOK IN")
    assert shown(page) == ["E1"]
    expect(count).to_have_text(re.compile("^1 finding, "))


def test_a_finding_opens_on_its_exchange(page: Page, reader: Visitor) -> None:
    """Request and reply as they were, the reply's markup as text, what to do, and a command to copy."""
    reader.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("article summary").first.click()
    opened = page.locator("article").first

    expect(opened.get_by_role("heading", name="Reply")).to_be_visible()
    assert "<script>alert(1)</script>" in opened.locator("pre").all_inner_texts()[2]
    opened.get_by_role("button", name="Copy").click()
    expect(opened.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith("curl --include --http1.1")
    assert reader.complaints == []
    reader.photograph("report-finding")


def test_a_finding_leads_to_what_its_check_is_about(page: Page, reader: Visitor) -> None:
    """The link unfolds it among the checks, also where a filter has hidden it."""
    page.get_by_label("search").fill("look in")
    about = page.locator("#e1")
    page.locator("article summary").first.click()
    page.evaluate("document.querySelector('#e1').closest('tr').hidden = true")
    page.get_by_role("link", name="what E1 is about").click()

    expect(about).to_be_in_viewport()
    expect(about.get_by_role("heading", name="How it is judged")).to_be_visible()
    assert reader.complaints == []
    reader.photograph("report-check")


@pytest.mark.parametrize(("width", "height"), [(1200, 900), (390, 844)], ids=["desk", "phone"])
def test_findings_are_seen_without_scrolling(page: Page, width: int, height: int) -> None:
    """The worst finding is what somebody opens the page for; families and checks are below."""
    page.set_viewport_size({"width": width, "height": height})
    first, families = page.locator("article").first.bounding_box(), page.locator("#families").bounding_box()

    assert first is not None
    assert families is not None
    assert first["y"] + first["height"] < height
    assert families["y"] > first["y"]


def test_a_page_without_findings_says_so(reader: Visitor, tmp_path: Path) -> None:
    """Nobody wonders whether something is missing, and the checks that passed are there."""
    file = tmp_path / "report.html"
    passed = {check.id: judged(()) for check in CATALOGUE}
    file.write_text(html_report.render(report(results(**passed))), encoding="utf-8")
    reader.page.goto(file.as_uri())

    expect(reader.page.get_by_text("Nothing was found.")).to_be_visible()
    expect(reader.page.locator("#count")).to_have_text(f"0 findings, {len(CATALOGUE)} checks")
    assert reader.page.locator("td.passed").count() == len(CATALOGUE)
    assert reader.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_can_be_read_in_any_light_and_on_a_phone(page: Page, reader: Visitor, scheme: str) -> None:
    """Nothing is wider than a narrow screen, and the colours follow the reader's."""
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": 390, "height": 800})
    page.locator("article summary").first.click()
    reader.photograph(f"report-{scheme}-phone")

    wide = page.evaluate("document.documentElement.scrollWidth")
    back = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert wide <= 390
    assert back == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 26)"}[scheme]


def test_without_scripts_everything_is_there(chromium: Browser, tmp_path: Path) -> None:
    """The findings open and the filters are not shown, since they would do nothing."""
    file = tmp_path / "report.html"
    file.write_text(html_report.render(report()), encoding="utf-8")
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    page.locator("article summary").first.click()

    expect(page.get_by_text("Evidence").first).to_be_visible()
    expect(page.locator("#filters")).to_be_hidden()
    expect(page.get_by_role("button", name="Copy").first).to_be_hidden()
    context.close()
