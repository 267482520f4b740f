"""Ends what takes too long: bodies, handlers, readers that stall and WebSockets that are idle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from garrison.context import enter
from garrison.failures import comes_of
from garrison.problems import Problem, reject
from garrison.rules import NotationError
from garrison.settings import Problem as SettingProblem
from garrison.settings import SettingsError, validate
from garrison.timing.connection import transport_of
from garrison.timing.deadline import Deadline
from garrison.timing.deadlines import Deadlines
from garrison.timing.exchange import BlindExchange
from garrison.timing.seen_exchange import SeenExchange
from garrison.timing.socket import TimedSocket
from garrison.timing.sweep import Sweeps
from garrison.units import Duration, Size

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Receive, Scope, Send
    from garrison.context import RequestContext
    from garrison.timing.exchange import TimedExchange

FULL: Final = Problem(status=503, detail="Too many requests are past their deadline at the moment.")
RETRY_AFTER: Final = [(b"retry-after", b"1")]

# Of these, zero would let nothing through.
ABOVE_ZERO: Final = ("body_rate", "body_grace", "handler", "reader", "websocket_idle", "websocket_message")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long clients and handlers may take.

    What happens before a request reaches the app, such as a slow header block, only the server can end.

    Attributes:
        body_rate: bytes a second that a body has to come at, counted only while the app waits for it; a
            slower one is a 408. Off: any.
        body_grace: how long the sender of a body may be silent, at its beginning and, if it was fast, up to
            three times as long later.
        handler: how long a handler may take from the last of the body to the beginning of its reply; longer
            is a 504. An async handler is cancelled; one that runs in a thread goes on and is counted. Off:
            any time.
        rules: other times on some paths: `POST /reports: 2m; /events/*: off`. The first rule that fits a
            request counts.
        overdue: how many handlers may go on after their deadline; while there are as many, every request is
            a 503.
        reader: how long a client may take nothing of a reply that waits for it; then the connection ends.
            Five times as long under servers that do not let their connections be seen, such as granian. Off:
            any time.
        websocket_idle: how long a WebSocket may be without a message in either direction while the app waits
            for one; then it is closed with 1001. The pings of servers and browsers are no messages. Off: any
            time.
        websocket_message: bytes of a message from the client of a WebSocket; a larger one closes it with
            1009. Off: whatever the server takes.
    """

    body_rate: Size | None = 500
    body_grace: Duration = 20.0
    handler: Duration | None = None
    rules: str = ""
    overdue: int = 32
    reader: Duration | None = 60.0
    websocket_idle: Duration | None = None
    websocket_message: Size | None = 16 * 1024 * 1024

    def __post_init__(self) -> None:
        validate(self)
        values = ((name, getattr(self, name)) for name in ABOVE_ZERO)
        validate(
            self,
            *((name, value is None or value > 0, "more than 0, or off") for name, value in values),
            ("overdue", self.overdue >= 1, "at least 1"),
        )
        try:
            Deadlines(self.handler, self.rules)
        except NotationError as error:
            problem = SettingProblem(name="Timeouts.rules", expected=error.expected, found=error.found)
            raise SettingsError([problem]) from None


class TimeoutsMiddleware:
    """Times what waits, with one look a second at all of it in place of a timer for each request.

    Args:
        app: the app below.
        settings: the section.
    """

    def __init__(self, app: ASGIApp, settings: Timeouts = Timeouts()) -> None:
        self.app = app
        self._settings = settings
        self._deadlines = Deadlines(settings.handler, settings.rules)
        self._has_deadlines = self._deadlines.shortest is not None
        times = (settings.body_grace, self._deadlines.shortest, settings.reader, settings.websocket_idle)
        self._sweeps = Sweeps(min(seconds for seconds in times if seconds is not None))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and `websocket`; `lifespan` and scopes of an unknown type pass through."""
        kind = scope["type"]
        if kind not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        scope, context = enter(scope)
        if not context.mount("timeouts", self):
            await self.app(scope, receive, send)
            return

        transport = None if context.wire is None else transport_of(context.wire)
        exchange: TimedExchange
        if transport is None:
            exchange = BlindExchange(self._settings, self._sweeps, scope, context, receive, send)
        else:
            exchange = SeenExchange(self._settings, self._sweeps, scope, context, receive, send, transport)
        try:
            if kind == "websocket":
                await self._converse(scope, receive, send, context, exchange)
            elif self._has_deadlines:
                await self._hurry(scope, receive, send, context, exchange)
            else:
                await self.app(scope, exchange.receive, exchange.send)
        except Exception as error:
            if not _is_ours(error, exchange):
                raise
        finally:
            if exchange.sweep is not None or exchange.body is not None:
                exchange.close()

    async def _hurry(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        context: RequestContext,
        exchange: TimedExchange,
    ) -> None:
        """Call the app with its deadline, where it has one."""
        sweep = self._sweeps.here()
        if sweep.overdue >= self._settings.overdue:
            await reject(scope, receive, send, context, "timeouts", FULL, RETRY_AFTER)
            return
        seconds = self._deadlines.of(scope, context)
        if seconds is None:
            await self.app(scope, exchange.receive, exchange.send)
        else:
            deadline = Deadline(seconds, scope, receive, send, context, exchange, sweep)
            await deadline.run(self.app)

    async def _converse(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        context: RequestContext,
        exchange: TimedExchange,
    ) -> None:
        """Call the app with a WebSocket that is timed."""
        sweep = self._sweeps.here()
        socket = TimedSocket(receive, send, exchange, context, sweep, self._settings)
        sweep.add(socket)
        try:
            await self.app(scope, socket.receive, socket.send)
        finally:
            sweep.watched.discard(socket)


def _is_ours(error: Exception, exchange: TimedExchange) -> bool:
    """Whether an exception is what an app makes of a client that was given up, which is not its failure."""
    if exchange.body is not None and exchange.body.given_up:
        return True
    return exchange.lost is not None and comes_of(error, exchange.lost)
