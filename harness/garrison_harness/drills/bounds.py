"""What an app is held to while something breaks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What the app is held to.

    Attributes:
        late: From how many seconds on a reply is late.
        factor: How many times as long replies to others may take, at the 95th percentile.
        recovery: Seconds in which the app has to be as before.
        grace: Seconds in which it has to stop.
        closed: It says 503 while its store is away, because its settings ask for that.
        workers: Processes of the target that write a log line each.
        quota: Requests that a client may make, 0 where no quota is known.
        refill: How many more a client gets in a second.
        slow: Seconds that a client may be slow; None where that is not declared.
        memory: Bytes by which the target may grow while its log is not read.
    """

    late: float = 1.0
    factor: float = 5.0
    recovery: float = 5.0
    grace: float = 10.0
    closed: bool = False
    workers: int = 1
    quota: int = 0
    refill: float = 0.0
    slow: float | None = None
    memory: int = 64 * 1024 * 1024
