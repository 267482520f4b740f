"""The figures of contracts in `make bench`: what they are of, and how they are judged."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from loadtests.bench.contract_apps import BARE_FASTAPI, BOTH, CONTRACT, FASTAPI, OVER, variants
from loadtests.bench.contract_costs import BIG, PARAMETERS, PLAIN, SENT, SMALL, Measured
from loadtests.bench.contract_document import SMALL_BYTES, big, small
from loadtests.bench.contract_documents import DOCUMENTS, Ready, ready, ten
from loadtests.bench.contract_table import Report, document, targets, text
from loadtests.bench.measure import WrongReplyError, cost
from loadtests.bench.names import BARE

# Peers warn about each other's versions, which is no matter of ours.
pytestmark = [pytest.mark.timeout(120), pytest.mark.filterwarnings("ignore")]

FIGURES = {BARE: [16.0, 32.0], CONTRACT: [36.0, 72.0], BOTH: [22.0, 44.0], FASTAPI: [100.0, 200.0]}
REPORT = Report(
    requests=Measured(
        rounds={asked: {**FIGURES, BARE_FASTAPI: [40.0, 80.0]} for asked in (PLAIN, PARAMETERS, SMALL, BIG)},
        missing={"some peer": "aioitertools"},
    ),
    documents={
        "ten operations": Ready(operations=10, seconds=0.01, megabytes=1.0, match=2.0, segments=5.0),
        "GitHub": Ready(operations=1223, seconds=1.2, megabytes=90.0, match=2.5, segments=4.9),
    },
)


def test_bodies_are_as_long_as_the_table_says() -> None:
    """The limits were set with bodies of this length, and a shorter one would keep them more easily."""
    assert len(small()) == SMALL_BYTES
    assert 99_000 < len(big()) < 101_000


def test_whoever_is_measured_refuses_what_the_document_forbids() -> None:
    """A peer that was mounted wrongly would look cheap: each serves what is right, and nothing else."""
    apps, _ = variants()
    wrong = (
        replace(SENT[SMALL], body=small().replace(b"EUR", b"euro")),
        replace(SENT[BIG], body=big()[:-2] + b',"more":1}]'),
        replace(SENT[PARAMETERS], query=b"limit=1000"),
        replace(SENT[PARAMETERS], path="/shops/berlin/orders/0"),
    )
    with asyncio.Runner() as runner:
        for app in apps:
            for sent in SENT.values():
                runner.run(cost(app, 1, lambda: None, sent))
            for sent in wrong:
                if app.name in {BARE, BARE_FASTAPI}:
                    runner.run(cost(app, 1, lambda: None, sent))
                    continue
                with pytest.raises(WrongReplyError, match=r"status (?:400|404|415|422)"):
                    runner.run(cost(app, 1, lambda: None, sent))


def test_a_contract_is_compared_with_the_bare_app_of_the_same_round() -> None:
    """Times are also told as on a machine whose bare app takes 8 µs for a request without a body."""
    found = {target.text: (target.found, target.scaled, target.met) for target in targets(REPORT)}
    assert found["µs, limits and contract, no body"] == (9.0, 3.0, False)
    assert found["µs, contract, small body"] == (30.0, 10.0, False)
    assert found["µs, contract, 100 KB"] == (30.0, 10.0, True)


def test_fastapi_is_compared_with_itself() -> None:
    """What FastAPI costs without validation is not put down to its validation."""
    assert document(REPORT)["added"][SMALL][FASTAPI] == 90.0
    assert set(OVER) == {FASTAPI}


def test_a_document_that_takes_too_long_misses_its_target() -> None:
    """Those that are not here are not judged."""
    found = {target.text: target.met for target in targets(REPORT)}
    assert found["seconds until GitHub's document is ready"] is False
    assert found["MB that GitHub's document takes"] is True
    assert found["times a route of ten, GitHub's"] is True
    assert not any("Stripe" in name for name in found)


def test_what_is_missing_is_told() -> None:
    """A peer that cannot be measured is named with what it lacks, and so are documents that are not here."""
    printed = "\n".join(text(REPORT))
    assert "not measured: aioitertools is missing" in printed
    assert "`make proof` gets them" in printed
    assert len(DOCUMENTS) == 3


def test_looking_up_a_route_is_measured_on_routes_that_are_there() -> None:
    """All ten operations of the small document are found."""
    found = ready(ten())
    assert found.operations == 10
    assert found.segments == 5.0
    assert found.match > 0
