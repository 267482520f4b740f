"""Locust's master, with an inbox for what is not Locust's, and a door that can be closed."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from gevent.queue import Queue
from locust import runners
from locust.runners import STATE_MISSING, MasterRunner

from garrison_harness.load.driving import messages
from garrison_harness.load.driving.messages import message

if TYPE_CHECKING:
    from locust.env import Environment
    from locust.rpc import Message

_logger = logging.getLogger(__name__)


class Master(MasterRunner):
    """A master of Locust's.

    Attributes:
        inbox: What workers say beside Locust's messages: who, what kind, and what about.
        complete: All workers are there, so that nobody else is let in.
    """

    def __init__(self, environment: Environment, host: str, port: int, *, silence: int) -> None:
        """Wait for workers.

        Args:
            environment: Locust's.
            host: The address to wait at.
            port: The port; 0 for any.
            silence: Seconds without a sign of life after which a worker is missing.

        Raises:
            SystemExit: The port is taken.
        """
        self.inbox: Queue[tuple[str, str, Any]] = Queue()
        self.complete = False
        # Three in Locust, which a busy machine takes, and it ends the test once all are missing.
        runners.HEARTBEAT_LIVENESS = silence
        super().__init__(environment, host, port)
        self._keep_options(self.server)
        events: Any = environment.events  # its hooks carry no types
        events.worker_report.add_listener(self._take_report)

    @staticmethod
    def _keep_options(server: Any) -> None:
        """Send no options of a locustfile with Locust's orders: each worker reads them from its own."""
        send = server.send_to_client

        def send_without(order: Message) -> None:
            if order.type == "spawn":
                order.data["parsed_options"] = {}
            send(order)

        server.send_to_client = send_without

    @property
    def place(self) -> str:
        """Where workers find it."""
        return f"{self.master_bind_host}:{self.server.port}"

    def say(self, worker: str, kind: str, data: object = None) -> None:
        """Send a message.

        Args:
            worker: Whom to.
            kind: Its type.
            data: What it says.
        """
        send: Any = self.server.send_to_client  # it has no types
        send(message(kind, data, worker))

    def dismiss(self, worker: str, why: str) -> None:
        """Send a worker away, whom Locust must not count on either.

        Args:
            worker: Whom.
            why: One line, with the fix.
        """
        self.say(worker, messages.REFUSED, {"why": why})
        if worker in self.clients:
            del self.clients[worker]

    def stop(self, send_stop_to_client: bool = False) -> None:  # noqa: ARG002 - Locust's own
        """End the test here; workers end it themselves, and Locust's word for that would stop users twice."""
        super().stop(send_stop_to_client=False)

    def is_missing(self, worker: str) -> bool:
        """Whether a worker has not been heard of for seconds."""
        node = self.clients.get(worker)
        return node is not None and node.state == STATE_MISSING

    def client_listener(self) -> None:  # type: ignore[override]
        """Listen, whatever comes: what a stranger sends must not make this process deaf."""
        while True:
            try:
                super().client_listener()
            except Exception:
                _logger.exception("a message that is none was dropped")

    def handle_message(self, client_id: str, msg: Message) -> None:
        """Take a message: those of Garrison into the inbox, all others as Locust does."""
        if msg.type == messages.CLOCK:
            self.say(client_id, messages.CLOCK, {"at": time.monotonic()})
        elif msg.type.startswith(messages.PREFIX):
            self.inbox.put((client_id, msg.type, msg.data))
        elif msg.type == "client_ready" and self.complete and client_id not in self.clients:
            self.dismiss(client_id, f"the master at {self.place} has all the workers that it expects")
        else:
            super().handle_message(client_id, msg)

    def _take_report(self, *, client_id: str, data: dict[str, Any], **_event: object) -> None:
        if messages.REPORT in data:
            self.inbox.put((client_id, messages.REPORT, data[messages.REPORT]))
