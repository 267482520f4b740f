"""What the guide to rate limiting promises of its Python: quotas of routes, users, logins and WebSockets."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from garrison import LoginLimit, RateLimit, Settings, harden
from tests.integration.documents import EXAMPLES, blocks
from tests.integration.quotas_guide import PAGE, ask, settings_of
from tests.toolkit.driver import accepts, call, handshake, http_scope, websocket_scope

if TYPE_CHECKING:
    from pathlib import Path

    from garrison.asgi import ASGIApp, Message

RIGHT = "correct horse battery staple"
TOKEN = [(b"authorization", b"Bearer t-1")]


@pytest.fixture
def shown() -> dict[str, Any]:
    """What the Python of the guide defines, run from top to bottom."""
    namespace: dict[str, Any] = {}
    for block in blocks(PAGE, "python"):
        exec(compile(block.text, block.name, "exec"), namespace)  # noqa: S102 - our own documentation
    return namespace


def log_in(app: ASGIApp, password: str, client: str) -> int:
    """The status of one attempt at ann's account."""
    sent = orjson.dumps({"username": "ann", "password": password})
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(sent))]
    scope = http_scope("/login", method="POST", headers=headers, client=(client, 40000))
    return call(app, scope, sent).status


def text(words: str) -> Message:
    """A message of a client."""
    return {"type": "websocket.receive", "text": words}


def test_the_callables_shown_are_those_of_the_example() -> None:
    """What the guide shows of tenants and costs is what `plans:…` imports."""
    plans = (EXAMPLES / "quotas" / "plans.py").read_text(encoding="utf-8")
    costs, tenants = [block.text for block in blocks(PAGE, "python")][:2]
    for part in (costs.partition("\n\n\n")[2], *tenants.split("\n\n\n")):
        assert part.strip() in plans


def test_a_user_has_a_quota_wherever_the_request_comes_from(shown: dict[str, Any]) -> None:
    """Strangers get the app's 401 and use up nothing; a user at two addresses is one."""
    api = shown["hardened_api"]
    assert [ask(api, "/orders").status for _ in range(3)] == [401] * 3
    found = [ask(api, "/orders", client=f"192.0.2.{last}", headers=TOKEN) for last in (1, 2, 3)]
    assert [reply.status for reply in found] == [200, 200, 429]
    assert (found[0].header("ratelimit-policy") or "").startswith('"2-per-second";q=2')


def test_the_layer_below_the_authentication(shown: dict[str, Any]) -> None:
    """Who is authenticated is counted wherever it comes from; who is not is not counted there."""
    site = shown["site"]
    found = [ask(site, "/account", client=f"192.0.2.{last}", headers=TOKEN).status for last in (1, 2, 3)]
    assert found == [200, 200, 429]
    assert ask(site, "/nowhere").header("ratelimit") is None


@pytest.mark.parametrize("name", ["hardened_app", "shop"])
def test_a_route_refuses_with_a_problem(shown: dict[str, Any], name: str) -> None:
    """Two exports a minute, and then a problem document with Retry-After, in either framework."""
    found = [ask(shown[name], "/export", method="POST") for _ in range(3)]
    assert [reply.status for reply in found] == [200, 200, 429]
    assert found[-1].header("content-type") == "application/problem+json"
    assert found[-1].json["violated-policies"] == ["2-per-minute"]
    assert found[-1].header("retry-after") is not None


def test_a_route_comes_on_top_of_the_layer(shown: dict[str, Any]) -> None:
    """The reply tells of both, and the quota of everybody else still counts."""
    app = harden(shown["shop"], Settings(rate_limit=RateLimit(limits="9/minute")))
    policies = ask(app, "/export", method="POST").all("ratelimit-policy")
    assert sorted(re.findall(r'"([^"]+)"', ", ".join(policies))) == [
        "10-per-hour",
        "2-per-minute",
        "9-per-minute",
    ]


