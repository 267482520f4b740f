"""Several processes that serve the same sockets, and the one that keeps them alive and stops them."""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.multiprocess import Process

from garrison.server.stopping import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import uvicorn

    from garrison.server.listening import Listener

# How often workers are looked at; one that hangs is replaced once uvicorn's health check gives up on it.
TICK: Final = 0.5

# How long the replacement of a worker may take to start before the old one is kept.
SLOWEST_START: Final = 60.0

# Seconds until a worker that could not start is tried again, at most; the first time it is one.
LONGEST_PAUSE: Final = 30.0

HANDLED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)

_log = logging.getLogger("garrison")


class Worker(Process):
    """One process that serves.

    Args:
        config: of uvicorn, whose app is a `Loader`.
        sockets: what it accepts from.

    Attributes:
        has_started: whether it was seen to serve.
    """

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket]) -> None:
        self._parent = os.getpid()
        self._answered = False
        self._asked: float | None = None
        self.has_started = False
        super().__init__(config, sockets)

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve; what the worker process calls.

        Args:
            sockets: what it accepts from.
        """
        # Before the thread that answers the parent starts, which would make a second one.
        self._server = Server(self.config, parent=self._parent, leaves=True)
        super().target(sockets)

    def is_alive(self, timeout: float = 5) -> bool:
        """Whether it runs and, once it has answered for the first time, answers.

        Nobody waits here: an answer is looked for the next time. Signals come while a worker hangs, too.

        Args:
            timeout: seconds that it has for an answer.
        """
        if not self.process.is_alive():
            return False
        now = time.monotonic()
        with suppress(OSError, EOFError):  # it is ending, which shows the next time
            if self._asked is None:
                self.parent_conn.send(b"ping")
                self._asked = now
            if self.parent_conn.poll():
                self.has_started = bool(self.parent_conn.recv()) or self.has_started
                self._answered, self._asked = True, None
        # Importing can take longer than any answer should.
        return not self._answered or self._asked is None or now - self._asked < timeout

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, unless it is gone.

        Args:
            number: of the signal.
        """
        with suppress(ProcessLookupError):
            if self.pid is not None and self.process.is_alive():
                os.kill(self.pid, number)


