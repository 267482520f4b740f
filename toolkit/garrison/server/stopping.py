"""uvicorn's server with an end in steps: told, drained, ended, and with exit status 0."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from contextlib import contextmanager
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from garrison.server.accepting import accepting
from garrison.server.leaving import leave_after
from garrison.server.listening import PortTakenError, accept_the_rest
from garrison.server.served import served_by

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from types import FrameType

    from garrison.lifecycle import Lifecycle
    from garrison.server.listening import Listener
    from garrison.server.served import Served

# How often the end of what is under way is looked for.
TICK: Final = 0.05

# How long what was cancelled at the end of the grace may take to clean up.
CLEAN_UP: Final = 1.0

_log = logging.getLogger("garrison")


class Server(uvicorn.Server):
    """Serves until it is told to stop, and loses nothing of what it has accepted.

    - SIGTERM: readiness is refused and work goes on as before for the drain delay; then the end begins.
    - SIGHUP, which a parent sends to a worker that it has replaced: the end begins at once.
    - SIGINT, SIGQUIT: the end begins at once and does not wait for idle connections. A second SIGINT waits
      for nothing.

    The end: whatever waits to be accepted is, and nothing else; connections close with their next reply, or
    where no request comes when their keep-alive time is over; at the end of the grace what is still under
    way is cancelled; then the app's own shutdown runs.

    Args:
        config: of uvicorn, for an app of `Served`.
        listener: what is listened on, where no other process shares it.
        parent: the process that started this one as a worker; None where it is alone. A worker whose
            parent has died stops.
        in_a_hurry: whether every signal means what SIGINT does.
        leaves: whether the process is the server's, and ends with it whatever threads the app has left.
        ready: called when clients are served.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        listener: Listener | None = None,
        parent: int | None = None,
        in_a_hurry: bool = False,
        leaves: bool = False,
        ready: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(config)
        self._listener = listener
        self._parent = parent
        self._loop: asyncio.AbstractEventLoop | None = None
        self._in_a_hurry = in_a_hurry
        self._interrupted = False
        self._leaves = leaves
        self._ready = ready

    @property
    def lifecycle(self) -> Lifecycle:
        """That of the app."""
        return self._served.lifecycle

    @property
    def _served(self) -> Served:
        return served_by(self.config.loaded_app)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals, where this is the main thread, and end with no signal of our own."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT]
        if self._parent is not None:
            numbers.append(signal.SIGHUP)
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - handlers get it
        """Begin to stop.

        Args:
            sig: the number of a signal.
            frame: where it came.

        Raises:
            KeyboardInterrupt: told again before the app has started.
        """
        if self._loop is None:
            if self.should_exit:
                raise KeyboardInterrupt
            self.should_exit = True
        else:
            # Not in the context of the request that the signal happened to interrupt.
            self._loop.call_soon_threadsafe(self.stop, sig, context=Context())

    def stop(self, sig: int = signal.SIGTERM) -> None:
        """Begin to stop; to be called in the event loop's thread.

        Args:
            sig: the signal whose meaning is asked for.
        """
        if sig == signal.SIGTERM:
            if self._in_a_hurry:
                self._end()
            else:
                self._drain()
            return
        if sig != signal.SIGHUP:
            self.force_exit = self._interrupted and sig == signal.SIGINT
            self._interrupted = self._in_a_hurry = True
        self._end()

    def _drain(self) -> None:
        lifecycle = self.lifecycle
        if lifecycle.deadline is None:
            _log.info("draining", extra={"seconds": lifecycle.drain_delay})
            lifecycle.enter("draining")
        # It may have begun before, with a file: then less of the delay is left.
        rest = lifecycle.remaining() - (lifecycle.grace - lifecycle.drain_delay)
        asyncio.get_running_loop().call_later(max(0.0, rest), self._end)

    def _end(self) -> None:
        self.lifecycle.enter("ending")
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the app and listen.

        Args:
            sockets: to listen on, which are bound.

        Raises:
            PortTakenError: another process listens there already.
        """
        loop = asyncio.get_running_loop()
        section = self._served.hardened.settings.server
        try:
            with accepting(loop, section.header_timeout):
                await super().startup(sockets)
        except PortTakenError as error:
            await self.lifespan.shutdown()
            if self._listener is not None:
                raise
            _log.error("not_listening", extra={"reason": str(error)})
            sys.exit(STARTUP_FAILURE)
        self._loop = loop
        if self._ready is not None and not self.should_exit:
            self._ready()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether it is time to end."""
        if self._parent is not None and os.getppid() != self._parent:
            self.stop()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End: the listening, the connections, the requests, the app."""
        self.lifecycle.enter("ending")
        _log.info("ending", extra={"requests": len(self.server_state.tasks)})
        await self._stop_listening(sockets or [])
        await self._finish()
        if not self.force_exit:
            await self.lifespan.shutdown()
        if self._leaves:
            leave_after(max(0.0, self.lifecycle.remaining()) + CLEAN_UP)

    async def _stop_listening(self, sockets: list[socket.socket]) -> None:
        if not self._in_a_hurry:
            # Of what workers share, the parent alone knows whether all of them end.
            if self._listener is not None:
                self._listener.refuse()
            await accept_the_rest(sockets)
        for server in self.servers:
            server.close()
        for listener in sockets:
            listener.close()

    async def _finish(self) -> None:
        """Wait for what is under way, at most for the rest of the grace."""
        connections, tasks = self.server_state.connections, self.server_state.tasks
        self._close(idle=self._in_a_hurry)
        loop = asyncio.get_running_loop()
        idle_until = loop.time() + self._served.hardened.settings.server.keep_alive
        left = 0
        while (connections or tasks) and not self.force_exit and self.lifecycle.remaining() > 0:
            left = len(tasks)
            if loop.time() >= idle_until or self._in_a_hurry:
                self._close(idle=True)
            await asyncio.sleep(TICK)
        if left and self.lifecycle.remaining() <= 0:
            # The layer has cancelled them in the same moment, where it is on.
            _log.warning("grace_over", extra={"requests": left})
        late = list(tasks)
        for task in late:
            # A second time would interrupt the cleaning up after the first, which may be a layer's.
            if not task.cancelling():
                task.cancel("the grace is over")
        for connection in list(connections):
            connection.shutdown()
        if late and not self.force_exit:
            await asyncio.wait(late, timeout=CLEAN_UP)

    def _close(self, *, idle: bool) -> None:
        """Have connections close with the reply under way, and those without one at once if `idle`."""
        told = "overload" in self._served.hardened.layers
        for connection in list(self.server_state.connections):
            cycle: Any = getattr(connection, "cycle", None)
            if not hasattr(connection, "cycle"):
                # A WebSocket; the layer ends it better, because it lets the handler do so.
                if not told:
                    connection.shutdown()
            elif idle or (cycle is not None and not cycle.response_complete):
                connection.shutdown()
