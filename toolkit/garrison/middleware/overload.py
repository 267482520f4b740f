"""Sheds load before the app collapses, and ends what is under way when the process ends."""

from __future__ import annotations

from asyncio import get_running_loop
from dataclasses import dataclass
from random import random as random_number
from time import monotonic
from typing import TYPE_CHECKING, Final, Literal

from garrison.context import enter
from garrison.draining import RETRY, TOO_LATE, Drain
from garrison.events import event_log
from garrison.lifecycle import Lifecycle
from garrison.problems import REDUCED_CAPACITY, reject
from garrison.problems import Problem as Reply
from garrison.rules import NotationError, parse_paths, routed_path
from garrison.settings import Problem, SettingsError, validate
from garrison.shedding.gate import Gate
from garrison.shedding.lag import LoopLag
from garrison.shedding.metrics import watch
from garrison.shedding.outcomes import Outcomes
from garrison.shedding.priorities import Priorities, read_priorities
from garrison.shedding.visit import Visit
from garrison.units import Duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.metrics import MeterProvider

    from garrison.asgi import ASGIApp, Receive, Scope, Send
    from garrison.context import RequestContext
    from garrison.events import EventLog
    from garrison.shedding.outcomes import Reason

# Where other platforms and frameworks have their probes; Garrison's own are answered before they come here.
PROBES: Final = "/livez; /readyz; /startupz; /healthz; /health"

OVERLOADED: Final = Reply(
    status=503,
    type=REDUCED_CAPACITY,
    title="Request cannot be satisfied due to temporary server capacity constraints",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overload:
    """When work is refused with a 503 so that the rest is served in time, and what ends with the process.

    Attributes:
        limit: how many requests may be in flight in one process: a number, or `adaptive` for as many as are
            answered about as fast as usual. It counts a request from when its body is complete until its
            reply begins, so that uploads, downloads, streams and open WebSockets are left out. Off: no limit.
        delay: how much longer than usual replies may take with `adaptive`, and how long a turn of the event
            loop may take; what takes longer, one after another, is waiting in a queue.
        lag: how long a turn of the event loop may take without `adaptive`, before what arrives is refused
            until the loop has caught up. Off: as long as it takes.
        lag_for: for how long the loop must lag that far.
        lag_in_flight: how many requests must be waiting meanwhile; fewer are slow by themselves.
        priorities: who goes first when there is not room for all: `POST /checkout: high; /reports/*: low`.
            What is `low` has half of the room, and what no rule names nine tenths if something is `high`. The
            first rule that fits a request counts; of the ways in which its path can be read, the lowest.
        exempt: what is never refused and does not count, such as probes: `/healthz; GET /metrics`.
        retry_after: the longest time after which refused clients are told to come back; each is told a
            random one, so that they do not come together.
        endless: requests that go on until their client leaves, beside streams of events and WebSockets, such
            as `/feed; GET /poll/*`: told to end as soon as the process begins to end.
    """

    limit: Literal["adaptive"] | int | None = None
    delay: Duration = 0.05
    lag: Duration | None = 0.5
    lag_for: Duration = 2.0
    lag_in_flight: int = 32
    priorities: str = ""
    exempt: str = PROBES
    retry_after: Duration = 5.0
    endless: str = ""

    def __post_init__(self) -> None:
        validate(self)
        validate(
            self,
            ("limit", not isinstance(self.limit, int) or self.limit >= 1, "adaptive, or at least 1"),
            ("delay", self.delay >= 0.01, "at least 10ms"),
            ("lag", self.lag is None or self.lag >= 0.01, "at least 10ms"),
            ("lag_in_flight", self.lag_in_flight >= 1, "at least 1"),
            ("retry_after", self.retry_after >= 1, "at least 1s"),
        )
        problems = []
        for name, example in {"priorities": None, "exempt": "/healthz", "endless": "/feed"}.items():
            text = getattr(self, name)
            try:
                if example is None:
                    read_priorities(text)
                else:
                    parse_paths(text, example)
            except NotationError as error:
                problems.append(Problem(name=f"Overload.{name}", expected=error.expected, found=error.found))
        if problems:
            raise SettingsError(problems)


class OverloadMiddleware:
    """Refuses what cannot be served in time, and calls the app with what can be told to end.

    Args:
        app: the app below.
        settings: the section.
        lifecycle: of the process.
        log: where the event `overload` goes; standard output as JSON unless given.
        meter_provider: of metrics; the global one unless given.
        random: a number from 0 to 1, for what refused clients are told to wait.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Overload = Overload(),
        *,
        lifecycle: Lifecycle | None = None,
        log: EventLog | None = None,
        meter_provider: MeterProvider | None = None,
        random: Callable[[], float] = random_number,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.app = app
        self._drain = Drain(lifecycle or Lifecycle(), parse_paths(settings.endless, "/feed"))
        valve = None
        if settings.lag is not None:
            valve = LoopLag(settings.lag, settings.lag_for, settings.lag_in_flight)
        self._gate = Gate(
            limit=settings.limit,
            delay=settings.delay,
            lag=valve,
            outcomes=Outcomes(log or event_log(), clock),
            clock=clock,
            lasting=self._drain.lasting,
        )
        # Looked at for every request.
        self._pulse, self._lag = self._gate.pulse, self._gate.lag
        self._limited = self._gate.limit is not None
        self._priorities = Priorities(settings.priorities, settings.exempt)
        self._longest = int(settings.retry_after)
        self._random = random
        self._clock = clock
        watch(self._gate, meter_provider)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and `websocket`; `lifespan` and scopes of an unknown type pass through."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        scope, context = enter(scope)
        # A probe with a route of the app's own comes here, and is never refused.
        if context.probe or not context.mount("overload", self):
            await self.app(scope, receive, send)
            return
        drain, pulse = self._drain, self._pulse
        if drain.refuses:
            self._gate.outcomes.refused["drain"] += 1
            await reject(scope, receive, send, context, "overload", TOO_LATE, RETRY)
            return
        if pulse is not None:
            loop = get_running_loop()
            if pulse.loop is not loop:
                pulse.start(loop)
            pulse.begun += 1
        visit = None
        try:
            if self._limited or self._lag.overloaded:
                share = self._priorities.share(context.method, routed_path(scope))
                if share is not None:
                    reason = self._gate.refuses(share)
                    if reason is not None:
                        await self._refuse(scope, receive, send, context, reason)
                        return
                    if self._limited:
                        visit = Visit(self._gate, self._clock, scope, context, receive, send)
                        receive, send = visit.receive, visit.send
            await drain.run(self.app, scope, context, receive, send)
        finally:
            if pulse is not None:
                pulse.ended += 1
            if visit is not None:
                visit.leave()

    async def _refuse(
        self, scope: Scope, receive: Receive, send: Send, context: RequestContext, reason: Reason
    ) -> None:
        limit = self._gate.limit
        self._gate.outcomes.count(reason, get_running_loop(), None if limit is None else limit.limit)
        seconds = 1 + int(self._random() * self._longest)
        retry = [(b"retry-after", b"%d" % min(seconds, self._longest))]
        await reject(scope, receive, send, context, "overload", OVERLOADED, retry)
