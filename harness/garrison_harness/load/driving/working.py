"""One worker, from its introduction to the master until that has taken all that it saw."""

from __future__ import annotations

import os
import signal
import socket
import time
from argparse import Namespace
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import gevent
import locust
from locust.env import Environment
from locust.stats import RequestStats

from garrison_harness.load.delta import Delta
from garrison_harness.load.driving import messages
from garrison_harness.load.driving.clocks import QUESTIONS, Reading, ahead
from garrison_harness.load.driving.loading import LocustfileFault
from garrison_harness.load.driving.run import Run
from garrison_harness.load.driving.worker import MasterGoneError, RefusedError, StoppedError, Worker
from garrison_harness.load.plan import ASSEMBLY_TIME, Plan
from garrison_harness.load.stream import append, tell
from garrison_harness.target import UsageFault, parse_target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from garrison_harness.load.driving.messages import Hello
    from garrison_harness.load.driving.models import Load

_PATIENCE: Final = 5.0  # seconds for a master that is there to answer
_REACH: Final = 5.0  # seconds to open one connection to the target


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a worker stands.

    Attributes:
        address: Host and port of its master.
        max_wait: How long to look for it, in seconds.
        number: Which one it is of those that the master has started; -1 for one from elsewhere.
        token: What those know.
        locustfile: Its own, instead of the master's.
    """

    address: tuple[str, int]
    max_wait: float = ASSEMBLY_TIME
    number: int = -1
    token: str = ""
    locustfile: str | None = None


def work(place: Place, stream: Path) -> None:
    """Do what the master says.

    Args:
        place: Where it is.
        stream: Where this worker tells what it saw itself, and how it ended.
    """
    shift = _Shift(place, stream)
    for number in (signal.SIGINT, signal.SIGTERM):
        gevent.signal_handler(number, shift.stop)
    try:
        shift.work()
    except (RefusedError, LocustfileFault, UsageFault) as fault:
        tell(stream, Delta(ended="refused", fault=str(fault)))
    except MasterGoneError as gone:
        # Before there was a plan, nothing has been lost yet.
        tell(stream, Delta(ended="lost" if shift.planned else "refused", fault=str(gone)))
    finally:
        shift.leave()


class _Shift:
    """The work of one worker.

    Attributes:
        planned: Whether it has a plan.
    """

    def __init__(self, place: Place, stream: Path) -> None:
        self.planned = False
        self._place = place
        self._stream = stream
        self._environment = Environment(events=locust.events)
        self._environment.stats = RequestStats(use_response_times_cache=False)
        self._worker: Worker | None = None
        self._gone = False
        self._began = 0.0
        self._lines: list[str] = []
        self._told = 0

    def work(self) -> None:
        """All of it.

        Raises:
            LocustfileFault: The locustfile cannot be used here.
            MasterGoneError: The master is not there, or not any more.
            RefusedError: The master has no use for this worker.
            UsageFault: The target is not to be reached from here.
        """
        worker = Worker(self._environment, self._place.address, self._place.max_wait)
        self._environment.runner = self._worker = worker
        events: Any = self._environment.events  # its hooks carry no types
        events.report_to_master.add_listener(self._report)
        try:
            self._serve(worker)
        except StoppedError:
            self._tell(Delta(ended="stopped"))
        if self._gone:
            worker.check_master()
        worker.expect(messages.TAKEN, within=_PATIENCE)

    def _serve(self, worker: Worker) -> None:
        self._introduce(worker)
        _, told = worker.expect(messages.PLAN)
        self.planned = True
        try:
            plan = self._adopt(Plan.from_text(told["plan"]), told["locustfile"])
            run = Run(plan, self._tell)
            load = self._prepare(run, worker)
        except (LocustfileFault, UsageFault) as fault:
            worker.send_message(messages.FAULT, {"why": str(fault)})
            worker.expect(messages.TAKEN, within=_PATIENCE)
            raise
        clock_ahead = _ask_time(worker)
        classes = sorted(self._environment.user_classes_by_name)
        worker.send_message(messages.READY, {"first_users": load.first_users(), "classes": classes})
        load.get_ready(worker)
        worker.send_message(messages.PEOPLED)
        _, told = worker.expect(messages.BEGIN)
        self._began = told["at"]
        began = self._began - clock_ahead
        load.begin(began)
        gevent.sleep(max(0.0, began - time.monotonic()))
        watching = gevent.spawn(worker.watch_master, self._lose)
        run.follow(worker, load, began)
        watching.kill()

    def _introduce(self, worker: Worker) -> None:
        hello: Hello = {
            "speech": messages.SPEECH,
            "host": socket.gethostname(),
            "number": self._place.number,
            "token": self._place.token,
            "locustfile": self._place.locustfile is not None,
        }
        worker.send_message(messages.HELLO, {**hello})
        worker.expect(messages.WELCOME, within=_PATIENCE)

    def _adopt(self, plan: Plan, source: Mapping[str, str] | None) -> Plan:
        """The plan as it is done here.

        Raises:
            UsageFault: It would lead to another machine, or to nobody.
        """
        try:
            parse_target([plan.base_url])
        except UsageFault as fault:
            raise UsageFault(f"a worker drives its own machine only, and {fault}") from fault
        _reach(plan.base_url)
        if self._place.locustfile is not None:
            return replace(plan, locustfile=self._place.locustfile)
        if source is None:
            return plan
        # The name decides what its users' modules are called, and nothing else.
        path = self._stream.with_name(Path(source["name"]).name)
        path.write_text(source["source"], encoding="utf-8")
        return replace(plan, locustfile=str(path))

    def _prepare(self, run: Run, worker: Worker) -> Load:
        prepared, environment = run.environment(), self._environment
        environment.user_classes = prepared.user_classes
        environment.host, environment.stop_timeout = prepared.host, prepared.stop_timeout
        # Without any, Locust would read those of a locust.conf in the current directory.
        environment.parsed_options = prepared.parsed_options or Namespace(headless=False)
        if type(prepared.stats) is not RequestStats:
            environment.stats = prepared.stats
        load = run.load(environment)
        events: Any = environment.events  # its hooks carry no types
        events.init.fire(environment=environment, runner=worker, web_ui=None)

        def hear(kind: str) -> None:
            if kind == messages.STOP:
                run.stop(environment, load)
            elif kind == messages.CLOSE:
                run.close(load)

        worker.on_message = hear
        return load

    def _tell(self, delta: Delta) -> None:
        delta.began = self._began
        line = delta.to_line()
        append(self._stream, line)
        self._lines.append(line)
        if self._worker is not None:
            self._worker._send_stats()  # noqa: SLF001 - Locust's report, and not only every three seconds

    def _report(self, *, data: dict[str, Any], **_event: object) -> None:
        if self._lines:
            data[messages.REPORT] = [self._told, self._lines]
            self._told += len(self._lines)
            self._lines = []

    def stop(self) -> None:
        """End at once, and tell what was seen until now."""
        if self._worker is None:
            tell(self._stream, Delta(ended="stopped"))
            os._exit(0)
        self._worker.handle_message(messages.message(messages.STOP, None, ""))

    def _lose(self) -> None:
        self._gone = True
        self.stop()

    def leave(self) -> None:
        """Wait for nobody: what was not taken by now never will be."""
        if self._worker is not None:
            client: Any = self._worker.client  # it has no types
            client.close(linger=0)


def _ask_time(worker: Worker) -> float:
    readings = []
    for _ in range(QUESTIONS):
        asked = time.monotonic()
        worker.send_message(messages.CLOCK)
        heard, told = worker.expect(messages.CLOCK, within=_PATIENCE)
        readings.append(Reading(asked=asked, told=told["at"], heard=heard))
    return ahead(readings)


def _reach(url: str) -> None:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=_REACH).close()
    except OSError as error:
        raise UsageFault(
            f"nothing answers at {url} on this machine: forward that port to the target, or start it here too"
        ) from error
