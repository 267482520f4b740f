"""A handler that may never answer."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from typing import TYPE_CHECKING, Final

from garrison.problems import Problem, reject
from garrison.timing.body import expects_body
from garrison.timing.interruption import Interruption
from garrison.timing.threads import waits_for_thread

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Receive, Scope, Send
    from garrison.context import RequestContext
    from garrison.timing.exchange import TimedExchange
    from garrison.timing.sweep import Sweep

TOO_LATE: Final = Problem(status=504, detail="The request took too long to answer.")


class Deadline:
    """The time that one handler has for the beginning of its reply.

    When it is over, the client is answered at once, by a task of its own, whatever the handler does. The
    handler is cancelled once; while it waits for a thread it is not, because the thread would go on, and
    nobody would know of it. Until it ends it is counted as overdue.

    Args:
        seconds: from the last of the body, or from the beginning where there is none.
        scope: of the request.
        receive: of the request.
        send: where the refusal goes.
        context: of the request.
        exchange: whose reply the refusal takes the place of.
        sweep: of this loop.
    """

    __slots__ = (
        "_answering",
        "_context",
        "_exchange",
        "_interruption",
        "_named",
        "_receive",
        "_scope",
        "_seconds",
        "_send",
        "_since",
        "_sweep",
    )

    def __init__(
        self,
        seconds: float,
        scope: Scope,
        receive: Receive,
        send: Send,
        context: RequestContext,
        exchange: TimedExchange,
        sweep: Sweep,
    ) -> None:
        self._seconds = seconds
        self._scope = scope
        self._receive = receive
        self._send = send
        self._context = context
        self._exchange = exchange
        self._sweep = sweep
        self._since = sweep.now()
        self._named = copy_context()
        self._interruption = Interruption(sweep.loop)
        self._answering: asyncio.Task[None] | None = None

    async def run(self, app: ASGIApp) -> None:
        """Call the app, and end when it and the refusal have ended.

        Args:
            app: the app below.
        """
        self._sweep.add(self)
        try:
            with self._interruption as interruption:
                await interruption.call(app(self._scope, self._exchange.receive, self._exchange.send))
        except asyncio.CancelledError:
            if self._answering is not None:
                self._answering.cancel()
                await asyncio.wait([self._answering])
            raise
        finally:
            self._sweep.watched.discard(self)
            if self._answering is not None:
                self._sweep.overdue -= 1
        if self._answering is not None:
            await self._answering

    def look(self, now: float) -> None:
        """Answer in place of the handler, if it had its time; and cancel it as soon as that is of use.

        Args:
            now: seconds on the clock of the sweep.
        """
        if self._answering is None and not self._is_over(now):
            return
        if self._answering is None:
            self._exchange.over = True
            self._sweep.overdue += 1
            self._answering = self._sweep.loop.create_task(self._answer(), context=self._named)
        task = self._interruption.task
        if task is not None and not waits_for_thread(task):
            self._interruption.make()

    def _is_over(self, now: float) -> bool:
        if self._exchange.started or self._exchange.over:
            return False
        body = self._exchange.body
        if body is not None:
            if body.is_awaited:
                self._since = now  # the time of the client
            elif body.latest is not None:
                self._since = max(self._since, body.latest)
        return now - self._since >= self._seconds

    async def _answer(self) -> None:
        body = self._exchange.body
        rest = not expects_body(self._scope) if body is None else body.whole
        await reject(
            self._scope,
            self._receive,
            self._send,
            self._context,
            "timeouts",
            TOO_LATE,
            rest="read" if rest else "abandoned",
        )
