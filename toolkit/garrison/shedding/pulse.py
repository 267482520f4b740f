"""Measures the turns of an event loop: by a rare timer while it is prompt, each of them while it is not."""

from __future__ import annotations

from contextvars import Context
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.shedding.lag import LoopLag

# The longest time between two beats, in seconds; ten a second cost nothing that could be measured.
SLOWEST_BEAT: Final = 0.1

# A loop reads sockets in one turn and runs what came of it in the next, so that a short turn between long
# ones means nothing; so many in a row do.
SHORT_TURNS: Final = 4


class Loop(Protocol):
    """What is needed of an event loop."""

    def call_soon(self, callback: Callable[[], None], /) -> Any:
        """Have it called in the next turn."""

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Any:
        """Have it called after so many seconds."""


class Pulse:
    """The requests that one event loop begins and ends, and how long its turns take meanwhile.

    It beats while requests arrive and stops by itself when none do, so that nothing is left behind for the
    end of a process. A beat that is late starts a mark in every turn, until several in a row are short.

    Args:
        lag: what is to know of the turns.
        clock: seconds that never go back.
        lasting: how many of those under way wait for nothing, as open WebSockets and streams do not.

    Attributes:
        loop: which one is measured; None while nothing arrives.
        begun: how many requests have begun.
        ended: how many of them have ended.
    """

    def __init__(self, lag: LoopLag, clock: Callable[[], float], lasting: Callable[[], int] = int) -> None:
        self.loop: Loop | None = None
        self.begun = 0
        self.ended = 0
        self._lag = lag
        self._clock = clock
        self._lasting = lasting
        self._interval = min(lag.bound / 2, SLOWEST_BEAT)
        self._last = 0.0
        self._seen = -1
        self._marks = 0
        self._turn = 0.0
        self._turn_begun = 0
        self._turn_ended = 0
        self._taken = 0

    def start(self, loop: Loop) -> None:
        """Begin to measure a loop, and leave the one before, which may be closed.

        Args:
            loop: the one that runs.
        """
        self.loop = loop
        self._marks = 0
        self._lag.forget()
        self._seen = -1
        self._last = self._clock()
        # It outlives the request that begins it, and must not hold on to what belongs to that one.
        Context().run(loop.call_later, self._interval, _of(self, loop, Pulse._beat))

    def admits(self, share: float) -> bool:
        """Whether the turn that runs takes one more request; it is counted if so.

        Args:
            share: what part of the room there is for requests of this priority.
        """
        if not self._marks:
            return True  # turns are short again
        admitted = self._lag.admits(self._clock() - self._turn, self._taken, share)
        self._taken += admitted
        return admitted

    def _beat(self, loop: Loop) -> None:
        now = self._clock()
        passed = now - self._last
        self._last = now
        if not self._marks:
            if self.begun == self._seen:
                self.loop = None
                self._lag.forget()
                return
            late = passed - self._interval
            if late >= self._lag.bound / 2:
                # That was a long turn; whose it was, nobody has seen.
                self._lag.turn(late, 0, 0)
                self._marks = SHORT_TURNS
                self._begin_turn(now)
                loop.call_soon(_of(self, loop, Pulse._mark))
            else:
                self._lag.turn(passed, 0, 0)
        self._seen = self.begun
        loop.call_later(self._interval, _of(self, loop, Pulse._beat))

    def _mark(self, loop: Loop) -> None:
        """It is the next turn: the first thing that was put into this one was this."""
        now = self._clock()
        seconds = now - self._turn
        arrived = self.begun - self._turn_begun
        requests = self.begun - self.ended
        if requests and seconds >= self._lag.bound:
            requests -= self._lasting()
        # What a handler does without waiting for anything never overlaps; it waited side by side before.
        requests = max(requests, arrived)
        self._lag.turn(seconds, requests, self.ended - self._turn_ended)
        self._marks = SHORT_TURNS if seconds >= self._lag.bound / 2 else self._marks - 1
        self._begin_turn(now)
        if self._marks:
            loop.call_soon(_of(self, loop, Pulse._mark))

    def _begin_turn(self, now: float) -> None:
        self._turn, self._turn_begun, self._turn_ended, self._taken = now, self.begun, self.ended, 0


def _of(pulse: Pulse, loop: Loop, step: Callable[[Pulse, Loop], None]) -> Callable[[], None]:
    """A step that is not taken any more once another loop is measured."""

    def take() -> None:
        if pulse.loop is loop:
            step(pulse, loop)

    return take
