"""Ends what is under way when the drain delay is over: the endless at once, the rest with the grace."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from garrison.draining.work import PATIENCE, Work

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Receive, Scope, Send
    from garrison.context import RequestContext
    from garrison.lifecycle import Lifecycle, Phase
    from garrison.rules import Rule

# What arrives with less than this left of the grace would most likely be cut; of a short grace, a quarter.
LAST_CALL: Final = 1.0


class Drain:
    """The requests under way, for the end of a process.

    Args:
        lifecycle: of the process.
        endless: rules for requests that do not end by themselves, beside WebSockets and streams of events.

    Attributes:
        refuses: whether what arrives now comes too late to be served.
    """

    def __init__(self, lifecycle: Lifecycle, endless: tuple[Rule, ...] = ()) -> None:
        self.refuses = False
        self._lifecycle = lifecycle
        self._endless = endless
        self._works: set[Work] = set()
        # Shared with all of them; empty until the drain delay is over.
        self._ending: list[bool] = []
        self._margin = min(LAST_CALL, (lifecycle.grace - lifecycle.drain_delay) / 4)
        lifecycle.listen(self._enter)

    async def run(
        self, app: ASGIApp, scope: Scope, context: RequestContext, receive: Receive, send: Send
    ) -> None:
        """Call the app with a request that can be told to end.

        Args:
            app: the app below.
            scope: of the request; type `http` or `websocket`.
            context: of the request.
            receive: of the request.
            send: where the reply goes.
        """
        works = self._works
        work = Work(self._ending, self._endless, scope, context, receive, send)
        works.add(work)
        if self._ending and work.is_endless:
            # It has not begun; let it have a little time, in which it may be a short one.
            asyncio.get_running_loop().call_later(PATIENCE, work.tell)
        try:
            await app(scope, work.receive, work.send)
        except BaseException as error:
            work.task = None
            works.discard(work)
            if not work.told:
                raise
            await work.settle(error)
        else:
            work.task = None
            works.discard(work)
            if work.told:
                await work.settle()

    def lasting(self) -> int:
        """How many requests are under way whose replies have begun, such as streams and open WebSockets."""
        return sum(work.has_begun for work in self._works)

    def _enter(self, phase: Phase) -> None:
        if phase != "ending":
            return
        self._ending.append(True)
        for work in list(self._works):
            work.close_connection()
            if work.is_endless:
                work.tell()
        loop, seconds = asyncio.get_running_loop(), self._lifecycle.remaining()
        loop.call_later(max(0.0, seconds - self._margin), self._refuse)
        loop.call_later(seconds, self._cancel_rest)

    def _refuse(self) -> None:
        self.refuses = True

    def _cancel_rest(self) -> None:
        """The grace is over."""
        for work in list(self._works):
            work.cut()
