"""Keeps internal detail inside: unhandled exceptions and leaking error replies become problem documents."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Literal, cast

from garrison.asgi import accepts_denial, send_reply
from garrison.callables import imported, is_import_string
from garrison.context import RequestContext, enter
from garrison.echoes import HELD as HELD_ECHOES
from garrison.echoes import begins_like_one, without_echoes
from garrison.events import EventLog, event_log
from garrison.failure_log import FailureLog, identify
from garrison.failures import Outcome, comes_of, is_quoted, outcome
from garrison.headers.banners import BANNERS
from garrison.held_reply import HELD, Held, HeldReply, Judging, Verdict
from garrison.leaks import evidence, only_says
from garrison.local_developer import is_local_developer
from garrison.problems import Problem, rendered
from garrison.redaction import Redaction, Redactor
from garrison.replacing import instead, shortened_to
from garrison.settings import validate

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send
    from garrison.failures import Mapping as ProblemMapping


# What Litestar closes a WebSocket with whose handler has failed, and keeps the exception to itself (litestar,
# middleware/_internal/exceptions).
LITESTAR_FAULT: Final = 4500
# RFC 6455 section 7.4.1; BlackSheep closes with it, and says what the exception said.
INTERNAL_ERROR: Final = 1011


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """What a client learns of a failure.

    Attributes:
        replace: which 5xx replies of the app lose their body to a problem document: those that show
            evidence of a leak (`leaking`: a traceback, a debug page, something shaped like a secret), or
            `all`.
        mapping: what exceptions of the app are to its clients: a function as `module:attribute` that takes
            an exception and gives a `garrison.problems.Problem`, or None for a fault.
        echoes: whether a 422 may repeat what the client submitted, as FastAPI's `input` does.
        details: who sees the traceback of a failure in its reply: nobody (`never`), or whoever asks from this
            machine (`local`): from a loopback address, for the host localhost, with no header of any proxy;
            `local` in development.
    """

    replace: Literal["leaking", "all"] = "leaking"
    mapping: str = ""
    echoes: bool = False
    details: Literal["never", "local"] = "never"

    DEVELOPMENT: ClassVar[Mapping[str, object]] = {"details": "local"}

    def __post_init__(self) -> None:
        validate(self)
        validate(
            self,
            (
                "mapping",
                not self.mapping or is_import_string(self.mapping),
                "a function as module:attribute such as shop.problems:problem_of",
            ),
        )


class ErrorsMiddleware:
    """Answers for an app that fails, and logs each failure once with its traceback.

    Args:
        app: the app below.
        settings: the section.
        redaction: what is masked in tracebacks, and what counts as a leak.
        log: where the events `unhandled_exception` and `reply_replaced` go; standard output as JSON unless
            given.
        mapping: what the section's `mapping` names, as a function; wins over it.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Errors = Errors(),
        *,
        redaction: Redaction = Redaction(),
        log: EventLog | None = None,
        mapping: ProblemMapping | None = None,
    ) -> None:
        self.app = app
        if mapping is None and settings.mapping:
            found = imported(settings.mapping, "GARRISON_ERRORS_MAPPING (Errors.mapping)")
            mapping = cast("ProblemMapping", found)
        self._mapping = mapping
        self._replace_all = settings.replace == "all"
        self._tells = settings.details == "local"
        self._redactor = Redactor(redaction)
        self._failures = FailureLog(self._redactor, log or event_log())
        leaking = frozenset(name.encode("ascii") for name in BANNERS if name != "server")
        bounds = {} if settings.echoes else {422: HELD_ECHOES}
        self._judging = Judging(bounds, self._judge, self._judge_close, leaking)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and `websocket`; `lifespan` and scopes of an unknown type pass through."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        scope, context = enter(scope)
        if not context.mount("errors", self):
            await self.app(scope, receive, send)
            return

        reply = HeldReply(scope, context, receive, send, self._judging)
        try:
            await self.app(scope, reply.receive, reply.send)
        except Exception as error:  # noqa: BLE001 - this layer is what stands between an app and its client
            ending = self._answer(scope, receive, send, context, reply, error)
        else:
            if not reply.holds:
                return
            ending = reply.release()
        try:
            await ending
        except OSError:
            # What servers raise where there is no client any more (ASGI 3.0, 2.4): no fault of the app.
            context.gone = True

    async def _answer(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        context: RequestContext,
        reply: HeldReply,
        error: Exception,
    ) -> None:
        """Answer for an app that raised; once a reply has begun, end it as one that is not whole.

        Returning without the last byte makes the server cut the connection, so that no client takes half
        a body for a whole one.
        """
        if reply.told is error:
            return
        if comes_of(error, reply.lost):
            # A fault of nobody: the access log has it as a 499. An open WebSocket just ended.
            context.gone = context.gone or not reply.started or scope["type"] == "http"
            return
        found = self._outcome(scope, context, error)
        if found.fault or reply.started:
            self._failures.write(scope, context, error)
        if context.gone:
            return
        if scope["type"] == "websocket" and (reply.started or not accepts_denial(scope)):
            if not reply.closed:
                await send({"type": "websocket.close", "code": 1011 if found.fault else 1008, "reason": ""})
            return
        if not reply.started:
            problem = self._explained(scope, context, found, error)
            lines, body = rendered(scope, problem, identify(context))
            await send_reply(scope, receive, send, problem.status, lines, body, reply.rest)

    def _outcome(self, scope: Scope, context: RequestContext, error: BaseException) -> Outcome:
        try:
            found = outcome(error, self._mapping)
            text = found.problem.detail
            if not text:
                return found
            return found._replace(
                problem=dataclasses.replace(found.problem, detail=self._redactor.text(text))
            )
        except Exception as failure:  # noqa: BLE001 - the mapping is the app's
            self._failures.write(scope, context, failure)
            return Outcome(Problem(status=500), fault=True)

    def _explained(
        self, scope: Scope, context: RequestContext, found: Outcome, error: BaseException
    ) -> Problem:
        """The problem of a failure, with its traceback for a developer who sits at this machine."""
        if not (self._tells and found.fault and is_local_developer(scope, context)):
            return found.problem
        lines = self._failures.stacktrace(scope, context, error).splitlines()
        return dataclasses.replace(found.problem, traceback=tuple(lines))

    def _judge(self, held: Held) -> Verdict | None:
        return self._judge_echoes(held) if held.status < 500 else self._judge_failure(held)

    def _judge_failure(self, held: Held) -> Verdict | None:
        """A verdict on a 5xx.

        Frameworks send their 500 inside the `except` block, so the exception is known before it is raised
        again, or although it never is.
        """
        scope, context = held.scope, held.context
        error = sys.exc_info()[1]
        if error is not None and comes_of(error, None):
            context.gone = True
            return Verdict((), error)
        found = None if error is None else self._outcome(scope, context, error)
        # Whoever appends a traceback to what there was does so at its end. What is coded has no ends that
        # could be looked into by themselves, and is not undone beyond a bound.
        body = held.body
        if len(body) > 2 * HELD and not any(name.lower() == b"content-encoding" for name, _ in held.headers):
            body = body[:HELD] + b"\n" + body[-HELD:]
        # An exception that means a 500 is what the app has to say.
        means = found is not None and (found.fault or found.problem.status != 500)
        problem, reason = None, None
        if found and means and held.status == 500 and only_says(body, "Internal Server Error"):
            problem = found.problem
        else:
            reason = "all" if self._replace_all else evidence(held.headers, body, self._redactor.reveals)
            if reason is not None:
                problem = Problem(status=held.status)
        if problem is None:
            return None
        if error is not None and found is not None and found.fault:
            self._failures.write(scope, context, error)
            problem = self._explained(scope, context, Outcome(problem, fault=True), error)
        if reason is not None:
            context.replaced = True
            told = held._replace(body=body)
            self._failures.write_replaced(told, reason, error, in_full=self._tells)
        return Verdict(instead(held, problem), error)

    def _judge_close(
        self, scope: Scope, context: RequestContext, close: Message, opened: bool
    ) -> Verdict | None:
        """A verdict on a WebSocket's close: a fault is logged, and a handshake denied with the problem."""
        error = sys.exc_info()[1]
        if error is None or context.gone:
            return None
        if close.get("code") == INTERNAL_ERROR and is_quoted(close.get("reason"), error):
            return Verdict(({**close, "reason": ""},))
        if close.get("code") != LITESTAR_FAULT:
            return None
        found = self._outcome(scope, context, error)
        if not found.fault:
            return None
        self._failures.write(scope, context, error)
        if opened or not accepts_denial(scope):
            return Verdict((close,), error)
        lines, body = rendered(scope, self._explained(scope, context, found, error), identify(context))
        lines = [*lines, (b"content-length", b"%d" % len(body))]
        denial: Message = {"type": "websocket.http.response.start", "status": found.problem.status}
        return Verdict(
            ({**denial, "headers": lines}, {"type": "websocket.http.response.body", "body": body}), error
        )

    def _judge_echoes(self, held: Held) -> Verdict | None:
        """A verdict on a 422: without what was submitted, or without anything where that cannot be told."""
        try:
            if not held.whole and begins_like_one(held.headers, held.body):
                return Verdict(instead(held, Problem(status=held.status)))
            stripped = without_echoes(held.headers, held.body, self._redactor.text) if held.whole else None
        except ValueError:
            return Verdict(instead(held, Problem(status=held.status)))
        if stripped is None:
            return None
        return Verdict(shortened_to(held, stripped))
