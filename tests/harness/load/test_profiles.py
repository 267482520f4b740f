"""The loads that have a name."""

from __future__ import annotations

import pytest

from garrison_harness.load.profiles import PROFILES, STRESS
from garrison_harness.load.schedule import level_at

SHAPED = [name for name in PROFILES if name != STRESS]


@pytest.mark.parametrize("name", SHAPED)
def test_profile_reaches_its_peak_and_takes_its_time(name: str) -> None:
    """Whatever peak and length are asked for, that is how high and how long it goes."""
    stages = PROFILES[name].stages(40, 20)
    assert sum(stage.seconds for stage in stages) == pytest.approx(20)
    assert max(stage.level for stage in stages) == 40


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("smoke", [40, 40, 40, 40, 40]),
        ("ramp", [0, 20, 32, 40, 16]),
        ("spike", [4, 4, 40, 4, 4]),
        ("soak", [0, 40, 40, 40, 40]),
    ],
)
def test_profile_takes_its_course(name: str, levels: list[float]) -> None:
    """At the beginning, after a quarter, at two fifths, at two thirds and towards the end."""
    stages = PROFILES[name].stages(40, 100)
    found = [level_at(stages, seconds) for seconds in (0, 25, 40, 66, 94)]
    assert found == pytest.approx(levels, abs=0.01)
