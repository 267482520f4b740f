"""The access log names what matters to security in the words of the OWASP Logging Vocabulary."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from garrison import (
    CrossOrigin,
    CrossOriginMiddleware,
    CspReports,
    CspReportsMiddleware,
    Exposure,
    ExposureMiddleware,
    Hosts,
    HostsMiddleware,
    Limit,
    LoginLimit,
    RateLimit,
    RateLimitMiddleware,
    RequestLimits,
    RequestLimitsMiddleware,
)
from garrison.events import event_log
from tests.toolkit.contract.subjects import sink
from tests.toolkit.contracting.shop import JSON, KEY, Shop
from tests.toolkit.driver import call, converse, echo, handshake, http_scope, replies_with, websocket_scope
from tests.toolkit.middleware.logged import Logged

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.responses import Response

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send

ELSEWHERE = (b"origin", b"https://evil.example")
COOKIE = (b"cookie", b"session=1")


def events_of(app: ASGIApp, *bodies: bytes, **request: Any) -> list[str]:
    """What the event of the last of some requests, all alike but for their bodies, says."""
    logged = Logged(app)
    for body in bodies or (b"",):
        call(logged.app, http_scope(**request), body)
    return list(logged.events[-1].get("security_events", []))


def test_what_is_fine_has_none() -> None:
    """An event of an ordinary request does not have the field at all."""
    logged = Logged(RequestLimitsMiddleware(RateLimitMiddleware(echo, RateLimit(limits="9/hour"))))
    call(logged.app, http_scope(method="POST", headers=[JSON]), b"{}")
    assert "security_events" not in logged.event


def test_a_quota_without_room() -> None:
    """By layer, with rules that need more than a count, for a route, and for the messages of a WebSocket."""
    excess = ["excess_rate_limit_exceeded"]
    assert events_of(RateLimitMiddleware(echo, RateLimit(limits="1/hour")), b"", b"") == excess
    whole = RateLimit(limits="1/hour", costs="/*: 1", penalty=60.0)
    assert events_of(RateLimitMiddleware(echo, whole, log=event_log("json", sink())), b"", b"") == excess
    limit = Limit("1/hour")

    async def limited(request: Request) -> Response:
        await limit(request)
        return PlainTextResponse("ok")

    assert events_of(Starlette(routes=[Route("/", limited)]), b"", b"") == excess

    async def listens(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass

    logged = Logged(RateLimitMiddleware(listens, RateLimit(messages="1/hour")))
    said = {"type": "websocket.receive", "text": "x"}
    handshake(logged.app, websocket_scope(), said, said)
    assert logged.event["security_events"] == excess


def test_logins() -> None:
    """One that succeeds, one that fails, and one too many."""
    login = LoginLimit(account="user", attempts="2/hour")

    async def handler(request: Request) -> Response:
        attempt = await login(request)
        if (await request.json())["password"] == "right":
            await attempt.succeeded()
            return PlainTextResponse("ok")
        return PlainTextResponse("no", 401)

    app = Starlette(routes=[Route("/", handler, methods=["POST"])])
    right, wrong = (b'{"user": "ann", "password": "%s"}' % word for word in (b"right", b"wrong"))
    post: dict[str, Any] = {"method": "POST", "headers": [JSON]}
    assert events_of(app, right, **post) == ["authn_login_success"]
    assert events_of(app, wrong, **post) == ["authn_login_fail"]
    assert events_of(app, wrong, wrong, wrong, **post) == [
        "authn_login_fail_max", "excess_rate_limit_exceeded",
    ]  # fmt: skip


@pytest.mark.parametrize("mode", ["enforce", "report"])
@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ([KEY, JSON], b'{"item": "tea"}', ["authn_login_success"]),
        ([KEY, JSON], b'{"item": 7}', ["authn_login_success", "input_validation_fail"]),
        ([(KEY[0], b"x" * 30), JSON], b'{"item": "tea"}', ["authn_login_fail"]),
        ([(KEY[0], b"of-bob-who-may-not-order"), JSON], b'{"item": "tea"}', ["authz_fail"]),
        ([JSON], b'{"item": "tea"}', ["authz_fail"]),
    ],
)
def test_what_a_contract_decides(
    tmp_path: Path, mode: Any, headers: list[tuple[bytes, bytes]], body: bytes, expected: list[str]
) -> None:
    """Credentials that are accepted, wrong, without the scope or missing, and bodies that do not fit."""
    app = contract(tmp_path, mode)
    length = (b"content-length", b"%d" % len(body))
    found = events_of(app, body, path="/orders", method="POST", headers=[*headers, length])
    assert found == expected


def test_a_parameter_that_does_not_fit(tmp_path: Path) -> None:
    """What is in the URL is input as well."""
    app = contract(tmp_path, "enforce")
    assert events_of(app, path="/orders", query=b"limit=many") == ["input_validation_fail"]


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "contract"])
def test_who_leaves_in_the_middle_of_a_body(tmp_path: Path, kind: str) -> None:
    """A client that hangs up while it sends is a 499: nobody refused it, and it has attacked nobody."""
    app = RequestLimitsMiddleware(read_and_answer)
    content_type = (b"content-type", kind.encode()) if kind != "contract" else JSON
    headers = [KEY, content_type, (b"transfer-encoding", b"chunked")]
    logged = Logged(app if kind != "contract" else contract(tmp_path, "enforce"))
    arriving: list[Message] = [
        {"type": "http.request", "body": b'{"item"', "more_body": True},
        {"type": "http.disconnect"},
    ]
    converse(logged.app, http_scope(path="/orders", method="POST", headers=headers), arriving)
    event = logged.event
    assert (event["http.response.status_code"], event["outcome"]) == (499, "client_gone")
    assert "rejected_by" not in event
    assert "input_validation_fail" not in event.get("security_events", [])


async def read_and_answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Asks for the whole body, as Starlette's apps do."""
    await Request(scope, receive).body()


