"""The figures of starts in `make bench`: what they are of, and how they are judged."""

from __future__ import annotations

import time

import pytest

from loadtests.bench.startup import (
    ALONE,
    COMMANDS,
    HELP,
    IMPORT,
    MOST_MEGABYTES,
    Report,
    installed,
    spent,
    targets,
    text,
)
from loadtests.bench.worker import WorkerError


def report(ms: float, megabytes: float = 1.0) -> Report:
    """Starts that take as long as told, where the libraries take 200 ms."""
    cpu = dict.fromkeys(COMMANDS, ms)
    return Report(rounds=3, cpu={**cpu, ALONE: 200.0}, megabytes={"garrison": 2.0, "other": megabytes})


def test_a_start_is_judged_by_the_libraries_of_the_same_run() -> None:
    """A machine that is half as fast breaks no promise; taking longer than the libraries may breaks it."""
    judged = {each.text.partition(":")[0]: (each.found, each.met) for each in targets(report(220.0))}
    assert judged[IMPORT] == (1.1, False)
    assert judged[HELP] == (1.1, True)
    assert [each.met for each in targets(report(200.0))] == [True, True, True]


def test_an_install_is_judged_by_its_size() -> None:
    """Every package of the base install counts, Garrison itself as well."""
    assert [each.met for each in targets(report(1.0, MOST_MEGABYTES - 2.5))][-1]
    assert not [each.met for each in targets(report(1.0, MOST_MEGABYTES - 1.5))][-1]
    sizes = installed()
    assert {"garrison", "starlette", "structlog", "wrapt"} <= set(sizes)
    assert not {"uvicorn", "rich", "locust", "pytest"} & set(sizes)
    assert all(size > 0.01 for size in sizes.values())


def test_the_page_fits_a_terminal() -> None:
    """Every start has a line, within 80 columns."""
    lines = text(report(220.0, 30.0))
    assert max(map(len, lines)) <= 80
    assert all(any(line.startswith(f"  {name} ") for line in lines) for name in COMMANDS)


def test_a_process_is_measured_to_its_end_or_until_it_listens() -> None:
    """What it does is counted, and a server is ended as soon as it says that it is up."""
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    assert spent("busy", ("-c", busy)) >= 300
    serves = "import sys, time; print('listening on x', file=sys.stderr, flush=True); time.sleep(60)"
    before = time.monotonic()
    spent("serves", ("-c", serves))
    assert time.monotonic() - before < 60


def test_what_does_not_start_is_named() -> None:
    """A command that fails has no figure, and its last line says why."""
    with pytest.raises(WorkerError, match="'broken' ended with status 1: ValueError: why"):
        spent("broken", ("-c", "raise ValueError('why')"))
