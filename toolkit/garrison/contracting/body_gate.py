"""Holds one request's body to its operation, and calls the app with it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from garrison.asgi import content_length, header
from garrison.buffer_budget import FULL, RETRY_AFTER
from garrison.contracting.answers import refusal
from garrison.contracting.buffered import BufferedBody
from garrison.contracting.fed_body import BodyRefusedError, FedBody
from garrison.openapi.bodies import Refusal
from garrison.openapi.media_types import content_encoding_of, content_type_of
from garrison.problems import Problem, reject
from garrison.security_events import INPUT_FAIL
from garrison.short_body import too_large

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.asgi import ASGIApp, Headers, Receive, Rest, Scope, Send
    from garrison.buffer_budget import BufferBudget
    from garrison.context import RequestContext
    from garrison.contracting.telling import Teller
    from garrison.openapi.bodies import BodyReader
    from garrison.openapi.model import Operation, Violation

LAYER = "contract"

# The header lines that are about the body.
LINES: Final = frozenset({b"content-encoding", b"content-length", b"content-type", b"transfer-encoding"})


class BodyGate:
    """Holds the bodies of one layer's requests to their operations.

    Args:
        app: the app below.
        teller: writes down what does not keep the document.
        budget: what all requests may hold together.
        mode: `enforce` or `report`.
        max_body: bytes of a body that is read.
    """

    def __init__(
        self, app: ASGIApp, teller: Teller, budget: BufferBudget, *, mode: str, max_body: int
    ) -> None:
        self._app = app
        self._teller = teller
        self._budget = budget
        self._mode = mode
        self._enforces = mode == "enforce"
        self._max_body = max_body

    async def run(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        context: RequestContext,
        operation: Operation,
        reader: BodyReader,
    ) -> None:
        """Call the app, or answer in its place.

        Args:
            scope: of type `http`.
            receive: of the request.
            send: where the reply goes.
            context: of the request.
            operation: that the request is for.
            reader: of the operation's bodies.
        """
        lines = [line for line in scope["headers"] if line[0] in LINES]
        told = _tells_body(scope, lines)
        if told is False and not reader.is_required:
            await self._app(scope, receive, send)
            return
        content_type = content_type_of(lines)
        buffered = BufferedBody(receive)
        has_body = await buffered.has_bytes() if told is None else told
        media = reader.media(content_type, has_body, content_encoding_of(lines))
        if isinstance(media, Refusal):
            self._teller.violated(context, operation, [media.violation], self._mode)
            if self._enforces:
                problem = refusal([media.violation], media.status)
                more: Headers = list(media.headers)
                await reject(scope, receive, send, context, LAYER, problem, more, buffered.rest)
                return
            media = None
        way = "pass" if media is None else reader.way(media, content_type)
        if media is None or way == "pass":
            await self._app(scope, buffered.replay(), send)
        elif way == "feed":
            fed = FedBody(
                buffered.replay(), send, reader.incremental(media, content_type), enforces=self._enforces
            )
            await self._feed(scope, receive, send, context, operation, fed)
        else:
            judge = partial(reader.check, media, content_type)
            declared = content_length(header(lines, b"content-length") or b"0") or 0
            await self._check(scope, receive, send, context, operation, buffered, judge, declared)

    async def _check(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        context: RequestContext,
        operation: Operation,
        buffered: BufferedBody,
        judge: Callable[[bytes], tuple[Violation, ...]],
        declared: int,
    ) -> None:
        """Read all of a body before the app sees any of it."""
        problem: Problem | None = None
        lines: Headers = []
        if declared > self._max_body:
            problem = too_large(self._max_body)
        else:
            with self._budget.share() as share:
                reading = await buffered.read(self._max_body, share)
                if reading == "too large":
                    problem = too_large(self._max_body)
                elif reading == "no room":
                    problem, lines = FULL, list(RETRY_AFTER)
                elif reading == "whole":
                    problem = self._judged(context, operation, judge(buffered.body))
        if problem is not None and self._enforces:
            if problem.status < 500:
                context.note(INPUT_FAIL)
            await reject(scope, receive, send, context, LAYER, problem, lines, buffered.rest)
            return
        await self._app(scope, buffered.replay(), send)

    async def _feed(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        context: RequestContext,
        operation: Operation,
        fed: FedBody,
    ) -> None:
        """Judge a body while the app reads it."""
        try:
            await self._app(scope, fed.receive, fed.send)
        except BodyRefusedError:
            pass
        except Exception:
            # What an app makes of a body that is cut short is not its failure.
            if not fed.refused or fed.started:
                raise
        problem = self._judged(context, operation, fed.violations)
        if problem is not None and fed.refused and not fed.started:
            rest: Rest = "abandoned" if fed.unread else "read"
            await reject(scope, receive, send, context, LAYER, problem, rest=rest)

    def _judged(
        self, context: RequestContext, operation: Operation, violations: tuple[Violation, ...]
    ) -> Problem | None:
        if not violations:
            return None
        self._teller.violated(context, operation, violations, self._mode)
        return refusal(violations)


def _tells_body(scope: Scope, lines: Headers) -> bool | None:
    """Whether there is a body of at least one byte; None where the headers do not say.

    HTTP/1.x announces one (RFC 9112 section 6), but chunks can be none at all, and later versions need not
    announce anything.
    """
    declared: bytes | None = None
    for name, value in lines:
        if name == b"transfer-encoding":
            return None
        if name == b"content-length":
            declared = value
    if declared is not None:
        return declared.strip(b"0") != b""
    return None if scope.get("http_version", "1.1") >= "2" else False
