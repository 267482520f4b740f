"""A quota that names a route is spent by requests which that route takes, made from the OpenAPI document."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel, Field

from garrison_harness.checks.check import Unjudged
from garrison_harness.checks.quota_requests import Counted, counted
from garrison_harness.discovery.document import routes_of
from garrison_harness.in_tests import audit_app
from garrison_harness.load.requests.fitting import fits
from garrison_harness.route import Route
from garrison_harness.site import Quota
from tests.harness.recordings import SITE, check_named, findings, rehearsed, reply, verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from garrison_harness.site import Site

CREDENTIALS: dict[str, Any] = {
    "type": "object",
    "required": ["name", "password"],
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z][a-z0-9]{1,19}$"},
        "password": {"type": "string", "minLength": 12},
    },
    "additionalProperties": False,
}
TENANT = {"name": "X-Tenant", "in": "header", "required": True, "schema": {"type": "integer", "minimum": 7}}
DRY = {"name": "dry", "in": "query", "required": True, "schema": {"type": "boolean", "example": True}}
NUMBER = {"name": "number", "in": "path", "required": True, "schema": {"type": "integer", "example": 37}}
IMPOSSIBLE = {"type": "string", "minLength": 3, "maxLength": 2}


def taking(schema: object, media: str = "application/json", **more: object) -> dict[str, Any]:
    """An operation that needs a body of this schema."""
    return {
        "requestBody": {"required": True, "content": {media: {"schema": schema}}},
        "responses": {},
        **more,
    }


DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "paths": {
        "/login": {"post": taking(CREDENTIALS)},
        "/form": {"post": taking(CREDENTIALS, "application/x-www-form-urlencoded")},
        "/secured": {"post": taking(CREDENTIALS, security=[{"key": []}])},
        "/impossible": {"post": taking(IMPOSSIBLE)},
        "/picture": {"post": taking({}, "image/png")},
        "/ping": {"post": {"responses": {}}},
        "/orders/{number}": {
            "parameters": [NUMBER, TENANT],
            "get": {"responses": {}},
            "put": taking(CREDENTIALS, parameters=[DRY]),
        },
    },
    "components": {"securitySchemes": {"key": {"type": "apiKey", "name": "X-Key", "in": "header"}}},
}
UNDECLARED = (
    Route(method="POST", template="/undeclared", target="/undeclared", source="app"),
    Route(method="GET", template="/pages/{name}", target="/pages/1", source="app"),
)
LABELS = [f"request {number}" for number in range(1, 12)]
WRONG = reply(401, {"Content-Type": "application/json"})
LATER = reply(429, {"Retry-After": "2"})
SPENT = dict.fromkeys(LABELS[5:], LATER)


def known(quota: str, document: Mapping[str, Any] | None = DOCUMENT) -> Site:
    """A site whose quota is this, and whose routes come from the document."""
    routes = routes_of(document) if document is not None else ()
    return replace(SITE, quota=Quota.parse(quota), routes=(*routes, *UNDECLARED), document=document)


def body_of(asked: Counted) -> Any:
    """What its JSON says."""
    assert asked.body is not None
    return json.loads(asked.body)


def test_a_route_with_a_required_body_gets_one_that_its_schema_allows() -> None:
    """Patterns and lengths included, with the type that the operation declares."""
    asked = counted(known("POST /login: 5/minute"))

    assert (asked.method, asked.target) == ("POST", "/login")
    assert asked.headers == (("Content-Type", "application/json"),)
    assert fits(body_of(asked), CREDENTIALS, DOCUMENT)


def test_a_form_is_filled_in() -> None:
    """As many logins take one."""
    asked = counted(known("POST /form: 5/minute"))

    assert asked.headers == (("Content-Type", "application/x-www-form-urlencoded"),)
    assert asked.body is not None
    assert asked.body.startswith(b"name=")


@pytest.mark.parametrize("path", ["/orders/{number}", "/orders/{id}", "/orders/8"])
def test_parameters_are_filled_in(path: str) -> None:
    """A path may be named as it is declared, or as a client asks for it."""
    asked = counted(known(f"PUT {path}: 5/minute"))

    assert asked.target == ("/orders/37" if "{" in path else path) + "?dry=true"
    assert int(dict(asked.headers)["X-Tenant"]) >= 7


@pytest.mark.parametrize(
    ("quota", "method", "target", "body"),
    [
        ("5/minute", "GET", "/", None),
        ("/login: 5/minute", "POST", "/login", ...),
        ("/orders/{number}: 5/minute", "GET", "/orders/37", None),
        ("/pages/{title}: 5/minute", "GET", "/pages/1", None),
        ("/elsewhere: 5/minute", "GET", "/elsewhere", None),
        ("DELETE /elsewhere: 5/minute", "DELETE", "/elsewhere", None),
        ("POST /ping: 5/minute", "POST", "/ping", b""),
    ],
)
def test_what_is_not_said_is_found_out(quota: str, method: str, target: str, body: object) -> None:
    """Without a method a path is asked for as it is declared, and without a route the quota is the page's."""
    asked = counted(known(quota))

    assert (asked.method, asked.target) == (method, target)
    assert body is ... or asked.body == body


