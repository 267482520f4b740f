"""A request whose connection can be seen, so that a reader who stalls is told from one who is slow."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from garrison.timing.connection import unread
from garrison.timing.exchange import BLIND, ERRORS, PIECE, STARTS, TimedExchange

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from garrison.asgi import Message, Receive, Scope, Send
    from garrison.context import RequestContext
    from garrison.middleware.timeouts import Timeouts
    from garrison.timing.sweep import Sweeps


class SeenExchange(TimedExchange):
    """An exchange whose connection can be seen, and cut: nothing is to be noted of any message.

    Args:
        transport: of the connection; the others as for all.
    """

    __slots__ = ("_seen", "_transport")

    def __init__(
        self,
        section: Timeouts,
        sweeps: Sweeps,
        scope: Scope,
        context: RequestContext,
        receive: Receive,
        send: Send,
        transport: asyncio.Transport,
    ) -> None:
        super().__init__(section, sweeps, scope, context, receive, send)
        self._transport = transport
        self._seen: tuple[int, int | None] = (0, 0)

    def send(self, message: Message) -> Awaitable[None]:
        """The `send` of the app."""
        if self.over:
            return self._refuse(message)
        if not self.started:
            self.started = message["type"] in STARTS
            self._splits = message.get("status", 200) < ERRORS
            # Whoever asks for more than he reads may have left no room for the first byte.
            waits = self._transport.get_write_buffer_size() > 0
        else:
            if self._splits and "body" in message and len(message["body"]) > PIECE:
                return self._in_pieces(message, self.send)
            waits = message.get("more_body", False)
            if waits and self._transport.is_closing():
                return self._drop(message)
        if waits and self.sweep is None:
            self.watch()
        return self._send(message)

    async def _drop(self, message: Message) -> None:
        """Let others run while a reply is made that nobody gets: servers drop it, and wait for nothing."""
        await self._send(message)
        await asyncio.sleep(0)

    def look(self, now: float) -> None:
        """Cut the connection, if there is something to read and its client's system has taken none of it."""
        patience = self._section.reader
        if patience is None or not self.started or self.lost is not None:
            return
        seen = unread(self._transport)
        if not any(seen):
            self._since = None
        elif self._since is None or seen != self._seen:
            self._since, self._seen = now, seen
        elif now - self._since >= (patience if seen[1] is not None else patience * BLIND):
            self.give_up()
            # To close it would wait until everything is read.
            self._transport.abort()
