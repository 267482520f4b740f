"""One run of Locust, from the first user to the last delta."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import gevent
import locust
from gevent.event import Event
from locust.env import Environment
from locust.runners import LocalRunner
from locust.stats import RequestStats

from garrison_harness.load.driving.addresses import SourceAddresses
from garrison_harness.load.driving.loading import options_of, users_of
from garrison_harness.load.driving.models import ClosedLoad, Load, OpenLoad, Shape
from garrison_harness.load.driving.observing import observed
from garrison_harness.load.driving.open_files import MOST, allow_open_files, require_open_files
from garrison_harness.load.driving.recorder import Recorder
from garrison_harness.load.driving.resending import count_resends
from garrison_harness.load.driving.sampling import Sampler
from garrison_harness.load.driving.teller import Teller
from garrison_harness.load.watch.observed import MOST_CLIENTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from locust import User
    from locust.runners import Runner

    from garrison_harness.load.delta import Delta
    from garrison_harness.load.plan import Plan

FINISH_POLL = 0.005
"""How often to see whether the last requests have finished, in seconds."""


class Unkept(RequestStats):
    """Locust's own statistics, where nobody reads them: they cost as much as all that is kept here."""

    def log_request(self, *_event: object) -> None:
        """Keep nothing."""

    def log_error(self, *_event: object) -> None:
        """Keep nothing."""


class Run:
    """One run of Locust."""

    def __init__(self, plan: Plan, tell: Callable[[Delta], None]) -> None:
        """Prepare a run.

        Args:
            plan: What it does.
            tell: Takes each delta.
        """
        self._plan = plan
        self._recorder = Recorder(plan.expected)
        self._addresses: SourceAddresses | None = None
        if not plan.one_address and SourceAddresses.available(urlsplit(plan.base_url).hostname or ""):
            self._addresses = SourceAddresses(plan.index, plan.workers)
        self._connections = MOST
        self._sampler = None
        if plan.watching is not None:
            self._sampler = Sampler(plan.watching, clients=max(1, MOST_CLIENTS // plan.workers))
        self._teller = Teller(tell, self._recorder, addresses=self._addresses, sampler=self._sampler)
        self._over = Event()

    def run(self) -> None:
        """Make the load, and tell of it.

        Raises:
            LocustfileFault: The locustfile cannot be used.
            UsageFault: There are more users than this process may have connections.
        """
        environment = self.environment()
        load = self.load(environment)
        runner = environment.create_local_runner()
        events: Any = environment.events  # its hooks carry no types
        events.init.fire(environment=environment, runner=runner, web_ui=None)
        for number in (signal.SIGINT, signal.SIGTERM):
            gevent.signal_handler(number, self.stop, environment, load)
        self.follow(runner, load, load.start(runner))

    def load(self, environment: Environment) -> Load:
        """What starts the users, with everybody listening who has to.

        Args:
            environment: Locust's, with the classes of users.
        """
        load: Load = ClosedLoad(self._plan, self._recorder)
        if self._plan.model == "open":
            load = OpenLoad(self._plan, self._recorder, environment, connections=self._connections)
        events: Any = environment.events  # its hooks carry no types
        events.request.add_listener(self._recorder.on_request)
        if self._sampler is not None:
            events.request.add_listener(self._sampler.on_request)
        events.user_error.add_listener(self._recorder.on_user_error)
        count_resends(self._recorder)
        # A shape, or a task, may end the test before its time.
        events.test_stopping.add_listener(lambda **_event: self.close(load))
        return load

    def follow(self, runner: Runner, load: Load, began: float) -> None:
        """Tell of a run that has begun, until it is over.

        Args:
            runner: Runs the users.
            load: Starts them.
            began: When the run began, by `time.monotonic`.
        """
        self._teller.begin(runner, load.dispatcher, began)
        telling = gevent.spawn(self._teller.tell_regularly)
        self._over.wait(timeout=max(0.0, began + self._plan.duration - time.monotonic()))
        self.close(load)
        self._let_finish(runner.environment)
        self._teller.finish()
        # One that has a master is still to speak with it.
        runner.quit() if isinstance(runner, LocalRunner) else runner.stop()
        telling.kill()
        self._teller.tell("stopped" if self._recorder.stopped else "finished")

    def environment(self) -> Environment:
        """Locust's, with the classes of users and what shapes the load.

        Raises:
            LocustfileFault: The locustfile cannot be used.
            UsageFault: There are more users than this process may have connections.
        """
        self._connections = allow_open_files()
        if self._plan.role != "master" and self._plan.model == "closed":
            require_open_files(self._plan.share(self._plan.users), self._connections)
        found, shape = users_of(self._plan)
        if shape is None and self._plan.stages and self._plan.model == "closed":
            shape = Shape(self._plan)
        environment = Environment(
            user_classes=[self._observed(user) for user in found],
            shape_class=shape,
            events=locust.events,
            host=self._plan.base_url,
            stop_timeout=self._plan.grace,
            parsed_options=options_of(self._plan),
        )
        if self._plan.locustfile is None:
            environment.stats = Unkept()
        return environment

    def _observed(self, user: type[User]) -> type[User]:
        return observed(user, self._plan, self._recorder, addresses=self._addresses, sampler=self._sampler)

    def _let_finish(self, environment: Environment) -> None:
        # Locust blocks this process for tens of milliseconds when it stops, which would count as latency of
        # whatever is under way.
        deadline = time.monotonic() + environment.stop_timeout
        while self._recorder.under_way and not self._recorder.stopped and time.monotonic() < deadline:
            gevent.sleep(FINISH_POLL)
        left = 0.0 if self._recorder.stopped else deadline - time.monotonic()
        environment.stop_timeout = max(0.0, left)

    def close(self, load: Load) -> None:
        """Let no more requests start; those under way may finish."""
        if not self._recorder.closed:
            self._recorder.close()
            self._teller.close()
            load.close()
        self._over.set()

    def stop(self, environment: Environment, load: Load) -> None:
        """End the run at once."""
        self._recorder.stopped = True
        environment.stop_timeout = 0.0
        self.close(load)
