"""A minimum rate, after a grace."""

from __future__ import annotations

from garrison.timing.pace import Pace


def test_silence_has_the_grace() -> None:
    """Whoever sends nothing is waited for as long as the grace is, however it is divided."""
    pace = Pace(500, 20.0)
    for _ in range(4):
        pace.took(4.0, 0)
    assert pace.left == 4.0


def test_a_steady_sender_is_never_late() -> None:
    """At the minimum rate nothing is used up, in an hour as in a minute."""
    pace = Pace(500, 20.0)
    for _ in range(3600):
        pace.took(1.0, 500)
    assert pace.left == 20.0


def test_a_slower_sender_is_late_at_last() -> None:
    """At half the rate the grace lasts twice as long."""
    pace = Pace(500, 20.0)
    for _ in range(40):
        pace.took(1.0, 250)
    assert pace.left == 0.0


def test_what_was_fast_is_no_credit_for_ever() -> None:
    """A hundred megabytes in a second buy a minute of silence, not two days."""
    pace = Pace(500, 20.0)
    pace.took(1.0, 100_000_000)
    assert pace.left == 60.0
