"""Errors on real frameworks: their 500s become problems, their debug pages stay inside."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import blacksheep
import litestar
import orjson
import pytest
from blacksheep import Application, Router
from fastapi import FastAPI
from litestar import Litestar
from litestar.exceptions import NotAuthorizedException
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from garrison import ErrorsMiddleware
from garrison.events import event_log
from tests.toolkit.driver import call, handshake, http_scope, raises, websocket_scope
from tests.toolkit.middleware.logged import Logged

if TYPE_CHECKING:
    from starlette.requests import Request

    from garrison.asgi import ASGIApp, Receive, Scope, Send

SECRET: Final = "planted-detail"


class Guarded:
    """A framework's app behind the layer, and the layer's events."""

    def __init__(self, app: Any) -> None:
        self.stream = io.StringIO()
        self.app: ASGIApp = ErrorsMiddleware(app, log=event_log("json", self.stream))

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was logged."""
        return [orjson.loads(line) for line in self.stream.getvalue().splitlines()]


async def fails(request: Request) -> Response:
    """A handler with a fault."""
    raise LookupError(SECRET)


async def says_503(request: Request) -> Response:
    """A handler that knows it cannot serve."""
    raise HTTPException(503, "The shop is closed on Sundays.")


async def says_500(request: Request) -> Response:
    """A handler that gives up in the framework's own words."""
    raise HTTPException(500)


async def branded(request: Request, error: Exception) -> Response:
    """An app's own page for faults."""
    return HTMLResponse("<h1>Our own page</h1>", status_code=500)


def starlette_app(**options: Any) -> Starlette:
    """Starlette with a faulty route."""
    return Starlette(
        routes=[Route("/fails", fails), Route("/closed", says_503), Route("/up", says_500)], **options
    )


def fastapi_app() -> FastAPI:
    """FastAPI with a faulty route."""
    app = FastAPI()

    @app.get("/fails")
    async def fails() -> None:
        raise LookupError(SECRET)

    return app


def litestar_app(**options: Any) -> Litestar:
    """Litestar with a faulty route."""

    @litestar.get("/fails")
    async def fails() -> None:
        raise LookupError(SECRET)

    return Litestar([fails], logging_config=None, openapi_config=None, **options)


async def bare_app(scope: Scope, receive: Receive, send: Send) -> None:
    """No framework at all."""
    raise LookupError(SECRET)


@pytest.mark.parametrize(
    "app",
    [
        starlette_app(),
        starlette_app(debug=True),
        starlette_app(middleware=[Middleware(GZipMiddleware, minimum_size=1)]),
        fastapi_app(),
        litestar_app(),
        litestar_app(debug=True),
        bare_app,
    ],
    ids=["starlette", "starlette debug", "starlette gzip", "fastapi", "litestar", "litestar debug", "bare"],
)
@pytest.mark.parametrize("accept", [b"text/html", b"application/json"])
def test_a_fault_is_a_problem_on_every_framework(app: Any, accept: bytes) -> None:
    """Whatever the framework makes of a fault, the client gets one problem or page, the log one traceback."""
    guarded = Guarded(app)
    headers = [(b"accept", accept), (b"accept-encoding", b"gzip")]
    reply = call(guarded.app, http_scope("/fails", headers=headers))
    kind = "text/html; charset=utf-8" if accept == b"text/html" else "application/problem+json"
    assert (reply.status, reply.header("content-type")) == (500, kind)
    assert SECRET.encode() not in reply.body
    assert reply.header("content-encoding") is None
    assert reply.header("content-length") == str(len(reply.body))
    (event,) = guarded.events
    assert event["error.type"] == "LookupError"
    assert event["request_id"].encode() in reply.body
    assert event["exception.stacktrace"].count("Traceback (most recent call last)") == 1
    assert SECRET in event["exception.message"]


def test_the_debug_page_would_have_leaked() -> None:
    """The bare app in debug mode shows the fault, its source and its path: the attack is real."""
    sent: list[bytes] = []

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    async def watched(scope: Scope, receive: Receive, _: Send) -> None:
        with pytest.raises(LookupError):
            await starlette_app(debug=True)(scope, receive, send)

    call(watched, http_scope("/fails", headers=[(b"accept", b"text/html")]))
    assert SECRET.encode() in b"".join(sent)
    assert __file__.encode() in b"".join(sent)


def test_an_apps_own_page_for_faults_stays() -> None:
    """A custom handler's branded 500 reaches the client, and the fault is still logged once."""
    guarded = Guarded(starlette_app(exception_handlers={Exception: branded}))
    reply = call(guarded.app, http_scope("/fails"))
    assert (reply.status, reply.body) == (500, b"<h1>Our own page</h1>")
    assert [event["error.type"] for event in guarded.events] == ["LookupError"]


def test_a_5xx_that_the_app_means_stays() -> None:
    """An HTTPException with a status and words of its own is no fault, and is not logged as one."""
    guarded = Guarded(starlette_app())
    reply = call(guarded.app, http_scope("/closed"))
    assert (reply.status, reply.body) == (503, b"The shop is closed on Sundays.")
    assert call(guarded.app, http_scope("/up")).body == b"Internal Server Error"
    assert guarded.events == []


