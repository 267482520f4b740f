"""Runs drills one after the other, each on a target of its own; what was found is kept at an early end."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from garrison_harness.drills.addresses import Addresses
from garrison_harness.drills.constant_load import ConstantLoad
from garrison_harness.drills.drill import Result
from garrison_harness.drills.refusal import NotRun, Undecided
from garrison_harness.drills.scene import Asked, Scene, one
from garrison_harness.drills.scratch import scratch_directory
from garrison_harness.drills.store import StoreServer
from garrison_harness.drills.wire import Place
from garrison_harness.report.hiding import secrets_of
from garrison_harness.running import running
from garrison_harness.target import Target, TargetFailed, UsageFault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from garrison_harness.drills.drill import Drill

INTERRUPTED = "interrupted"
"""Why a drill was not run that was next, or under way, when the command was told to end."""

_LOOK = 15.0  # seconds

Verdict = Literal["held", "broken", "inconclusive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of all drills.

    Attributes:
        target: What was driven.
        asked: What the person asked for.
        url: Where the target was first reached.
        started: When the first drill began.
        duration: Seconds.
        results: One per drill that was chosen.
        named: The drills were chosen by name, so that each of them was to be run.
    """

    target: Target
    asked: Asked
    url: str
    started: datetime
    duration: float
    results: tuple[Result, ...]
    named: bool = False

    @property
    def complete(self) -> bool:
        """Whether nobody interrupted it."""
        return all(result.reason != INTERRUPTED for result in self.results)

    @property
    def verdict(self) -> Verdict:
        """Broken where a drill is; inconclusive where one said nothing that was to, or all of them did."""
        if not self.complete:
            return "inconclusive"
        verdicts = [result.verdict for result in self.results]
        if "broken" in verdicts:
            return "broken"
        silent = any(result.undecided or (self.named and result.reason) for result in self.results)
        return "inconclusive" if silent or "held" not in verdicts else "held"

    @property
    def exit_status(self) -> int:
        """0 where all that was run held, 1 where something is broken, 4 where nothing can be said."""
        return {"held": 0, "broken": 1, "inconclusive": 4}[self.verdict]


def perform(
    target: Target,
    asked: Asked,
    drills: Sequence[Drill],
    *,
    logs: Path | None = None,
    named: bool = False,
    telling: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Run drills.

    Args:
        target: What to drive.
        asked: What the person asked for.
        drills: Which.
        logs: Where the output of the target goes and stays, in a directory for each drill; nowhere otherwise.
        named: They were chosen by name.
        telling: Told what is being done.

    Raises:
        TargetFailed: The target does not start.
        UsageFault: The load does not get an answer on its paths, or the logs cannot be written.
        KeyboardInterrupt: This process was told to end before the first drill.
    """
    with ExitStack() as stack:
        scratch = stack.enter_context(scratch_directory())
        directory = logs or scratch
        started_as = target
        if asked.needs_store and target.kind != "url":
            server = stack.enter_context(StoreServer(scratch / "store"))
            given = dict.fromkeys(asked.store_variables, server.url)
            target = replace(target, environment=(*target.environment, *given.items()))
        telling("the app starts")
        url = _look(target, asked, directory / "first")
        started, began = datetime.now(UTC), time.monotonic()
        results: list[Result] = []
        for number, drill in enumerate(drills):
            telling(f"{number + 1} of {len(drills)} drills: {drill.name}")
            results.append(_result(drill, target, asked, directory / drill.name))
            if results[-1].reason == INTERRUPTED:
                break
        left = [Result(drill=drill, reason=INTERRUPTED) for drill in drills[len(results) :]]
        return Outcome(
            target=started_as,
            asked=asked,
            url=url,
            started=started,
            duration=time.monotonic() - began,
            results=(*results, *left),
            named=named,
        )


def _look(target: Target, asked: Asked, directory: Path) -> str:
    """Start the target once, to know that it can be, and that it answers what the load will ask for."""
    with running(target, log_directory=directory) as up:
        place, addresses = Place.of(up, asked.headers), Addresses(up.host, one=asked.one_address)
        with ConstantLoad(place, asked.paths, 1.0, addresses) as load:
            for path in asked.paths:
                told = load.done(one(load, path), _LOOK)
                if told.failure or told.status >= 500:
                    raise UsageFault(
                        f"the load would ask for {path}, which answers {told.outcome} with nothing broken:"
                        " name another with --path"
                    )
        return up.base_url


def _result(drill: Drill, target: Target, asked: Asked, directory: Path) -> Result:
    began = time.monotonic()
    scene = Scene(target=target, asked=asked, directory=directory, bounds=asked.bounds)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        recording = drill.drive(scene).without(secrets_of(asked.headers))
        points = tuple(drill.judge(recording, scene.bounds))
    except KeyboardInterrupt:
        return Result(drill=drill, reason=INTERRUPTED, duration=time.monotonic() - began)
    except NotRun as refusal:
        undecided = isinstance(refusal, Undecided)
        return Result(
            drill=drill, reason=str(refusal), undecided=undecided, duration=time.monotonic() - began
        )
    except (TargetFailed, TimeoutError, UsageFault) as failure:
        reason = str(failure) or "the app did not answer in time what the drill had to know"
        return Result(drill=drill, reason=reason, undecided=True, duration=time.monotonic() - began)
    except OSError as error:
        raise UsageFault(f"cannot work in {directory}: {error.strerror or error}") from error
    return Result(drill=drill, points=points, duration=time.monotonic() - began, requests=scene.requests)
