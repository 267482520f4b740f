"""Secrets go where the operations of a document ask for them, and the log is looked through for them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest

from garrison_harness.checks.confided import confided, is_secret
from garrison_harness.discovery.document import routes_of
from tests.harness.commands import check
from tests.harness.recordings import CANARY, SITE, check_named, findings, page, rehearsed

if TYPE_CHECKING:
    from pathlib import Path

    from garrison_harness.exchange import Request
    from garrison_harness.site import Site

TEXT = {"type": "string"}
FORM = "application/x-www-form-urlencoded"


def operation(
    properties: dict[str, Any], *, kind: str = "application/json", least: int = 1
) -> dict[str, Any]:
    """One that takes these, of which the first ones are required."""
    schema = {"type": "object", "required": list(properties)[:least], "properties": properties}
    return {"post": {"requestBody": {"required": True, "content": {kind: {"schema": schema}}}}}


def site_of(**paths: dict[str, Any]) -> Site:
    """What is known of an app with these operations, by the first part of their paths."""
    document = {"openapi": "3.1.0", "paths": {f"/{name}": path for name, path in paths.items()}}
    return replace(SITE, document=document, routes=routes_of(document))


def body(request: Request) -> bytes:
    """What a request holds behind its head."""
    return b"".join(piece for piece in request.pieces if isinstance(piece, bytes)).partition(b"\r\n\r\n")[2]


def sent(site: Site) -> dict[str, bytes]:
    """The bodies that hold a secret, by their operations."""
    return {
        name: body(request) for name, request in confided(site, lambda number: f"S3cret-{number}").items()
    }


SECRET_NAMES = ("password", "newsPassword", "user_password", "password_confirm", "password2", "pwd", "APIKey")
MORE_SECRET_NAMES = ("api_key", "access_token", "clientSecret", "PASSWORD", "token", "privateKey")
PLAIN_NAMES = (
    "name",
    "email",
    "password_hint",
    "tokenizer",
    "next_page_token",
    "csrf_token",
    "key",
    "secretary",
)
MORE_PLAIN_NAMES = ("new_password", "passenger", "public_key", "compass", "", "tokens")


def test_fields_are_known_by_their_names() -> None:
    """In the ways that apps write them; what anybody may read is no secret."""
    assert [name for name in SECRET_NAMES + MORE_SECRET_NAMES if not is_secret(name)] == []
    assert [name for name in PLAIN_NAMES + MORE_PLAIN_NAMES if is_secret(name)] == []


def test_a_body_is_valid_but_for_its_secret() -> None:
    """The other fields keep what the document says of them; a secret that may be left out is there too."""
    user = {"type": "object", "required": ["password"], "properties": {"password": TEXT}}
    site = site_of(
        login=operation({"age": {"type": "integer", "minimum": 7}, "name": TEXT, "token": TEXT}, least=2),
        nested=operation({"user": user}),
        form=operation({"username": TEXT, "password": TEXT}, kind=FORM, least=2),
    )

    bodies = sent(site)
    login = json.loads(bodies["POST /login"])

    assert (login["token"], isinstance(login["name"], str), login["age"] >= 7) == ("S3cret-0", True, True)
    assert "S3cret" not in login["name"]
    assert json.loads(bodies["POST /nested"]) == {"user": {"password": "S3cret-1"}}
    form = parse_qs(bodies["POST /form"].decode())
    assert (form["password"], form["username"] == ["S3cret-2"]) == (["S3cret-2"], False)


def test_nothing_is_sent_where_a_secret_has_no_place() -> None:
    """Where no field is one, where it would not fit or lock the audit out; and never to many."""
    password = {"password": TEXT}
    site = site_of(
        items=operation({"name": TEXT}),
        short=operation({"password": {**TEXT, "maxLength": 4}}),
        digits=operation({"pwd": {**TEXT, "pattern": "^[0-9]+$"}}),
        logout=operation(password),
        reset=operation(password),
        put={"put": operation(password)["post"]},
        upload=operation({"token": TEXT}, kind="multipart/form-data"),
    )
    many = site_of(**{f"login{number}": operation(password) for number in range(9)}, json=operation(password))

    assert sent(site) == {}
    # That which was named first.
    assert list(sent(many)) == ["POST /json", "POST /login0", "POST /login1"]


LOGIN = site_of(login=operation({"name": TEXT, "password": TEXT}, least=2))


@pytest.mark.parametrize(
    ("log", "count"),
    [
        (f"INFO: wrong: S3cret-declared-0-{CANARY}", 1),
        (f"INFO: wrong: ann\n{CANARY}", 0),
        # One fault: it logs whatever comes.
        (f"INFO: got s3cret-body-{CANARY}\nINFO: got S3cret-declared-0-{CANARY}", 1),
    ],
    ids=["logged", "not logged", "every body is logged"],
)
def test_a_login_that_logs_its_password_is_found_once(log: str, count: int) -> None:
    """And one that logs who came is fine."""
    assert len(findings("T4", site=LOGIN, log=log)) == count
    assert "POST /login" in rehearsed(check_named("T4"), {}, page(), LOGIN).exchanges


APP = """
import json, logging

logging.basicConfig(format="%(levelname)s: %(message)s")
SCHEMA = {"type": "object", "required": ["name", "password"], "properties": {
    "name": {"type": "string"}, "password": {"type": "string", "minLength": 8}}}
ITEM = {"post": {"requestBody": {"required": True, "content": {"application/json": {"schema": SCHEMA}}}}}
DOCUMENT = {"openapi": "3.1.0", "info": {"title": "Shop", "version": "1"},
            "paths": {"/login": ITEM, "/join": ITEM}}

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    status, reply = 200, {}
    if scope["path"] == "/openapi.json":
        reply = DOCUMENT
    elif scope["method"] == "POST":
        asked = json.loads(body) if body.startswith(b"{") else {}
        if set(asked) != {"name", "password"}:
            status = 422
        elif scope["path"] == "/login":
            status = 401
            logging.warning("bad login %s %s", asked["name"], asked["password"])
        else:
            logging.warning("welcome %s", asked["name"])
    await send({"type": "http.response.start", "status": status,
                "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(reply).encode()})
"""


def test_a_failed_login_that_logs_the_password_is_found_in_a_real_log(tmp_path: Path) -> None:
    """Its route turns anything else away unread; the one beside it, which logs the name, is not accused."""
    (tmp_path / "shop.py").write_text(APP)

    ran = check("--select", "T4", "--format", "json", "shop:app", cwd=tmp_path)

    assert ran.status == 1, ran.stderr
    (judged,) = json.loads(ran.stdout)["checks"]
    found = [one for one in judged["findings"] if "query" not in one["message"]]
    assert [one["message"] for one in found] == ["a secret in a body that it takes is written to the log"]
    asked, logged = found[0]["evidence"]
    assert asked == "POST /login -> 401 Unauthorized"
    assert logged.startswith("log: WARNING: bad login ")
