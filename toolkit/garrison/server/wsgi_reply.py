"""Lets a WSGI app answer in a thread that is free again when nobody is there any more."""

from __future__ import annotations

import sys
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast

from a2wsgi.wsgi import WSGIResponder
from uvicorn.protocols.utils import ClientDisconnected

from garrison.exchange import CLIENT_GONE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import ThreadPoolExecutor

    from garrison.asgi import Message, Receive, Scope, Send
    from garrison.server.intake import TakenBody

# Messages of a reply that wait for its reader before the thread does.
QUEUE = 10


class Responder(WSGIResponder):
    """One request to a WSGI app, and its reply.

    a2wsgi 1.10 waits for the thread first and for what sends the reply afterwards, so that a thread whose
    messages nobody takes any more waits for ever. Here it gets an exception, as from a server that writes to
    the socket itself, and the app's iterable is closed.

    It sends the head at once, too. Here that waits for the first byte of the body (PEP 3333, "The
    start_response() Callable"): an app that fails until then has failed, or can have another reply.

    Args:
        app: the WSGI app.
        executor: the threads.
        body: of the request; None where it has none.
        scope: of the request, which the app finds as `asgi.scope` and may write the template of its route to.
    """

    def __init__(
        self,
        app: Callable[..., Iterable[bytes]],
        executor: ThreadPoolExecutor,
        body: TakenBody | None,
        scope: Scope,
    ) -> None:
        super().__init__(cast("Any", app), executor, QUEUE)
        self._body = body
        self._scope = scope
        self._is_gone: Callable[[], bool] | None = None
        self._over = False
        self._error: Exception | None = None
        self._head: Message | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # type: ignore[override] # Starlette's types
        """Handle the request.

        Raises:
            ClientDisconnected: the client has left in the middle of the reply.
            Exception: what the app raises, or else what `send` does.
        """
        self._is_gone = scope.get(CLIENT_GONE)
        try:
            await super().__call__(cast("Any", scope), cast("Any", receive), cast("Any", send))
        except Exception:
            if self._error is None:
                raise
        finally:
            self._stop()
        if self._error is not None:
            raise self._error

    async def sender(self, send: Any) -> None:
        """Hand the messages of the thread on; where they cannot be, it is told with the next one."""
        try:
            await super().sender(send)
        except Exception as error:  # noqa: BLE001 - raised again when the thread has ended
            self._error = error
            self._stop()

    def _stop(self) -> None:
        """Let the thread go that waits for a place, and take nothing more from it."""
        self._over = True
        while not self.send_queue.empty():
            self.send_queue.get_nowait()

    def send(self, message: Message | None) -> None:  # type: ignore[override] # Starlette's types
        """Take a message of the app, in its thread.

        Raises:
            ClientDisconnected: nobody gets what the app sends.
        """
        # Servers drop what is for a client that has left, and an app that streams would never know.
        in_vain = message is not None and message.get("more_body") and self._is_gone and self._is_gone()
        if self._over or in_vain:
            raise ClientDisconnected("the client is gone")
        super().send(cast("Any", message))

    def start_response(
        self, status: str, response_headers: Any, exc_info: Any = None
    ) -> Callable[[bytes], None]:
        """Take the head of the reply, in the thread of the app.

        Args:
            status: its number and a phrase.
            response_headers: pairs of a name and a value.
            exc_info: what the app gives that has another reply in place of its first one.

        Raises:
            BaseException: the one of `exc_info`, if it is too late for another reply.
            RuntimeError: there is a reply already.
        """
        if exc_info is not None and self.response_started:
            raise exc_info[1].with_traceback(exc_info[2])
        if exc_info is None and self._head is not None:
            raise RuntimeError("start_response() was called twice; for another reply it takes exc_info")
        lines = [
            (name.strip().encode("latin-1").lower(), value.strip().encode("latin-1"))
            for name, value in response_headers
        ]
        code = int(status.split(" ", 1)[0])
        self._head = {"type": "http.response.start", "status": code, "headers": lines}
        return self._write

    def _write(self, data: bytes) -> None:
        """Send some of the body; nothing is no byte yet."""
        if data:
            self._begin()
            self.send({"type": "http.response.body", "body": data, "more_body": True})

    def _begin(self) -> None:
        if self.response_started:
            return
        if self._head is None:
            raise RuntimeError("the app has not called start_response()")
        self.response_started = True
        self.send(self._head)

    def wsgi(self, environ: Any, start_response: Any) -> None:
        """Call the app, in a thread."""
        # The environ may be made of a copy with fewer headers; what the app writes there, no layer would see.
        environ["asgi.scope"] = self._scope
        # Standard output is for the events of the layers.
        environ["wsgi.errors"] = sys.stderr
        # A word of Werkzeug and gunicorn: who reads on after the end gets nothing, and need not count.
        environ["wsgi.input_terminated"] = True
        try:
            if self._body is None:
                environ["wsgi.input"] = BytesIO()
                self._call(environ, start_response)
                return
            with self._body.lent() as environ["wsgi.input"]:
                # It is not chunked any more (RFC 9112 section 7.1.3), and frameworks take a body whose length
                # is not told for empty (PEP 3333, "Input and Error Streams").
                environ.pop("HTTP_TRANSFER_ENCODING", None)
                environ["CONTENT_LENGTH"] = str(self._body.size)
                self._call(environ, start_response)
        except StopIteration as error:
            # No future takes one, and the request would wait for ever (as for generators, PEP 479).
            raise RuntimeError("the app raised StopIteration") from error

    def _call(self, environ: Any, start_response: Any) -> None:
        iterable = self.app(environ, start_response)
        try:
            for data in iterable:
                self._write(data)
            self._begin()
            self.send({"type": "http.response.body", "body": b""})
        finally:
            getattr(iterable, "close", lambda: None)()
