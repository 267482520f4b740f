"""Validation errors that echo what was submitted lose the echo, and every other 422 stays as it is."""

from __future__ import annotations

import gzip
import io
import json
from typing import TYPE_CHECKING, Any, Final

import orjson
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, field_validator
from starlette.middleware.gzip import GZipMiddleware

from garrison import Errors, ErrorsMiddleware
from garrison.echoes import HELD
from garrison.events import event_log
from tests.toolkit.driver import call, http_scope, replies_with

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Headers
    from tests.toolkit.driver import Reply

JSON: Final[Headers] = [(b"content-type", b"application/json")]
SECRET: Final = "hunter2-of-the-body"


class Account(BaseModel):
    """What clients send."""

    name: str
    password: str

    @field_validator("password")
    @classmethod
    def check(cls, value: str) -> str:
        """A rule whose exception quotes the value."""
        raise ValueError(f"too weak: password={value!r}")


def fastapi_app() -> FastAPI:
    """FastAPI with a route that validates."""
    app = FastAPI()

    @app.post("/accounts")
    async def post(account: Account) -> None:
        """Never reached."""

    return app


def guarded(app: Any, settings: Errors = Errors()) -> ASGIApp:
    """The app behind the layer."""
    return ErrorsMiddleware(app, settings, log=event_log("json", io.StringIO()))


def post(app: ASGIApp, document: object, *lines: tuple[bytes, bytes], method: str = "POST") -> Reply:
    """Send a document to FastAPI."""
    body = json.dumps(document).encode()
    headers = [*JSON, (b"content-length", b"%d" % len(body)), *lines]
    return call(app, http_scope("/accounts", method=method, headers=headers), body)


@pytest.mark.parametrize(
    "document", [{"password": SECRET}, {"name": "a", "password": SECRET}, [SECRET], SECRET]
)
def test_fastapi_echoes_nothing(document: object) -> None:
    """What the bare app repeats is not in the reply; type, place and message are."""
    app = fastapi_app()
    bare = post(app, document)
    assert SECRET.encode() in bare.body
    reply = post(guarded(app), document)
    assert (reply.status, SECRET.encode() in reply.body) == (422, False)
    assert reply.header("content-length") == str(len(reply.body))
    assert reply.header("content-type") == "application/json"
    expected = bare.json["detail"]
    assert [error["loc"] for error in reply.json["detail"]] == [error["loc"] for error in expected]
    assert {name for error in reply.json["detail"] for name in error} <= {"type", "loc", "msg", "url", "ctx"}


def test_a_compressed_echo_is_found() -> None:
    """Compression by the app hides nothing."""
    app = fastapi_app()
    app.add_middleware(GZipMiddleware, minimum_size=1)
    accepts = (b"accept-encoding", b"gzip")
    assert SECRET.encode() in gzip.decompress(post(app, [SECRET], accepts).body)
    reply = post(guarded(app), [SECRET], accepts)
    assert reply.header("content-encoding") is None
    assert reply.header("content-length") == str(len(reply.body))
    assert SECRET.encode() not in reply.body
    assert reply.json["detail"][0]["loc"] == ["body"]


def test_echoes_can_be_allowed() -> None:
    """One setting leaves the framework's reply alone."""
    reply = post(guarded(fastapi_app(), Errors(echoes=True)), [SECRET])
    assert SECRET.encode() in reply.body


ERROR: Final[dict[str, Any]] = {"type": "missing", "loc": ["body", "a"], "msg": "Field required"}


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        ({"input": {"a": SECRET}}, {}),
        ({"input": SECRET, "url": "https://x.example/"}, {"url": "https://x.example/"}),
        ({"ctx": {"error": SECRET}}, {}),
        ({"ctx": {"error": SECRET, "le": 5}}, {"ctx": {"le": 5}}),
        ({"input": "\ud800"}, {}),
        ({"input": 10**40}, {}),
    ],
)
def test_only_the_echo_is_taken_out(error: dict[str, Any], kept: dict[str, Any]) -> None:
    """Everything else of an error stays, whatever the echo was."""
    body = json.dumps({"detail": [{**ERROR, **error}]}).encode()
    headers = [*JSON, (b"ETag", b'"1"'), (b"content-length", b"%d" % len(body)), (b"x-own", b"1")]
    for chunks in ((body,), (body[:30], body[30:]), (body, b"")):
        reply = call(guarded(replies_with(422, headers, *chunks)))
        assert reply.json == {"detail": [{**ERROR, **kept}]}
        assert (reply.header("x-own"), reply.header("etag")) == ("1", None)
        assert reply.header("content-length") == str(len(reply.body))