def test_an_answer_that_leaks_is_logged_with_where_it_was_raised() -> None:
    """FastAPI's HTTPException(500) with a DSN in it: one event, with the traceback and what caused it."""
    app = FastAPI()

    @app.get("/pay")
    def pay() -> None:
        try:
            int("refused")
        except ValueError as error:
            raise HTTPException(500, "db at postgresql://u:hunter2@db/x failed") from error

    guarded = Guarded(app)
    assert call(guarded.app, http_scope("/pay")).json["title"] == "Internal Server Error"
    (event,) = guarded.events
    assert (event["event"], event["reason"]) == ("reply_replaced", "secret")
    assert event["error.type"].endswith("HTTPException")
    assert "'refused'" in event["exception.stacktrace"]
    assert "hunter2" not in str(event)


def test_a_fault_whose_reply_leaks_is_logged_once() -> None:
    """The event of the exception says it all."""

    async def tells(request: Request, error: Exception) -> Response:
        return JSONResponse({"error": "no postgresql://u:hunter2@db/x"}, status_code=500)

    guarded = Guarded(starlette_app(exception_handlers={LookupError: tells}))
    logged = Logged(guarded.app)
    call(logged.app, http_scope("/fails"))
    assert [event["event"] for event in guarded.events] == ["unhandled_exception"]
    assert logged.event["replaced"] is True


def test_a_framework_that_does_not_raise_again_is_covered() -> None:
    """Litestar answers faults itself and raises nothing: the traceback is logged all the same."""
    app = litestar_app()
    seen: list[object] = []

    async def watching(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)  # type: ignore[arg-type]
        seen.append("came back")

    guarded = Guarded(watching)
    call(guarded.app, http_scope("/fails"))
    assert seen == ["came back"]
    assert len(guarded.events) == 1


def test_a_handled_error_with_details_for_the_client_stays() -> None:
    """An API's own error document with a reason in it is not taken for one that says nothing."""

    async def explained(request: Request, error: Exception) -> Response:
        return JSONResponse({"error": "The warehouse does not answer.", "code": "W7"}, status_code=500)

    guarded = Guarded(starlette_app(exception_handlers={LookupError: explained}))
    reply = call(guarded.app, http_scope("/fails"))
    assert reply.json == {"error": "The warehouse does not answer.", "code": "W7"}


@pytest.mark.parametrize("opens", [False, True])
def test_a_websocket_of_litestar_that_fails_is_known(*, opens: bool) -> None:
    """Litestar answers for the fault and says so to nobody: a denial or its own close, and one traceback."""

    @litestar.websocket("/live")
    async def live(socket: litestar.WebSocket[Any, Any, Any]) -> None:
        if opens:
            await socket.accept()
        raise LookupError(SECRET)

    guarded = Guarded(Litestar([live], logging_config=None, openapi_config=None))
    sent = handshake(guarded.app, websocket_scope("/live")).sent
    (event,) = guarded.events
    assert (event["event"], event["error.type"]) == ("unhandled_exception", "LookupError")
    assert event["exception.stacktrace"].count("Traceback (most recent call last)") == 1
    if opens:
        assert [(message["type"], message.get("code")) for message in sent] == [
            ("websocket.accept", None), ("websocket.close", 4500),
        ]  # fmt: skip
    else:
        start, body = sent
        assert (start["type"], start["status"]) == ("websocket.http.response.start", 500)
        assert orjson.loads(body["body"])["request_id"] == event["request_id"]
        assert (b"content-length", b"%d" % len(body["body"])) in start["headers"]


@pytest.mark.parametrize("detail", [SECRET, SECRET * 20], ids=["short", "cut"])
def test_a_websocket_of_blacksheep_is_closed_without_the_exceptions_words(detail: str) -> None:
    """BlackSheep tells the client what the exception says; it hears that something failed, and no more."""
    app = Application(router=Router())

    @app.router.ws("/live")
    async def live(socket: blacksheep.WebSocket) -> None:
        await socket.accept()
        raise LookupError(detail)

    sent = handshake(Guarded(app).app, websocket_scope("/live")).sent
    assert sent[1:] == [{"type": "websocket.close", "code": 1011, "reason": ""}]


@pytest.mark.parametrize(("code", "reason"), [(1011, "restart"), (1008, SECRET), (1011, "")])
def test_a_close_in_the_words_of_the_app_stays(code: int, reason: str) -> None:
    """What an app says of a failure is its own, and so is what it says of a mistake of the client's."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        try:
            await raises(LookupError(SECRET))(scope, receive, send)
        except LookupError:
            await send({"type": "websocket.close", "code": code, "reason": reason})

    sent = handshake(Guarded(app).app).sent
    assert sent[1:] == [{"type": "websocket.close", "code": code, "reason": reason}]


def test_a_websocket_that_litestar_refuses_stays_refused() -> None:
    """What the app means by an exception is no fault, and neither is a client that has gone."""

    @litestar.websocket("/closed")
    async def closed(socket: litestar.WebSocket[Any, Any, Any]) -> None:
        raise NotAuthorizedException(detail="not you")

    @litestar.websocket("/gone")
    async def gone(socket: litestar.WebSocket[Any, Any, Any]) -> None:
        await socket.accept()
        await socket.receive_text()

    for handler in (closed, gone):
        guarded = Guarded(Litestar([handler], logging_config=None, openapi_config=None))
        sent = handshake(guarded.app, websocket_scope(next(iter(handler.paths)))).sent
        assert sent[-1]["type"] == "websocket.close" or handler is gone
        assert guarded.events == []
