"""Datasette, an app that knows nothing of Garrison, works in a browser behind `garrison run`."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from docs.examples.datasette.build_database import build
from tests.browser.serving import SHOP
from tests.browser.visitor import ROOT, SECONDS
from tests.missing import do_without

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.browser.visitor import Visitor

GARRISON = ROOT / "build" / "datasette-env" / "bin" / "garrison"
EXAMPLE = ROOT / "docs" / "examples" / "datasette"


@pytest.fixture(scope="module")
def datasette(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The origin of Datasette with a database of cities, and nothing set."""
    if not GARRISON.exists():
        do_without(f"{GARRISON.relative_to(ROOT)} is missing: `make test` sets its environment up")
    site = tmp_path_factory.mktemp("datasette")
    build(site / "cities.db")
    for name in ("app.py", "metadata.json"):
        shutil.copy(EXAMPLE / name, site)
    kept = {name: text for name, text in os.environ.items() if not name.startswith("GARRISON_")}
    with subprocess.Popen(
        [GARRISON, "run", "app:create", "--factory", "--port", "0"],
        cwd=site,
        env=kept,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            port = port_of(process)
            wait_for(port)
            yield f"http://{SHOP}:{port}"
        finally:
            process.terminate()
            assert process.stderr is not None
            process.stderr.read()


def port_of(process: subprocess.Popen[str]) -> int:
    """The port that the server tells."""
    assert process.stderr is not None
    told = []
    for line in process.stderr:
        told.append(line)
        if found := re.search(r"listening on http://\S+?:(\d+)", line):
            return int(found[1])
    pytest.fail("".join(told))


def wait_for(port: int) -> None:
    """Wait until the server accepts connections, which it does once the app has started."""
    end = time.monotonic() + SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


def test_a_table_is_sorted_and_faceted(visitor: Visitor, datasette: str) -> None:
    """The menu that a script hangs under each column sorts the rows, and counts them by value."""
    page = visitor.page
    page.goto(f"{datasette}/cities/countries")
    page.locator("th.col-population .dropdown-menu-icon").click()
    page.get_by_role("link", name="Sort descending").click()
    # The world's two largest populations belong to these; rows came by key before.
    expect(page.locator("table.rows-and-columns tbody tr").first).to_contain_text(re.compile("China|India"))
    page.locator("th.col-continent .dropdown-menu-icon").click()
    page.get_by_role("link", name="Facet by this").click()
    expect(page.locator(".facet-info")).to_contain_text("AF")
    visitor.photograph("default-datasette-table")
    assert visitor.complaints == []


def test_a_query_is_edited_and_run(visitor: Visitor, datasette: str) -> None:
    """The editor that a script makes of the text field takes a query, and the result shows."""
    page = visitor.page
    page.goto(f"{datasette}/cities")
    page.locator(".CodeMirror").first.click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text("select name from countries where iso = 'IT'")
    page.get_by_role("button", name="Run SQL").click()
    expect(page.locator("table.rows-and-columns tbody")).to_have_text(re.compile("Italy"))
    visitor.photograph("default-datasette-query")
    assert visitor.complaints == []


def test_a_form_writes_a_row(visitor: Visitor, datasette: str) -> None:
    """A form with a token in it is posted, and the row is there."""
    page = visitor.page
    page.goto(f"{datasette}/cities/suggest")
    page.locator("input[name=city]").fill("Rome")
    page.locator("input[name=message]").fill("is older")
    page.get_by_role("button", name="Run SQL").click()
    expect(page.locator(".message-info")).to_contain_text("1 row affected")
    page.goto(f"{datasette}/cities/corrections")
    expect(page.locator("table.rows-and-columns tbody")).to_contain_text("is older")
    assert visitor.complaints == []
