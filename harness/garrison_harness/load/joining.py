"""Puts together what several load processes tell, second by second."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from garrison_harness.load.delta import Delta
from garrison_harness.load.spent import Spent


@dataclass(slots=True)
class _Voice:
    """One load process.

    Attributes:
        told: What it told, and has not been put together yet.
        over: It will tell nothing more.
        users: How many it had when it last told.
        addresses: How many it spoke from by then.
    """

    told: deque[Delta] = field(default_factory=deque)
    over: bool = False
    users: int = 0
    addresses: int = 0


class Joining:
    """Makes one delta of those that tell of the same second.

    All load processes tell at the same moments, so that the n-th delta of one belongs to the n-th of another.
    """

    def __init__(self, processes: int) -> None:
        """Expect deltas.

        Args:
            processes: How many tell.
        """
        self._voices = [_Voice() for _ in range(processes)]
        self._at = 0.0

    @property
    def over(self) -> bool:
        """Whether none of them will tell anything more."""
        return all(voice.over for voice in self._voices)

    def tell(self, number: int, delta: Delta) -> None:
        """Take in the next delta of a load process; one that is not `running` is its last.

        Args:
            number: Which process, from 0.
            delta: What it told.
        """
        voice = self._voices[number]
        if not voice.over:
            voice.told.append(delta)
            voice.over = delta.ended != "running"

    def is_over(self, number: int) -> bool:
        """Whether a load process will tell nothing more."""
        return self._voices[number].over

    def close(self, number: int) -> None:
        """Expect nothing more of a load process."""
        self._voices[number].over = True

    def ready(self) -> list[Delta]:
        """The seconds of which all have told by now, in order; each is `running`, whatever ended in it."""
        found = []
        while any(one.told for one in self._voices) and all(one.told or one.over for one in self._voices):
            found.append(self._join())
        return found

    def _join(self) -> Delta:
        whole = Delta()
        for number, voice in enumerate(self._voices):
            if voice.told:
                one = voice.told.popleft()
                voice.users, voice.addresses = one.users, one.addresses
                one.processes = [Spent() for _ in self._voices]
                one.processes[number] = Spent(cpu=one.cpu, waited=one.waited)
                whole.merge(one)
        whole.users = sum(voice.users for voice in self._voices)
        whole.addresses = sum(voice.addresses for voice in self._voices)
        # The last ones end at different times, and time does not run backwards.
        whole.at = max(whole.at, self._at)
        whole.width, self._at = whole.at - self._at, whole.at
        return whole