@pytest.mark.parametrize(
    ("quota", "reason"),
    [
        ("POST /nowhere: 5/minute", "what POST /nowhere takes is not known: name the OpenAPI document"),
        ("POST /undeclared: 5/minute", "what POST /undeclared takes is not known"),
        ("/undeclared: 5/minute", "what POST /undeclared takes is not known"),
        ("GET /nowhere/{id}: 5/minute", "no route GET /nowhere/{id} is known"),
        ("POST /impossible: 5/minute", "no valid request to POST /impossible can be made: the body ("),
        ("POST /picture: 5/minute", "can be made: a body of image/png; give it an example"),
    ],
)
@pytest.mark.parametrize("name", ["L1", "L2", "L3", "L4", "L5"])
def test_what_cannot_be_asked_is_not_run(name: str, quota: str, reason: str) -> None:
    """The reason says what is missing, and nothing is sent."""
    site = replace(known(quota), quota=replace(Quota.parse(quota), period=2))

    judgement = verdict(name, site=site)

    assert judgement.status == "not run"
    assert reason in judgement.reason
    assert rehearsed(check_named(name), {}, WRONG, site).exchanges == {}


def test_without_a_document_the_reason_says_how_to_name_one() -> None:
    """A route that takes a body is not guessed at."""
    with pytest.raises(Unjudged, match="--openapi"):
        counted(known("POST /login: 5/minute", None))


@pytest.mark.parametrize("name", ["L1", "L2", "L3", "L4", "L5"])
def test_every_check_of_quotas_asks_the_route(name: str) -> None:
    """With its body, from the first request to the last; spellings differ in the target only."""
    site = replace(
        known("POST /login: 5/minute"), quota=Quota(limit=5, period=2, method="POST", path="/login")
    )

    stage = rehearsed(check_named(name), SPENT if name != "L3" else {}, WRONG, site)

    asked = [exchange.request for exchange in stage.exchanges.values()]
    assert {request.method for request in asked} == {"POST"}
    assert len(asked) > 5
    for request in asked:
        assert request.target.lower().partition("?")[0] in {
            "/login",
            "/login/",
            "/%6cogin",
            site.missing_path,
        }
        assert b'"password"' in b"".join(piece for piece in request.pieces if isinstance(piece, bytes))
    assert {"after the window", "as told"} & set(stage.exchanges) or name in {"L1", "L2", "L3"}


def test_logins_that_fail_are_what_a_quota_of_a_login_counts() -> None:
    """A 401 for a wrong password is as good as any reply: refused after the fifth, or not at all."""
    site = known("POST /login: 5/minute")

    assert verdict("L1", SPENT, default=WRONG, site=site).status == "passed"
    (found,) = findings("L1", default=WRONG, site=site)
    assert "all 11 requests of one client pass" in found.message


def test_an_app_that_knows_nobody_anywhere_has_no_spellings() -> None:
    """It answers every path as it does a wrong password, and the login alone is counted."""
    site = known("POST /login: 5/minute")
    refused = SPENT | dict.fromkeys([f"disguise {number}" for number in range(1, 6)], LATER)
    refused |= {f"after {name}": LATER for name in ("a slash", "capital letters", "an encoded letter")}

    assert verdict("L2", refused, default=WRONG, site=site).status == "passed"
    for elsewhere in (reply(404), reply(401, body=b"who are you?")):
        replies = refused | {"nowhere": elsewhere, "a slash": reply(401, body=b"who are you?")}
        found = findings("L2", replies, default=WRONG, site=site)
        assert [one.message.partition(" with ")[2] for one in found] == [
            "capital letters",
            "an encoded letter",
        ]


def test_a_caller_who_has_to_log_in_first_proves_nothing() -> None:
    """Where the document wants credentials, a 401 came before anything was counted."""
    judgement = verdict("L1", default=WRONG, site=known("POST /secured: 5/minute"))

    assert judgement.status == "not run"
    assert "401" in judgement.reason


@pytest.mark.parametrize("name", ["L1", "L3"])
@pytest.mark.parametrize("status", [400, 422])
def test_a_body_that_is_not_taken_proves_nothing_by_itself(name: str, status: int) -> None:
    """What refuses it may stand before the quota, unless the quota refuses later ones."""
    site = known("POST /login: 5/minute")

    judgement = verdict(name, default=reply(status), site=site)

    assert judgement.status == "not run"
    assert "give the operation an example" in judgement.reason
    refused = SPENT if name == "L1" else {f"request {number}": LATER for number in range(6, 22)}
    assert verdict(name, refused, default=reply(status), site=site).status == "passed"


@pytest.mark.parametrize(
    "text", ["POST /x*: 5/minute", "/a?b=c: 5/minute", "TAKE /x: 5/minute", "5/0 minutes"]
)
def test_a_quota_that_names_no_single_route_says_how_to(text: str) -> None:
    """In the words of the flag."""
    with pytest.raises(ValueError, match="POST /login"):
        Quota.parse(text)


class Wanted(BaseModel):
    """What a login takes."""

    name: str = Field(pattern=r"^[a-z]{3,8}$")
    password: str = Field(min_length=12)


def app_that_allows(attempts: int) -> FastAPI:
    """An app whose login counts attempts by address, once the body is known to be sound."""
    app, asked = FastAPI(), dict[str, int]()

    @app.get("/")
    def home() -> str:
        return "shop"

    @app.post("/sessions")
    def login(_: Wanted, request: Request) -> None:
        client = request.client.host if request.client else ""
        asked[client] = asked.get(client, 0) + 1
        if asked[client] > attempts:
            raise HTTPException(429, headers={"Retry-After": "3600"})
        raise HTTPException(401)

    return app


def test_a_login_that_counts_attempts_passes_and_one_that_does_not_fails() -> None:
    """The handler is reached by valid bodies only, which the app's own document describes."""
    quota = "POST /sessions: 5/hour"

    audit_app(app_that_allows(5), select=["L1", "L2"], quota=quota).assert_passes("L1", "L2")
    assert audit_app(app_that_allows(1000), select=["L1"], quota=quota).status("L1") == "failed"
