"""An app that is driven in process: what it is given, what is read of it, and what cannot be known."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from garrison_harness.audit import audit
from garrison_harness.checks.catalogue import CATALOGUE
from garrison_harness.exchange import Request
from garrison_harness.in_process import Hosted, InProcess
from garrison_harness.probe import Budget
from garrison_harness.site import Need, Quota
from garrison_harness.target import TargetFailed
from tests.harness.commands import wait_until
from tests.harness.recordings import SITE, check_named

if TYPE_CHECKING:
    from garrison_harness.exchange import Reply

GET = SITE.get("/")
UNSERVED = {Need.SOCKET, Need.INSTANCE, Need.LOGS}


def asked(app: Any, request: Request = GET, *, source: str | None = None, https: bool = False) -> Reply:
    """What an app answers to one request."""
    with Hosted(app) as hosted:
        return InProcess(hosted, budget(), https=https).ask(request, source=source)


def budget(seconds: float = 30.0) -> Budget:
    """What one audit may spend."""
    return Budget(deadline=time.monotonic() + seconds, requests=100)


def answering(
    body: bytes = b"hello", *, status: int = 200, headers: list[tuple[bytes, bytes]] | None = None
) -> Any:
    """An app that answers everything like this."""

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": status, "headers": headers or []})
            await send({"type": "http.response.body", "body": body})

    return app


def raw(*pieces: bytes | float, leaves: float | None = None) -> Request:
    """A request of these pieces."""
    return Request(method="POST", target="/", pieces=pieces, leaves=leaves)


def test_the_app_is_given_what_a_server_gives_it() -> None:
    """Method, path, query, headers and addresses are those of the request, in the forms that ASGI wants."""
    given: dict[str, Any] = {}

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            scope["state"]["pool"] = "the pool"
            await answer_lifespan(receive, send)
            return
        given.update(scope)
        given["message"] = await receive()
        await answering()(scope, receive, send)

    request = replace(
        SITE.request("PUT", "/caf%C3%A9/a%2Fb?q=%20", [("X-Twice", "a"), ("x-twice", "b")], body=b"{}"),
    )
    asked(app, request, source="127.31.0.9", https=True)

    assert (given["method"], given["path"], given["raw_path"]) == ("PUT", "/café/a/b", b"/caf%C3%A9/a%2Fb")
    assert (given["query_string"], given["scheme"], given["http_version"]) == (b"q=%20", "https", "1.1")
    assert [value for name, value in given["headers"] if name == b"x-twice"] == [b"a", b"b"]
    assert given["client"][0] == "127.31.0.9"
    assert given["state"] == {"pool": "the pool"}
    assert given["message"] == {"type": "http.request", "body": b"{}", "more_body": False}


async def answer_lifespan(receive: Any, send: Any) -> None:
    """Say that all went well."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def test_the_reply_is_read_as_it_was_given() -> None:
    """Status, repeated headers and content are recorded, as much of it as was asked for."""
    twice = [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]

    reply = asked(answering(b"0123456789", status=418, headers=twice), replace(GET, kept=4))

    assert (reply.status, reply.body, reply.failure) == (418, b"0123", None)
    assert reply.all("set-cookie") == ["a=1", "b=2"]


def test_a_reply_to_head_has_no_content() -> None:
    """A server leaves out what an app gives it too much."""
    assert asked(answering(), SITE.request("HEAD", "/")).body == b""


async def raising(scope: Any, receive: Any, send: Any) -> None:
    """Fail before there is a reply."""
    raise ZeroDivisionError


async def silent(scope: Any, receive: Any, send: Any) -> None:
    """Return without a word."""


async def wordless(scope: Any, receive: Any, send: Any) -> None:
    """Send a header that is no bytes."""
    await send({"type": "http.response.start", "status": 200, "headers": [("a", "b")]})


async def headless(scope: Any, receive: Any, send: Any) -> None:
    """Send content before the reply has begun."""
    await send({"type": "http.response.body", "body": b"hello"})


@pytest.mark.parametrize("app", [raising, silent, wordless, headless], ids=lambda app: str(app.__name__))
def test_an_app_that_fails_is_a_500(app: Any) -> None:
    """As every server answers for it."""
    reply = asked(app)

    assert (reply.status, reply.body) == (500, b"Internal Server Error")


