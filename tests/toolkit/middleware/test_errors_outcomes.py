"""What exceptions mean: statuses in groups, timeouts, the app's own mapping, and clients that have gone."""

from __future__ import annotations

import asyncio
import io
from collections import deque
from functools import singledispatch
from typing import TYPE_CHECKING, Any

import litestar.exceptions
import orjson
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from garrison import Errors, ErrorsMiddleware, SettingsError
from garrison.context import enter
from garrison.events import event_log
from garrison.limiting.refused import QuotaUnknownError
from garrison.problems import Problem
from tests.toolkit.driver import Wire, call, http_scope, raises, run, websocket_scope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.responses import Response
    from starlette.websockets import WebSocket

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send
    from garrison.context import RequestContext


class OutOfStockError(Exception):
    """Something that a shop's clients can understand."""


class PaymentError(Exception):
    """Something that they can retry."""


@singledispatch
def problem_of(error: Exception) -> Problem | None:
    """The shop's mapping."""
    return None


@problem_of.register
def _(error: OutOfStockError) -> Problem:
    return Problem(status=409, type="https://shop.example/problems/out-of-stock", title="Out of stock")


@problem_of.register
def _(error: PaymentError) -> Problem:
    headers = {"Retry-After": "30", "x-bad\r\nset-cookie": "a=1"}
    return Problem(status=503, detail="No answer from postgresql://u:hunter2@db.", headers=headers)


class Guarded:
    """An app behind the layer, its context, and what was logged."""

    def __init__(self, app: Any, settings: Errors = Errors(), **more: Any) -> None:
        self.stream = io.StringIO()
        self.contexts: list[RequestContext] = []
        self._inner = ErrorsMiddleware(app, settings, log=event_log("json", self.stream), **more)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope, context = enter(scope)
        self.contexts.append(context)
        await self._inner(scope, receive, send)

    @property
    def gone(self) -> bool:
        """Whether the last client is known to have gone."""
        return self.contexts[-1].gone

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was logged."""
        return [orjson.loads(line) for line in self.stream.getvalue().splitlines()]


def group(*errors: Exception) -> ExceptionGroup[Exception]:
    """What a task group raises."""
    return ExceptionGroup("unhandled errors in a TaskGroup", list(errors))


@pytest.mark.parametrize(
    ("error", "status", "faults"),
    [
        (group(HTTPException(403, "Not yours.")), 403, 0),
        (group(group(HTTPException(404)), HTTPException(403)), 404, 0),
        (group(HTTPException(403), ClientDisconnect()), 403, 0),
        (group(HTTPException(503)), 503, 0),
        (group(litestar.exceptions.NotAuthorizedException("No.")), 401, 0),
        (group(QuotaUnknownError()), 503, 0),
        (group(HTTPException(403), ValueError()), 500, 1),
        (group(HTTPException(503), ValueError()), 500, 1),
        (group(TimeoutError()), 504, 1),
        (group(OutOfStockError()), 500, 1),
        (group(HTTPException(302)), 500, 1),
        (TimeoutError(), 504, 1),
        (HTTPException(418, "Tea."), 418, 0),
    ],
    ids=repr,
)
def test_what_an_exception_means(error: Exception, status: int, faults: int) -> None:
    """A status in a group stays that status; with a fault beside it, it is one; timeouts are 504."""
    guarded = Guarded(raises(error))
    reply = call(guarded)
    assert (reply.status, reply.json["status"], len(guarded.events)) == (status, status, faults)
    assert reply.header("content-type") == "application/problem+json"
    assert (guarded.contexts[-1].exception is error) == bool(faults)


def test_an_answer_keeps_its_words_and_headers() -> None:
    """The detail and the headers of an HTTPException are for the client, without what looks like a secret."""
    error = HTTPException(401, "Who? password=hunter2", {"WWW-Authenticate": "Bearer"})
    reply = call(Guarded(raises(group(error))))
    assert reply.header("www-authenticate") == "Bearer"
    assert reply.json["detail"] == "Who? password=[redacted]"
    assert "detail" not in call(Guarded(raises(group(HTTPException(500, "the db is down"))))).json


def test_an_answer_that_comes_too_late_is_a_fault() -> None:
    """An HTTPException in the middle of a reply cannot be sent any more, and is in the log."""

    async def too_late(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise HTTPException(403)

    guarded = Guarded(too_late)
    assert not call(guarded).whole
    assert [event["error.type"] for event in guarded.events] == ["starlette.exceptions.HTTPException"]


def test_a_traceback_is_not_written_twice() -> None:
    """Where a log line of the app has shown it, the event names the failure only."""

    async def logs_and_raises(scope: Scope, receive: Receive, send: Send) -> None:
        error = LookupError("once")
        scope["garrison"].logged = error
        raise error

    guarded = Guarded(logs_and_raises)
    call(guarded)
    (event,) = guarded.events
    assert (event["exception.message"], "exception.stacktrace" in event) == ("once", False)


class UpstreamError(Exception):
    """What the client of another service raises: its status is not ours."""

    status_code = 401


def test_the_status_of_somebody_else_is_a_fault() -> None:
    """An attribute `status_code` on any exception does not make it an answer."""
    guarded = Guarded(raises(UpstreamError()))
    assert (call(guarded).status, len(guarded.events)) == (500, 1)


async def raising(request: Any) -> Response:
    """A handler that raises what its app was given."""
    raise request.app.state.error


async def forbids(request: Any, call_next: Any) -> Response:
    """A middleware of the app that answers as handlers do, outside of what makes replies of it."""
    raise HTTPException(403, "Not here.")


def starlette_app(error: Exception | None = None, **options: Any) -> Starlette:
    """Starlette with a route that raises."""
    app = Starlette(routes=[Route("/", raising)], **options)
    app.state.error = error
    return app


@pytest.mark.parametrize(
    ("app", "status"),
    [
        (starlette_app(OutOfStockError()), 409),
        (starlette_app(PaymentError()), 503),
        (starlette_app(group(OutOfStockError())), 409),
        (starlette_app(group(HTTPException(403))), 403),
        (starlette_app(TimeoutError()), 504),
        (starlette_app(ValueError()), 500),
        (starlette_app(middleware=[Middleware(BaseHTTPMiddleware, dispatch=forbids)]), 403),
    ],
)
def test_behind_a_frameworks_500(app: Starlette, status: int) -> None:
    """The page that Starlette sends for what it does not know gives way to what the exception means."""
    guarded = Guarded(app, mapping=problem_of)
    reply = call(guarded)
    assert (reply.status, reply.json["status"]) == (status, status)
    assert len(guarded.events) == (status >= 500)


def test_a_mapping_says_what_the_client_learns() -> None:
    """The type and title are the app's; a 4xx is no fault, a 5xx is logged, and headers cannot break out."""
    guarded = Guarded(raises(OutOfStockError("42")), mapping=problem_of)
    reply = call(guarded)
    assert reply.json["type"] == "https://shop.example/problems/out-of-stock"
    assert (reply.json["title"], guarded.events) == ("Out of stock", [])
    guarded = Guarded(raises(PaymentError("card")), mapping=problem_of)
    reply = call(guarded)
    assert reply.header("retry-after") == "30"
    assert not any(b"\n" in name + value for name, value in reply.headers)
    assert reply.json["detail"] == "No answer from postgresql://[redacted]@db."
    assert [event["error.type"] for event in guarded.events] == [f"{__name__}.PaymentError"]


