"""What a report says was asked for."""

from __future__ import annotations

import pytest

from garrison_harness.load.plan import Plan, Stage
from garrison_harness.load.report.asked import asked, time_in_words


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Plan(users=1, duration=10), "1 user for 10 s: GET /"),
        (Plan(users=1200, duration=90, paths=("/a", "/b")), "1,200 users for 90 s: GET /a, /b"),
        (
            Plan(rate=0.5, duration=3600, paths=tuple("/abcde")),
            "0.5 arrivals/s for 1 h: GET /, a, b and 3 more",
        ),
        (Plan(rate=22.9251, duration=5), "22.9 arrivals/s for 5 s: GET /"),
        (Plan(users=5, duration=60, locustfile="shop.py"), "5 users for 1 min: the users of shop.py"),
        (Plan(users=5, duration=1.5, requests=({}, {})), "5 users for 1.5 s: 2 kinds of request"),
        (
            Plan(rate=50, duration=600, profile="spike", stages=(Stage(seconds=600, level=50),)),
            "spike: up to 50 arrivals/s for 10 min: GET /",
        ),
        (
            Plan(users=4, duration=10, mix=(("browser", "", 3), ("websocket", "/ws", 1)), workers=2),
            "4 users for 10 s by 2 load processes: browser=3, websocket:/ws=1",
        ),
    ],
)
def test_a_plan_in_words(plan: Plan, words: str) -> None:
    """How much load, for how long, and what is asked for."""
    assert asked(plan) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.5, "0.5 s"), (20 / 12, "1.67 s"), (60, "1 min"), (90, "90 s"), (7200, "2 h")]
)
def test_only_whole_minutes_and_hours_are_told_as_such(seconds: float, words: str) -> None:
    """Nobody has to add up minutes and seconds."""
    assert time_in_words(seconds) == words
