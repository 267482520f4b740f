"""The workers that a master has, from the first that comes to the last that goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from garrison_harness.load.driving import messages

if TYPE_CHECKING:
    from garrison_harness.load.driving.master import Master


@dataclass(slots=True, kw_only=True)
class Member:
    """One worker.

    Attributes:
        number: Which one, from 0.
        name: Its identity with Locust.
        host: The machine that it says it runs on.
        has_locustfile: It brings its own.
        local: It was started by the master.
        told: Deltas that came from it.
        ready: It has loaded its users.
        peopled: The users are there that are to be there before the run begins.
        first_users: How many those are.
    """

    number: int
    name: str
    host: str
    has_locustfile: bool
    local: bool
    told: int = 0
    ready: bool = False
    peopled: bool = False
    first_users: int = 0


class Troop:
    """All workers of a run.

    Attributes:
        members: Those who have come, by their identity with Locust.
        refused: Who was sent away, and why.
    """

    def __init__(self, master: Master, *, size: int, token: str) -> None:
        """Wait for workers.

        Args:
            master: Locust's.
            size: How many are to come.
            token: What those know that were started here; empty where they come from elsewhere.
        """
        self.members: dict[str, Member] = {}
        self.refused: list[str] = []
        self._master = master
        self._size = size
        self._token = token

    @property
    def complete(self) -> bool:
        """Whether all are there."""
        return len(self.members) == self._size

    @property
    def ready(self) -> bool:
        """Whether all have loaded their users."""
        return all(member.ready for member in self.members.values())

    @property
    def peopled(self) -> bool:
        """Whether all have the users with whom a run begins."""
        return all(member.peopled for member in self.members.values())

    def admit(self, name: str, hello: Any) -> None:
        """Take a worker in, or send it away.

        Args:
            name: Its identity with Locust.
            hello: How it introduced itself; from a stranger it may be anything.
        """
        host, why = "a stranger", self._objection(hello)
        if isinstance(hello, dict):
            host = " ".join(str(hello.get("host"))[:100].split())
        if why is not None:
            self.refused.append(f"{host} ({why})")
            self._master.dismiss(name, why)
            return
        local = bool(self._token)
        self.members[name] = Member(
            number=hello["number"] if local else len(self.members),
            name=name,
            host=host,
            has_locustfile=bool(hello["locustfile"]),
            local=local,
        )
        self._master.say(name, messages.WELCOME)

    def _objection(self, hello: Any) -> str | None:
        """Why a worker cannot be taken, in words for who started it; None where it can."""
        if not isinstance(hello, dict):
            return "it does not speak as a worker does"
        if hello.get("speech") != messages.SPEECH:
            return (
                f"this worker is {str(hello.get('speech'))[:100]}, and the master at {self._master.place} is"
                f" {messages.SPEECH}: install the same on both"
            )
        if hello.get("token") != self._token:
            return f"the master at {self._master.place} takes only the workers that it starts itself"
        if self.complete:
            return f"the master at {self._master.place} has all the workers that it expects"
        return None

    def describe(self, member: Member) -> str:
        """A worker in words.

        Args:
            member: Which.
        """
        which = f"worker {member.number + 1} of {self._size}"
        return which if member.local else f"{which} (on {member.host})"

    def by_number(self, number: int) -> Member | None:
        """A worker by its number; None where it has not come.

        Args:
            number: From 0.
        """
        return next((one for one in self.members.values() if one.number == number), None)

    def send_home(self, why: str) -> None:
        """Tell all of them that there is nothing to do.

        Args:
            why: One line.
        """
        for name in list(self.members):
            self._master.dismiss(name, why)

    def say(self, kind: str, data: object = None) -> None:
        """Tell all of them.

        Args:
            kind: The type of the message.
            data: What it says.
        """
        for name in self.members:
            self._master.say(name, kind, data)
