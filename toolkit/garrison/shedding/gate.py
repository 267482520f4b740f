"""What lets work in: the lag of the loop and the limit in flight together."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final, Literal

from garrison.shedding.fixed import FixedLimit
from garrison.shedding.lag import LoopLag
from garrison.shedding.pulse import Pulse

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.shedding.adaptive import AdaptiveLimit
    from garrison.shedding.outcomes import Outcomes

# With `adaptive`: long turns for so many seconds, with so many requests in each, are an overload.
SUSTAINED: Final = 0.2
CROWD: Final = 4


class Gate:
    """Decides about each request of one layer.

    Args:
        limit: a number, or None for one that adapts, or infinity for none.
        delay: seconds that requests may wait where the limit adapts.
        lag: the loop's lag that closes the valve; None for no valve.
        outcomes: what the layer has refused.
        clock: seconds that never go back.
        lasting: how many requests under way wait for nothing, because their replies have begun.

    Attributes:
        lag: of the loop.
        limit: of requests in flight; None where there is none.
        pulse: what measures the loop; None where nothing asks for it.
        places: how many requests count towards the limit.
        outcomes: as given.
    """

    def __init__(
        self,
        *,
        limit: Literal["adaptive"] | int | None,
        delay: float,
        lag: LoopLag | None,
        outcomes: Outcomes,
        clock: Callable[[], float],
        lasting: Callable[[], int],
    ) -> None:
        adapts = limit == "adaptive"
        # The finer bound of the same lag makes the valve needless.
        self.lag = LoopLag(delay, SUSTAINED, CROWD) if adapts else lag or LoopLag(inf, inf, 1)
        self.pulse = Pulse(self.lag, clock, lasting) if adapts or lag else None
        self.limit: AdaptiveLimit | FixedLimit | None = None
        if adapts:
            from garrison.shedding.adaptive import AdaptiveLimit  # noqa: PLC0415 - needs slow statistics

            self.limit = AdaptiveLimit(delay)
        elif isinstance(limit, int):
            self.limit = FixedLimit(limit)
        self.places = 0
        self.outcomes = outcomes
        self._clock = clock

    @property
    def in_flight(self) -> int:
        """How many requests count towards the limit, or are under way where there is none."""
        if self.limit is None and self.pulse is not None:
            return self.pulse.begun - self.pulse.ended
        return self.places

    def refuses(self, share: float) -> Literal["lag", "limit"] | None:
        """Why there is no room for a request; None where there is.

        Args:
            share: what part of the room there is for requests of this priority.
        """
        if self.lag.overloaded and self.pulse is not None and not self.pulse.admits(share):
            return "lag"
        if self.limit is not None and self.limit.refuses(self.places / share, self._clock()):
            return "limit"
        return None
