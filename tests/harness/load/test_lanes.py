"""Who takes an arrival of the open model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

# In a process of its own: what drives Locust patches the standard library.
ASK = """
import json, sys
import locust
from garrison_harness.load.driving.crowd import lanes_of
from garrison_harness.load.plan import Plan

class Customer(locust.FastHttpUser):
    weight = 1

(lane,) = lanes_of([Customer], Plan(rate=float(sys.argv[1]), duration=1.0))
lane.idle.extend(["known"] * 1000)
lane.fresh.extend(["new"] * 1000)
print(json.dumps([lane.free() for _ in range(600)]))
"""


@pytest.mark.parametrize(("rate", "new"), [(10, 150), (600, 150), (5000, 17)])
def test_somebody_new_asks_now_and_then(rate: int, new: int) -> None:
    """A quarter of a slow load opens connections, and of a fast one so much as does not make it late."""
    told = subprocess.run(
        [sys.executable, "-c", ASK, str(rate)],
        cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(told.stdout).count("new") == new
