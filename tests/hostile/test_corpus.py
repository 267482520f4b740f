"""Thousands of hostile requests to a hardened app, under each server: no failure, no hang, no echo."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

import pytest

from tests.hostile.case import MARK, Case, request
from tests.hostile.client import attack
from tests.hostile.corpus import corpus
from tests.hostile.servers import COMMANDS, serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hostile.client import Outcome

# One of so many; a prime, so that no group is skipped in step.
STEP: Final = 1 if os.environ.get("PROOF") == "1" else 13
WHOLE_GROUPS: Final = (
    "framing",
    "declared",
    "counted",
    "multipart size",
    "endless",
    "size",
    "sound credential",
    "sound contract",
)

# What a process may grow by, once it has seen one of everything.
GROWTH: Final = 40_000_000


def sample() -> list[Case]:
    """Every case, or some of each group and all of the small ones."""
    found = corpus()
    return [
        case
        for number, case in enumerate(found)
        if number % STEP == 0 or case.name.partition(":")[0] in WHOLE_GROUPS
    ]


def test_the_corpus_is_large() -> None:
    """It has thousands of different requests."""
    found = corpus()
    assert len({case.name for case in found}) == len(found) >= 1000


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_hardened_app_stands_fast(name: str, tmp_path: Path) -> None:
    """Each request gets an answer below 500 in time, without what it submitted, and the memory stays flat."""
    cases = sample()
    with serving(name, "tests.hostile.app:hardened", tmp_path) as server:
        # All of it twice: what the first round needs is there in the second.
        asyncio.run(attack(server.port, cases))
        before = server.memory
        outcomes = asyncio.run(attack(server.port, cases))
        grown = server.memory - before
        (alive,) = asyncio.run(attack(server.port, [good()]))
    wrong = [told for outcome in outcomes for told in complaints(outcome)]
    assert not wrong, f"{len(wrong)} of {len(outcomes)}:\n" + "\n".join(wrong[:50])
    assert alive.status == 200
    assert grown < GROWTH, f"{grown / 1e6:.0f} MB more"


def good() -> Case:
    """A request as it should be."""
    return Case("good", request(b"/orders", b'{"name": "x"}'))


def complaints(outcome: Outcome) -> list[str]:
    """What is wrong with an outcome, in words."""
    case, status, reply, _ = outcome
    found = []
    if status >= 500 and status not in case.statuses:
        found.append(f"failed with {status}: {reply[-200:]!r}")
    elif status < 0 and case.whole:
        found.append("no answer")
    elif case.statuses and status not in case.statuses | {0}:
        found.append(f"answered {status} and not one of {sorted(case.statuses)}")
    if MARK in reply:
        found.append(f"repeats what was sent: {reply!r}")
    return [f"{case.name}: {each}" for each in found]