def test_a_mapping_by_its_name() -> None:
    """The setting names the function; what cannot be imported is one clear error at start."""
    settings = Errors(mapping=f"{__name__}:problem_of")
    assert call(Guarded(raises(OutOfStockError()), settings)).status == 409
    with pytest.raises(SettingsError, match=r"Errors\.mapping"):
        Errors(mapping="no import string")
    with pytest.raises(SettingsError, match=r"Errors\.mapping"):
        ErrorsMiddleware(raises(ValueError()), Errors(mapping=f"{__name__}:no_such"))


def test_a_mapping_that_fails_is_a_fault_too() -> None:
    """The client gets a 500, and the log both failures."""

    def broken(error: Exception) -> Problem | None:
        raise KeyError("in the mapping")

    def wrong(error: Exception) -> Any:
        return 409

    for mapping, second in ((broken, "KeyError"), (wrong, "AttributeError")):
        guarded = Guarded(raises(OutOfStockError()), mapping=mapping)
        assert call(guarded).status == 500
        assert [event["error.type"] for event in guarded.events] == [second, f"{__name__}.OutOfStockError"]


class Departing(Wire):
    """A client that has gone: the server says so to who reads, and raises for who sends."""

    def __init__(self, *incoming: Message, sends: int = 0, error: OSError | None = None) -> None:
        super().__init__(deque(incoming))
        self.over.set()
        self.sends = sends
        self.error = error

    async def send(self, message: Message) -> None:
        if self.error is not None and len(self.sent) >= self.sends:
            raise self.error
        await super().send(message)


def meet(app: ASGIApp, wire: Wire, scope: Scope | None = None) -> Wire:
    """One request of such a client."""

    async def main() -> None:
        await app(http_scope(method="POST") if scope is None else scope, wire.receive, wire.send)

    run(main())
    return wire


async def reads(request: Any) -> Response:
    """A handler that wants the body."""
    return PlainTextResponse(await request.body())


