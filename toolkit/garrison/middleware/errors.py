"""Keeps internal detail inside: unhandled exceptions and leaking 5xx replies become problem documents."""

from __future__ import annotations

import sys
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from garrison.asgi import accepts_denial, headers_without, send_reply
from garrison.context import RequestContext, enter, new_id
from garrison.events import EventLog, event_log
from garrison.leaks import evidence, only_says
from garrison.problems import Problem, problem_headers
from garrison.redaction import Redaction, Redactor
from garrison.settings import validate

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Message, Receive, Rest, Scope, Send

# A 5xx is held back up to here to be judged; debug pages show what they are well before.
HELD: Final = 64 * 1024

# What describes the body that is replaced, and so goes with it (RFC 9110 section 8).
REPRESENTATION: Final = frozenset(
    {
        b"accept-ranges",
        b"cache-control",
        b"content-disposition",
        b"content-encoding",
        b"content-language",
        b"content-length",
        b"content-location",
        b"content-range",
        b"content-type",
        b"etag",
        b"expires",
        b"last-modified",
        b"transfer-encoding",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """What a client learns of a failure.

    Attributes:
        replace: which 5xx replies of the app lose their body to a problem document: those that show
            evidence of a leak (`leaking`: a traceback, a debug page, something shaped like a secret), or
            `all`.
    """

    replace: Literal["leaking", "all"] = "leaking"

    def __post_init__(self) -> None:
        validate(self)


class ErrorsMiddleware:
    """Answers for an app that fails, and logs each failure once with its traceback.

    Args:
        app: the app below.
        settings: the section.
        redaction: what is masked in tracebacks, and what counts as a leak.
        log: where the event `unhandled_exception` goes; standard output as JSON unless given.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Errors = Errors(),
        *,
        redaction: Redaction = Redaction(),
        log: EventLog | None = None,
    ) -> None:
        self.app = app
        self._replace_all = settings.replace == "all"
        self._redactor = Redactor(redaction)
        self._log = log or event_log()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and `websocket`; `lifespan` and scopes of an unknown type pass through."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        scope, context = enter(scope)
        if not context.mount("errors", self):
            await self.app(scope, receive, send)
            return

        reply = _Reply(self, scope, context, receive, send)
        try:
            await self.app(scope, reply.receive, reply.send)
        except Exception as error:  # noqa: BLE001 - this layer is what stands between an app and its client
            if reply.told is not error:
                self._record(context, error)
            await self._answer(scope, receive, send, context, reply)
        else:
            await reply.release()

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, context: RequestContext, reply: _Reply
    ) -> None:
        """Answer for an app that raised; once a reply has begun, end it as one that is not whole.

        Returning without the last byte makes the server cut the connection, so that no client takes
        half a body for a whole one.
        """
        if scope["type"] == "websocket" and (reply.started or not accepts_denial(scope)):
            if not reply.closed:
                await send({"type": "websocket.close", "code": 1011, "reason": ""})
            return
        if not reply.started:
            body = Problem(status=500).document(identify(context))
            await send_reply(scope, receive, send, 500, problem_headers(), body, reply.rest)

    def _record(self, context: RequestContext, error: BaseException) -> None:
        context.exception = error
        # Without local variables: they hold what the redaction policy cannot know.
        text = "".join(traceback.format_exception(error))
        fields: dict[str, Any] = {
            "error.type": type(error).__qualname__,
            "exception.message": self._redactor.text(message_of(error)),
            "exception.stacktrace": self._redactor.text(text),
            "http.request.method": context.method,
            "url.path": context.path,
            "request_id": identify(context),
        }
        if context.trace_id is not None:
            fields["trace_id"], fields["span_id"] = context.trace_id, context.span_id
        self._log.emit("error", "unhandled_exception", fields)

    def _verdict(self, status: int, headers: Any, body: bytes, error: BaseException | None) -> bool:
        """Whether a 5xx of the app is to be replaced."""
        if self._replace_all:
            return True
        if status == 500 and error is not None and only_says(body, "Internal Server Error"):
            return True
        return evidence(headers, body, self._redactor.reveals)


class _Reply:
    """The app's reply to one request, with a 5xx held back until it is judged."""

    __slots__ = (
        "_body",
        "_context",
        "_layer",
        "_receive",
        "_scope",
        "_send",
        "_start",
        "closed",
        "rest",
        "started",
        "told",
    )

    def __init__(
        self, layer: ErrorsMiddleware, scope: Scope, context: RequestContext, receive: Receive, send: Send
    ) -> None:
        self._layer = layer
        self._scope = scope
        self._context = context
        self._receive = receive
        self._send = send
        self._start: Message | None = None
        self._body: list[Message] = []
        self.started = False
        self.closed = False
        self.told: BaseException | None = None
        self.rest: Rest = "unread"

    async def receive(self) -> Message:
        """The `receive` of the app, which tells how much of the request is left when the app has failed."""
        message = await self._receive()
        self.rest = "abandoned" if message.get("more_body", False) else "read"
        return message

    async def send(self, message: Message) -> None:
        """The `send` of the app."""
        kind = message["type"]
        if self._start is not None:
            await self._hold(self._start, message)
            return
        if kind == "http.response.start" and message["status"] >= 500:
            self._start = message
            return
        if kind in {"http.response.start", "websocket.accept", "websocket.http.response.start"}:
            self.started = True
        elif kind == "websocket.close":
            self.started = self.closed = True
        await self._send(message)

    async def release(self) -> None:
        """Let go of what is held, as it is."""
        if self._start is None:
            return
        start, held = self._start, self._body
        self._start, self._body = None, []
        self.started = True
        await self._send(start)
        for message in held:
            await self._send(message)

    async def _hold(self, start: Message, message: Message) -> None:
        if message["type"] != "http.response.body":
            await self.release()
            await self._send(message)
            return
        self._body.append(message)
        body = b"".join(part.get("body", b"") for part in self._body)
        if message.get("more_body", False) and len(body) < HELD:
            return
        error = failure_in_flight()
        headers = start.get("headers", ())
        if not self._layer._verdict(start["status"], headers, body, error):  # noqa: SLF001 - one unit
            await self.release()
            return
        if error is not None:
            self.told = error
            self._layer._record(self._context, error)  # noqa: SLF001 - one unit
        await self._replace(start["status"], headers)

    async def _replace(self, status: int, headers: Any) -> None:
        self.started = True
        document = Problem(status=status).document(identify(self._context))
        kept = headers_without(headers, REPRESENTATION)
        lines = problem_headers([*kept, (b"content-length", b"%d" % len(document))])
        self._start, self._body = None, []
        self._send, send = _nowhere, self._send
        await send({"type": "http.response.start", "status": status, "headers": lines})
        body = b"" if self._scope["method"] == "HEAD" else document
        await send({"type": "http.response.body", "body": body})


async def _nowhere(message: Message) -> None:
    """The rest of a reply that was replaced."""


def failure_in_flight() -> BaseException | None:
    """The exception that a framework is answering at this moment, unless it means an HTTP status.

    Frameworks send their 500 inside the `except` block, so the exception is known before it is raised
    again, or although it never is.
    """
    error = sys.exc_info()[1]
    return None if error is None or hasattr(error, "status_code") else error


def message_of(error: BaseException) -> str:
    """What an exception says; nothing where its own `__str__` fails."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - one failure must not hide the other
        return ""


def identify(context: RequestContext) -> str:
    """The request's id; one is made where no layer above did, so that reply and log can be joined."""
    if context.request_id is None:
        context.request_id = new_id()
    return context.request_id
