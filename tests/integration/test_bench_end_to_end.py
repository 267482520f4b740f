"""The end-to-end table of `make bench` says what is added, and how sure that is."""

from __future__ import annotations

import json
import random

from garrison_harness.load.compare.comparison import Comparison
from garrison_harness.load.compare.interval import Interval
from loadtests.bench.end_to_end import Report, document, text
from loadtests.bench.wire import PEERS, PLAIN, RUN
from tests.harness.load.compare.recorded import rounds


def against_plain(slower: float) -> Comparison:
    """Ten rounds of a server that takes so many seconds longer."""
    lot = random.Random(3)  # noqa: S311 - no secret
    machine = [1 + 0.01 * number for number in range(10)]
    first, second = (
        tuple(rounds(lot, count=10, requests=150, machine=machine, slower=more)) for more in (0.0, slower)
    )
    return Comparison(baseline=PLAIN, interleaved=True, baseline_rounds=first, target_rounds=second)


def test_table_states_what_is_added_with_its_uncertainty() -> None:
    """A line for each percentile and the CPU, and one for the rate, in 80 columns."""
    rates = (Interval(value=-0.45, low=-0.47, high=-0.43), Interval(value=-0.94, low=-0.95, high=-0.93))
    report = Report(comparisons=(against_plain(0.001), against_plain(0.02)), rates=rates)
    lines = text(report)
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines[1:5]] == ["p50", "p95", "p99", "CPU"]
    assert lines[1].count("±") == 2
    assert "+20." in lines[1]
    assert lines[5].split("speed")[1].split() == ["-45.0%", "±", "2.0%", "-94.00%", "±", "1.00%"]
    assert "in 10 rounds of turns" in lines[6]
    found = json.loads(json.dumps(document(report)))
    assert set(found["against_plain_uvicorn"]) == set(found["rate_at_full_speed"]) == {RUN, PEERS}