class Workers:
    """Starts the workers, replaces those that die, and stops them all.

    SIGTERM stops with the drain delay, SIGINT and SIGQUIT without it; SIGHUP replaces the workers one by one.

    Args:
        config: of uvicorn, for the workers.
        listener: shared by all workers.
        drain_delay: seconds for which work goes on once they are told to stop.
        ready: called when the first worker serves.

    Attributes:
        failed: whether no worker serves, and one could not start.
    """

    def __init__(
        self, config: uvicorn.Config, listener: Listener, drain_delay: float, ready: Callable[[], None]
    ) -> None:
        self.failed = False
        self._ready: Callable[[], None] | None = ready
        self._config = config
        self._listener = listener
        self._drain_delay = drain_delay
        self._signals: list[signal.Signals] = []
        self._workers: list[Worker] = []
        self._retired: list[Worker] = []
        # By their places: how often in a row no worker could start there, and when the next one may.
        self._failures: dict[int, int] = {}
        self._due: dict[int, float] = {}

    def run(self) -> None:
        """Serve until told to stop, or until a worker cannot start."""
        with self._signals_wake_up() as woken:
            for _ in range(self._config.workers):
                if not self._signals:
                    self._workers.append(self._started())
            order = signal.SIGTERM
            while not self.failed:
                self._wait(woken, TICK if self._ready is None else TICK / 10)
                if (told := self._told()) is not None:
                    order = told
                    break
                self._keep_alive()
            self._stop(order, woken)

    def _started(self) -> Worker:
        worker = Worker(self._config, [self._listener.socket])
        worker.start()
        return worker

    def _keep_alive(self) -> None:
        self._retired = [worker for worker in self._retired if worker.process.is_alive()]
        for place, worker in enumerate(self._workers):
            if place in self._due:
                if time.monotonic() >= self._due[place]:
                    del self._due[place]
                    self._workers[place] = self._started()
            elif not worker.is_alive(timeout=self._config.timeout_worker_healthcheck):
                worker.kill()
                worker.process.join()
                self._replace(place, worker)
            elif worker.has_started:
                self._failures.pop(place, None)
        if self._ready is not None and any(worker.has_started for worker in self._workers):
            self._ready()
            self._ready = None

    def _replace(self, place: int, dead: Worker) -> None:
        """Start another; after one that could not, a little later, as long as somebody serves meanwhile."""
        code = dead.exitcode or 0
        if dead.has_started or code != STARTUP_FAILURE:
            _log.error("worker_died", extra={"process.pid": dead.pid, "exit_code": code})
        if dead.has_started:
            self._workers[place] = self._started()
            return
        # Whether a worker that is there has started is known at its next answer only.
        serves = self._ready is None and any(worker.process.is_alive() for worker in self._workers)
        if code > 0 and not serves:
            # Its program, its app, its certificate or its settings would fail each time.
            self.failed = True
            return
        failures = self._failures[place] = self._failures.get(place, 0) + 1
        seconds = min(LONGEST_PAUSE, 2.0 ** (failures - 1))
        self._due[place] = time.monotonic() + seconds
        _log.error("worker_not_started", extra={"exit_code": code, "retry_seconds": seconds})

    def _told(self) -> signal.Signals | None:
        """The signal to stop, if one came; workers are replaced here if that was asked for."""
        while self._signals:
            number = self._signals.pop(0)
            if number != signal.SIGHUP:
                return number
            self._replace_all()
        return None

    def _replace_all(self) -> None:
        for place, old in enumerate(self._workers):
            new = self._started()
            deadline = time.monotonic() + SLOWEST_START
            while not new.is_ready(timeout=1):
                if self._signals or not new.process.is_alive() or time.monotonic() > deadline:
                    new.kill()
                    new.process.join()
                    _log.error("worker_not_replaced", extra={"process.pid": old.pid})
                    return
                time.sleep(0.1)
            old.send(signal.SIGHUP)
            self._retired.append(old)
            self._workers[place] = new
            self._due.pop(place, None)

    def _stop(self, order: signal.Signals, woken: socket.socket) -> None:
        everyone = [*self._workers, *self._retired]
        for worker in everyone:
            # Of what a terminal sends to a whole group a worker would have two; SIGQUIT counts once.
            worker.send(signal.SIGQUIT if order == signal.SIGINT else order)
        close_at = time.monotonic() + (self._drain_delay if order == signal.SIGTERM else 0.0)
        is_open = True
        while any(worker.process.is_alive() for worker in everyone):
            rest = close_at - time.monotonic()
            if rest <= 0 and is_open:
                # The workers accept what waits. Ours must close too, or the queue would outlive them.
                self._listener.close()
                is_open = False
            self._wait(woken, min(TICK, rest) if rest > 0 else TICK / 5)
            for number in self._signals:
                if number == signal.SIGINT or (order == signal.SIGTERM and number == signal.SIGQUIT):
                    order = number
                    close_at = 0.0
                    for worker in everyone:
                        worker.send(number)
            self._signals.clear()
        for worker in everyone:
            worker.process.join()

    @contextmanager
    def _signals_wake_up(self) -> Iterator[socket.socket]:
        """Note the signals that come, and have each of them end a wait.

        Yields:
            What a wait has to look at beside its time.
        """
        reader, writer = socket.socketpair()
        reader.setblocking(False)  # noqa: FBT003 - its only argument
        writer.setblocking(False)  # noqa: FBT003 - its only argument
        before = {
            number: signal.signal(number, lambda number, _: self._signals.append(signal.Signals(number)))
            for number in HANDLED
        }
        descriptor = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            yield reader
        finally:
            signal.set_wakeup_fd(descriptor)
            for number, handler in before.items():
                signal.signal(number, handler)
            reader.close()
            writer.close()

    @staticmethod
    def _wait(woken: socket.socket, seconds: float) -> None:
        if select.select([woken], [], [], seconds)[0]:
            with suppress(BlockingIOError):
                woken.recv(4096)
