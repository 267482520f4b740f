"""What is logged of requests that do not keep the document: enough to act upon, whatever strangers send."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from fastapi import FastAPI
from litestar import Litestar, get
from litestar.params import FromPath  # noqa: TC002 - Litestar reads annotations

from garrison import AccessLogMiddleware, Contract, ContractMiddleware
from garrison.contracting.telling import UNDOCUMENTED
from garrison.events import event_log
from garrison.openapi.api_keys import key_digest
from garrison.units import Secret
from tests.toolkit.contracting.shop import JSON, KEY, Shop
from tests.toolkit.driver import call, http_scope

if TYPE_CHECKING:
    from pathlib import Path

    from garrison.asgi import ASGIApp

SECRET = Secret("0123456789abcdef0123456789abcdef")


def events(log: io.StringIO, name: str = "") -> list[dict[str, Any]]:
    """What was written, of one event or of all."""
    lines = [orjson.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in lines if name in {"", line["event"]}]


class Clock:
    """Seconds that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_scan_silences_nothing_else(tmp_path: Path) -> None:
    """Of a thousand paths some tens are told and then that there are more; violations are told as before."""
    shop = Shop(tmp_path)
    for number in range(1100):
        shop.ask(f"/scan/{number}.php")
    shop.ask("/orders", query=b"limit=x")
    scanned = events(shop.log, "contract_undocumented")
    assert [line.get("url.path") for line in scanned] == [
        *(f"/scan/{number}.php" for number in range(UNDOCUMENTED)), None,
    ]  # fmt: skip
    assert scanned[-1]["detail"] == "More than 50 within an hour; the others are only counted."
    (violated,) = events(shop.log, "contract_violation")
    assert "suppressed" not in violated


def test_what_was_left_out_is_counted_for_each_event(tmp_path: Path) -> None:
    """The next of a name says how many of its own name there were, and a new hour begins with all of them."""
    shop, clock = Shop(tmp_path), Clock()
    settings = Contract(document=str(tmp_path / "openapi.yaml"), security="presence")
    shop.app = ContractMiddleware(shop.app.app, settings, log=event_log(stream=shop.log), clock=clock)
    for query in (b"limit=x", b"limit=x", b"limit=x", b"limit=500"):
        shop.ask("/orders", query=query)
    for number in range(UNDOCUMENTED + 10):
        shop.ask(f"/{number}")
    clock.now = 3601.0
    shop.ask("/last")
    shop.ask("/orders", query=b"limit=x")
    assert [line.get("suppressed") for line in events(shop.log, "contract_violation")] == [None, 2, None]
    undocumented = events(shop.log, "contract_undocumented")
    assert (undocumented[-1]["url.path"], undocumented[-1]["suppressed"]) == ("/last", 9)


def test_a_path_that_is_known_already_is_no_further_one(tmp_path: Path) -> None:
    """As many as may be told are told, and asking again is no scan."""
    shop = Shop(tmp_path)
    for number in [*range(UNDOCUMENTED), *range(UNDOCUMENTED)]:
        shop.ask(f"/{number}")
    assert len(events(shop.log, "contract_undocumented")) == UNDOCUMENTED
    assert not [line for line in events(shop.log) if "detail" in line]


@pytest.mark.parametrize(
    ("fields", "path", "level"),
    [
        ({}, "/nowhere", "info"),
        ({"unknown": "refuse"}, "/nowhere", "warning"),
        ({"unknown": "refuse", "mode": "report"}, "/nowhere", "warning"),
        ({}, "//orders", "warning"),
    ],
)
def test_only_what_is_refused_is_a_warning(
    tmp_path: Path, fields: dict[str, Any], path: str, level: str
) -> None:
    """Paths that pass because they may are something to know, and nothing to act upon."""
    shop = Shop(tmp_path, **fields)
    shop.ask(path)
    assert [line["level"] for line in events(shop.log)] == [level]


@pytest.mark.parametrize("mode", ["enforce", "report"])
def test_who_lacks_a_scope_is_named(tmp_path: Path, mode: Any) -> None:
    """With the scopes that the operation needs, in the event and in the line of the access log."""
    keys = Secret(f"alice={key_digest(KEY[1].decode(), SECRET)}")
    shop = Shop(tmp_path, secret=SECRET, security="verify", api_keys=keys, mode=mode)
    log = event_log(stream=shop.log)
    app = AccessLogMiddleware(shop.app, log=log)
    body = b'{"item": "tea"}'
    lines = [JSON, KEY, (b"content-length", b"15")]
    reply = call(app, http_scope("/orders", method="POST", headers=lines), body)
    assert reply.status == (403 if mode == "enforce" else 200)
    (denied,) = events(shop.log, "contract_denied")
    assert (denied["reason"], denied["scopes"], denied["enduser.id"]) == ("scope", ["orders"], "alice")
    (logged,) = events(shop.log, "http.request")
    assert logged["enduser.id"] == "alice"
    assert KEY[1].decode() not in shop.log.getvalue()


def test_a_stranger_has_no_name(tmp_path: Path) -> None:
    """A key that nobody knows is somebody's guess."""
    keys = Secret(f"alice={key_digest(KEY[1].decode(), SECRET)}")
    shop = Shop(tmp_path, secret=SECRET, security="verify", api_keys=keys)
    shop.order(b'{"item": "tea"}', JSON, (b"x-api-key", b"another"))
    (denied,) = events(shop.log)
    assert denied["reason"] == "invalid"
    assert denied.keys().isdisjoint({"enduser.id", "scopes"})


def fastapi_app() -> FastAPI:
    """With a path that takes slashes."""
    app = FastAPI(docs_url="/manual")

    @app.get("/files/{name:path}/raw")
    async def read(name: str) -> str:
        return name

    return app


def litestar_app() -> Litestar:
    """The same."""

    @get("/files/{name:path}")
    async def read(name: FromPath[str]) -> str:
        return name

    return Litestar([read], logging_config=None)


@pytest.mark.parametrize(
    ("app", "paths"),
    [
        (fastapi_app(), ["/manual", "/openapi.json", "/redoc", "/files/a/raw", "/files/a/b/raw"]),
        (litestar_app(), ["/schema", "/schema/swagger", "/schema/openapi.json", "/files/a", "/files/a/b"]),
    ],
)
def test_pages_about_the_document_and_greedy_paths_are_no_event(app: ASGIApp, paths: list[str]) -> None:
    """The framework made them, and its document has none of them by design; all else is told."""
    log = io.StringIO()
    layer = ContractMiddleware(app, Contract(document="app"), log=event_log(stream=log))
    for path in paths:
        assert call(layer, http_scope(path)).status == 200
        call(layer, http_scope(path, method="HEAD"))
    assert log.getvalue() == ""
    call(layer, http_scope(paths[-1], method="POST"))
    call(layer, http_scope("/docs"))
    assert [line["url.path"] for line in events(log)] == [paths[-1], "/docs"]


def test_pages_that_are_refused_are_told() -> None:
    """Whoever closes everything else closes them too, and may not have thought of it."""
    log = io.StringIO()
    settings = Contract(document="app", unknown="refuse")
    layer = ContractMiddleware(fastapi_app(), settings, log=event_log(stream=log))
    assert call(layer, http_scope("/manual")).status == 404
    assert [(line["level"], line["url.path"]) for line in events(log)] == [("warning", "/manual")]
