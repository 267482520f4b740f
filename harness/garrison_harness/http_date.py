"""Reads dates as replies write them."""

from __future__ import annotations

from datetime import UTC, datetime


def http_date(text: str) -> datetime | None:
    """The date in UTC (RFC 9110 section 5.6.7); None where it is none, or lies outside of the calendar.

    Args:
        text: The value of a header, or of an attribute in one.
    """
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - slow to import, and seldom needed

    try:
        found = parsedate_to_datetime(text)
        # The year 1 in a zone of its own, or a zone of more than a day, overflows.
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, TypeError, ValueError):
        return None
