"""What a run does: the joint between the command and the process that makes the load."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Literal

from garrison_harness.load.watch.watching import Watching

if TYPE_CHECKING:
    from pathlib import Path

FINISH_GRACE = 10.0
"""How long requests under way at the end may take to finish, in seconds; then they count as errors."""

MAX_USERS = 1000
"""Users that the open model may start, unless it is told otherwise."""

MASTER_PORT = 5557
"""Where workers look for their master, as Locust's do."""

ASSEMBLY_TIME = 60.0
"""How long a master waits for its workers, and a worker for its master, in seconds."""

Model = Literal["closed", "open"]
Role = Literal["local", "master", "worker"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A part of a run in which the load changes evenly.

    Attributes:
        seconds: How long it lasts; 0 for a step.
        level: Where it ends: users in the closed model, arrivals per second in the open one. It begins where
            the stage before ended, the first one at nothing.
    """

    seconds: float
    level: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that the load process needs to know.

    With a `rate` the model is open: arrivals come on schedule, whatever the replies do. Without one it is
    closed: a user waits for its reply before it asks again.

    Attributes:
        base_url: Scheme and authority of the target; `at` fills it in once the target is up.
        users: Users that run at the same time in the closed model.
        spawn_rate: Users started per second in the closed model.
        rate: Arrivals per second in the open model, at its peak where there are stages; None for the closed.
        max_users: Users that the open model may start at most.
        profile: The name of the profile that the stages are of; None without one.
        stages: How the load changes; none for `users` or `rate` all the time.
        duration: How long requests are started, in seconds.
        grace: How long the last ones may take to finish, in seconds.
        paths: What the users ask for, in turn, where there are no requests, no locustfile and no mix.
        requests: Requests that the users make instead, as `RequestSpec` writes them to JSON.
        locustfile: The file whose users run instead.
        mix: Users that ship and that run instead: name, path (empty for its own choice) and weight.
        headers: Headers of every request, beside those that a user sets itself.
        expected: Status codes that are no error, beside those below 400 and 429.
        one_address: All users speak from the address that the system picks.
        sample_every: Seconds between two replies that are kept as samples; 0 for none.
        watching: What the load process looks for in the replies, for the promises; None for nothing.
        role: What the load process is: alone, the one that leads the others and makes no load itself, or one
            of those.
        workers: Load processes that make the load together.
        index: Which of them this one is, from 0.
        bind: Where the master waits for workers from elsewhere, host and port; None where it starts them.
        max_wait: How long it waits for them, in seconds.
    """

    base_url: str = ""
    users: int = 10
    spawn_rate: float = 10.0
    rate: float | None = None
    max_users: int = MAX_USERS
    profile: str | None = None
    stages: tuple[Stage, ...] = ()
    duration: float
    grace: float = FINISH_GRACE
    paths: tuple[str, ...] = ("/",)
    requests: tuple[Mapping[str, object], ...] = ()
    locustfile: str | None = None
    mix: tuple[tuple[str, str, int], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    expected: tuple[int, ...] = ()
    one_address: bool = False
    sample_every: float = 0.0
    watching: Watching | None = None
    role: Role = "local"
    workers: int = 1
    index: int = 0
    bind: tuple[str, int] | None = None
    max_wait: float = ASSEMBLY_TIME

    @property
    def model(self) -> Model:
        """Whether arrivals wait for replies (closed) or not (open)."""
        return "closed" if self.rate is None else "open"

    def share(self, whole: int) -> int:
        """What this load process has of a number that all of them share."""
        return whole // self.workers + (self.index < whole % self.workers)

    def at(self, base_url: str) -> Plan:
        """The same plan for a target that is up by now."""
        return replace(self, base_url=base_url)

    def write(self, path: Path) -> None:
        """Write the plan for the load process."""
        path.write_text(self.to_text(), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Plan:
        """Read what `write` wrote."""
        return cls.from_text(path.read_text(encoding="utf-8"))

    def to_text(self) -> str:
        """The plan as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Plan:
        """The plan that `to_text` described."""
        fields = json.loads(text)
        for name in ("paths", "requests", "expected"):
            fields[name] = tuple(fields[name])
        for name in ("mix", "headers"):
            fields[name] = tuple(map(tuple, fields[name]))
        fields["stages"] = tuple(Stage(**stage) for stage in fields["stages"])
        if fields["bind"] is not None:
            fields["bind"] = tuple(fields["bind"])
        if fields["watching"] is not None:
            fields["watching"] = Watching.from_record(fields["watching"])
        return cls(**fields)