def test_a_head_request_has_the_length_of_the_rest() -> None:
    """No body, and the length that GET would have."""
    body = orjson.dumps({"detail": [{**ERROR, "input": SECRET}]})
    app = guarded(replies_with(422, [*JSON, (b"content-length", b"%d" % len(body))], body))
    reply = call(app, http_scope(method="HEAD"))
    assert reply.body == b""
    assert reply.header("content-length") == call(app).header("content-length")


OTHERS: Final = [
    b"",
    b"not JSON",
    b'{"detail": "Not that"}',
    b'{"detail": []}',
    orjson.dumps({"detail": [ERROR]}),
    orjson.dumps({"detail": [{**ERROR, "ctx": {}}]}),
    orjson.dumps({"detail": [{**ERROR, "input": 1}], "id": 7}),
    orjson.dumps({"detail": [{**ERROR, "input": 1, "hint": "x"}]}),
    orjson.dumps({"detail": [{**ERROR, "input": 1, "loc": "body"}]}),
    orjson.dumps({"detail": [{**ERROR, "input": 1}, "and more"]}),
    orjson.dumps({"errors": [{**ERROR, "input": 1}]}),
    orjson.dumps([{**ERROR, "input": 1}]),
    b'{"detail": [{"type": "x", "loc": [], "msg": "' + b"\xff" + b'"}',
]


@pytest.mark.parametrize("body", OTHERS[:-1])
def test_any_other_422_stays(body: bytes) -> None:
    """An app's own document of validation errors arrives byte by byte."""
    headers = [*JSON, (b"etag", b'"1"')]
    for chunks in ((body,), (body[:7], body[7:])):
        bare = replies_with(422, headers, *chunks)
        assert call(guarded(bare)).messages == call(bare).messages


@pytest.mark.parametrize(
    ("status", "kind"), [(422, b"application/problem+json"), (422, b"text/plain"), (400, b"application/json")]
)
def test_only_where_fastapi_sends_it(status: int, kind: bytes) -> None:
    """Another status or media type is another contract."""
    body = orjson.dumps({"detail": [{**ERROR, "input": 1}]})
    assert call(guarded(replies_with(status, [(b"content-type", kind)], body))).body == body


@pytest.mark.parametrize(
    "body",
    [
        OTHERS[-1],
        b'{"detail":[{"type":"x","loc":[],"msg":"","input":' + b"[" * 100_000 + b"]" * 100_000 + b"}]}",
    ],
)
def test_what_cannot_be_read_does_not_leave(body: bytes) -> None:
    """A reply that begins like an echo and cannot be read to its end becomes a problem."""
    reply = call(guarded(replies_with(422, JSON, body)))
    assert (reply.status, reply.header("content-type")) == (422, "application/problem+json")


def test_a_long_422_in_parts() -> None:
    """Held up to a bound: then one that looks like an echo is replaced, and another one streams on."""
    long = [b"x" * (HELD // 4)] * 6
    echo = call(guarded(replies_with(422, JSON, b'{"detail":[{"type":"x","input":"', *long)))
    assert (echo.status, echo.header("content-type")) == (422, "application/problem+json")
    assert len(echo.body) < 500
    bare = replies_with(422, JSON, b'{"other":"', *long)
    assert call(guarded(bare)).messages == call(bare).messages


def test_a_long_422_that_is_whole() -> None:
    """One message is in memory already, and is read as it is."""
    body = orjson.dumps({"detail": [{**ERROR, "input": "x" * (2 * HELD)}]})
    assert call(guarded(replies_with(422, JSON, body))).json == {"detail": [ERROR]}
