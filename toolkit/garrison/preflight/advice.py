"""What there is to change in settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One thing to change in the settings.

    Attributes:
        level: an `error` keeps `garrison run` from starting, a `warning` does not.
        variable: what to set.
        text: what is wrong, and what to do.
    """

    level: Literal["error", "warning"]
    variable: str
    text: str
