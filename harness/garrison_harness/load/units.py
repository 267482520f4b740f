"""Durations as people write them: 200ms, 10s, 1m."""

from __future__ import annotations

import re
from decimal import Decimal

SECONDS = {
    "us": Decimal("0.000001"),
    "µs": Decimal("0.000001"),
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
}
"""Seconds per unit, in decimal: 0.2 s and 200ms must become the same float."""

NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_DURATION = re.compile(rf"({NUMBER})\s*({'|'.join(SECONDS)})")


def parse_duration(text: str) -> float:
    """Seconds from a number with a unit.

    Raises:
        ValueError: It is no such thing; the message says what is expected.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError("expected a number with a unit (us, ms, s, m, h), such as 200ms, 10s or 1m")
    return float(Decimal(match[1]) * SECONDS[match[2]])


def format_duration(seconds: float) -> str:
    """Three significant digits in the unit that reads best."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{_three_digits(seconds / size)} {unit}"
    return f"{_three_digits(seconds * 1e6)} µs"


def _three_digits(number: float) -> str:
    return f"{number:.3g}" if number < 999.5 else f"{number:,.0f}"
