"""Where a process is between its start and its end, for the layers and the server that share it."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable

# `ready` says nothing of the checks that hold readiness, which are the health layer's.
# `draining`: told to stop; balancers are told, and work goes on for the drain delay.
# `ending`: the drain delay is over; what is under way may end, and nothing endless goes on.
Phase = Literal["starting", "ready", "draining", "ending"]
PHASES: Final[tuple[Phase, ...]] = ("starting", "ready", "draining", "ending")

# Together with five seconds for the app's own shutdown they make the 30 that Kubernetes gives a pod.
DRAIN_DELAY: Final = 5.0
GRACE: Final = 25.0


class Lifecycle:
    """The phase of this process; one for each hardened app.

    Args:
        drain_delay: seconds from the order to stop until work begins to end, for balancers to take note.
        grace: seconds from the order to stop until whatever is still under way is given up; the drain delay
            is part of them.
        clock: seconds that never go back.

    Attributes:
        phase: where the process is.
        deadline: when, on the clock, the grace is over; None until the process is told to stop.
    """

    def __init__(
        self, drain_delay: float = DRAIN_DELAY, grace: float = GRACE, clock: Callable[[], float] = monotonic
    ) -> None:
        self.drain_delay = drain_delay
        self.grace = grace
        self.phase: Phase = "starting"
        self.deadline: float | None = None
        self._clock = clock
        self._listeners: list[Callable[[Phase], None]] = []

    def listen(self, listener: Callable[[Phase], None]) -> None:
        """Have a function called, in the event loop's thread, whenever the phase changes."""
        self._listeners.append(listener)

    def enter(self, phase: Phase) -> None:
        """Go on to a phase; going back, or to where it is, does nothing.

        Args:
            phase: the new one.
        """
        if PHASES.index(phase) <= PHASES.index(self.phase):
            return
        self.phase = phase
        if self.deadline is None and phase in {"draining", "ending"}:
            self.deadline = self._clock() + self.grace
        for listener in self._listeners:
            listener(phase)

    def drain(self, loop: AbstractEventLoop) -> None:
        """Begin to stop: readiness is refused at once, and after the drain delay the end begins.

        Args:
            loop: the running one, whose thread this is.
        """
        if self.deadline is None:
            self.enter("draining")
            loop.call_later(self.drain_delay, self.enter, "ending")

    def remaining(self) -> float:
        """Seconds until the grace is over; infinite until the process is told to stop."""
        return float("inf") if self.deadline is None else max(0.0, self.deadline - self._clock())
