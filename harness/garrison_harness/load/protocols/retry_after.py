"""Reads how long a reply asks its client to wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison_harness.http_date import http_date

if TYPE_CHECKING:
    from datetime import datetime


def seconds_to_wait(value: str, now: datetime) -> float | None:
    """Seconds from the value of Retry-After (RFC 9110 section 10.2.3); None where it is neither form.

    Args:
        value: Seconds, or a date.
        now: The time, with its zone.
    """
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    date = http_date(text)
    return None if date is None else max(0.0, (date - now).total_seconds())