def contract(directory: Path, mode: Any) -> ASGIApp:
    """The shop's document around an app that has nothing against anything."""
    return Shop(directory, mode=mode, security="verify", verifiers=f"key={__name__}:verify").app


def verify(credential: Any, _head: object) -> object:
    """Who has a key, and what that may do."""
    if credential.value == KEY[1].decode():
        return "alice", "orders"
    return "bob" if credential.value.startswith("of-bob") else None


@pytest.mark.parametrize(
    ("app", "request_", "expected"),
    [
        (
            RequestLimitsMiddleware(echo, RequestLimits(max_url=100)),
            {"path": "/" + "a" * 200},
            "input_validation_fail",
        ),
        (
            HostsMiddleware(echo, Hosts(allowed=("shop.example",))),
            {"headers": [(b"host", b"evil.example")]},
            "input_validation_fail",
        ),
        (ExposureMiddleware(echo, Exposure(closed="docs")), {"path": "/docs"}, "authz_fail"),
        (
            CrossOriginMiddleware(replies_with(), CrossOrigin(always=True), log=event_log("json", sink())),
            {"method": "POST", "headers": [ELSEWHERE, COOKIE]},
            "malicious_cors",
        ),
        (
            CrossOriginMiddleware(
                replies_with(),
                CrossOrigin(allowed=("https://app.example",)),
                log=event_log("json", sink()),
            ),
            {"method": "OPTIONS", "headers": [ELSEWHERE, (b"access-control-request-method", b"PUT")]},
            "malicious_cors",
        ),
        (
            CspReportsMiddleware(echo, CspReports(path="/csp"), log=event_log("json", sink())),
            {"path": "/csp", "method": "POST", "headers": [(b"content-type", b"application/csp-report")]},
            "input_validation_fail",
        ),
    ],
)
def test_what_layers_refuse(app: ASGIApp, request_: dict[str, Any], expected: str) -> None:
    """Each layer that refuses says what that was."""
    assert events_of(app, b"no JSON", **request_) == [expected]


def test_friends_are_let_in() -> None:
    """Who may see what is closed has not failed."""
    settings = Exposure(closed="docs", allowed=(ip_network("192.0.2.0/24"),))
    assert events_of(ExposureMiddleware(echo, settings), path="/docs") == []
