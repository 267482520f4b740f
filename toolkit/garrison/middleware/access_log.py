"""Writes one structured event for every request, when its last byte is sent or it ends otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from garrison.asgi import Progress, header
from garrison.context import RequestContext, enter
from garrison.events import EventLog, event_log
from garrison.redaction import Redaction, Redactor
from garrison.settings import validate

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send

# Longer than any browser's, and short enough that a line stays a line.
LONGEST_TEXT: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLog:
    """The access log.

    Attributes:
        format: `json` for one JSON object a line, `console` for people; `console` in development.
        query: whether the query string is written, with sensitive values masked.
    """

    format: Literal["json", "console"] = "json"
    query: bool = True

    DEVELOPMENT: ClassVar[Mapping[str, object]] = {"format": "console"}

    def __post_init__(self) -> None:
        validate(self)


class AccessLogMiddleware:
    """Writes the event `http.request` with OpenTelemetry's attribute names.

    Args:
        app: the app below.
        settings: the section.
        redaction: what is masked.
        log: where events go; standard output in the section's format unless given.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: AccessLog = AccessLog(),
        *,
        redaction: Redaction = Redaction(),
        log: EventLog | None = None,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self.app = app
        self._query = settings.query
        self._redactor = Redactor(redaction)
        self._log = log or event_log(settings.format)
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and `websocket`; `lifespan` and scopes of an unknown type pass through."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        scope, context = enter(scope)
        if not context.mount("access_log", self):
            await self.app(scope, receive, send)
            return

        started = self._clock()
        progress = Progress()

        async def send_and_count(message: Message) -> None:
            await send(message)
            if progress.sent(message):
                self._write(scope, context, progress, self._clock() - started)

        try:
            await self.app(scope, receive, send_and_count)
        except BaseException as error:
            context.exception = context.exception or error
            raise
        finally:
            if not progress.ended:
                self._write(scope, context, progress, self._clock() - started)

    def _write(self, scope: Scope, context: RequestContext, progress: Progress, duration: float) -> None:
        status = progress.status
        fields: dict[str, Any] = {
            "http.request.method": context.method[:LONGEST_TEXT],
            "url.path": context.path[:LONGEST_TEXT],
            "http.response.status_code": status,
            "http.response.body.size": progress.size,
            "http.server.request.duration": round(duration, 6),
            "client.address": context.client,
            "request_id": context.request_id,
        }
        if scope["type"] == "websocket":
            fields["network.protocol.name"] = "websocket"
        route = context.route(scope)
        if route is not None:
            fields["http.route"] = route
        query = scope.get("query_string")
        if query and self._query:
            fields["url.query"] = self._redactor.query(query[:LONGEST_TEXT])
        agent = header(scope["headers"], b"user-agent")
        if agent:
            fields["user_agent.original"] = agent[:LONGEST_TEXT].decode("latin-1")
        if context.trace_id is not None:
            fields["trace_id"] = context.trace_id
            fields["span_id"] = context.span_id
        if context.principal is not None:
            fields["enduser.id"] = context.principal[:LONGEST_TEXT]
        if context.rejected_by is not None:
            fields["rejected_by"] = context.rejected_by
        if context.exception is not None:
            fields["error.type"] = type(context.exception).__qualname__
        self._log.emit("error" if status is None or status >= 500 else "info", "http.request", fields)
