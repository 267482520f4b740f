"""`make bench`: it measures what it says, prints every stack and leaves nothing behind."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
from multiprocessing import Pipe
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import pytest

from loadtests.bench.limiters import limiters
from loadtests.bench.measure import PATH, Variant, Wire, WrongReplyError, cost, request_scope
from loadtests.bench.names import (
    BARE,
    GARRISON,
    LIMITER,
    OUR_LIMITER,
    QUOTA,
    RECIPE,
    REST,
)
from loadtests.bench.recipe import usual_recipe
from loadtests.bench.results import figures, targets
from loadtests.bench.results import limiters as compared
from loadtests.bench.variants import trivial_app
from loadtests.bench.worker import Worker, WorkerError

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "loadtests.bench"]

# A quick look takes 12 seconds of CPU, which are many more by the clock of a machine that is busy.
pytestmark = pytest.mark.timeout(240)


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the benchmark as a person would."""
    return subprocess.run(
        [*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=200, check=False
    )


def test_a_file_that_cannot_be_written_is_told_before_anything_is_measured(tmp_path: Path) -> None:
    """A wrong path costs no minute of waiting: one line, and exit status 2."""
    result = bench("--json", str(tmp_path / "nowhere" / "bench.json"))
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert "nowhere/bench.json" in result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_every_process(number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end the run in one line with exit status 4, and nothing stays behind."""
    with subprocess.Popen(
        COMMAND, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("bench: up to ")
        # As a terminal does it, to every process of the group; SIGTERM comes to one.
        (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 4
    assert errors.splitlines() == ["bench: interrupted before it had measured everything"]
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_a_process_that_dies_is_named() -> None:
    """A crash in one of the stacks ends the run with the group it happened in."""
    ours, theirs = Pipe()
    theirs.close()
    with ours, pytest.raises(WorkerError, match="the process for 'traces' ended"):
        Worker(group="traces", connection=ours).round([RECIPE], 1)


def test_the_recipe_does_what_it_is_measured_for() -> None:
    """A peer that was mounted wrongly would look cheap: id, headers and log line must be there."""
    log = io.BytesIO()
    replies: list[Message] = []

    async def send(message: Message) -> None:
        replies.append(message)

    wire = Wire()
    wire.begin()
    asyncio.run(usual_recipe(trivial_app(), log=log)(request_scope(), wire.receive, send))  # type: ignore[arg-type]
    headers = {name.lower(): value.decode() for name, value in replies[0]["headers"]}
    line = orjson.loads(log.getvalue())
    assert replies[0]["status"] == 200
    assert headers[b"x-content-type-options"] == "nosniff"
    assert line["path"] == PATH
    assert line["request_id"] == headers[b"x-request-id"]


@pytest.mark.parametrize("name", [variant.name for variant in limiters(trivial_app())])
def test_every_rate_limiter_counts(name: str) -> None:
    """A peer that was mounted wrongly would look cheap: each lets one of two requests through."""
    limited = next(each for each in limiters(trivial_app(), "1/minute") if each.name == name)
    with pytest.raises(WrongReplyError, match="found 2 and status 429"):
        asyncio.run(cost(limited, 2, lambda: None))


@pytest.mark.parametrize("status", [None, 503])
def test_a_stack_that_does_not_serve_has_no_figure(status: int | None) -> None:
    """What refuses or forgets a reply is cheap, and is reported as broken instead."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if status is not None:
            await send({"type": "http.response.start", "status": status, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    with pytest.raises(WrongReplyError, match="the broken one: expected 5 replies with status 200"):
        asyncio.run(cost(Variant(name="the broken one", app=app), 5, lambda: None))


def test_a_stack_is_compared_with_the_bare_app_of_the_same_round() -> None:
    """A machine that is twice as slow in one round changes no ratio."""
    rounds = {BARE: [10.0, 20.0], RECIPE: [310.0, 620.0], GARRISON: [25.0, 50.0], QUOTA: [27.0, 54.0]}
    figure = figures(rounds)[GARRISON]
    assert figure.added == 22.5
    assert figure.scaled == 12.0
    assert figure.times_cheaper == 20.0


def test_a_rate_limiter_is_compared_with_ours_of_the_same_round() -> None:
    """Three times the price is three times, on a slow machine too."""
    rounds = {BARE: [10.0, 20.0], OUR_LIMITER: [14.0, 28.0], f"{LIMITER}theirs": [22.0, 44.0]}
    found = compared(rounds)
    assert [(each.name, each.added, each.times) for each in found] == [
        ("Garrison", 6.0, 1.0),
        ("theirs", 18.0, 3.0),
    ]


def test_a_promise_that_is_not_kept_is_printed_as_missed() -> None:
    """Each target is judged by its own limit: µs at most, ratios at least."""
    fine = {
        BARE: [8.0, 8.0],
        RECIPE: [308.0, 308.0],
        GARRISON: [28.0, 28.0],
        QUOTA: [32.0, 32.0],
        OUR_LIMITER: [10.5, 10.5],
        REST: [24.5, 24.5],
    }
    dear = {BARE: [8.0, 8.0], RECIPE: [308.0, 308.0], GARRISON: [68.0, 68.0]}
    found = targets({"no SDK": fine, "traces": dear, "traces and histogram": dear})
    assert [target.met for target in found] == [True, False, False, False, True, True, True, False, False]
