"""Starts users of the open model ahead of the arrivals that will need them."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, ClassVar, Final

import gevent

from garrison_harness.load.driving.lane import Lane
from garrison_harness.load.schedule import stages_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gevent import Greenlet
    from gevent.pool import Group
    from locust import User
    from locust.env import Environment
    from locust.runners import Runner

    from garrison_harness.load.driving.dispatcher import Dispatcher
    from garrison_harness.load.driving.recorder import Recorder
    from garrison_harness.load.plan import Plan

AHEAD: Final = 0.1
"""Seconds of arrivals that there are users for at the beginning: replies that take longer need more."""

RESERVE: Final = 0.01
"""Seconds of arrivals that there are free users for at any time; starting one takes a fraction of this."""

_NEW_EVERY: Final = 4
_NEW_PER_SECOND: Final = 150
"""Somebody new has one in so many arrivals, so that a target soon sees many clients; but not more of them a
second than take a tenth of a processor, because each opens a connection."""

_STRETCH: Final = 0.001  # seconds of starting users, after which the arrivals have their turn
_FULL_PAUSE: Final = 0.1  # seconds until somebody may have left
_READY_POLL: Final = 0.005  # seconds
_READY_PATIENCE: Final = 10.0  # seconds for the `on_start` of the first users


class ByArrival:
    """A mixin for users that are counted in their lane."""

    lane: ClassVar[Lane]
    recorder: ClassVar[Recorder]

    def start(self, group: Group) -> Greenlet[..., object]:
        """Start the user."""
        user: Any = self
        lane = self.lane
        lane.entered(user)
        greenlet: Greenlet[..., object] = super().start(group)  # type: ignore[misc]  # of User

        def left(greenlet: Greenlet[..., object]) -> None:
            lane.left(user)
            self.recorder.left(greenlet)

        greenlet.rawlink(left)
        return greenlet


def lanes_of(user_classes: Sequence[type[User]], plan: Plan) -> list[Lane]:
    """A lane for each class of users, which the class has as `lane` from then on.

    Args:
        user_classes: What `observed` made.
        plan: Says how many arrivals there are, and how many load processes share them.
    """
    rate = max(stage.level for stage in stages_of(plan)) / plan.workers
    total = sum(user.weight for user in user_classes)
    lanes = []
    for user in user_classes:
        share = rate * user.weight / total
        lane = Lane(
            user_class=user,
            weight=user.weight,
            new_every=max(_NEW_EVERY, math.ceil(share / _NEW_PER_SECOND)),
            most=max(1, plan.share(user.fixed_count)) if user.fixed_count else None,
            reserve=2 + math.ceil(share * RESERVE),
        )
        user.lane = lane  # type: ignore[attr-defined]
        lanes.append(lane)
    return lanes


class Crowd:
    """The users of all lanes."""

    def __init__(
        self, environment: Environment, dispatcher: Dispatcher, *, most: int, connections: int
    ) -> None:
        """Prepare to start users.

        Args:
            environment: Locust's.
            dispatcher: What hands them arrivals.
            most: Users that there may be.
            connections: Users that can have one. Where these are fewer, arrivals that find nobody are late
                by the generator's doing, and not the target's.
        """
        self._environment = environment
        self._dispatcher = dispatcher
        self._most = most
        self._connections = connections

    def first(self, rate: float) -> int:
        """How many users to start with, for that many arrivals per second at first."""
        reserve = sum(lane.reserve for lane in self._dispatcher.lanes)
        return min(self._most, self._connections, reserve + math.ceil(rate * AHEAD))

    def wait_until_ready(self, recorder: Recorder) -> None:
        """Wait until all users that were started are free, have failed, or have had time enough."""
        deadline = time.monotonic() + _READY_PATIENCE
        while not recorder.closed and time.monotonic() < deadline:
            lanes = self._dispatcher.lanes
            if any(lane.alive or lane.failed for lane in lanes) and not any(lane.starting for lane in lanes):
                return
            gevent.sleep(_READY_POLL)

    def note_room(self) -> None:
        """Tell the dispatcher whether more users may be started."""
        self._dispatcher.full = self._there() >= self._most

    def grow(self, runner: Runner) -> None:
        """Start users wherever there are too few, until the greenlet that this runs in is killed."""
        while True:
            self._dispatcher.short.wait()
            self._dispatcher.short.clear()
            while (lane := self._neediest()) is not None:
                until = time.monotonic() + _STRETCH
                while lane.wanted() and self._may_start() and time.monotonic() < until:
                    lane.user_class(self._environment).start(runner.user_greenlets)
                gevent.sleep(_STRETCH)
            self.note_room()
            if not self._may_start():
                gevent.sleep(_FULL_PAUSE)

    def _neediest(self) -> Lane | None:
        lane = max(self._dispatcher.lanes, key=Lane.wanted)
        return lane if lane.wanted() and self._may_start() else None

    def _may_start(self) -> bool:
        return self._there() < min(self._most, self._connections)

    def _there(self) -> int:
        # One that cannot start is not tried for ever.
        return sum(lane.alive + lane.failed for lane in self._dispatcher.lanes)
