"""How users come to ask: in a loop each (closed model), or one by one on schedule (open model)."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING, Protocol

from locust import LoadTestShape

from garrison_harness.load.driving.crowd import Crowd, lanes_of
from garrison_harness.load.driving.dispatcher import Dispatcher, call_by_arrival
from garrison_harness.load.schedule import due_times, level_at, stages_of, users_at

if TYPE_CHECKING:
    from locust.env import Environment
    from locust.runners import Runner

    from garrison_harness.load.driving.recorder import Recorder
    from garrison_harness.load.plan import Plan


class Load(Protocol):
    """What makes the load of one model.

    Attributes:
        dispatcher: What hands out arrivals, None in the closed model.
    """

    dispatcher: Dispatcher | None

    def start(self, runner: Runner) -> float:
        """Start the users; returns when the run began, by `time.monotonic`."""

    def first_users(self) -> int:
        """How many users are to be there before the run begins."""

    def get_ready(self, runner: Runner) -> None:
        """Wait for those, whom somebody else starts."""

    def begin(self, moment: float) -> None:
        """Let the run begin at a moment, by `time.monotonic`."""

    def close(self) -> None:
        """Let no more requests start."""


class Shape(LoadTestShape):
    """A load shape of Locust's for the stages of a plan."""

    use_common_options = True

    def __init__(self, plan: Plan) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._plan = plan

    def tick(self) -> tuple[int, float]:
        """How many users there are to be now, all of them at once."""
        users = users_at(stages_of(self._plan), self.get_run_time())  # type: ignore[no-untyped-call]
        return users, max(1, self._plan.users)


class ClosedLoad:
    """Each user asks again when it has its reply."""

    dispatcher: Dispatcher | None = None

    def __init__(self, plan: Plan, recorder: Recorder) -> None:
        self._plan = plan
        self._recorder = recorder

    def start(self, runner: Runner) -> float:
        """Start the users, or the shape that does."""
        _settle()
        began = time.monotonic()
        if runner.environment.shape_class is not None:
            runner.start_shape()
        else:
            runner.start(self._plan.users, self._plan.spawn_rate)
        _watch_spawning(runner, self._recorder)
        return began

    def first_users(self) -> int:
        """None."""
        return 0

    def get_ready(self, _runner: Runner) -> None:
        """There is nobody to wait for."""
        _settle()

    def begin(self, _moment: float) -> None:
        """The users begin when they are started."""

    def close(self) -> None:
        """The recorder refuses what users begin from now on."""


class OpenLoad:
    """Arrivals come on schedule, and go to users that are free."""

    dispatcher: Dispatcher | None

    def __init__(self, plan: Plan, recorder: Recorder, environment: Environment, *, connections: int) -> None:
        self._recorder = recorder
        stages = stages_of(plan)
        self._first_rate = level_at(stages, 1.0) / plan.workers
        times = due_times(stages, first=plan.index, stride=plan.workers)
        self.dispatcher = Dispatcher(times, lanes_of(environment.user_classes, plan), recorder)
        most = max(1, plan.share(plan.max_users))
        self._crowd = Crowd(environment, self.dispatcher, most=most, connections=connections)
        call_by_arrival(self.dispatcher)

    def start(self, runner: Runner) -> float:
        """Start users, and the schedule once they are ready."""
        assert self.dispatcher is not None  # noqa: S101 - for the type checker
        first = self.first_users()
        runner.start(first, first)
        _watch_spawning(runner, self._recorder)
        self.get_ready(runner)
        # It may have been told to stop in the meantime.
        return time.monotonic() if self._recorder.closed else self.dispatcher.begin()

    def first_users(self) -> int:
        """As many as the first second needs."""
        return self._crowd.first(self._first_rate)

    def get_ready(self, runner: Runner) -> None:
        """Wait until they can take arrivals, and start more from then on wherever there are too few."""
        self._crowd.wait_until_ready(self._recorder)
        self._crowd.note_room()
        runner.greenlet.spawn(self._crowd.grow, runner)
        _settle()

    def begin(self, moment: float) -> None:
        """Let the schedule begin."""
        if self.dispatcher is not None and not self._recorder.closed:
            self.dispatcher.begin(moment)

    def close(self) -> None:
        """End the schedule: what nobody has begun is dropped."""
        assert self.dispatcher is not None  # noqa: S101 - for the type checker
        self.dispatcher.close()


def _watch_spawning(runner: Runner, recorder: Recorder) -> None:
    if runner.spawning_greenlet is not None:
        runner.spawning_greenlet.link_exception(recorder.on_spawn_failure)


def _settle() -> None:
    """Keep what was made so far out of every later collection of garbage, which would stop the arrivals."""
    gc.collect()
    gc.freeze()
