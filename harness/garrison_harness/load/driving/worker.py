"""Locust's worker, that takes a plan from its master and notices when that is gone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import gevent
import zmq.green as zmq
from gevent.queue import Empty, Queue
from locust import __version__ as locust_version
from locust.runners import WorkerRunner
from zmq.utils.monitor import recv_monitor_message

from garrison_harness.load.driving.messages import PREFIX, REFUSED, STOP, TAKEN, message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from locust.env import Environment
    from locust.rpc import Message

SILENCE: Final = 10.0
"""Seconds without a sign of life after which a master is gone: its machine, or the way to it."""

GONE: Final = 1.0
"""Seconds after which a connection that was closed is not opened again."""

_LOOK: Final = 0.1  # seconds
_QUIT: Final = "quit"


class MasterGoneError(Exception):
    """There is no master, or none any more; the text says which, one line."""


class RefusedError(Exception):
    """The master has no use for this worker; the text is one line with the fix."""


class StoppedError(Exception):
    """This worker was told to stop before the load began."""


class Worker(WorkerRunner):
    """A worker of Locust's, with an inbox for what is not Locust's.

    Attributes:
        on_message: Hears at once of each message that goes into the inbox.
    """

    def __init__(self, environment: Environment, address: tuple[str, int], max_wait: float) -> None:
        """Find the master.

        Args:
            environment: Locust's.
            address: Host and port of the master.
            max_wait: How long to look for it, in seconds.

        Raises:
            MasterGoneError: Nobody is there.
            RefusedError: It has workers enough.
        """
        self.on_message: Callable[[str], None] = lambda _type: None
        self._inbox: Queue[tuple[float, Message]] = Queue()
        self._max_wait = max_wait
        self._closed_at: float | None = None
        super().__init__(environment, *address)

    @property
    def place(self) -> str:
        """Where the master is."""
        return f"{self.master_host}:{self.master_port}"

    def connect_to_master(self) -> None:
        """Introduce this worker as Locust does, and wait for the reply."""
        events = zmq.EVENT_CONNECTED | zmq.EVENT_DISCONNECTED
        self.greenlet.spawn(self._watch_connection, self.client.socket.get_monitor_socket(events))
        self.client.send(message("client_ready", locust_version, self.client_id))
        if not self.connection_event.wait(timeout=self._max_wait):
            raise MasterGoneError(
                f"no master at {self.place} within {self._max_wait:g} s: start garrison load --master there,"
                " or say where it is with --master-host and --master-port"
            )
        self.connected = True

    def _watch_connection(self, monitor: Any) -> None:
        while True:
            event = recv_monitor_message(monitor)["event"]
            self._closed_at = time.monotonic() if event == zmq.EVENT_DISCONNECTED else None

    def handle_message(self, msg: Message) -> None:
        """Take a message: those of Garrison into the inbox, all others as Locust does."""
        if msg.type.startswith(PREFIX) or msg.type == _QUIT:
            self._inbox.put((time.monotonic(), msg))
            self.on_message(msg.type)
            if msg.type in {REFUSED, _QUIT}:
                self.connection_event.set()
            return
        super().handle_message(msg)

    def expect(self, wanted: str, *, within: float | None = None) -> tuple[float, Mapping[str, Any]]:
        """Wait for a message; returns when it came, and what it says.

        Args:
            wanted: The type of the message.
            within: Seconds; as long as the master lives unless given.

        Raises:
            MasterGoneError: The master is gone, or says nothing of the kind.
            RefusedError: It refuses this worker.
            StoppedError: This worker is to stop instead.
        """
        deadline = None if within is None else time.monotonic() + within
        while True:
            try:
                came, said = self._inbox.get(timeout=_LOOK)
            except Empty:
                self.check_master()
                if deadline is not None and time.monotonic() > deadline:
                    raise MasterGoneError(f"{self.place} is no master of garrison load") from None
                continue
            if said.type == REFUSED:
                raise RefusedError(said.data["why"])
            if said.type == wanted:
                return came, said.data or {}
            if said.type == STOP and wanted != TAKEN:
                raise StoppedError
            if said.type == _QUIT:
                raise MasterGoneError(f"the master at {self.place} sent this worker away")

    def check_master(self) -> None:
        """Go on, unless the master is gone.

        Raises:
            MasterGoneError: It is.
        """
        if self._closed_at is not None and time.monotonic() - self._closed_at > GONE:
            raise MasterGoneError(f"the master at {self.place} is gone")
        # Locust notes this, by the clock on the wall.
        heard = self.last_heartbeat_timestamp
        if heard is not None and time.time() - heard > SILENCE:
            raise MasterGoneError(f"nothing was heard of the master at {self.place} for {SILENCE:g} s")

    def watch_master(self, on_gone: Callable[[], None]) -> None:
        """Look whether the master is there, until the greenlet that this runs in is killed.

        Args:
            on_gone: Called once it is not.
        """
        while True:
            gevent.sleep(_LOOK)
            try:
                self.check_master()
            except MasterGoneError:
                on_gone()
                return