def test_guessing_ends_and_the_owner_gets_in(shown: dict[str, Any]) -> None:
    """Five guesses from one address; strangers at many use the account up, and its owner still logs in."""
    app = shown["hardened_app"]
    home, abroad = "198.51.100.1", "198.51.100.2"
    assert log_in(app, RIGHT, home) == 200
    assert [log_in(app, "guess", "203.0.113.200") for _ in range(6)] == [401] * 5 + [429]
    for last in range(1, 46):
        assert log_in(app, "guess", f"203.0.113.{last}") == 401
    # The account's failures are used up: each stranger has one more try.
    assert [log_in(app, "guess", "203.0.113.99") for _ in range(2)] == [401, 429]
    assert [log_in(app, RIGHT, home) for _ in range(8)] == [200] * 8
    assert log_in(app, RIGHT, abroad) == 200


@pytest.mark.parametrize("password", [None, "", "guess"])
def test_nobody_gets_in_by_a_name_that_does_not_exist(shown: dict[str, Any], password: str | None) -> None:
    """A name without an account has no password, not even none."""
    sent = orjson.dumps({"username": "nobody", "password": password})
    scope = http_scope("/login", method="POST", headers=[(b"content-type", b"application/json")])
    assert call(shown["hardened_app"], scope, sent).status in {401, 422}


def test_an_operator_lets_somebody_in_again(shown: dict[str, Any]) -> None:
    """Whoever guessed too often at home has all tries again, and nobody but the operator gives them back."""
    app, home = shown["hardened_app"], "198.51.100.1"
    assert [log_in(app, "guess", home) for _ in range(6)] == [401] * 5 + [429]
    query = b"account=Ann&address=198.51.100.1"
    assert call(app, http_scope("/unlock", method="POST", query=query)).status == 403
    headers = [(b"authorization", shown["OPERATOR"].encode())]
    reply = call(app, http_scope("/unlock", method="POST", query=query, headers=headers))
    assert (reply.status, reply.json) == (200, {"forgotten": True})
    assert log_in(app, RIGHT, home) == 200


def test_one_address_cannot_try_many_accounts(shown: dict[str, Any]) -> None:
    """Stolen pairs of names and passwords are worth twenty tries an hour."""
    found = []
    for number in range(22):
        sent = orjson.dumps({"username": f"user{number}", "password": "stolen"})
        scope = http_scope("/login", method="POST", headers=[(b"content-type", b"application/json")])
        found.append(call(shown["hardened_app"], scope, sent).status)
    assert found == [401] * 20 + [429] * 2


def test_the_quotas_of_a_login_are_those_of_the_table() -> None:
    """Each row begins with the value that the argument has by default."""
    rows = dict(
        re.findall(r"^\| `(attempts|failures|stuffing)` \| ([\w/; ]+) for ", PAGE.read_text(), re.MULTILINE)
    )
    defaults = inspect.signature(LoginLimit).parameters
    assert rows == {name: defaults[name].default for name in ("attempts", "failures", "stuffing")}


def test_a_handshake_is_refused_as_a_request() -> None:
    """The one over the quota is a 429, and the app does not hear of it."""
    app = harden(accepts, Settings(rate_limit=RateLimit(limits="1/minute")))
    assert handshake(app).sent[0]["type"] == "websocket.accept"
    assert handshake(app).reply.status == 429


def test_too_many_messages_end_the_connection(shown: dict[str, Any], tmp_path: Path) -> None:
    """The sixty-first of a client in a minute, over two connections, is closed with 1008 and the reason."""
    app = harden(shown["sockets"], settings_of(tmp_path, "GARRISON_RATE_LIMIT_MESSAGES"))
    scope = websocket_scope("/ws/chat")
    first = handshake(app, scope, *[text("hello")] * 40)
    assert sum(message["type"] == "websocket.send" for message in first.sent) == 40
    second = handshake(app, websocket_scope("/ws/chat"), *[text("hello")] * 30)
    assert sum(message["type"] == "websocket.send" for message in second.sent) < 30
    assert second.sent[-1] == {"type": "websocket.close", "code": 1008, "reason": "too many messages"}


def test_a_handler_limits_some_messages(shown: dict[str, Any]) -> None:
    """What is no order passes; the third order closes the connection with the same code."""
    wire = handshake(
        shown["sockets"],
        websocket_scope("/ws/chat"),
        *[text("hello")] * 9,
        *[text("order")] * 3,
    )
    assert sum(message["type"] == "websocket.send" for message in wire.sent) == 11
    assert (wire.sent[-1]["type"], wire.sent[-1]["code"]) == ("websocket.close", 1008)
