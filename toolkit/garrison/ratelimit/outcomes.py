"""How many requests a layer let through and refused."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Outcomes:
    """What was decided, for metrics; every number only grows.

    Attributes:
        allowed: requests that every quota had room for.
        refused: requests that one had no room for.
        blocked: requests of clients that went on after they were refused.
        unavailable: requests about which no store could say anything, and which were answered 503.
    """

    allowed: int = 0
    refused: int = 0
    blocked: int = 0
    unavailable: int = 0
