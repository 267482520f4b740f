"""Keeps internal detail inside: unhandled exceptions and leaking 5xx replies become problem documents."""

from __future__ import annotations

import sys
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from garrison.asgi import accepts_denial, headers_without, send_reply
from garrison.context import RequestContext, enter, new_id
from garrison.events import EventLog, event_log
from garrison.held_reply import HeldReply, Verdict
from garrison.leaks import evidence, only_says
from garrison.problems import Problem, problem_headers
from garrison.redaction import Redaction, Redactor
from garrison.settings import validate

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Headers, Message, Receive, Scope, Send

# An exception may quote the whole request, and looking through its text takes time in proportion.
LONGEST_TEXT: Final = 1024
LONGEST_MESSAGE: Final = 4 * 1024
LONGEST_STACKTRACE: Final = 32 * 1024

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

        reply = HeldReply(scope, context, receive, send, self._judge)
        try:
            await self.app(scope, reply.receive, reply.send)
        except Exception as error:  # noqa: BLE001 - this layer is what stands between an app and its client
            if reply.told is not error:
                self._record(context, error)
            await answer(scope, receive, send, context, reply)
        else:
            await reply.release()

    def _record(self, context: RequestContext, error: BaseException) -> None:
        context.exception = error
        # Without local variables: they hold what the redaction policy cannot know.
        text = "".join(traceback.format_exception(error))
        fields: dict[str, Any] = {
            "error.type": type(error).__qualname__,
            "exception.message": self._redactor.text(shortened(message_of(error), LONGEST_MESSAGE)),
            "exception.stacktrace": self._redactor.text(shortened(text, LONGEST_STACKTRACE)),
            "http.request.method": context.method[:LONGEST_TEXT],
            "url.path": context.path[:LONGEST_TEXT],
            "request_id": identify(context),
        }
        if context.trace_id is not None:
            fields["trace_id"], fields["span_id"] = context.trace_id, context.span_id
        self._log.emit("error", "unhandled_exception", fields)

    def _judge(
        self, scope: Scope, context: RequestContext, status: int, headers: Headers, body: bytes
    ) -> Verdict | None:
        error = failure_in_flight()
        says_nothing = error is not None and status == 500 and only_says(body, "Internal Server Error")
        if not (self._replace_all or says_nothing or evidence(headers, body, self._redactor.reveals)):
            return None
        if error is not None:
            self._record(context, error)
        return Verdict(problem_instead(scope, context, status, headers), error)


async def answer(
    scope: Scope, receive: Receive, send: Send, context: RequestContext, reply: HeldReply
) -> None:
    """Answer for an app that raised; once a reply has begun, end it as one that is not whole.

    Returning without the last byte makes the server cut the connection, so that no client takes half a
    body for a whole one.
    """
    if scope["type"] == "websocket" and (reply.started or not accepts_denial(scope)):
        if not reply.closed:
            await send({"type": "websocket.close", "code": 1011, "reason": ""})
        return
    if not reply.started:
        document = Problem(status=500).document(identify(context))
        await send_reply(scope, receive, send, 500, problem_headers(), document, reply.rest)


def problem_instead(
    scope: Scope, context: RequestContext, status: int, headers: Headers
) -> tuple[Message, Message]:
    """A problem document in place of a 5xx of the app, with its header lines that are not about its body."""
    document = Problem(status=status).document(identify(context))
    kept = headers_without(headers, REPRESENTATION)
    lines = problem_headers([*kept, (b"content-length", b"%d" % len(document))])
    body = b"" if scope["method"] == "HEAD" else document
    return (
        {"type": "http.response.start", "status": status, "headers": lines},
        {"type": "http.response.body", "body": body},
    )


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


def shortened(text: str, longest: int) -> str:
    """A text, without its middle where it is longer than that: both ends of a traceback say most."""
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]}\n[{len(text) - 2 * half} characters left out]\n{text[-half:]}"


def identify(context: RequestContext) -> str:
    """The request's id; one is made where no layer above did, so that reply and log can be joined."""
    if context.request_id is None:
        context.request_id = new_id()
    return context.request_id
