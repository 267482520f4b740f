"""Adds to a reply where its client stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.asgi import STARTS
from garrison.limiting.counting import replace_legacy

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from garrison.asgi import Headers, Message, Send
    from garrison.context import RequestContext


def telling(context: RequestContext, send: Send, lines: Headers) -> Send:
    """A `send` that adds lines to the reply, those that layers below and routes add to the list among them.

    Args:
        context: of the request.
        send: where the reply goes.
        lines: header lines.
    """
    above = context.quota_lines
    if above is not None:
        replace_legacy(above, lines)
        above[:0] = lines
        return send
    context.quota_lines = lines

    # Not a coroutine itself: one less for every message.
    def send_with_standing(message: Message) -> Awaitable[None]:
        if message["type"] in STARTS and lines:
            headers = message.get("headers", ())
            # Half the price of building it anew.
            message = message.copy()  # type: ignore[attr-defined]
            message["headers"] = [*headers, *lines]
        return send(message)

    return send_with_standing


def telling_below(context: RequestContext, send: Send) -> Send:
    """A `send` for what only routes have to tell; the one that was given where a layer above does it."""
    return send if context.quota_lines is not None else telling(context, send, [])
