"""A process that is told to stop while requests are under way."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING

from garrison.context import RequestContext, enter
from garrison.draining import Drain
from garrison.exchange import Exchange
from garrison.lifecycle import Lifecycle
from tests.toolkit.driver import Wire, request_messages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send
    from garrison.rules import Rule


class Ending:
    """An app behind a drain, as the layer that has one calls it.

    Args:
        app: the app.
        grace: how many seconds there are when the end begins.
        endless: rules for requests that do not end by themselves.
        clock: seconds that pass.
    """

    def __init__(
        self,
        app: ASGIApp,
        grace: float = 10.0,
        endless: tuple[Rule, ...] = (),
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.lifecycle = Lifecycle(0, grace, clock)
        self.drain = Drain(self.lifecycle, endless)
        self.contexts: list[RequestContext] = []
        self.outcomes: list[str] = []
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and `websocket`."""
        scope, context = enter(scope)
        self.contexts.append(context)

        def tell(exchange: Exchange) -> None:
            self.outcomes.append(exchange.outcome)

        exchange = Exchange(scope, context, receive, send, lambda: 0.0, tell)
        try:
            await self.drain.run(self._app, scope, context, exchange.receive, exchange.send)
        except BaseException as error:
            exchange.failed(error)
            raise
        finally:
            exchange.end()

    def end(self) -> None:
        """The drain delay is over."""
        self.lifecycle.enter("ending")


@asynccontextmanager
async def under_way(
    app: ASGIApp, scope: Scope, *incoming: Message
) -> AsyncIterator[tuple[Wire, asyncio.Task[None]]]:
    """A request that the app has begun to work for, and its task."""
    wire = Wire(deque(incoming or request_messages()))

    async def ask() -> None:
        await app(scope, wire.receive, wire.send)

    task = asyncio.create_task(ask())
    await settled()
    try:
        yield wire, task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def settled() -> None:
    """Let whatever can run do so."""
    for _ in range(10):
        await asyncio.sleep(0)
