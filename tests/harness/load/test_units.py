"""Durations as people write and read them."""

from __future__ import annotations

import pytest

from garrison_harness.load.units import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10s", 10), ("1m", 60), ("1.5 h", 5400), ("300ms", 0.3), ("5us", 0.000005), (" 5µs ", 0.000005)],
)
def test_duration_is_read_exactly(text: str, seconds: float) -> None:
    """A number with a unit becomes the float that a person would write in seconds."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "s", "-1s", "1e3s", "1d", "1m30s", "1_0s", "٣s"])
def test_anything_else_is_no_duration(text: str) -> None:
    """What has no unit, or is no plain number, is refused with examples."""
    with pytest.raises(ValueError, match="such as 200ms, 10s or 1m"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 µs"), (0.000417, "417 µs"), (0.00175, "1.75 ms"), (0.9996, "1,000 ms"), (12.3456, "12.3 s")],
)
def test_duration_is_shown_with_three_digits(seconds: float, text: str) -> None:
    """Latencies are shown in the unit that reads best."""
    assert format_duration(seconds) == text
