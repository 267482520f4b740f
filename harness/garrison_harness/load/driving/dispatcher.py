"""Hands arrivals to users that are free, on schedule, whatever the replies do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from gevent import get_hub, getcurrent
from gevent.event import Event
from locust import TaskSet
from locust.exception import StopUser
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING, LOCUST_STATE_WAITING

from garrison_harness.load.arrivals import LATE, Arrivals
from garrison_harness.load.driving.lane import Lane, next_lane
from garrison_harness.load.driving.ticker import Ticker

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from locust import User

    from garrison_harness.load.driving.recorder import Recorder

MOST_WAITING: Final = 100_000
"""Arrivals that may wait for a user; more than that no target works off, and each takes memory here."""


class Dispatcher:
    """The arrivals of the open model. One arrival is one task, by a user of the lane whose turn it is.

    Attributes:
        arrivals: What became of the arrivals since they were last taken.
        lanes: The users by class.
        short: Set when a lane has fewer free users than it should.
        full: No more users may be started, so that an arrival that waits does so for a reply.
    """

    def __init__(self, times: Iterator[float], lanes: Sequence[Lane], recorder: Recorder) -> None:
        """Prepare to hand out arrivals.

        Args:
            times: When they are due, in seconds since the beginning, in order.
            lanes: Who takes them.
            recorder: Learns how long each one waited.
        """
        self.arrivals = Arrivals()
        self.lanes = list(lanes)
        self.short = Event()
        self.full = False
        self._times = times
        self._recorder = recorder
        self._by_class = {lane.user_class: lane for lane in self.lanes}
        self._next: float | None = None
        self._ticker = Ticker(self._tick)

    def begin(self, moment: float | None = None) -> float:
        """Let the schedule begin, now unless told when; returns the moment, by `time.monotonic`."""
        self._origin = time.monotonic() if moment is None else moment
        self._advance()
        return self._origin

    def close(self) -> None:
        """Hand out nothing more: what waits by now, or was due by now, is dropped."""
        self._ticker.close()
        now = time.monotonic()
        while self._next is not None and self._next <= now:
            self.arrivals.due += 1
            self._drop(1)
            self._advance_silently()
        self._next = None
        for lane in self.lanes:
            self._drop(len(lane.backlog))
            lane.backlog.clear()

    def take_arrivals(self) -> Arrivals:
        """What became of arrivals since the last time."""
        taken, self.arrivals = self.arrivals, Arrivals()
        return taken

    def take(self, user: User) -> None:
        """Let a user wait until an arrival is its own."""
        lane = self._by_class[type(user)]
        fresh = user in lane.starting
        lane.starting.discard(user)
        if lane.backlog:
            due, starved = lane.backlog.popleft(), self.full
        else:
            due, starved = self._idle(lane, user, fresh=fresh), False
        waited = time.monotonic() - due
        if waited > LATE:
            self.arrivals.late += 1
            self.arrivals.starved += starved
        self._recorder.arrived(waited)

    def _idle(self, lane: Lane, user: User, *, fresh: bool) -> float:
        greenlet = getcurrent()
        lane.wait(greenlet, fresh=fresh)
        # Locust ends a user at once that waits, and lets one finish its task that runs.
        user._state = LOCUST_STATE_WAITING  # noqa: SLF001
        try:
            due: float = get_hub().switch()
        except BaseException:
            lane.leave(greenlet)
            raise
        user._state = LOCUST_STATE_RUNNING  # noqa: SLF001
        return due

    def _tick(self) -> None:
        # In the hub: a user that is switched to runs until it waits for something, and then this goes on.
        while self._next is not None and self._next <= time.monotonic():
            due = self._next
            self._advance_silently()
            self._hand_out(due)
        self._set()

    def _hand_out(self, due: float) -> None:
        self.arrivals.due += 1
        lane = next_lane(self.lanes)
        if (greenlet := lane.free()) is not None:
            greenlet.switch(due)
        elif len(lane.backlog) < MOST_WAITING:
            lane.backlog.append(due)
        else:
            self._drop(1)
        if lane.waiting < lane.reserve:
            self.short.set()

    def _drop(self, count: int) -> None:
        self.arrivals.dropped += count
        if self.full:
            self.arrivals.starved += count

    def _advance(self) -> None:
        self._advance_silently()
        self._set()

    def _advance_silently(self) -> None:
        following = next(self._times, None)
        self._next = None if following is None else self._origin + following

    def _set(self) -> None:
        if self._next is None:
            self._ticker.close()
        else:
            self._ticker.at(self._next)


def call_by_arrival(dispatcher: Dispatcher) -> None:
    """Let every task of every user of this process wait for an arrival, instead of for its wait time.

    Locust has no hook between choosing a task and running it, so the methods that do so are replaced.
    """
    execute = TaskSet.execute_next_task

    def execute_on_arrival(tasks: TaskSet) -> None:
        task = tasks._task_queue[0]  # noqa: SLF001
        # Entering a nested set of tasks is no task itself.
        if not (isinstance(task, type) and issubclass(task, TaskSet)):
            dispatcher.take(tasks.user)
        execute(tasks)  # type: ignore[no-untyped-call]

    def wait_for_nothing(tasks: TaskSet) -> None:
        if tasks.user._state == LOCUST_STATE_STOPPING:  # noqa: SLF001
            raise StopUser

    TaskSet.execute_next_task = execute_on_arrival  # type: ignore[method-assign]
    TaskSet.wait = wait_for_nothing  # type: ignore[method-assign]