async def streams(request: Any) -> Response:
    """A handler that sends for long."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"chunk"
            await asyncio.sleep(0)

    return StreamingResponse(chunks())


def fastapi_reads() -> FastAPI:
    """FastAPI, which makes a 400 of whatever happens while it reads."""
    app = FastAPI()

    @app.post("/")
    async def post(body: dict[str, int]) -> None:
        """Never reached."""

    return app


async def passes_on(request: Any, call_next: Any) -> Response:
    """A middleware that does nothing."""
    answer: Response = await call_next(request)
    return answer


@pytest.mark.parametrize(
    "options", [{}, {"debug": True}, {"middleware": [Middleware(BaseHTTPMiddleware, dispatch=passes_on)]}]
)
@pytest.mark.parametrize("handler", [reads, streams])
def test_a_client_that_leaves_is_no_fault(handler: Any, options: dict[str, Any]) -> None:
    """While its body is read or its reply is sent: no traceback, no 500, and the context knows."""
    app = Starlette(routes=[Route("/", handler, methods=["POST"])], **options)
    guarded = Guarded(app)
    for error in (BrokenPipeError(), OSError("gone")):
        wire = meet(guarded, Departing(sends=2 if handler is streams else 0, error=error))
        assert guarded.gone
        assert guarded.events == []
        assert [message for message in wire.sent if message.get("status", 200) >= 500] == []


def test_a_client_that_leaves_fastapi() -> None:
    """FastAPI's 400 for it goes nowhere, and is no fault."""
    guarded = Guarded(fastapi_reads())
    scope = http_scope(method="POST", headers=[(b"content-type", b"application/json")])
    meet(guarded, Departing(), scope)
    assert guarded.gone
    assert guarded.events == []


def test_a_client_that_stays_has_not_gone() -> None:
    """What servers say after the reply, and an OSError of the app's own, is something else."""

    async def waits(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("x")(scope, receive, send)
        await receive()
        assert (await receive())["type"] == "http.disconnect"

    guarded = Guarded(waits)
    assert call(guarded).status == 200
    assert not guarded.gone
    guarded = Guarded(raises(ConnectionRefusedError("the database")))
    assert call(guarded).status == 500
    assert (guarded.gone, len(guarded.events)) == (False, 1)


def test_a_fault_after_the_client_has_left_is_still_one() -> None:
    """A bug is logged, whoever is there to see its reply."""

    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "http.disconnect"
        raise LookupError("a bug")

    guarded = Guarded(fails)
    wire = meet(guarded, Departing())
    assert (guarded.gone, wire.sent) == (True, [])
    assert [event["error.type"] for event in guarded.events] == ["LookupError"]


def test_a_bug_while_cleaning_up_is_a_fault() -> None:
    """What goes wrong after a client has left is not excused by its leaving; what only passes it on is."""

    async def cleans_up_badly(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            raise ClientDisconnect  # noqa: TRY301 - as frameworks do
        except ClientDisconnect:
            raise KeyError("no such upload")  # noqa: B904 - as people write it

    async def passes_it_on(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            raise ClientDisconnect  # noqa: TRY301 - as frameworks do
        except ClientDisconnect as error:
            raise RuntimeError("the upload ended") from error

    for app, faults in (
        (cleans_up_badly, ["KeyError"]),
        (passes_it_on, []),
        (raises(group(ClientDisconnect(), ClientDisconnect())), []),
        (raises(group(ClientDisconnect(), ValueError())), ["ExceptionGroup"]),
    ):
        guarded = Guarded(app)
        meet(guarded, Departing())
        assert [event["error.type"] for event in guarded.events] == faults
        assert guarded.gone == (not faults)


def test_websockets_that_end() -> None:
    """A client that closes an open WebSocket is no fault and no loss; one that leaves before is gone."""

    async def listens(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive_text()

    app = Guarded(Starlette(routes=[WebSocketRoute("/", listens)]))
    opening: Message = {"type": "websocket.connect"}
    leaving: Message = {"type": "websocket.disconnect", "code": 1001}
    wire = meet(app, Departing(opening, leaving), websocket_scope())
    assert [message["type"] for message in wire.sent] == ["websocket.accept"]
    assert (app.gone, app.events) == (False, [])

    app = Guarded(raises(WebSocketDisconnect(1006)))
    assert meet(app, Departing(opening), websocket_scope()).sent == []
    assert (app.gone, app.events) == (True, [])


def test_a_denied_websocket_whose_client_has_left() -> None:
    """The server's own exception for it, out of `send`, is no fault."""
    from uvicorn.protocols.utils import ClientDisconnected  # noqa: PLC0415 - one test needs it

    async def denies(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.close", "code": 1008})

    guarded = Guarded(denies)
    meet(guarded, Departing({"type": "websocket.connect"}, error=ClientDisconnected()), websocket_scope())
    assert (guarded.gone, guarded.events) == (True, [])


def test_a_fault_in_an_endless_chain_is_logged() -> None:
    """Exceptions that are each other's cause end somewhere."""
    error = LookupError()
    error.__cause__ = KeyError()
    error.__cause__.__context__ = error
    guarded = Guarded(raises(error))
    assert (call(guarded).status, len(guarded.events)) == (500, 1)