def test_a_reply_that_breaks_off_is_cut_short() -> None:
    """What came before the exception is kept, with what became of it."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise ZeroDivisionError

    reply = asked(app)

    assert (reply.status, reply.body, reply.failure) == (200, b"half", "truncated")


def counting(pieces: list[bytes], *, refuses: bool = False) -> Any:
    """An app that takes the body piece by piece and then answers, or refuses it unread."""

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        more = not refuses
        while more:
            message = await receive()
            pieces.append(message["body"])
            more = message["more_body"]
        await answering(status=413 if refuses else 200)(scope, receive, send)

    return app


HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKS = (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"3\r\nabc\r\n", 5.0, b"2\r\nde\r\n0\r\n\r\n")


def test_a_body_comes_in_the_pieces_that_it_is_sent_in() -> None:
    """Without the framing, and without the pauses between them."""
    pieces: list[bytes] = []

    reply = asked(counting(pieces), raw(*CHUNKS))

    assert b"".join(pieces) == b"abcde"
    assert len(pieces) > 1
    assert reply.sent == raw(*CHUNKS).size
    assert reply.elapsed < 4


def test_a_body_that_is_refused_unread_was_not_taken() -> None:
    """That is what tells a refusal in time from one that comes after everything was read."""
    assert asked(counting([], refuses=True), raw(*CHUNKS)).sent < raw(*CHUNKS).size


def test_a_body_that_never_comes_is_waited_for() -> None:
    """An app that reads all of it gives no answer, as behind a server, and one that refuses it does."""
    announced = raw(HEAD + b"Content-Length: 10\r\n\r\n", b"abc", leaves=0.3)

    assert asked(counting([]), announced).failure == "left"
    assert asked(counting([], refuses=True), announced).status == 413


@pytest.mark.parametrize(
    "pieces",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a",
    ],
    ids=["no host", "two hosts", "a blank before the colon", "no whole head"],
)
def test_what_a_server_would_refuse_says_nothing_of_the_app(pieces: bytes) -> None:
    """It is not brought before the app, and counts as no answer of it."""
    assert asked(answering(), raw(pieces)).outcome == "no reply (refused)"


def test_what_an_app_does_after_its_reply_is_not_waited_for() -> None:
    """A task in the background is no part of the answer, and goes on beside other requests."""

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await answering()(scope, receive, send)
            await asyncio.sleep(60)

    start = time.monotonic()
    reply = asked(app)

    assert (reply.status, reply.failure) == (200, None)
    assert time.monotonic() - start < 4


def test_an_app_that_listens_after_its_reply_hears_that_its_client_is_gone() -> None:
    """What waits for that, as streams do, does not wait for ever."""
    told: list[str] = []

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await receive()
            await answering()(scope, receive, send)
            told.append((await receive())["type"])

    asked(app)

    assert told == ["http.disconnect"]


def streaming(told: list[str], *, stops: bool) -> Any:
    """An app that streams for ever, unless it stops when its client has left."""

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        await receive()
        listening = asyncio.ensure_future(receive())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        with suppress(asyncio.CancelledError):
            while not (stops and listening.done()):
                body = b"tick\n" if stops else bytes(64 * 1024)
                await send({"type": "http.response.body", "body": body, "more_body": True})
                if stops:
                    await asyncio.sleep(0.01)
        told.append((await listening)["type"])

    return app


@pytest.mark.parametrize(
    "request_", [replace(GET, reading=0.3), replace(GET, leaves=0.3)], ids=["has had enough", "leaves"]
)
def test_who_listens_is_told_that_the_client_has_left(request_: Request) -> None:
    """What had come of a stream is kept, and the app may end it in its own way."""
    told: list[str] = []

    reply = asked(streaming(told, stops=True), request_)

    assert reply.status == 200
    assert reply.body.startswith(b"tick\ntick\n")
    assert reply.failure in {"timeout", "left"}
    assert reply.elapsed < 4
    assert told == ["http.disconnect"]


def test_a_stream_that_does_not_end_keeps_nobody_out() -> None:
    """An app that sends without a pause, whoever listens, is still there for others and can be ended."""
    with Hosted(streaming([], stops=False)) as hosted:
        asker = InProcess(hosted, budget())
        first = asker.ask(GET)
        second = asker.ask(replace(GET, reading=0.2))

    assert (first.status, first.failure) == (200, None)
    assert second.status == 200


def test_an_audit_that_is_stopped_waits_for_nobody() -> None:
    """What is under way is given up within moments."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await asyncio.sleep(60)

    limited = budget()
    threading.Timer(0.2, limited.stop).start()
    start = time.monotonic()
    with Hosted(app) as hosted:
        reply = InProcess(hosted, limited).ask(GET)

    assert reply.failure == "abandoned"
    assert InProcess(hosted, limited).ask(GET).failure == "abandoned"
    assert time.monotonic() - start < 4


