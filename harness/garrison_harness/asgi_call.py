"""Hands one request to an ASGI app as a server would, and keeps what the app answers."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence

    from garrison_harness.exchange import Headers

    Message = MutableMapping[str, Any]
    Scope = MutableMapping[str, Any]
    App = Callable[[Scope, Any, Any], Awaitable[object]]

_CONTENT_BYTES: Final = 4 * 1024 * 1024
"""More of a stream than anyone judges: a stream that goes on is complete by then."""


class Call:
    """One request and the reply to it.

    Its client listens until the reply is whole or it has had enough, and hangs up; what the app does after
    that is its own business. All but `done` belongs to the event loop until that is done.

    Attributes:
        done: Has a result as soon as the reply is whole, or the app has ended without one.
        status: Of the reply, None before it begins.
        headers: Of the reply.
        body: As much of the content as is kept.
        whole: The reply has ended, or is longer than anyone judges.
        sent: How many bytes of the request the app had taken when its reply began.
        began: When the reply began, on the monotonic clock; None before it does.
        ended: When it was whole, or the app was done with it.
        died: The app ended its process in place of an answer.
    """

    def __init__(self, scope: Scope, pieces: Sequence[bytes], *, unfinished: bool, kept: int) -> None:
        """Take the request.

        Args:
            scope: Of type `http`.
            pieces: Of the body, as they come in.
            unfinished: The client announced more of the body than it sends.
            kept: How many bytes of the content to keep.
        """
        self.done: Future[None] = Future()
        self.status: int | None = None
        self.headers: Headers = ()
        self.body = bytearray()
        self.whole = False
        self.sent = 0
        self.began: float | None = None
        self.ended: float | None = None
        self.died = False
        self._scope = scope
        self._waiting = [*reversed(pieces or [b""])]
        self._more = unfinished
        self._taken = 0
        self._content = 0
        self._kept = kept
        self._left = asyncio.Event()

    async def run(self, app: App) -> None:
        """Let the app answer.

        Args:
            app: The app; an exception of its own is the end of the reply, and no concern of the caller.

        Raises:
            SystemExit: The app ended its process.
            KeyboardInterrupt: It did so in another way.
        """
        try:
            await app(self._scope, self._receive, self._send)
        except Exception:  # noqa: BLE001, S110 - an app that fails is what audits are for
            pass
        except (SystemExit, KeyboardInterrupt):
            self.died = True
            raise
        finally:
            self._finish()

    def leave(self) -> None:
        """Hang up: the app is told so when it listens, and nothing that it sends is kept."""
        self._finish()
        self._left.set()

    def _finish(self) -> None:
        if not self.done.done():
            self.ended = time.monotonic()
            self.done.set_result(None)

    async def _receive(self) -> Message:
        if self._waiting:
            piece = self._waiting.pop()
            self._taken += len(piece)
            return {"type": "http.request", "body": piece, "more_body": bool(self._waiting) or self._more}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        # Who sends without a pause must not keep the others waiting, nor the end of the audit.
        await asyncio.sleep(0)
        if self._left.is_set():
            return
        kind = message["type"]
        if kind == "http.response.start":
            self._begin(message)
        elif kind == "http.response.body":
            self._add(message)

    def _begin(self, message: Message) -> None:
        if self.status is not None:
            raise RuntimeError("the reply has begun already")
        headers = _lines(message.get("headers", ()))
        self.status, self.headers = int(message["status"]), headers
        self.sent, self.began = self._taken, time.monotonic()

    def _add(self, message: Message) -> None:
        if self.status is None or self.done.done():
            raise RuntimeError("the reply has not begun, or has ended")
        body = message.get("body", b"")
        self.body += body[: max(0, self._kept - len(self.body))]
        self._content += len(body)
        self.whole = not message.get("more_body", False) or self._content >= _CONTENT_BYTES
        if self.whole:
            self._finish()
            self._left.set()


def _lines(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Header lines as text; what is no bytes is an error of the app, as under every server."""
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
