"""What a load process has to look for in the replies; a part of the plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from garrison_harness.load.watch.header_names import ID_HEADERS, SECURITY_HEADERS

SAMPLE_EVERY = 0.05
"""How far apart ordinary replies are kept at first, in seconds: about 20 a second."""

KEPT_HEADERS = frozenset(
    {
        "age",
        "cache-control",
        "connection",
        "content-length",
        "content-type",
        "location",
        "retry-after",
        *ID_HEADERS,
        *SECURITY_HEADERS,
    }
)
"""Headers of a reply that are kept: what promises are judged by, and nothing of what a session is."""

CLIENT = "garrison_client"
"""Under this name a user tells its source address in the context of its requests; empty for the system's."""


class WatchingRecord(TypedDict):
    """What is looked for as it goes through JSON."""

    id_header: str
    required: list[str]
    count_clients: bool
    sample_every: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """What to keep of the replies.

    Attributes:
        id_header: The header with the id of a reply, in lower case; empty where replies have none.
        required: Headers, in lower case, that every quiet reply had: a reply that lacks one is always kept.
        count_clients: Count what each client is let through, for a declared quota.
        sample_every: How far apart ordinary replies are kept at first, in seconds.
    """

    id_header: str = ""
    required: tuple[str, ...] = ()
    count_clients: bool = False
    sample_every: float = SAMPLE_EVERY

    def to_record(self) -> WatchingRecord:
        """The same in JSON's types."""
        return {
            "id_header": self.id_header,
            "required": list(self.required),
            "count_clients": self.count_clients,
            "sample_every": self.sample_every,
        }

    @classmethod
    def from_record(cls, record: WatchingRecord) -> Watching:
        """What `to_record` described."""
        return cls(
            id_header=record["id_header"],
            required=tuple(record["required"]),
            count_clients=record["count_clients"],
            sample_every=record["sample_every"],
        )
