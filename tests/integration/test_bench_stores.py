"""The figures of stores in `make bench`: what they are of, and how they are judged."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from loadtests.bench.stores import Cost, Report, bursts
from loadtests.bench.stores_table import document, measured, targets, text

REPORT = Report(
    bare=16.0,
    costs=[
        Cost(name="Garrison, token bucket", alone=1.2, live=3.0),
        Cost(name="other", alone=2.0, live=9000.0),
    ],
    live=1000,
    crowd=10_000,
    crowded=2.0,
    bytes_per_key=250.0,
    longest=900.0,
    tenth=80.0,
)


def test_a_quick_look_measures_everything() -> None:
    """Every store has a figure in both columns, and the crowd its memory and its longest decision."""
    found = measured(quick=True)
    assert [each.name for each in found.costs] == list(bursts())
    assert all(each.alone > 0 for each in found.costs)
    assert found.crowded > 0
    assert found.longest >= found.tenth > 0
    assert {target["text"] for target in document(found)["targets"]} == {
        "µs per decision, 1 key",
        "µs per decision, 10,000 keys",
        "µs, longest while all of them expire",
        "bytes per key, resident",
    }


def test_stores_are_judged_by_what_was_found_and_scaled_by_the_bare_app() -> None:
    """Times are also told as on a machine whose bare app costs 8 µs; bytes are the same everywhere."""
    assert [(each.found, each.scaled, each.met) for each in targets(REPORT)] == [
        (1.2, 0.6, False),
        (2.0, 1.0, True),
        (900.0, 450.0, True),
        (250.0, 250.0, False),
    ]


def test_memory_that_is_not_told_is_not_judged() -> None:
    """Where the system does not say how much memory there is, there is no promise about it."""
    assert len(targets(replace(REPORT, bytes_per_key=None))) == 3


def test_the_table_of_stores_is_narrow() -> None:
    """It fits a terminal, whatever the figures."""
    assert max(len(line) for line in text(REPORT)) <= 80


@pytest.mark.parametrize("name", list(bursts()))
def test_nothing_is_refused_while_it_is_measured(name: str) -> None:
    """What decides takes any number of keys without an error."""
    asyncio.run(bursts()[name](["a", "b", "a"]))
