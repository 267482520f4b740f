"""An app's own tests, which fail where a reply does not keep the app's document."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

APP: Final = """
from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse
from pydantic import BaseModel

app = FastAPI()
app.add_middleware(GZipMiddleware, minimum_size=1)


class Order(BaseModel):
    item: str


@app.get("/orders/{number}")
async def read_order(number: int) -> Order:
    return Order(item="tea") if number else JSONResponse({"item": 7})
"""

# It is the innermost of the app's layers, so that compression comes behind it.
CONFTEST: Final = """
import pytest
from garrison import Contract, ContractMiddleware
from starlette.middleware import Middleware

from shop import app

found = []
settings = Contract(document="app", mode="report", security="app", replies=1)
app.user_middleware.append(Middleware(ContractMiddleware, settings=settings, own=app, on_reply=found.append))


def pytest_configure(config):
    config.addinivalue_line("markers", "breaks_document: replies may differ from the document")


@pytest.fixture(autouse=True)
def replies_keep_the_document(request):
    found.clear()
    yield
    if found and not request.node.get_closest_marker("breaks_document"):
        pytest.fail("\\n".join(map(str, found)), pytrace=False)
"""

TESTS: Final = """
import pytest
from starlette.testclient import TestClient

from shop import app

client = TestClient(app)


def test_right():
    assert client.get("/orders/1").json() == {"item": "tea"}
    assert client.get("/orders/x").status_code == 422


def test_wrong():
    assert client.get("/orders/0").status_code == 200


@pytest.mark.breaks_document
def test_wrong_on_purpose():
    assert client.get("/orders/0").status_code == 200
"""


def test_a_suite_of_tests_that_nobody_changed(tmp_path: Path) -> None:
    """The test that broke the document fails, says where, and can be let off; all others pass."""
    for name, text in (("shop.py", APP), ("conftest.py", CONFTEST), ("test_shop.py", TESTS)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    command = [sys.executable, "-W", "ignore", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rE"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False)
    assert "3 passed, 1 error" in ran.stdout, ran.stdout + ran.stderr
    assert "GET /orders/{number} answered 200 against its document:" in ran.stdout
    assert "body /item (type): Must be a string." in ran.stdout
    assert "ERROR test_shop.py::test_wrong " in ran.stdout
