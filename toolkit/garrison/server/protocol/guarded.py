"""What both protocols have in common: deadlines, refusals, and what becomes of a handler without a client."""

from __future__ import annotations

import asyncio
import struct
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from garrison.server.protocol.flaws import HEAD_TIMEOUT, IDLE, STALLED, UNREAD
from garrison.server.protocol.guard import guard_of
from garrison.server.protocol.joined_writes import JoinedWrites
from garrison.server.protocol.refused import Refused

if sys.platform != "win32":
    from fcntl import ioctl
    from termios import TIOCOUTQ

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

    from garrison.asgi import ASGIApp, Receive, Scope, Send
    from garrison.server.protocol.flaws import Flaw


class GuardedProtocol(asyncio.Protocol):
    """What is put before one of uvicorn's HTTP protocols, whose attributes it uses.

    Args:
        config: of the server.
        server_state: of the server.
        app_state: what the app keeps for its requests.
        _loop: of the server; the running one unless given.
    """

    app: Any
    client: tuple[str, int] | None
    cycle: Any
    flow: Any
    loop: asyncio.AbstractEventLoop
    server_state: ServerState
    timeout_keep_alive: Any  # uvicorn's is an int
    timeout_keep_alive_task: asyncio.TimerHandle | None
    transport: asyncio.Transport

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)  # type: ignore[call-arg]  # uvicorn's
        self._guard = guard_of(config, server_state, self.loop)
        self.timeout_keep_alive = self._guard.keep_alive
        # Whether there is a deadline for what the client sends.
        self._waits = False
        # What is still to be sent, as it was when somebody last looked.
        self._unsent = 0
        self._handler: tuple[asyncio.Task[Any], Any] | None = None
        if self._guard.cancels:
            self._app: ASGIApp = self.app
            self.app = self._run

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give a new client the time for a head; it may be one that never says anything."""
        super().connection_made(transport)
        # The replies' own way to write; everything else is for the transport.
        self._writes = JoinedWrites(self.transport, self._guard.turn)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell every handler of this connection that its client is gone."""
        self._guard.forget(self)
        super().connection_lost(exc)
        self._cancel()

    def pause_writing(self) -> None:
        """Watch a client that does not read as fast as the app writes."""
        super().pause_writing()
        self._watch_reader()

    def resume_writing(self) -> None:
        """Trust a client that reads again."""
        super().resume_writing()
        if self._guard.stalled is not None and not self.transport.is_closing():
            self._guard.stalled.end(self)

    def on_response_complete(self) -> None:
        """Watch the client of a last reply: a connection that is closed stays until all has been read."""
        self._writes.flush()  # a reply without a body
        super().on_response_complete()  # type: ignore[misc]  # uvicorn's
        if self.transport.is_closing():
            self._watch_reader()

    def timeout_keep_alive_handler(self) -> None:
        """End a connection without requests, also where the last reply was not read."""
        super().timeout_keep_alive_handler()  # type: ignore[misc]  # uvicorn's
        self._watch_reader()

    def shutdown(self) -> None:
        """End a connection with the reply under way, or at once where there is none."""
        super().shutdown()  # type: ignore[misc]  # uvicorn's
        if self.transport.is_closing():
            self._watch_reader()

    def keep_waiting(self) -> None:
        """End a connection on which no head has come in time, or no end of a body that nobody wants."""
        self._waits = False
        if self._is_serving():
            return
        if self._has_begun():
            self._refuse(HEAD_TIMEOUT)
            return
        flaw = IDLE if self._expects_head() else UNREAD
        self._guard.tell(flaw, self.client, logged=flaw is not IDLE)
        self.transport.close()
        self._watch_reader()

    def stall(self) -> None:
        """End a connection whose client has read nothing since it was last looked at.

        While the app is still at it, the layer `timeouts` sees to that, and can tell the app.
        """
        unsent, before = self._to_send(), self._unsent
        if unsent and unsent >= before and not self._is_serving():
            self._guard.tell(STALLED, self.client)
            self.transport.abort()
        else:
            self._watch_reader()

    def cut_off(self) -> None:
        """End a connection that has been refused, whatever its client still sends."""
        self.transport.abort()

    def _expects_head(self) -> bool:
        """Whether the next byte belongs to a head, and not to a body."""
        raise NotImplementedError

    def _has_begun(self) -> bool:
        """Whether a part of a head has come."""
        raise NotImplementedError

    def _wait(self) -> None:
        self._waits = True
        self._guard.waiting.begin(self)

    def _is_serving(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _listen_on(self) -> None:
        """Read on once a request is whole, or nobody would see its client leave.

        uvicorn stops reading at 64 KiB of a body that the app has yet to take, goes on when the app asks for
        more, and else with the reply.
        """
        if self.flow.read_paused:
            self.flow.resume_reading()

    def _refuse(self, flaw: Flaw) -> None:
        """Answer what no handler gets, or, where a reply has begun, let that one be the last."""
        self._guard.forget(self)
        self._guard.tell(flaw, self.client)
        self.transport.set_protocol(Refused(self))
        if not self._is_serving():
            self._answer(flaw)
        elif self._expects_head():
            # Replies come in the order of their requests: this one is refused by the end of the connection.
            self.cycle.keep_alive = False
        elif self._is_answered():
            self.transport.abort()
        else:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self._answer(flaw)

    def _is_answered(self) -> bool:
        """Whether the reply to the request whose body is coming can no longer be another one."""
        return bool(self.cycle.response_started)

    def _answer(self, flaw: Flaw) -> None:
        transport = self.transport
        if transport.is_closing():
            return
        transport.write(flaw.reply(self.server_state.default_headers))
        if not transport.can_write_eof():  # as with TLS
            transport.close()
            self._watch_reader()
            return
        transport.write_eof()
        self.flow.resume_reading()
        self._guard.lingering.begin(self)

    def _watch_reader(self) -> None:
        if not self.transport.get_write_buffer_size():
            if self.transport.is_closing() and not self.transport.can_write_eof():
                # With TLS the other side has to agree to the end, and a client that does not read never does.
                self._guard.lingering.begin(self)
            return
        if self._guard.stalled is not None:
            self._unsent = self._to_send()
            self._guard.stalled.begin(self)

    def _to_send(self) -> int:
        """Bytes that the client's machine has not taken yet.

        Those in the kernel are counted too: it tells of room only when a third of its buffer is free, which
        a slow client that reads all the time may not bring about for minutes.
        """
        unsent = self.transport.get_write_buffer_size()
        peer = self.transport.get_extra_info("socket")
        if sys.platform != "win32" and unsent and peer is not None:
            with suppress(OSError, ValueError):  # it may be closed
                (queued,) = struct.unpack("i", ioctl(peer.fileno(), TIOCOUTQ, b"\0\0\0\0"))
                unsent += queued
        return unsent

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app so that it can be cancelled."""
        task = asyncio.current_task()
        cycle = getattr(send, "__self__", None)
        if task is None or cycle is None:
            await self._app(scope, receive, send)
            return
        self._handler = (task, cycle)
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            # Nobody is there who could be told, and uvicorn would log a failure.
            if not cycle.disconnected:
                raise

    def _cancel(self) -> None:
        if self._handler is not None:
            task, cycle = self._handler
            self._handler = None
            # Work after the reply is the app's own business.
            if not cycle.response_complete:
                task.cancel()
