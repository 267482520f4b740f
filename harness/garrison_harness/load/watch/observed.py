"""What a load process tells of every reply for the promises, beside the replies that it keeps whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypedDict

from garrison_harness.load.watch.stretch import Stretch, StretchRecord, shortened

MOST_REPEATS = 5
"""Examples of repeated ids that are kept."""

MOST_CLIENTS = 256
"""Clients whose requests are counted: a quota that holds for so many holds for the others."""


class ObservedRecord(TypedDict):
    """What was observed as it goes through JSON."""

    ids: int
    repeated: int
    repeats: list[str]
    uncounted: int
    clients: dict[str, list[StretchRecord]]


@dataclass(slots=True, kw_only=True)
class Observed:
    """What all replies of a stretch of time come to.

    Attributes:
        ids: Replies with a request id.
        repeated: Those whose id another reply had before.
        repeats: The first few of them: request and id.
        uncounted: Requests of users that do not tell from which address they speak.
        clients: By source address, what the client was answered; empty where no quota is declared.
    """

    ids: int = 0
    repeated: int = 0
    repeats: list[str] = field(default_factory=list)
    uncounted: int = 0
    clients: dict[str, list[Stretch]] = field(default_factory=dict)

    def merge(self, other: Observed) -> None:
        """Take in what happened next, or what another load process saw."""
        self.ids += other.ids
        self.repeated += other.repeated
        self.repeats.extend(other.repeats[: MOST_REPEATS - len(self.repeats)])
        self.uncounted += other.uncounted
        for client, stretches in other.clients.items():
            if client in self.clients or len(self.clients) < MOST_CLIENTS:
                self.clients[client] = shortened([*self.clients.get(client, ()), *stretches])

    def to_record(self) -> ObservedRecord:
        """What was observed in JSON's types."""
        clients = {
            client: [stretch.to_record() for stretch in stretches]
            for client, stretches in self.clients.items()
        }
        return {
            "ids": self.ids,
            "repeated": self.repeated,
            "repeats": list(self.repeats),
            "uncounted": self.uncounted,
            "clients": clients,
        }

    @classmethod
    def from_record(cls, record: ObservedRecord) -> Observed:
        """What `to_record` described."""
        clients = {
            client: list(map(Stretch.from_record, stretches))
            for client, stretches in record["clients"].items()
        }
        return cls(
            ids=record["ids"],
            repeated=record["repeated"],
            repeats=list(record["repeats"]),
            uncounted=record["uncounted"],
            clients=clients,
        )
