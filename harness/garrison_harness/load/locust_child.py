"""The process that makes the load: `python -m garrison_harness.load.locust_child PLAN REPORT`.

Locust patches the standard library for gevent, so it has a process of its own.
"""

from __future__ import annotations

import signal
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

# It patches when it is imported, and what imports ssl has to come after that.
import locust  # isort: skip
import gevent
from gevent.event import Event
from locust.env import Environment
from locust.util.load_locustfile import load_locustfile

from garrison_harness.load.plan import Ended, Plan, Report
from garrison_harness.load.recorder import Recorder, describe
from garrison_harness.load.tally import Tally
from garrison_harness.load.users import SourceAddresses, observed, path_user

if TYPE_CHECKING:
    from locust import LoadTestShape, User

REPORT_INTERVAL = 1.0
"""How often an interim report is written, in seconds, for the case that this process is killed."""


FINISH_POLL = 0.005
"""How often to see whether the last requests have finished, in seconds."""


class LocustfileFault(Exception):  # noqa: N818 - the fault is in the file, not in the run
    """The locustfile cannot be used; the text is one line with the fix."""


class Run:
    """One run of Locust, from the first user to the report."""

    def __init__(self, plan: Plan, report: Path) -> None:
        self._plan = plan
        self._report = report
        self._recorder = Recorder(plan.expected)
        self._addresses: SourceAddresses | None = None
        if not plan.one_address and SourceAddresses.available(urlsplit(plan.base_url).hostname or ""):
            self._addresses = SourceAddresses()
        self._over = Event()
        self._started = self._closed = time.perf_counter()
        self._cpu = time.process_time()

    def run(self) -> None:
        """Make the load and write the report."""
        users, shapes = _load(self._plan)
        users = [observed(user, self._recorder, self._addresses) for user in users]
        events: Any = locust.events  # its hooks carry no types
        environment = Environment(
            user_classes=users,
            shape_class=shapes[0] if shapes else None,
            events=events,
            host=self._plan.base_url,
            stop_timeout=self._plan.grace,
        )
        events.request.add_listener(self._recorder.on_request)
        events.user_error.add_listener(self._recorder.on_user_error)
        # A shape, or a task, may end the test before its time.
        events.test_stopping.add_listener(lambda **_event: self._close())
        runner = environment.create_local_runner()
        events.init.fire(environment=environment, runner=runner, web_ui=None)
        for number in (signal.SIGINT, signal.SIGTERM):
            gevent.signal_handler(number, self._stop, environment)
        self._started, self._cpu = time.perf_counter(), time.process_time()
        reporting = gevent.spawn(self._report_regularly)
        if shapes:
            runner.start_shape()
        else:
            runner.start(self._plan.users, self._plan.spawn_rate)
        if runner.spawning_greenlet is not None:
            runner.spawning_greenlet.link_exception(self._recorder.on_spawn_failure)
        self._over.wait(timeout=self._plan.duration)
        self._close()
        self._let_finish(environment)
        runner.quit()
        reporting.kill()
        self._write("stopped" if self._recorder.stopped else "finished")

    def _let_finish(self, environment: Environment) -> None:
        # Locust blocks this process for tens of milliseconds when it stops, which would count as latency of
        # whatever is under way.
        deadline = time.perf_counter() + environment.stop_timeout
        while self._recorder.under_way and not self._recorder.stopped and time.perf_counter() < deadline:
            gevent.sleep(FINISH_POLL)
        left = 0.0 if self._recorder.stopped else deadline - time.perf_counter()
        environment.stop_timeout = max(0.0, left)

    def _close(self) -> None:
        if not self._recorder.closed:
            self._recorder.closed = True
            self._closed = time.perf_counter()
        self._over.set()

    def _stop(self, environment: Environment) -> None:
        self._recorder.stopped = True
        environment.stop_timeout = 0.0
        self._close()

    def _report_regularly(self) -> None:
        while True:
            gevent.sleep(REPORT_INTERVAL)
            self._write("running")

    def _write(self, ended: Ended) -> None:
        until = self._closed if self._recorder.closed else time.perf_counter()
        Report(
            ended=ended,
            duration=max(until, self._recorder.last) - self._started,
            cpu=time.process_time() - self._cpu,
            addresses=self._addresses.given if self._addresses else 0,
            tally=self._recorder.tally,
        ).write(self._report)


def _load(plan: Plan) -> tuple[list[type[User]], list[LoadTestShape]]:
    if plan.locustfile is None:
        return [path_user(plan)], []
    try:
        found, shapes = load_locustfile(plan.locustfile)
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        raise LocustfileFault(
            f"{plan.locustfile} did not import: {_where(error, plan.locustfile)}; mend it, and try it with"
            f" locust -f {plan.locustfile} --list"
        ) from error
    if not found:
        raise LocustfileFault(
            f"{plan.locustfile} has no user: define a class derived from FastHttpUser or HttpUser,"
            " with a @task"
        )
    if taskless := [name for name, user in found.items() if not user.tasks]:
        raise LocustfileFault(
            f"{plan.locustfile}: {taskless[0]} has no @task: give it one, or abstract = True"
        )
    return list(found.values()), shapes


def _where(error: BaseException, path: str) -> str:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return describe(error) + (f" (line {lines[-1]})" if lines else "")


def main(plan: str, report: str) -> None:
    """Run the plan of one file and report into the other."""
    try:
        Run(Plan.read(Path(plan)), Path(report)).run()
    except LocustfileFault as fault:
        Report(ended="locustfile", fault=str(fault), tally=Tally()).write(Path(report))


if __name__ == "__main__":
    main(*sys.argv[1:])
