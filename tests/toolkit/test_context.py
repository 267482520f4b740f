"""The facts of one request, shared by all layers and by nobody else."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from typing import Any

import pytest

from garrison import context as module
from garrison import security_events
from garrison.context import RequestContext, enter, new_id
from tests.toolkit.driver import http_scope, websocket_scope


def test_the_first_layer_makes_the_context_and_one_copy() -> None:
    """The server's scope stays as it was; below the first layer everybody shares one scope."""
    server = http_scope()
    before = dict(server)
    scope, context = enter(server)
    again, same = enter(scope)
    assert server == before
    assert scope is not server
    assert (again is scope, same is context) == (True, True)


def test_a_context_keeps_what_mounts_move() -> None:
    """Method, path, prefix and peer are as the server gave them, whatever the framework writes."""
    scope, context = enter(http_scope("/v1/a", method="PUT", root_path="/x", client=("192.0.2.1", 7)))
    scope.update(path="/a", root_path="/x/v1", client=None, method="GET")
    assert (context.method, context.path, context.root_path) == ("PUT", "/v1/a", "/x")
    assert (context.peer, context.client) == (("192.0.2.1", 7), "192.0.2.1")


def test_a_handshake_is_a_get_and_a_unix_socket_has_no_client() -> None:
    """What a scope does not say has a written answer."""
    context = RequestContext(websocket_scope(client=None))
    assert (context.method, context.peer, context.client, context.trusted) == ("GET", None, None, False)


def test_a_second_layer_of_a_name_steps_aside_and_says_so_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first layer stays the first however often it asks; the log has one line for all that come twice."""
    monkeypatch.setattr(module, "_warned", set())
    first, second = object(), object()
    with caplog.at_level(logging.WARNING, "garrison"):
        for _ in range(3):
            context = RequestContext(http_scope())
            assert [context.mount("x", layer) for layer in (first, first, second)] == [True, True, False]
            assert context.mount("y", second)
            assert not context.mount("y", first)
    assert [record.getMessage() for record in caplog.records] == [
        (
            "the layer 'x' is mounted twice on one request; the inner one steps aside, as does every other"
            " that is there twice"
        )
    ]


def test_a_name_that_the_vocabulary_does_not_have_is_kept_and_told_of_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A typo would make no alert: the log says so, with what was meant; names with a dot are one's own."""
    monkeypatch.setattr(module, "_unknown", set())
    odd: Any = ["unhashable"]
    with caplog.at_level(logging.WARNING, "garrison"):
        for _ in range(3):
            context = RequestContext(http_scope())
            names = ("authn_login_fial", "nonsense", "shop.voucher_guessed", "session_expired", odd)
            for name in names:
                context.note(name)
            assert context.security_events == names
    advice = "not in the OWASP Logging Vocabulary; a name of your own has a dot, such as 'shop.fraud'"
    assert [record.getMessage() for record in caplog.records] == [
        "note('authn_login_fial'): not in the OWASP Logging Vocabulary; did you mean 'authn_login_fail'?",
        f"note('nonsense'): {advice}",
        f"note(\"['unhashable']\"): {advice}",
    ]


def test_the_names_that_garrison_writes_are_in_the_vocabulary() -> None:
    """What the documentation calls OWASP's is OWASP's."""
    own = {value for name, value in vars(security_events).items() if name.isupper() and name != "VOCABULARY"}
    assert own
    assert own <= security_events.VOCABULARY


def test_no_more_names_are_told_of_than_anybody_reads(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An app that notes what its clients send neither fills the log nor the memory."""
    monkeypatch.setattr(module, "_unknown", set())
    context = RequestContext(http_scope())
    with caplog.at_level(logging.WARNING, "garrison"):
        for number in range(200):
            context.note(f"{number}" * 100)
    assert len(caplog.records) == 100
    assert max(len(record.getMessage()) for record in caplog.records) < 250


class Template:
    """A route of a framework that nobody knows."""

    def __init__(self, path: object) -> None:
        self.path = path


def one() -> None:
    """An endpoint."""


def two() -> None:
    """Another endpoint."""


class Ended(Template):
    """A route that says where it leads."""

    def __init__(self, path: object, endpoint: object) -> None:
        super().__init__(path)
        self.endpoint = endpoint


class Routed:
    """An app that says what its routes are."""

    def __init__(self, *routes: object) -> None:
        self.routes = routes


@pytest.mark.parametrize(
    ("facts", "route"),
    [
        ({}, None),
        ({"path_template": "/a/{id}"}, "/a/{id}"),
        ({"route": Template("/a/{id}")}, "/a/{id}"),
        ({"route": Template(None)}, None),
        ({"route": object()}, None),
        ({"route": Template("/a"), "root_path": "/v1"}, "/v1/a"),
        ({"route": Template("/a"), "root_path": "/v1", "path_params": {"tenant": "acme"}}, None),
        ({"route": Template("/a"), "fastapi": None}, "/a"),
        ({"endpoint": one, "app": Routed(Ended("/a", one), Ended("/b", two))}, "/a"),
        ({"endpoint": one, "app": Routed(Ended("/a", one), Ended("/b", one))}, None),
        ({"endpoint": one, "app": Routed(object())}, None),
        ({"endpoint": one}, None),
        ({"route": Template("/a"), "fastapi": {"effective_route_context": Template("/b")}}, "/a"),
    ],
)
def test_the_route_is_what_the_framework_left_behind(facts: dict[str, object], route: str | None) -> None:
    """No template, no guess; and a template that could hold a value of the request is none."""
    scope, context = enter(http_scope("/a/7"))
    scope.update(facts)
    assert context.route(scope) == route


def test_ids_cannot_be_guessed() -> None:
    """A thousand ids are a thousand different ones of 128 bits."""
    found = {new_id() for _ in range(1000)}
    assert len(found) == 1000
    assert {len(one) for one in found} == {32}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_makes_ids_of_its_own() -> None:
    """What a process has in reserve is not given out again by those that it forks."""
    script = (
        "import os\n"
        "from garrison.context import new_id\n"
        "new_id()\n"
        "child = os.fork()\n"
        "os.write(1, f'{new_id()}\\n'.encode())\n"
        "child and os.waitpid(child, 0)\n"
    )
    printed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert len(set(printed.stdout.split())) == 2
