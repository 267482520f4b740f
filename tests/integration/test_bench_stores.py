"""The figures of stores in `make bench`: what they are of, and how they are judged."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from valkey.asyncio import Valkey

from loadtests.bench.crowd import Crowd
from loadtests.bench.deciders import bursts
from loadtests.bench.stores import Cost, Costs
from loadtests.bench.stores_table import Report, targets, text
from loadtests.bench.valkey_callers import callers
from loadtests.bench.valkey_store import server

REPORT = Report(
    costs=Costs(
        bare=16.0,
        costs=[
            Cost(name="Garrison, token bucket", alone=1.2, live=3.0),
            Cost(name="other", alone=2.0, live=29_000.0),
        ],
        live=1000,
    ),
    keys=10_000,
    crowds=[
        Crowd(name="Garrison, token bucket", each=2.0, bytes_per_key=250.0, longest=900.0, tenth=80.0),
        Crowd(name="other", each=5.0, bytes_per_key=319.0, longest=1_000_000.0, tenth=90.0),
    ],
)


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
    crowds = [replace(crowd, bytes_per_key=None) for crowd in REPORT.crowds]
    assert len(targets(replace(REPORT, crowds=crowds))) == 3


def test_the_table_of_stores_is_narrow() -> None:
    """It fits a terminal, whatever the figures."""
    assert max(len(line) for line in text(REPORT)) <= 80


@pytest.mark.parametrize("name", list(bursts()))
def test_nothing_is_refused_while_it_is_measured(name: str) -> None:
    """What decides takes any number of keys without an error."""
    asyncio.run(bursts()[name](["a", "b", "a"]))


def test_every_way_to_ask_a_server_leaves_a_count_there() -> None:
    """None of those that are compared saves its work: each makes the server remember a key."""

    async def found() -> list[bool]:
        kept = []
        with server() as (url, _):
            asked = await callers(url)
            for number, caller in enumerate(asked):
                # A unit comes back within 86 ms, and a key without any in use is forgotten.
                for _ in range(50):
                    await caller.ask(f"who {number}")
                kept.append(any(f"who {number}".encode() in key for key in await keys_of(url)))
            for caller in asked:
                await caller.close()
        return kept

    assert asyncio.run(found()) == [True] * 5


async def keys_of(url: str) -> list[bytes]:
    """What a server remembers."""
    async with Valkey.from_url(url) as client:
        found: list[bytes] = await client.keys()
        return found
