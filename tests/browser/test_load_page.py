"""The HTML report of a load run, opened from a file as somebody does who has downloaded it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from garrison_harness.load.account import Account
from garrison_harness.load.report import html_report
from tests.browser.visitor import Visitor
from tests.harness.load.report.recorded import CAPACITY, account, result

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from garrison_harness.load.result import Result

EVERYTHING = result(
    "p95<200ms",
    "rate>50",
    "p95{name:GET /items/{id}}<50ms",
    "errors{name:GET /itms}<1%",
    full=True,
    capacity=CAPACITY,
)


@pytest.fixture(scope="module")
def reader(chromium: Browser) -> Iterator[Visitor]:
    """Somebody who opens one file after the other: a new context takes longer than most tests in it."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield Visitor(context)
    context.close()


def opened(reader: Visitor, made: Result, folder: Path) -> Page:
    """The report of a run, in the browser."""
    file = folder / "report.html"
    file.write_text(html_report.render(made), encoding="utf-8")
    reader.page.goto(file.as_uri())
    return reader.page


def test_the_page_loads_nothing_and_complains_of_nothing(reader: Visitor, tmp_path: Path) -> None:
    """Its own policy blocks no part of it, and it asks for nothing but itself."""
    asked: list[str] = []
    reader.page.on("request", lambda request: asked.append(request.url))
    page = opened(reader, EVERYTHING, tmp_path)

    assert asked == [(tmp_path / "report.html").as_uri()]
    assert reader.complaints == []
    assert page.evaluate("getComputedStyle(document.querySelector('.verdict')).fontWeight") == "700"
    assert page.locator("script").count() == 0


@pytest.mark.parametrize("width", [1280, 375], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_can_be_read_in_any_light_and_on_a_phone(
    reader: Visitor, tmp_path: Path, scheme: str, width: int
) -> None:
    """Nothing is wider than the screen, letters in plots can be read, and colours follow the reader's."""
    reader.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    reader.page.set_viewport_size({"width": width, "height": 900})
    page = opened(reader, EVERYTHING, tmp_path)
    reader.photograph(f"load-{scheme}-{width}")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    heights = page.locator("svg.plot text.up").evaluate_all(
        "texts => texts.map(text => text.getBoundingClientRect().height)"
    )
    assert all(10 <= height <= 20 for height in heights), heights
    back = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert back == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 26)"}[scheme]


@pytest.mark.parametrize(
    "made",
    [result(seen=account(1)), result(seen=account(1500, rate=4)), EVERYTHING],
    ids=["one second", "600 intervals", "everything"],
)
def test_marks_of_axes_do_not_touch(reader: Visitor, tmp_path: Path, made: Result) -> None:
    """Also on a phone, where letters take more of the plot."""
    reader.page.set_viewport_size({"width": 375, "height": 900})
    page = opened(reader, made, tmp_path)
    for look, begin, end in (("across", "left", "right"), ("up", "top", "bottom")):
        boxes = page.locator("svg.plot").evaluate_all(
            """(plots, [look, begin, end]) => plots.map(plot => [...plot.querySelectorAll("text." + look)]
                .map(text => text.getBoundingClientRect()).map(box => [box[begin], box[end]]))""",
            [look, begin, end],
        )
        for plot in boxes:
            ordered = sorted(plot)
            gaps = [later[0] - earlier[1] for earlier, later in pairwise(ordered)]
            # A box is a little higher than the letters in it.
            assert all(gap > (0 if look == "across" else -6) for gap in gaps), (look, gaps)


def test_letters_stay_on_the_paper(reader: Visitor, tmp_path: Path) -> None:
    """Long marks are not cut off at the left or right."""
    for width in (1280, 700, 375):
        reader.page.set_viewport_size({"width": width, "height": 900})
        page = opened(reader, EVERYTHING, tmp_path)
        beyond = page.locator("svg.plot").evaluate_all(
            """plots => plots.flatMap(plot => {
                const paper = plot.getBoundingClientRect();
                return [...plot.querySelectorAll("text")].filter(text => {
                    const box = text.getBoundingClientRect();
                    return box.left < paper.left - 1 || box.right > paper.right + 1
                        || box.top < paper.top - 1 || box.bottom > paper.bottom + 1;
                }).map(text => text.textContent);
            })"""
        )
        assert beyond == []


def test_the_numbers_behind_a_plot_can_be_unfolded(reader: Visitor, tmp_path: Path) -> None:
    """For who cannot see it, or wants to know exactly; a plot has a name and says what it shows."""
    page = opened(reader, EVERYTHING, tmp_path)
    figure = page.locator("figure").nth(1)
    plot = figure.get_by_role("img", name="Latency")

    expect(plot).to_be_visible()
    assert (plot.locator("desc").text_content() or "").startswith("p50 ")
    expect(figure.locator("table")).to_be_hidden()
    figure.locator("summary").click()
    expect(figure.locator("table")).to_be_visible()
    expect(figure.get_by_role("columnheader")).to_have_text(["second", "p50", "p95", "p99"])
    assert figure.locator("tbody tr").count() == 20


def test_a_page_is_printed_on_white(reader: Visitor, tmp_path: Path) -> None:
    """Whatever the screen of its reader looks like."""
    reader.page.emulate_media(color_scheme="dark", media="print")
    page = opened(reader, EVERYTHING, tmp_path)
    back = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--back')")
    reader.page.emulate_media(color_scheme="light", media="screen")

    assert back == "#ffffff"


def test_a_run_without_requests_says_so(reader: Visitor, tmp_path: Path) -> None:
    """There are no empty plots, and nobody wonders whether something is missing."""
    page = opened(reader, result(seen=Account()), tmp_path)

    expect(page.get_by_text("no request was sent")).to_be_visible()
    assert page.locator("svg.plot").count() == 0
    assert reader.complaints == []
