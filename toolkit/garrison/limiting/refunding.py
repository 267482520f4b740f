"""Gives back what a request took once its reply says that it shall not count."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from garrison.asgi import STARTS, status_of
from garrison.limiting.counting import replace_legacy
from garrison.ratelimit.unavailable import StoreUnavailableError

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Headers, Message, Receive, Scope, Send
    from garrison.limiting.fields import Fields
    from garrison.limiting.limiter import Limiter, Ruling

# What becomes of an exception that the app does not answer itself.
INTERNAL_ERROR: Final = 500


class Refunding:
    """Watches one reply.

    Args:
        limiter: took the units.
        fields: writes what the client is told.
        ruling: what was taken.
        statuses: the status codes that do not count.
        send: where the reply goes.
        lines_above: what a layer above has the reply tell about its own quotas; None where there is none.

    Attributes:
        lines_below: what routes have the reply tell about their own quotas.
    """

    def __init__(
        self,
        limiter: Limiter,
        fields: Fields,
        ruling: Ruling,
        statuses: frozenset[int],
        send: Send,
        lines_above: Headers | None,
    ) -> None:
        self._limiter = limiter
        self._fields = fields
        self._ruling = ruling
        self._statuses = statuses
        self._send = send
        self._decided = False
        self._lines_above = lines_above
        self.lines_below: Headers = []

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive) -> None:
        """Call the app, and give back what its reply, or its exception, does not count for."""
        try:
            await app(scope, receive, self.send)
        except Exception:
            if not self._decided and INTERNAL_ERROR in self._statuses:
                await self._limiter.refund(self._ruling.parts)
            raise

    async def send(self, message: Message) -> None:
        """Pass a message on; with the start of the reply goes where the client stands."""
        status = None if self._decided else status_of(message)
        if status is not None:
            self._decided = True
            standings = self._ruling.standings
            if status in self._statuses:
                # Before the reply, so that whoever asks again on its strength finds the units there.
                await self._limiter.refund(self._ruling.parts)
                with suppress(StoreUnavailableError):
                    standings = await self._limiter.look(self._ruling.parts) or standings
            if message["type"] in STARTS:
                lines = self._fields.lines(self._ruling.parts, standings)
                replace_legacy(lines, self.lines_below)
                lines += self.lines_below
                if self._lines_above is not None:
                    replace_legacy(self._lines_above, lines)
                message = {**message, "headers": [*message.get("headers", ()), *lines]}
        await self._send(message)