def test_startup_and_shutdown_are_told_to_the_app() -> None:
    """The startup is over before the first request, and the shutdown comes after the last."""
    told: list[str] = []

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            told.append("request")
            await answering()(scope, receive, send)
            return
        for word in ("startup", "shutdown"):
            await receive()
            await asyncio.sleep(0.05)
            told.append(word)
            await send({"type": f"lifespan.{word}.complete"})

    asked(app)

    assert told == ["startup", "request", "shutdown"]


async def failing_startup(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Say that it failed, as Starlette does."""
    await receive()
    message = 'Traceback (most recent call last):\n  File "a.py", line 1\nRuntimeError: no database'
    await send({"type": "lifespan.startup.failed", "message": message})


async def leaving_startup(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """End the process, as scripts do that lack a setting."""
    sys.exit(3)


@pytest.mark.parametrize(
    ("app", "line"),
    [
        (failing_startup, "the app's startup failed: RuntimeError: no database"),
        (leaving_startup, "the app ended with exit status 3 during its startup"),
    ],
    ids=["fails", "ends the process"],
)
def test_an_app_that_does_not_start_is_one_line(app: Any, line: str) -> None:
    """The cause is in it, and no time is lost."""
    start = time.monotonic()
    with pytest.raises(TargetFailed, match=line):
        asked(app)

    assert time.monotonic() - start < 4


def test_an_app_that_knows_no_lifespan_is_served() -> None:
    """It may raise for a scope that it does not know, as the specification allows."""

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await answering()(scope, receive, send)

    assert asked(app).status == 200


async def mortal(scope: Any, receive: Any, send: Any) -> None:
    """Answer, until somebody sends TRACE."""
    if scope["type"] == "http" and scope["method"] == "TRACE":
        sys.exit(7)
    await answering()(scope, receive, send)


def test_an_app_that_ends_its_process_gives_no_answer() -> None:
    """Neither to who asked it to, nor to anybody later."""
    with Hosted(mortal) as hosted:
        asker = InProcess(hosted, budget())
        last = asker.ask(SITE.request("TRACE", "/"))
        assert wait_until(lambda: not hosted.alive())
        later = asker.ask(GET)

    assert (last.outcome, later.outcome) == ("no reply (closed)", "no reply (refused)")


def test_an_app_that_ends_its_process_ends_the_audit() -> None:
    """That is a death, as it were under a server, and no exit of the tool."""
    with Hosted(mortal) as hosted:
        site = replace(SITE, sockets=False)
        outcome = audit(
            hosted, site, [check_named("M1"), check_named("A1")], timeout=20, progress=lambda _: None
        )

    died = {result.check.id: result.verdict for result in outcome.results}["A1"]
    assert outcome.stopped == "the app ended during the audit"
    assert died.status == "failed"
    assert "exit status 7" in died.findings[0].message


def test_what_cannot_be_seen_in_process_is_not_run() -> None:
    """Each check that wants a connection, a process or a log says so, and passes for nothing."""
    site = replace(
        SITE, sockets=False, https=True, quota=Quota(limit=5, period=60), slow_path="/slow",
        time_limit=1.0, concurrency=4, document={"openapi": "3.1.0", "paths": {}},
    )  # fmt: skip
    wanting = [check for check in CATALOGUE if UNSERVED & {*check.needs} or check.instance]
    with Hosted(answering()) as hosted:
        outcome = audit(hosted, site, wanting, timeout=20, progress=lambda _: None)

    assert {check.id for check in wanting} >= {"H12", "S1", "I1", "R7", "R8", "W1", "W2", "G1", "T4", "I7"}
    assert {result.verdict.status for result in outcome.results} == {"not run"}
    assert {result.verdict.reason for result in outcome.results} == {Need.SOCKET.value}


def test_what_needs_no_connection_is_run_in_process() -> None:
    """Nothing else is left out for want of one."""
    able = [check for check in CATALOGUE if not UNSERVED & {*check.needs} and not check.instance]

    assert not any(Need.SOCKET.value in reason for c in able for reason in SITE.lacking(c.needs))
    assert len(able) > 50
