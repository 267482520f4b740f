"""Tells the parent once a second what happened."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import gevent

from garrison_harness.load.arrivals import Arrivals
from garrison_harness.load.delta import Delta
from garrison_harness.load.machine import waited_for_cpu
from garrison_harness.load.watch.observed import Observed

if TYPE_CHECKING:
    from collections.abc import Callable

    from locust.runners import Runner

    from garrison_harness.load.delta import Ended
    from garrison_harness.load.driving.addresses import SourceAddresses
    from garrison_harness.load.driving.dispatcher import Dispatcher
    from garrison_harness.load.driving.recorder import Recorder
    from garrison_harness.load.driving.sampling import Sampler

DELTA_INTERVAL = 1.0
"""How often a delta is told, in seconds: so much is lost at most if this process is killed."""


class Teller:
    """Makes the deltas of one run.

    Attributes:
        began: When the run began, by `time.monotonic`.
    """

    def __init__(
        self,
        tell: Callable[[Delta], None],
        recorder: Recorder,
        *,
        addresses: SourceAddresses | None,
        sampler: Sampler | None,
    ) -> None:
        """Prepare to tell.

        Args:
            tell: Takes each delta.
            recorder: Knows what became of requests.
            addresses: Knows how many source addresses there are.
            sampler: Knows what was seen of the replies.
        """
        self.began = time.monotonic()
        self._tell = tell
        self._recorder = recorder
        self._addresses = addresses
        self._sampler = sampler
        self._dispatcher: Dispatcher | None = None
        self._runner: Runner | None = None
        self._users: int | None = None
        self._spent: tuple[float, float] | None = None
        self._at = 0.0
        self._cpu, self._waited = time.process_time(), waited_for_cpu()

    def begin(self, runner: Runner, dispatcher: Dispatcher | None, began: float) -> None:
        """Count time from `began` on."""
        self._runner, self._dispatcher, self.began = runner, dispatcher, began
        self._cpu, self._waited = time.process_time(), waited_for_cpu()
        if self._sampler is not None:
            self._sampler.begin()

    def close(self) -> None:
        """Keep the number of users: from now on they go, and that is no part of the load."""
        self._users = self._runner.user_count if self._runner else 0

    def finish(self) -> None:
        """Keep the CPU time: what is spent from now on, on ending users, is no part of the load."""
        self._spent = time.process_time(), waited_for_cpu()

    def tell_regularly(self) -> None:
        """Tell at every full second, until the greenlet that this runs in is killed."""
        due = self.began
        while True:
            due += DELTA_INTERVAL
            gevent.sleep(max(0.0, due - time.monotonic()))
            self.tell("running")

    def tell(self, ended: Ended) -> None:
        """Tell what happened since the last time."""
        until = time.monotonic()
        # What nobody waits for any more is no part of the run.
        if self._recorder.closed_at is not None:
            until = max(self._recorder.closed_at, self._recorder.last)
        at = max(self._at, until - self.began)
        cpu, waited = self._spent or (time.process_time(), waited_for_cpu())
        names, tags = self._recorder.take()
        samples, observed = self._sampler.take() if self._sampler else ([], Observed())
        delta = Delta(
            ended=ended,
            began=self.began,
            at=at,
            width=at - self._at,
            users=self._users if self._users is not None else self._runner.user_count if self._runner else 0,
            cpu=cpu - self._cpu,
            waited=waited - self._waited,
            addresses=self._addresses.given if self._addresses else 0,
            arrivals=self._dispatcher.take_arrivals() if self._dispatcher else Arrivals(),
            names=names,
            tags=tags,
            samples=samples,
            observed=observed,
        )
        self._at, self._cpu, self._waited = at, cpu, waited
        self._tell(delta)
