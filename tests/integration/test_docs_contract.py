"""What the guide to OpenAPI contracts promises of settings, replies and events."""

from __future__ import annotations

import gzip
from datetime import date  # noqa: TC003 - pydantic reads annotations
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import pytest
import yaml
from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from garrison import Contract, Settings, SettingsError, harden
from garrison.env_file import read_env_file
from tests.integration.contract_example import FOLDER, Example
from tests.integration.contract_guide import (
    ask,
    curls,
    documents,
    events,
    hardened,
    loaded,
    request,
    served,
    settings_of,
    shown_replies,
)
from tests.integration.documents import DOCS, blocks, variables
from tests.toolkit.driver import call, http_scope, replies_with

if TYPE_CHECKING:
    from pathlib import Path

PAGE = DOCS / "how-to" / "openapi-contract.md"
REPORT, UNKNOWN, VERIFY, OWN, REPLIES = range(5)
ONE_MIDDLEWARE, TEST_OF_REPLIES = range(2)
PNG = (
    b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nA cat\r\n'
    b'--b\r\nContent-Disposition: form-data; name="picture"; filename="c.png"\r\n\r\nx\r\n--b--\r\n'
)


@pytest.fixture(autouse=True)
def in_the_example(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that settings name are found where the example is."""
    monkeypatch.chdir(FOLDER)


def document_of(folder: Path, operation: dict[str, Any], **more: Any) -> Contract:
    """A contract with one operation, `POST /`, whose security is left to the app."""
    path = folder / "openapi.yaml"
    paths = {"/": {"post": {"responses": {}, **operation}}}
    document = {"openapi": "3.1.0", "info": {"title": "One", "version": "1"}, "paths": paths, **more}
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return Contract(document=str(path), security="app")


def test_a_report_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first request is answered by the app, and the log has the event of the page."""
    assert served(PAGE)[0].environ == variables(blocks(PAGE, "env")[REPORT], tmp_path)
    app = hardened(settings_of(PAGE, tmp_path, REPORT))
    assert ask(app, curls(PAGE)[0]).json[0]["item"] == "tea"
    shown = [each for each in documents(PAGE) if "event" in each]
    assert events(capsys.readouterr().out, "contract_violation") == shown


def test_a_refusal_is_the_one_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the mode the second request is refused, with status, headers and errors as shown."""
    environ = variables(blocks(PAGE, "env")[REPORT], tmp_path)
    del environ["GARRISON_CONTRACT_MODE"]
    reply = ask(hardened(loaded(environ)), curls(PAGE)[1])
    status, headers = shown_replies(PAGE)[0]
    assert reply.status == status
    assert headers == {name: reply.header(name) for name in headers}
    (shown,) = [each for each in documents(PAGE) if "errors" in each and "event" not in each]
    assert {**reply.json, "request_id": ""} == {**shown, "request_id": ""}
    assert "4111" not in capsys.readouterr().out + reply.body.decode()


def test_the_order_of_decisions() -> None:
    """Of several things that are wrong, the one that is known first is told."""
    app, key = Example().app, ("X-API-Key", "k-of-the-till-0123456789")
    once = ("Idempotency-Key", "5f0c1b7e-9a3d-48d6-a2e4-7c1f60b98d35")
    text = ("Content-Type", "text/plain")
    json_type = ("Content-Type", "application/json")
    assert request(app, "POST", "//orders", b"x", text).status == 400
    assert request(app, "POST", "/orders", b"x", text).status == 401
    assert request(app, "POST", "/orders", b"x", text, key).json["errors"][0]["in"] == "header"
    reply = request(app, "POST", "/orders", b"x", text, key, once)
    assert (reply.status, reply.header("accept")) == (415, "application/json")
    assert request(app, "POST", "/orders", b"{", json_type, key, once).status == 400
    assert request(app, "POST", "/orders", b"{}", json_type, key, once).status == 422


def test_what_readers_take_in_two_ways_is_refused() -> None:
    """Bytes that are UTF-8 or Latin-1, a backslash that is there or not, a number that is none."""
    app = Example(GARRISON_CONTRACT_SECURITY="app").app
    form = ("Content-Type", "application/x-www-form-urlencoded")
    notes = ["text=é".encode(), b"text=%C3%A9"]
    assert [request(app, "POST", "/orders/1/notes", note, form).status for note in notes] == [400, 204]
    upload = ("Content-Type", "multipart/form-data; boundary=b")
    backslash = PNG.replace(b'"picture"', rb'"\picture"')
    assert request(app, "POST", "/orders/1/picture", backslash, upload).status == 400
    once = ("Idempotency-Key", "5f0c1b7e-9a3d-48d6-a2e4-7c1f60b98d35")
    assert request(app, "POST", "/orders", b"NaN", ("Content-Type", "application/json"), once).status == 400


def test_a_body_beyond_the_bound_is_a_413() -> None:
    """What would have to be held and is too long is refused by its length."""
    app = Example(GARRISON_CONTRACT_MAX_BODY="20").app
    note = b"text=" + b"x" * 20
    form = ("Content-Type", "application/x-www-form-urlencoded")
    assert request(app, "POST", "/orders/1/notes", note, form).status == 413


def test_what_the_document_does_not_have(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Paths and methods without an operation pass and are told, or are refused where that is set."""
    environ = variables(blocks(PAGE, "env")[UNKNOWN], tmp_path)
    closed = hardened(loaded(environ))
    assert request(closed, "GET", "/").status == 404
    reply = request(closed, "DELETE", "/orders/1")
    assert (reply.status, reply.header("allow")) == (405, "GET, HEAD")
    assert request(closed, "HEAD", "/orders/1").status == 200
    preflight = [("Origin", "https://app.example"), ("Access-Control-Request-Method", "GET")]
    assert request(closed, "OPTIONS", "/orders/1", b"", *preflight).status == 405, "the app's own answer"
    del environ["GARRISON_CONTRACT_UNKNOWN"]
    capsys.readouterr()
    assert request(hardened(loaded(environ)), "GET", "/").status == 200
    assert events(capsys.readouterr().out, "contract_undocumented")
    lenient = loaded({**environ, "GARRISON_CONTRACT_UNKNOWN_QUERY": "pass"})
    assert request(hardened(lenient), "GET", "/orders", query=b"sort=up").status == 200


@pytest.mark.parametrize("server", [None, "/v1", "https://api.shop.example/v1"])
@pytest.mark.parametrize("root_path", ["", "/v1"])
@pytest.mark.parametrize("prefix", ["", "/v1"])
def test_prefixes_are_no_way_around(tmp_path: Path, server: str | None, root_path: str, prefix: str) -> None:
    """Whoever takes a prefix off, the operation is found; only an unknown prefix is another path."""
    more = {"servers": [{"url": server}]} if server else {}
    app = harden(replies_with(), Settings(contract=document_of(tmp_path, {}, **more)))
    scope = http_scope(f"{prefix}/", method="POST", query=b"sort=up", root_path=root_path)
    expected = 200 if prefix and not (server or root_path) else 400
    assert call(app, scope).status == expected


def test_who_may_call(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The variables are the example's; without a token there is the 401, with one the name."""
    assert variables(blocks(PAGE, "env")[VERIFY], tmp_path) == read_env_file(FOLDER / "contract.env")
    example = Example()
    without, with_token = curls(PAGE)[2:]
    status, headers = shown_replies(PAGE)[1]
    refused = ask(example.app, without)
    assert (refused.status, refused.header("www-authenticate")) == (status, headers["www-authenticate"])
    assert events(capsys.readouterr().out, "contract_denied")[0]["reason"] == "missing"
    reply = ask(example.app, with_token, **{"python issuer.py": example.token})
    assert reply.body == b'{"name":"ann"}'
    assert f"`{reply.body.decode()}`" in PAGE.read_text(encoding="utf-8")


def test_a_scheme_without_a_verifier_stops_the_start(tmp_path: Path) -> None:
    """What nobody verifies cannot be served by mistake."""
    environ = {"GARRISON_CONTRACT_DOCUMENT": "openapi.yaml"}
    with pytest.raises(SettingsError, match="GARRISON_CONTRACT_VERIFIERS"):
        hardened(loaded(environ))


def test_callers_count_by_principal() -> None:
    """Once callers are verified, quotas can be theirs."""
    example = Example(GARRISON_RATE_LIMIT_LIMITS="2/hour by principal")
    token = ("Authorization", f"Bearer {example.token}")
    assert [request(example.app, "GET", "/account", b"", token).status for _ in range(3)] == [200, 200, 429]
    assert request(example.app, "GET", "/orders").status == 200


def test_the_own_document_of_fastapi(tmp_path: Path) -> None:
    """A credential must be there, and the app judges it; what the document leaves out is unknown."""
    api = FastAPI()

    def user(sent: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> None:
        if sent.credentials != "good":
            raise HTTPException(403)

    @api.get("/orders", dependencies=[Depends(user)])
    async def orders(limit: int = 1, hidden: Annotated[int, Query(include_in_schema=False)] = 1) -> int:
        return limit + hidden

    app = harden(api, settings_of(PAGE, tmp_path, OWN))
    good, bad = (("Authorization", f"Bearer {value}") for value in ("good", "bad"))
    refused = request(app, "GET", "/orders")
    assert (refused.status, refused.header("content-type")) == (401, "application/problem+json")
    assert request(app, "GET", "/orders", b"", bad).status == 403
    assert request(app, "GET", "/orders", b"", good, query=b"limit=2").body == b"3"
    assert request(app, "GET", "/orders", b"", good, query=b"limit=two").status == 400
    assert request(app, "GET", "/orders", b"", good, query=b"hidden=2").status == 400


def executed(number: int) -> dict[str, Any]:
    """The names that a Python block of the page defines."""
    namespace: dict[str, Any] = {}
    block = blocks(PAGE, "python")[number]
    exec(compile(block.text, block.name, "exec"), namespace)  # noqa: S102 - our own documentation
    return namespace


def test_the_contract_as_one_middleware() -> None:
    """It has the document of the app around it, with all routes that are there when the app starts."""
    api: FastAPI = executed(ONE_MIDDLEWARE)["app"]

    @api.get("/orders")
    async def orders(limit: int = 1) -> int:
        return limit

    assert request(api, "GET", "/orders", query=b"limit=2").body == b"2"
    assert request(api, "GET", "/orders", query=b"limit=x").status == 400


class Lax(BaseModel):
    price: float = 1
    gift: bool = False
    day: date | None = None
    tags: set[int] = set()


def test_what_differs_from_the_app_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON of other types is refused, greedy paths and later routes are the app's, and pages are no event."""
    api = FastAPI()

    @api.post("/lax")
    async def lax(sent: Lax) -> None:
        return

    @api.get("/files/{name:path}")
    async def files(name: str, size: int = 1) -> str:
        return name

    app = harden(api, settings_of(PAGE, tmp_path, OWN))
    api.add_api_route("/later", lambda: 1)
    json_type = ("Content-Type", "application/json")
    for body in (b'{"price": "1"}', b'{"gift": 1}', b'{"day": 86400}', b'{"tags": [1, 1]}'):
        assert request(api, "POST", "/lax", body, json_type).status == 200, body
        assert request(app, "POST", "/lax", body, json_type).status == 422, body
    capsys.readouterr()
    assert request(app, "GET", "/files/a/b", query=b"other=1").json == "a/b"
    assert request(app, "GET", "/docs").status == 200
    assert not events(capsys.readouterr().out, "contract_undocumented")
    assert request(app, "GET", "/later").json == 1
    assert events(capsys.readouterr().out, "contract_undocumented")
    closed = loaded({"GARRISON_CONTRACT_DOCUMENT": "app", "GARRISON_CONTRACT_UNKNOWN": "refuse"})
    paths = ["/files/a", "/files/a/b", "/docs"]
    assert [request(harden(api, closed), "GET", path).status for path in paths] == [200, 404, 404]


def test_commas_that_are_escaped_are_no_commas(tmp_path: Path) -> None:
    """As OpenAPI has it; httpx escapes those that it is given."""
    ids = {"type": "array", "items": {"type": "integer"}}
    parameter = {"name": "ids", "in": "query", "explode": False, "schema": ids}
    settings = Settings(contract=document_of(tmp_path, {"parameters": [parameter]}))
    app = harden(replies_with(), settings)
    assert request(app, "POST", "/", query=b"ids=1,2").status == 200
    escaped = httpx.URL("http://shop.example/", params={"ids": "1,2"}).query
    assert escaped == b"ids=1%2C2"
    assert request(app, "POST", "/", query=escaped).status == 400


def test_replies_that_do_not_keep_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A test fails with the text of the page; in production the reply is sent, and the log has an event."""
    namespace = executed(TEST_OF_REPLIES)
    with pytest.raises(AssertionError) as failure:
        namespace["test_reading_an_order"]()
    (shown,) = [block.text for block in blocks(PAGE, "") if block.text.startswith("GET /orders")]
    assert str(failure.value) == shown.rstrip()
    capsys.readouterr()
    environ = variables(blocks(PAGE, "env")[REPLIES], tmp_path) | {"GARRISON_CONTRACT_REPLIES": "1"}
    reply = request(harden(namespace["api"], loaded(environ)), "GET", "/orders/1")
    assert reply.json == {"item": "tea", "count": "two"}
    (event,) = events(capsys.readouterr().out, "contract_reply_violation")
    assert event["errors"][0]["pointer"] == "/count"


def test_what_is_not_judged(tmp_path: Path) -> None:
    """XML may be anything in its media type; JSON that is encoded is a 415; unknown formats say nothing."""
    kinds = {
        "application/xml": {"schema": {"type": "object", "required": ["a"]}},
        "application/json": {"schema": {"type": "string", "format": "shoe-size"}},
    }
    settings = Settings(contract=document_of(tmp_path, {"requestBody": {"content": kinds}}))
    app = harden(replies_with(), settings)
    assert request(app, "POST", "/", b"<b/>", ("Content-Type", "application/xml")).status == 200
    json_type = ("Content-Type", "application/json")
    assert request(app, "POST", "/", b'"huge"', json_type).status == 200
    encoded = gzip.compress(b'"huge"')
    assert request(app, "POST", "/", encoded, json_type, ("Content-Encoding", "gzip")).status == 415


def test_an_upload_that_nobody_reads_is_not_judged() -> None:
    """A body is judged where the app reads it."""
    upload = ("Content-Type", "multipart/form-data; boundary=b")
    wrong = PNG.replace(b"title", b"other")
    example = Example()
    assert request(example.app, "POST", "/orders/1/picture", PNG, upload).status == 204
    assert request(example.app, "POST", "/orders/1/picture", wrong, upload).status == 422
    environ = {"GARRISON_CONTRACT_DOCUMENT": "openapi.yaml", "GARRISON_CONTRACT_SECURITY": "app"}
    ignoring = hardened(loaded(environ), replies_with())
    assert request(ignoring, "POST", "/orders/1/picture", wrong, upload).status == 200


def test_patterns_that_could_take_hours_stop_the_start(tmp_path: Path) -> None:
    """The error says where the pattern is."""
    schema = {"schema": {"type": "string", "pattern": "^(?=a)b$"}}
    operation = {"requestBody": {"content": {"application/json": schema}}}
    with pytest.raises(SettingsError, match=r"/paths/~1/post/requestBody/content/application~1json/schema"):
        harden(replies_with(), Settings(contract=document_of(tmp_path, operation)))


def test_references_to_other_hosts_are_not_followed(tmp_path: Path) -> None:
    """Nothing is fetched unless it is asked for."""
    schema = {"schema": {"$ref": "http://127.0.0.1:1/order.json"}}
    operation = {"requestBody": {"content": {"application/json": schema}}}
    with pytest.raises(SettingsError, match=r"REMOTE|remote"):
        harden(replies_with(), Settings(contract=document_of(tmp_path, operation)))


def test_the_example_keeps_its_own_document(capsys: pytest.CaptureFixture[str]) -> None:
    """Its replies are held to the document too."""
    app = Example(GARRISON_CONTRACT_REPLIES="1").app
    for path, status in (("/orders", 200), ("/orders/1", 200), ("/orders/9", 404)):
        assert request(app, "GET", path).status == status
    assert not events(capsys.readouterr().out, "contract_reply_violation")
