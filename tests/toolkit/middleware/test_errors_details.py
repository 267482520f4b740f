"""Tracebacks in replies: for a developer at this machine who asked for them, and for nobody else."""

from __future__ import annotations

import dataclasses
import io
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Final

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from garrison import Errors, ErrorsMiddleware, Proxy, Settings, harden
from garrison.events import event_log
from garrison.settings import load
from tests.toolkit.driver import call, http_scope, raises
from tests.toolkit.test_negotiation import CHROME

if TYPE_CHECKING:
    from garrison.asgi import Headers
    from tests.toolkit.driver import Reply

LOCAL: Final = ("127.0.0.1", 50000)
FAULT: Final = LookupError("planted-detail password=hunter2")
TELLING: Final = Errors(details="local")


def ask(
    settings: Errors = TELLING,
    peer: object = LOCAL,
    host: bytes = b"localhost:8000",
    headers: Headers = [],  # noqa: B006
) -> Reply:
    """One request to an app that fails."""
    app = ErrorsMiddleware(raises(FAULT), settings, log=event_log("json", io.StringIO()))
    return call(app, http_scope(headers=[(b"host", host), *headers], client=peer))


def test_a_developer_sees_the_traceback() -> None:
    """As lines of the problem and on the page, without what looks like a secret."""
    for peer, host in (
        (LOCAL, b"localhost:8000"), (("127.0.0.9", 1), b"127.0.0.1"), (("::1", 1), b"[::1]:8000"),
        (LOCAL, b"LOCALHOST"),
    ):  # fmt: skip
        lines = ask(peer=peer, host=host).json["traceback"]
        assert lines[0] == "Traceback (most recent call last):"
        assert lines[-1] == "LookupError: planted-detail password=[redacted]"
    page = ask(headers=[(b"accept", CHROME)])
    assert b"<pre>Traceback (most recent call last):" in page.body
    assert b"planted-detail" in page.body


@pytest.mark.parametrize(
    "more",
    [
        {"settings": Errors()},
        {"peer": ("192.0.2.7", 1)},
        {"peer": None},
        {"peer": ("/run/socket", None)},
        {"host": b"shop.example"},
        {"host": b"localhost.evil.example"},
        {"host": b"127.0.0.1.evil.example"},
        {"host": b"localhost:8000@evil.example"},
        {"host": b""},
        {"headers": [(b"host", b"localhost")]},
        *({"headers": [(name, b"127.0.0.1")]} for name in (
            b"forwarded", b"x-forwarded-for", b"X-Forwarded-Proto", b"x_forwarded_host", b"via", b"x-real-ip",
            b"cf-connecting-ip", b"true-client-ip", b"x-original-host", b"x-amzn-trace-id",
        )),
    ],
    ids=str,
)  # fmt: skip
def test_nobody_else_does(more: dict[str, Any]) -> None:
    """Another peer, another host, or any word of a proxy or a tunnel, and there is no detail."""
    for accept in (b"*/*", CHROME):
        reply = ask(**{**more, "headers": [*more.get("headers", []), (b"accept", accept)]})
        assert reply.status == 500
        for word in (b"raceback", b"planted-detail", b"LookupError"):
            assert word not in reply.body


@pytest.mark.parametrize(
    "proxy",
    [None, Proxy(), Proxy(trusted=(ip_network("127.0.0.1"),)), Proxy(trusted=(ip_network("10.0.0.1"),))],
)
@pytest.mark.parametrize("name", [b"forwarded", b"x-forwarded-for", b"x-real-ip"])
def test_the_word_of_a_proxy_counts_when_it_is_taken_off(proxy: Proxy | None, name: bytes) -> None:
    """A tunnel to this machine is one, also where the layer above has taken its header lines off."""
    stack = dataclasses.replace(Settings(), errors=TELLING, proxy=proxy, access_log=None)
    app = harden(raises(FAULT), stack)
    lines = [(b"host", b"localhost"), (name, b"for=127.0.0.1" if name == b"forwarded" else b"127.0.0.1")]
    assert b"planted-detail" not in call(app, http_scope(headers=lines, client=LOCAL)).body
    assert b"planted-detail" in call(app, http_scope(headers=lines[:1], client=LOCAL)).body


def test_behind_a_framework_too() -> None:
    """What Starlette answers with its own 500 is explained as well; an answer is not."""

    async def fails(request: object) -> None:
        raise FAULT

    app = ErrorsMiddleware(
        Starlette(routes=[Route("/", fails)]), TELLING, log=event_log("json", io.StringIO())
    )
    reply = call(app, http_scope(headers=[(b"host", b"localhost")], client=LOCAL))
    assert reply.json["traceback"][-1].startswith("LookupError: planted-detail")


def test_an_answer_is_not_explained() -> None:
    """What is no fault has no traceback, for nobody."""
    error = HTTPException(409)
    app = ErrorsMiddleware(raises(error), TELLING, log=event_log("json", io.StringIO()))
    reply = call(app, http_scope(headers=[(b"host", b"localhost")], client=LOCAL))
    assert (reply.status, "traceback" in reply.json) == (409, False)


def test_the_profile_decides() -> None:
    """Development shows details on this machine, production nowhere."""
    for profile, details in (("development", "local"), ("production", "never")):
        section = load(Settings, environ={"GARRISON_PROFILE": profile}).value.errors
        assert section is not None
        assert section.details == details
