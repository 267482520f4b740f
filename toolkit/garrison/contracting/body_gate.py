"""Holds one request's body to its operation, and calls the app with it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from garrison.asgi import content_length
from garrison.buffer_budget import FULL, RETRY_AFTER
from garrison.contracting.answers import refusal
from garrison.contracting.buffered import BufferedBody
from garrison.contracting.fed_body import BodyRefusedError, FedBody
from garrison.contracting.observed_body import ObservedBody
from garrison.openapi.bodies import Refusal
from garrison.problems import Problem, reject
from garrison.security_events import INPUT_FAIL
from garrison.short_body import CUT_SHORT, too_large

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

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

    def run(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        context: RequestContext,
        operation: Operation,
        reader: BodyReader,
    ) -> Awaitable[None]:
        """Call the app, or answer in its place; what comes back is to be awaited.

        Args:
            scope: of type `http`.
            receive: of the request.
            send: where the reply goes.
            context: of the request.
            operation: that the request is for.
            reader: of the operation's bodies.
        """
        lines = _lines_of(scope["headers"])
        told = _tells_body(scope, lines)
        if told is False and not reader.is_required:
            return self._app(scope, receive, send)
        take = self._enforce if self._enforces else self._observe
        return take(scope, receive, send, context, operation, reader, lines, told)

    async def _enforce(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        context: RequestContext,
        operation: Operation,
        reader: BodyReader,
        lines: dict[bytes, bytes],
        told: bool | None,
    ) -> None:
        """Call the app with a body that fits, or answer in its place."""
        content_type = lines.get(b"content-type")
        buffered = BufferedBody(receive)
        has_body = await buffered.has_bytes() if told is None else told
        media = reader.media(content_type, has_body, lines.get(b"content-encoding"))
        if isinstance(media, Refusal):
            self._teller.violated(context, operation, [media.violation], self._mode)
            problem = refusal([media.violation], media.status)
            more: Headers = list(media.headers)
            await reject(scope, receive, send, context, LAYER, problem, more, buffered.rest)
            return
        way = "pass" if media is None else reader.way(media, content_type)
        if media is None or way == "pass":
            await self._app(scope, buffered.replay(), send)
        elif way == "feed":
            parts = reader.incremental(media, content_type)
            with self._budget.share() as share:
                fed = FedBody(buffered.replay(), send, parts, share)
                await self._feed(scope, receive, send, context, operation, fed)
        else:
            judge = partial(reader.check, media, content_type)
            declared = content_length(lines.get(b"content-length", b"0")) or 0
            await self._check(scope, receive, send, context, operation, buffered, judge, declared)

    async def _observe(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        context: RequestContext,
        operation: Operation,
        reader: BodyReader,
        lines: dict[bytes, bytes],
        told: bool | None,
    ) -> None:
        """Call the app, and only tell what is wrong with the body that it reads."""
        with self._budget.share() as share:
            observed = ObservedBody(
                receive,
                reader,
                lines.get(b"content-type"),
                lines.get(b"content-encoding"),
                share,
                self._max_body,
                violated=lambda found: self._teller.violated(context, operation, found, self._mode),
                unchecked=lambda why: self._teller.unchecked(context, operation, why, self._mode),
            )
            if told is not None:
                observed.decide(has_body=told)
            try:
                await self._app(scope, observed.receive, send)
            finally:
                observed.close()

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
                elif reading == "gone":
                    # Some servers also say so of a client that is there and whose chunks are broken.
                    problem = CUT_SHORT
                else:
                    problem = self._judged(context, operation, judge(buffered.body))
        if problem is not None:
            if problem.status < 500 and not context.gone:
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
        finally:
            problem = self._judged(context, operation, fed.violations)
        if fed.refused and not fed.started:
            rest: Rest = "abandoned" if fed.unread else "read"
            lines = list(RETRY_AFTER) if problem is None else None
            await reject(scope, receive, send, context, LAYER, problem or FULL, lines, rest)

    def _judged(
        self, context: RequestContext, operation: Operation, violations: tuple[Violation, ...]
    ) -> Problem | None:
        if not violations:
            return None
        self._teller.violated(context, operation, violations, self._mode)
        return refusal(violations)


def _lines_of(headers: Headers) -> dict[bytes, bytes]:
    """The header lines that are about the body; those of one name are one list (RFC 9110 section 5.3).

    A list of types is malformed: which of them a parser goes by is anybody's guess.
    """
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in LINES:
            found[name] = b"%b, %b" % (found[name], value) if name in found else value
    return found


def _tells_body(scope: Scope, lines: dict[bytes, bytes]) -> bool | None:
    """Whether there is a body of at least one byte; None where the headers do not say.

    HTTP/1.x announces one (RFC 9112 section 6), but chunks can be none at all, and later versions need not
    announce anything.
    """
    if b"transfer-encoding" in lines:
        return None
    if b"content-length" in lines:
        # Of several, which some servers let through, one that is not zero is enough.
        return lines[b"content-length"].strip(b"0, ") != b""
    return None if scope.get("http_version", "1.1") >= "2" else False
