"""What a master hears from its workers, and when one is gone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from gevent.queue import Empty

from garrison_harness.load.delta import Delta
from garrison_harness.load.driving import messages
from garrison_harness.load.joining import Joining

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from garrison_harness.load.driving.local_workers import LocalWorkers
    from garrison_harness.load.driving.master import Master
    from garrison_harness.load.driving.troop import Member, Troop
    from garrison_harness.load.plan import Plan

LAST_WORDS: Final = 3.0
"""Seconds for workers to tell what they saw, where all are to stop; the load process itself has five."""

LAST_WORDS_OF_OTHERS: Final = 10.0
"""The same where one of them is lost, and nobody waits for this process."""

_LOOK: Final = 0.05  # seconds


class UnfitError(Exception):
    """The run cannot begin; the text is one line with the fix."""


class LostError(Exception):
    """A worker is gone before its time; the text says which, one line."""


class StoppedError(Exception):
    """The master was told to stop."""


class Listening:
    """Takes what workers say, and tells what they saw together.

    Attributes:
        stopping: The run is ended before its time.
        begun: The load has begun, so that there is something to lose.
        last: The latest of what they saw.
    """

    def __init__(
        self,
        plan: Plan,
        master: Master,
        troop: Troop,
        local: LocalWorkers | None,
        *,
        classes: Sequence[str],
        tell: Callable[[Delta], None],
    ) -> None:
        """Prepare to listen.

        Args:
            plan: Of all workers together.
            master: Hears them.
            troop: Who they are.
            local: Those that were started here; None where they come from elsewhere.
            classes: The names of the classes of users, in order.
            tell: Takes what all saw of each second.
        """
        self.stopping = self.begun = False
        self.last = Delta()
        self._plan = plan
        self._master = master
        self._troop = troop
        self._local = local
        self._classes = list(classes)
        self._tell = tell
        self._joining = Joining(plan.workers)

    @property
    def over(self) -> bool:
        """Whether all have told everything."""
        return self._joining.over

    def wait(self, reached: Callable[[], bool], patience: float, late: Callable[[], str]) -> None:
        """Listen until something is so.

        Args:
            reached: Says whether it is.
            patience: Seconds that it may take.
            late: Says why it has not come, one line.

        Raises:
            LostError: A worker is gone, or it takes too long in the middle of the run.
            StoppedError: This process was told to stop.
            UnfitError: It takes too long before.
        """
        deadline = time.monotonic() + patience
        while not reached():
            self._listen()
            self._check_members()
            if self.stopping:
                raise StoppedError
            if time.monotonic() > deadline:
                raise LostError(late()) if self.begun else UnfitError(late())

    def _listen(self) -> None:
        try:
            name, kind, data = self._master.inbox.get(timeout=_LOOK)
        except Empty:
            return
        if kind == messages.HELLO:
            self._troop.admit(name, data)
        elif (member := self._troop.members.get(name)) is not None:
            self._hear(member, kind, data)

    def _hear(self, member: Member, kind: str, data: Any) -> None:
        match kind:
            case messages.READY:
                ours = self._classes
                if data["classes"] != ours:
                    raise UnfitError(
                        f"{self._troop.describe(member)} has the users {', '.join(data['classes'])}, and the"
                        f" master {', '.join(ours)}: give both the same locustfile"
                    )
                member.ready, member.first_users = True, data["first_users"]
            case messages.PEOPLED:
                member.peopled = True
            case messages.FAULT:
                self._master.say(member.name, messages.TAKEN)
                self._joining.close(member.number)
                raise UnfitError(f"{self._troop.describe(member)}: {data['why']}")
            case messages.REPORT:
                self._take(member, *data)

    def _take(self, member: Member, first: int, lines: list[str]) -> None:
        if first != member.told:
            raise LostError(f"reports of {self._troop.describe(member)} did not arrive")
        member.told += len(lines)
        deltas = list(map(Delta.from_line, lines))
        for delta in deltas:
            self._joining.tell(member.number, delta)
        self._pass_on()
        if deltas[-1].ended != "running":
            self._master.say(member.name, messages.TAKEN)
            if deltas[-1].ended == "stopped" and not self.stopping:
                raise LostError(f"{self._troop.describe(member)} was told to stop where it runs")

    def _pass_on(self) -> None:
        for delta in self._joining.ready():
            self.last = delta
            self._tell(delta)

    def _check_members(self) -> None:
        for words in self._departed():
            raise LostError(words)

    def _departed(self) -> Iterator[str]:
        for number, how in self._local.ended() if self._local else ():
            if not self._joining.is_over(number):
                self._joining.close(number)
                yield f"worker {number + 1} of {self._plan.workers}: {how}"
        for name, member in self._troop.members.items():
            if self._master.is_missing(name) and not self._joining.is_over(member.number):
                self._joining.close(member.number)
                yield f"{self._troop.describe(member)} was not heard of any more"

    def hear_last_words(self) -> None:
        """Let the others stop, and take what they still tell."""
        patience = LAST_WORDS if self.stopping else LAST_WORDS_OF_OTHERS
        self.stopping = True
        self._troop.say(messages.STOP)
        deadline = time.monotonic() + patience
        waited_for = [one.number for one in self._troop.members.values()]
        while not all(map(self._joining.is_over, waited_for)) and time.monotonic() < deadline:
            try:
                self._listen()
                self._check_members()
            except (LostError, UnfitError):
                continue  # one reason is enough
        for number in range(self._plan.workers):
            self._joining.close(number)
        self._pass_on()
