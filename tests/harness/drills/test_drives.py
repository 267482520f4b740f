"""Each drill breaks what it is about: an app that does not hold is told, with real processes."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from garrison_harness.drills.bounds import Bounds
from garrison_harness.drills.catalogue import DRILLS
from garrison_harness.drills.refusal import NotRun, Undecided
from garrison_harness.drills.scene import Asked, Scene
from garrison_harness.target import Target, parse_target

if TYPE_CHECKING:
    from garrison_harness.drills.drill import Point

APPS = Path(__file__).with_name("apps")
SHORT: dict[str, Any] = {"window": 0.4, "rate": 100.0, "slow_clients": 5, "error_path": "/boom"}
TRIES = 4
PROOF = os.environ.get("PROOF") == "1"
BY_NAME = {drill.name: drill for drill in DRILLS}


def careless(manner: str = "many") -> Target:
    """The server that holds nothing."""
    return parse_target([sys.executable, str(APPS / "careless.py"), "{port}", manner])


def sound(**variables: str) -> Target:
    """The app that holds, hardened."""
    path = {"PYTHONPATH": str(APPS), **variables}
    return parse_target(["sound:app"], harden=True, environment=list(path.items()))


def drilled(name: str, target: Target, directory: Path, bounds: Bounds, **asked: Any) -> list[Point]:
    """What a short run of one drill says."""
    wanted = Asked(**{**SHORT, "bounds": bounds, **asked})
    for number in range(TRIES + 1):
        own = directory / str(number)
        own.mkdir()
        scene = Scene(target=target, asked=wanted, directory=own, bounds=wanted.bounds)
        try:
            recording = BY_NAME[name].drive(scene)
            return list(BY_NAME[name].judge(recording, scene.bounds))
        except Undecided:
            # A busy machine has drills say that they can say nothing; then it is tried once more.
            if number == TRIES:
                raise
    raise AssertionError


def broken(points: list[Point]) -> dict[str, str]:
    """The details of those that are broken, by expectation."""
    return {point.expectation: point.detail for point in points if point.verdict == "broken"}


FAULTS = {
    "store-killed": ("many", "no reply is an error of the server (5xx)", "500"),
    "store-frozen": ("many", "no reply takes longer than 500 ms", "did, up to"),
    "stopped": ("many", "requests under way at the stop are finished", "reset"),
    "log-stalled": ("many", "no reply takes longer than 500 ms", "did, up to"),
    "slow-clients": ("one", "the others wait at most 5 times as long, or 250 ms more", "more than"),
    "handler-exceptions": ("many", "errors tell nothing of the inside", "Traceback (most recent"),
}


def test_an_app_that_does_not_hold_is_told(tmp_path: Path) -> None:
    """An app that waits for its store, its log and each client, and dies in the middle, is broken by each."""

    def details(name: str) -> dict[str, str]:
        (tmp_path / name).mkdir()
        bounds = Bounds(late=0.5, recovery=1.0, slow=0.3)
        target = careless(FAULTS[name][0])
        return broken(drilled(name, target, tmp_path / name, bounds, store_variables=("STORE_URL",)))

    # Each waits most of the time, and what others do can break no less.
    with ThreadPoolExecutor(len(FAULTS)) as pool:
        found = dict(zip(FAULTS, pool.map(details, FAULTS), strict=True))
    assert FAULTS.keys() == BY_NAME.keys()
    for name, (_, expectation, told) in FAULTS.items():
        assert told in found[name].get(expectation, ""), (name, found[name])


@pytest.mark.parametrize("name", [*BY_NAME] if PROOF else ["handler-exceptions"])
def test_a_hardened_app_holds(name: str, tmp_path: Path) -> None:
    """Under `garrison run` nobody notices: every expectation is judged, and every one is held."""
    points: list[Point] = []
    for number in range(TRIES):
        # What a busy machine does to its requests is nothing that the app could hold.
        (own := tmp_path / f"try-{number}").mkdir()
        points = drilled(name, sound(), own, Bounds(late=2.0), body_path="/items", large_path="/large")
        if all(point.verdict == "held" for point in points):
            break
    assert all(point.verdict == "held" for point in points), points


def test_an_app_without_a_store_is_not_judged(tmp_path: Path) -> None:
    """Where nothing is asked of the store that was handed over, its end breaks nothing, and that is said."""
    with pytest.raises(NotRun, match="its URL was in NOBODY_READS; name the variable"):
        drilled("store-killed", careless(), tmp_path, Bounds(), store_variables=("NOBODY_READS",))
