"""The built documentation in a browser, served with its own policy, which blocks no part of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from docs.examples.site.app import pages_of
from garrison import Settings, harden
from garrison.env_file import read_env_file
from garrison.settings import load
from tests.browser.visitor import ROOT, Visitor
from tests.docs_site import built_once

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.browser.conftest import Serve

EXAMPLE = ROOT / "docs" / "examples" / "site"
# The site is built first, which is some seconds of work for the processor.
pytestmark = pytest.mark.timeout(240)
# Against hanging only, in ms.
PATIENCE = 60_000
# The words of tables and headings that begin in one line and end in another.
CUT = """() => {
  const found = [];
  const range = document.createRange();
  for (const cell of document.querySelectorAll(".md-content :is(td, th, h3)")) {
    const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      for (const word of texts.currentNode.data.matchAll(/[\\p{L}\\p{N}_]+/gu)) {
        range.setStart(texts.currentNode, word.index);
        range.setEnd(texts.currentNode, word.index + word[0].length);
        const lines = new Set([...range.getClientRects()].map(line => Math.round(line.top)));
        if (lines.size > 1) found.push(word[0]);
      }
    }
  }
  return found;
}"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, and the settings to serve it with."""
    return built_once(tmp_path_factory)


@pytest.fixture(scope="module")
def origin(built: Path, serve_all: Serve) -> str:
    """Where the site is served, as `garrison run` would with those settings."""
    settings = load(Settings, environ=read_env_file(built / "site.env")).value
    return serve_all(harden(pages_of(built / "site"), settings))


@pytest.fixture(scope="module")
def guest(chromium: Browser, origin: str) -> Iterator[Visitor]:
    """Somebody whose system is light; a new context takes longer than most tests in it."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    visitor = Visitor(context)
    # The pages are large, and the machine may do much else.
    context.set_default_timeout(PATIENCE)
    yield visitor
    context.close()


@pytest.fixture
def reader(guest: Visitor, origin: str) -> Iterator[Visitor]:
    """Somebody who reads, and forgets what colours he has chosen."""
    yield guest
    guest.page.goto(f"{origin}/assets/logo.svg")
    guest.page.evaluate("localStorage.clear()")
    guest.page.emulate_media(color_scheme="light")
    guest.page.set_viewport_size({"width": 1280, "height": 900})
    guest.leave()


def test_the_front_page_and_a_guide_show_without_a_complaint(reader: Visitor, origin: str) -> None:
    """A visitor comes in at the front, follows a link, and the console stays empty."""
    asked: list[str] = []
    reader.page.on("request", lambda request: asked.append(request.url))
    reader.page.goto(origin)
    expect(reader.page.get_by_role("heading", level=1)).to_contain_text("Garrison", timeout=PATIENCE)

    reader.page.get_by_role("link", name="serve an app with garrison run").click()
    expect(reader.page.get_by_role("heading", level=1)).to_contain_text("Serve an app with", timeout=PATIENCE)
    assert reader.page.url == f"{origin}/how-to/run/"
    assert reader.complaints == []
    assert all(url.startswith((origin, "data:")) for url in asked), asked


def test_the_search_finds_a_page_and_leads_there(reader: Visitor, origin: str) -> None:
    """Its worker, its index and the style that its script adds are within the policy."""
    reader.page.goto(f"{origin}/how-to/run/")
    reader.page.get_by_role("button", name="Search").first.click()
    reader.page.get_by_role("combobox", name="Search").fill("sliding window")
    results = reader.page.get_by_role("dialog", name="Search")
    expect(results.get_by_role("status")).to_contain_text(re.compile(r"\d+ results?"), timeout=PATIENCE)
    results.get_by_role("option").first.click()

    reader.page.wait_for_url(re.compile(rf"^{re.escape(origin)}/(?!how-to/run/)"))
    assert reader.complaints == []


def test_the_dark_mode_can_be_chosen_and_stays(reader: Visitor, origin: str) -> None:
    """The inline scripts that remember it are within the policy, on the next page too."""
    reader.page.goto(origin)
    assert scheme(reader) == "default"
    expect(reader.page.get_by_title("Switch to light")).to_be_visible(timeout=PATIENCE)
    reader.page.get_by_title("Switch to light").click()
    reader.page.get_by_title("Switch to dark").click()
    expect(reader.page.locator("body")).to_have_attribute("data-md-color-scheme", "slate", timeout=PATIENCE)

    reader.page.goto(f"{origin}/explanation/architecture/")
    assert scheme(reader) == "slate"
    assert reader.complaints == []


def scheme(reader: Visitor) -> object:
    """Which colours the page has."""
    return reader.page.evaluate("document.body.dataset.mdColorScheme")


def test_the_dark_mode_of_the_system_is_followed(reader: Visitor, origin: str) -> None:
    """Nobody has to choose."""
    reader.page.emulate_media(color_scheme="dark")
    reader.page.goto(origin)

    assert scheme(reader) == "slate"
    assert reader.complaints == []


def test_no_page_is_wider_than_a_phone(reader: Visitor, origin: str) -> None:
    """Wide tables and lines of code scroll by themselves, and no word of a table or a heading is cut."""
    reader.page.set_viewport_size({"width": 390, "height": 844})
    for path in (
        "",
        "tutorial/red-to-green/",
        "reference/settings/",
        "explanation/comparison/",
        "how-to/migrate/",
    ):
        reader.page.goto(f"{origin}/{path}")
        reader.photograph(f"docs-{path.strip('/').replace('/', '-') or 'front'}-390")
        assert reader.page.evaluate("document.documentElement.scrollWidth") <= 390, path
        assert reader.page.evaluate(CUT) == [], path

    assert reader.complaints == []


def test_the_picture_of_the_layers_shows(reader: Visitor, origin: str) -> None:
    """It is there, in its size, and says what it shows to whoever does not see it."""
    reader.page.goto(f"{origin}/explanation/architecture/")
    picture = reader.page.get_by_role("img", name="The layers of Garrison around an app")

    assert picture.evaluate("image => image.complete && image.naturalWidth") == 480
    assert reader.complaints == []


def test_the_example_of_a_folder_of_pages(reader: Visitor, serve_all: Serve) -> None:
    """Its inline script and style run by their hashes; a script that somebody has added does not."""
    settings = load(Settings, environ=read_env_file(EXAMPLE / "site.env")).value
    reader.page.goto(serve_all(harden(pages_of(EXAMPLE / "pages"), settings)))
    shown = reader.page.locator("#now")

    expect(shown).to_have_text("From nine to five. On Saturdays too.", timeout=PATIENCE)
    expect(shown).to_have_css("color", "rgb(0, 128, 0)", timeout=PATIENCE)
    assert reader.complaints == []
    reader.page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: 'x = 1'}))"
    )
    reader.hears("violates the following Content Security Policy directive")


def test_what_is_copied_is_what_is_typed(reader: Visitor, origin: str) -> None:
    """No prompt comes along, and nothing that a command has printed."""
    reader.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=origin)
    reader.page.goto(origin)
    block = reader.page.locator(".language-console").first
    block.hover()
    block.get_by_role("button").first.click()

    reader.page.wait_for_function("navigator.clipboard.readText().then(text => text.includes('pip install'))")
    copied = reader.page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("pip install")
    assert "$" not in copied
