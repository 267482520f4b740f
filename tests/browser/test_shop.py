"""The shop of the examples in a browser: all of it works hardened, and what customers plant runs no more."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.integration.shop import PASSWORD, Customer, Site, bare, customer, hardened
from tests.toolkit.server.conftest import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator

    from tests.browser.visitor import Visitor

PLANTED = "<img src=x onerror=\"document.title = 'planted'\">"
PICTURE = b"""<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><circle cx="20" cy="20" r="20"/>
<script>document.documentElement.setAttribute("class", "planted")</script></svg>"""


@pytest.fixture(scope="module", params=["bare", "hardened"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The shop under uvicorn, and the same under `garrison run`."""
    folder = tmp_path_factory.mktemp(request.param)
    # A page that is loaded asks several times, and a slow machine may take long over each.
    with bare(folder) if request.param == "bare" else hardened(folder, GARRISON_TIMEOUTS_HANDLER="2m") as up:
        yield up


@pytest.fixture
def planter(site: Site) -> Iterator[Customer]:
    """Somebody who has signed in, and means no good."""
    with customer(site) as found:
        yield found


def is_hardened(request: pytest.FixtureRequest) -> bool:
    """Which of the two shops a test is about."""
    return "hardened" in request.node.name


def item(visitor: Visitor, name: str) -> Locator:
    """A product on the page."""
    return visitor.page.locator("li").filter(has=visitor.page.get_by_text(name, exact=True))


def test_a_customer_buys(visitor: Visitor, site: Site) -> None:
    """An account, a login, a review, a picture, an order, and what is told of order and stock meanwhile."""
    page = visitor.page
    page.goto(f"http://127.0.0.1:{site.port}/")
    page.locator("input[name=name]").fill("ada")
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Open an account").click()
    expect(page.locator("output")).to_have_text("The account is open: sign in.")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("output")).to_have_text("Hello ada.")

    pot = item(visitor, "Tea pot")
    expect(pot.locator(".price")).to_have_text("39.00 euros")
    pot.locator(".review input").fill("It holds tea.")
    pot.get_by_role("button", name="Say it").click()
    expect(pot.locator("q")).to_have_text("It holds tea. (ada)")
    pot.locator("input[type=file]").set_input_files(
        {"name": "pot.svg", "mimeType": "image/svg+xml", "buffer": PICTURE}
    )
    pot.get_by_role("button", name="Show it").click()
    expect(pot.locator("img")).to_have_js_property("naturalWidth", 40)

    expect(pot.locator(".stock")).to_have_text("8")
    pot.get_by_role("button", name="Buy one").click()
    expect(page.locator("output")).to_have_text("Order 1 is placed.")
    expect(pot.locator(".stock")).to_have_text("7")
    page.get_by_role("link", name="My orders").click()
    expect(page.locator("#order-1")).to_have_text("Order 1: packed")
    assert visitor.complaints == []


@pytest.fixture
def planted(site: Site, planter: Customer) -> Iterator[None]:
    """A review with a script in it, which nobody else is to meet."""
    planter.http.post("/api/products/4/reviews", json={"text": PLANTED})
    yield
    with closing(sqlite3.connect(site.data / "shop.db")) as database, database:
        database.execute("delete from reviews where text = ?", (PLANTED,))


@pytest.mark.usefixtures("planted")
def test_a_review_with_a_script_in_it(visitor: Visitor, site: Site, request: pytest.FixtureRequest) -> None:
    """It runs for everybody in the shop as it comes; hardened it is blocked, and the log tells of it."""
    page = visitor.page
    page.goto(f"http://127.0.0.1:{site.port}/")
    expect(item(visitor, "Cup").locator("q img")).to_be_attached()
    if not is_hardened(request):
        expect(page).to_have_title("planted")
        return
    visitor.hears("Content Security Policy")
    expect(page).to_have_title("Shop")
    log = site.data.parent / "stdout"

    def told() -> list[dict[str, object]]:
        lines = log.read_text(encoding="utf-8").rpartition("\n")[0].splitlines()
        return [event for event in map(json.loads, lines) if event["event"] == "csp_violation"]

    wait_for(told)
    assert told()[0]["csp.directive"] == "script-src-attr"


def test_a_picture_with_a_script_in_it(
    visitor: Visitor, site: Site, planter: Customer, request: pytest.FixtureRequest
) -> None:
    """Whoever opens it runs it in the shop's name; hardened it is a picture and no more."""
    name = planter.upload(PICTURE, "image/svg+xml").json()["picture"]
    page = visitor.page
    page.goto(f"http://127.0.0.1:{site.port}/pictures/{name}")
    expect(page.locator("circle")).to_be_attached()
    if is_hardened(request):
        visitor.hears("sandbox")
        assert page.locator("svg").get_attribute("class") is None
    else:
        expect(page.locator("svg")).to_have_class("planted")


def test_the_cookie_is_out_of_reach(
    visitor: Visitor, site: Site, planter: Customer, request: pytest.FixtureRequest
) -> None:
    """A script of the page reads who has signed in, until the shop is hardened."""
    page = visitor.page
    page.goto(f"http://127.0.0.1:{site.port}/account")
    body = {"name": planter.name, "password": PASSWORD}
    script = """body => fetch('/api/login', { method: 'POST', body: JSON.stringify(body),
        headers: { 'Content-Type': 'application/json' } }).then(() => document.cookie)"""
    assert ("session=" in page.evaluate(script, body)) is not is_hardened(request)
