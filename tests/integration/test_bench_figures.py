"""What `make bench` prints and writes: a figure for everything that it is of."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loadtests.bench import contract_apps, observability_apps
from loadtests.bench.contract_apps import CONTRACT, FASTAPI
from loadtests.bench.contract_costs import SENT
from loadtests.bench.crowd import subjects
from loadtests.bench.deciders import bursts
from loadtests.bench.names import (
    BARE,
    GARRISON,
    GROUPS,
    NO_OPS,
    QUOTA,
    RECIPE,
    RECIPE_ASGI,
    REST,
)
from loadtests.bench.observability_apps import (
    BARE_FASTAPI,
    CORRELATION_ID,
    ERRORS,
    ID_AND_LOG,
    OTEL_ASGI,
    OTEL_FASTAPI,
    SPAN,
    SPAN_TOO,
    STRUCTLOG,
)
from loadtests.bench.observability_costs import ROUTES
from loadtests.bench.observability_table import LIMITS

ROOT = Path(__file__).parents[2]

# A quick look takes 40 seconds of CPU, which are many more by the clock of a machine that is busy.
GUARD = 540
pytestmark = pytest.mark.timeout(GUARD + 30)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Any]:
    """What one quick run prints, and what it writes."""
    path = tmp_path_factory.mktemp("bench") / "bench.json"
    result = subprocess.run(
        [sys.executable, "-m", "loadtests.bench", "--quick", "--json", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=GUARD,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout, json.loads(path.read_text())


def test_every_stack_is_printed_in_every_group(quick: tuple[str, Any]) -> None:
    """The table has each stack once per SDK, in at most 80 columns."""
    printed, _ = quick
    stacks, _, _ = printed.partition("being observed")
    for name in (BARE, NO_OPS, RECIPE, GARRISON):
        assert stacks.count(f"  {name:<32}") == len(GROUPS), name
    for name in (RECIPE_ASGI, QUOTA, REST):
        assert printed.count(f"  {name:<32}") == 1, name
    assert max(len(line) for line in printed.splitlines()) <= 80


def test_the_file_has_what_the_table_has(quick: tuple[str, Any]) -> None:
    """Programs read the same figures, layers, targets and machine that people see."""
    printed, document = quick
    assert list(document["groups"]) == list(GROUPS)
    for group in GROUPS:
        assert document["groups"][group]["variants"][RECIPE]["us"] > 0
    assert len(document["targets"]) == 31
    for name, asking in document["shared store"]["decisions"]["asking"].items():
        assert asking["alone"] > 0
        assert f"  {name:<38}" in printed
    assert [load["path"] for load in document["overload"]["loads"]] == ["/cpu", "/wait"]
    assert set(document["end to end"]["against_plain_uvicorn"]) <= set(document["wire"]["spells"])
    for differences in document["end to end"]["against_plain_uvicorn"].values():
        figures_of_both = {one["measure"]: (one["baseline"], one["target"]) for one in differences}
        assert min(figures_of_both["p50"]) > 0
        assert min(figures_of_both["cpu"]) > 0
        assert figures_of_both["errors"] == (0, 0)
    for name, spells in document["wire"]["spells"].items():
        assert len(spells) == 2
        assert f"  {name:<42}" in printed
    for name, spell in document["slow bodies"]["spells"].items():
        assert spell["alone"] > 0
        assert f"  {name:<53}" in printed
    for target in document["targets"]:
        assert f"  {target['text']:<42}" in printed
    for layer in document["groups"]["no SDK"]["layers"]:
        assert f"    {layer['name']:<38}" in printed
    for limiter in document["groups"]["no SDK"]["limiters"]:
        assert f"    {limiter['name']:<38}" in printed
    assert document["machine"]["python"] in printed


def test_every_layer_that_observes_has_a_figure(quick: tuple[str, Any]) -> None:
    """Every layer and peer has one with few routes and with many, and spans have one for each SDK."""
    _, document = quick
    found = document["observability"]
    assert list(found["groups"]) == list(GROUPS)
    for group in found["groups"].values():
        assert list(group) == [str(routes) for routes in ROUTES]
        for rounds in group.values():
            everywhere = {BARE, ID_AND_LOG, SPAN, SPAN_TOO, OTEL_ASGI, BARE_FASTAPI, OTEL_FASTAPI}
            assert everywhere <= rounds.keys()
            assert all(us > 0 for each in rounds.values() for us in each)
    assert {CORRELATION_ID, STRUCTLOG, observability_apps.BOTH, ERRORS} <= found["groups"]["no SDK"][
        "10"
    ].keys()
    assert len(found["targets"]) == len(LIMITS) * len(ROUTES)


def test_every_request_to_a_contract_has_a_figure(quick: tuple[str, Any]) -> None:
    """Each has one for every variant, and the document with ten operations is always there."""
    _, document = quick
    found = document["contracts"]
    assert list(found["requests"]["rounds"]) == list(SENT)
    for asked in found["requests"]["rounds"].values():
        assert {BARE, CONTRACT, contract_apps.BOTH, FASTAPI} <= asked.keys()
        assert all(us > 0 for each in asked.values() for us in each)
    assert found["documents"]["ten operations"]["match"] > 0
    assert {"µs, limits and contract, no body", "µs, contract, small body", "µs, contract, 100 KB"} <= {
        target["text"] for target in found["targets"]
    }


def test_every_store_has_a_figure(quick: tuple[str, Any]) -> None:
    """In both columns, and each crowd has its memory and its longest turn."""
    _, document = quick
    found = document["stores"]
    assert [each["name"] for each in found["costs"]["costs"]] == list(bursts())
    assert all(each["alone"] > 0 for each in found["costs"]["costs"])
    assert [each["name"] for each in found["crowds"]] == list(subjects(1))
    assert all(each["each"] > 0 and each["longest"] >= each["tenth"] > 0 for each in found["crowds"])
    assert {target["text"] for target in found["targets"]} == {
        "µs per decision, 1 key",
        "µs per decision, 10,000 keys",
        "µs, longest while all of them expire",
        "bytes per key, token bucket",
        "bytes per key, fixed window",
        "bytes per key, sliding window",
    }
