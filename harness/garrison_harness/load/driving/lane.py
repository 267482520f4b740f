"""The users of one class in the open model: who is free, and which arrivals wait for somebody to be."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from gevent import Greenlet
from locust import User


@dataclass(slots=True, kw_only=True, eq=False)
class Lane:
    """One class of users, and its share of the arrivals.

    Attributes:
        user_class: The class.
        weight: Its share, compared with the other lanes'.
        most: Users that it may have; None for as many as there may be.
        new_every: One in so many arrivals is for a user that has asked nothing yet.
        reserve: Users that are to be free at any time, so that nobody is started when an arrival is due.
        idle: Who is free and has asked before, the one first who has been free for longest.
        fresh: Who is free and has asked nothing yet.
        backlog: When the arrivals were due that nobody was free for.
        starting: Users that have not been free yet, since they are still in `on_start`.
        alive: Users that are there.
        failed: Users that ended before they were ever free.
        credit: What the lane is owed of the arrivals.
        turn: Arrivals so far, which count who is next.
    """

    user_class: type[User]
    weight: float
    most: int | None = None
    new_every: int = 4
    reserve: int = 1
    idle: deque[Greenlet[..., object]] = field(default_factory=deque)
    fresh: deque[Greenlet[..., object]] = field(default_factory=deque)
    backlog: deque[float] = field(default_factory=deque)
    starting: set[User] = field(default_factory=set)
    alive: int = 0
    failed: int = 0
    credit: float = 0.0
    turn: int = 0

    def free(self) -> Greenlet[..., object] | None:
        """Who takes the next arrival; None if nobody is free.

        A first request opens a connection, and costs as much as several others: all users at once would make
        the first arrivals late. So one in so many goes to somebody new, as long as somebody else is free.
        """
        self.turn += 1
        if self.fresh and (not self.idle or self.turn % self.new_every == 0):
            return self.fresh.popleft()
        return self.idle.popleft() if self.idle else None

    @property
    def waiting(self) -> int:
        """How many are free."""
        return len(self.idle) + len(self.fresh)

    def wait(self, greenlet: Greenlet[..., object], *, fresh: bool) -> None:
        """Somebody is free."""
        (self.fresh if fresh else self.idle).append(greenlet)

    def leave(self, greenlet: Greenlet[..., object]) -> None:
        """Somebody is free no more."""
        for waiting in (self.idle, self.fresh):
            if greenlet in waiting:
                waiting.remove(greenlet)

    def entered(self, user: User) -> None:
        """A user was started."""
        self.alive += 1
        self.starting.add(user)

    def left(self, user: User) -> None:
        """A user ended."""
        self.alive -= 1
        if user in self.starting:
            self.starting.discard(user)
            self.failed += 1

    def wanted(self) -> int:
        """How many users to start; none if it may have no more."""
        wanted = self.reserve + len(self.backlog) - self.waiting - len(self.starting)
        if self.most is not None:
            wanted = min(wanted, self.most - self.alive - self.failed)
        return max(0, wanted)


def next_lane(lanes: list[Lane]) -> Lane:
    """Whose turn it is: lanes take turns by weight, as evenly as they can, whoever is busy meanwhile."""
    if len(lanes) == 1:
        return lanes[0]
    for lane in lanes:
        lane.credit += lane.weight
    turn = max(lanes, key=lambda lane: lane.credit)
    turn.credit -= sum(lane.weight for lane in lanes)
    return turn
