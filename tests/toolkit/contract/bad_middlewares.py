"""Middlewares with one fault each, of the kinds that real ones have had."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from garrison.context import enter

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send


class Decent:
    """Does nothing wrong, and nothing else."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note itself on the request, and hand it on."""
        if scope["type"] not in {"http", "websocket"}:
            await self.other(scope, receive, send)
            return
        scope, context = enter(scope)
        if context.mount("bad", self):
            await self.handle(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def other(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What happens to lifespan and unknown scopes."""
        await self.app(scope, receive, send)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What happens to a request."""

        async def send_on(message: Message) -> None:
            if (changed := self.changed(message)) is not None:
                await send(changed)

        await self.app(scope, receive, send_on)

    def changed(self, message: Message) -> Message | None:
        """What becomes of a message of the app; None drops it."""
        return message


class KeepsRequestOnSelf(Decent):
    """Stores what belongs to one request where all of them meet."""

    status = 0

    def changed(self, message: Message) -> Message:
        """Remember the status."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        return message


class LosesDuplicateCookies(Decent):
    """Takes headers for a dictionary."""

    def changed(self, message: Message) -> Message:
        """Keep the last of each name."""
        if message["type"] == "http.response.start":
            return {**message, "headers": list(dict(message["headers"]).items())}
        return message


class SwallowsLifespanMessage(Decent):
    """Answers the shutdown itself."""

    async def other(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Report a shutdown that went well, whatever the app says."""

        async def send_on(message: Message) -> None:
            if message["type"] == "lifespan.shutdown.failed":
                message = {"type": "lifespan.shutdown.complete"}
            await send(message)

        await self.app(scope, receive, send_on if scope["type"] == "lifespan" else send)


class ChangesMessageInPlace(Decent):
    """Puts its header into the list that the app may send again."""

    def changed(self, message: Message) -> Message:
        """Append to what is not ours."""
        line = (b"x-bad", b"1")
        if message["type"] == "http.response.start" and line not in message["headers"]:
            message["headers"].append(line)
        return message


class LeaksTask(Decent):
    """Starts what nobody waits for."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Leave a task behind."""
        task = asyncio.ensure_future(asyncio.sleep(3600))
        await self.app(scope, receive, send)
        del task


class SwallowsCancellation(Decent):
    """Takes a cancellation for an error."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Go on as if nothing had been."""
        try:
            await self.app(scope, receive, send)
        except asyncio.CancelledError:
            return


class CopiesUnknownScopes(Decent):
    """Hands a copy of what it does not know to the app."""

    async def other(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Copy all but the lifespan."""
        await self.app(scope if scope["type"] == "lifespan" else dict(scope), receive, send)


class JoinsChunks(Decent):
    """Buffers a stream."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the body in one piece."""
        held = b""

        async def send_joined(message: Message) -> None:
            nonlocal held
            if message["type"] != "http.response.body":
                await send(message)
                return
            held += message.get("body", b"")
            if not message.get("more_body", False):
                await send({"type": "http.response.body", "body": held})

        await self.app(scope, receive, send_joined)


class DropsUnknownMessages(Decent):
    """Knows two messages of HTTP, and all of WebSockets."""

    def changed(self, message: Message) -> Message | None:
        """Drop what has another name."""
        known = message["type"].startswith("websocket.") or message["type"].endswith((".start", ".body"))
        return message if known else None


class MixesRequests(Decent):
    """Takes the request that came last for its own."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell a client the path of another."""
        LATEST["path"] = scope["path"]

        async def send_path(message: Message) -> None:
            if message["type"] == "http.response.start":
                line = (b"x-path", LATEST["path"].encode("utf-8", "replace"))
                message = {**message, "headers": [*message["headers"], line]}
            await send(message)

        await self.app(scope, receive, send_path)


LATEST: dict[str, Any] = {}


class TripsOnBytes(Decent):
    """Takes headers for text."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read every header as UTF-8."""
        for _, value in scope["headers"]:
            value.decode()
        await self.app(scope, receive, send)


class CountsTwice(Decent):
    """Acts wherever it is mounted."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Never step aside."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope, context = enter(scope)
        context.mount("bad", self)
        await self.handle(scope, receive, send)

    def changed(self, message: Message) -> Message:
        """Add a header each time."""
        if message["type"] == "http.response.start":
            return {**message, "headers": [*message["headers"], (b"x-bad", b"1")]}
        return message


class ForgetsSubprotocol(Decent):
    """Accepts WebSockets in words of its own."""

    def changed(self, message: Message) -> Message:
        """Rebuild the acceptance without what it does not know."""
        if message["type"] == "websocket.accept":
            return {"type": "websocket.accept", "headers": message.get("headers", [])}
        return message
