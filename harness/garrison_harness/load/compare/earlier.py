"""Reads the report of an earlier run, to hold another one against it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from garrison_harness.load.compare.difference import FEWEST_ROUNDS
from garrison_harness.load.compare.slices import Slice
from garrison_harness.load.record import SCHEMA_VERSION, plan_record
from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from garrison_harness.load.plan import Plan

SAME_MACHINE = 0.10
"""How far the rates that a generator reaches with a server that does nothing may be apart on one machine."""

_MOST_BYTES = 64 * 1024 * 1024  # many times what a report of 600 intervals takes
# The requests of an OpenAPI document are known only once the target is up.
_NOT_YET = frozenset({"duration", "requests"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What a report tells of its run.

    Attributes:
        path: The report.
        parts: The rounds of the run, or its parts where it had none.
        ceiling: Requests per second that the generator reached then with a server that does nothing; None
            where that was not tried.
        requests: The names of its requests, where they came from a list or an OpenAPI document.
        watched: Whether the target was watched, which asks it for some more.
    """

    path: Path
    parts: tuple[Slice, ...]
    ceiling: float | None
    requests: tuple[str, ...] = ()
    watched: bool = True

    def doubt(self, plan: Plan, ceiling: float | None) -> str | None:
        """Why nothing can be concluded from a comparison with a run of now, one line; None where it can.

        Args:
            plan: What the run of now did.
            ceiling: What the generator reaches now with a server that does nothing.
        """
        others = set(self.requests) ^ set(plan_record(plan)["requests"])
        if others:
            return f"the requests are not those of the earlier run: only one of the two has {min(others)}"
        if self.watched != (plan.watching is not None):
            word = "was" if self.watched else "was not"
            return f"the target {word} watched in the earlier run: --no-watch belongs to both or to neither"
        if self.ceiling is None or ceiling is None:
            run = "the earlier" if self.ceiling is None else "this"
            return (
                f"{run} run was not calibrated, so that a change of the machine cannot be told from one"
                " of the target: run without --no-calibrate"
            )
        change = ceiling / self.ceiling - 1
        if abs(change) <= SAME_MACHINE:
            return None
        word = "more" if change > 0 else "less"
        return (
            f"the machine changed: with a server that does nothing, the load process reaches {ceiling:,.0f}"
            f" requests/s now, {abs(change):.0%} {word} than the {self.ceiling:,.0f} of then; make both runs"
            " anew"
        )


def read_earlier(path: Path, plan: Plan) -> Earlier:
    """Read the report of a run that did what is planned now.

    Args:
        path: A report in JSON.
        plan: What is to be done now.

    Raises:
        UsageFault: It cannot be read, is no such report, or one of another plan.
    """
    record = _object(path)
    version = record.get("schema_version")
    if not isinstance(version, int) or not isinstance(record.get("plan"), dict):
        raise _no_report(path)
    if version > SCHEMA_VERSION:
        raise UsageFault(
            f"{path} was written by a newer garrison (schema version {version}, and this one knows"
            f" {SCHEMA_VERSION}): upgrade, or make the earlier run anew"
        )
    if "slices" not in record:
        raise UsageFault(f"{path} was written by an older garrison: make the earlier run anew with this one")
    _check_plan(path, record["plan"], plan)
    try:
        parts = tuple(map(Slice.from_record, record["slices"]))
        ceiling = record["health"]["ceiling"]
        _check_length(path, parts, plan)
        return Earlier(
            path=path,
            parts=parts,
            ceiling=None if ceiling is None else float(ceiling),
            requests=tuple(map(str, record["plan"]["requests"])),
            watched=record["resources"] is not None,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _no_report(path) from error


def _check_length(path: Path, parts: tuple[Slice, ...], plan: Plan) -> None:
    """Say before the run that nothing could be concluded after it."""
    if len(parts) < FEWEST_ROUNDS:
        raise UsageFault(
            f"{path} is of a run of {len(parts)} parts of at least a second, and a comparison takes"
            f" {FEWEST_ROUNDS}: make the earlier run anew with at least --duration {FEWEST_ROUNDS}s"
        )
    if plan.duration < FEWEST_ROUNDS:
        raise UsageFault(
            f"--compare {path} takes at least {FEWEST_ROUNDS} parts of at least a second, and --duration is"
            f" {plan.duration:g}s: give at least --duration {FEWEST_ROUNDS}s"
        )


def _object(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES)
    except OSError as error:
        raise UsageFault(
            f"--compare {path}: {error.strerror}; give bare, or the path of a report that --format json wrote"
        ) from error
    try:
        record = json.loads(text)
    except ValueError as error:
        raise _no_report(path) from error
    if not isinstance(record, dict):
        raise _no_report(path)
    return record


def _no_report(path: Path) -> UsageFault:
    return UsageFault(f"{path} is no report of garrison load: give one that --format json wrote")


def _check_plan(path: Path, earlier: dict[str, Any], plan: Plan) -> None:
    # As JSON has it: tuples have become lists.
    now = json.loads(json.dumps(plan_record(plan)))
    for name, value in now.items():
        if name not in _NOT_YET and earlier.get(name) != value:
            raise UsageFault(
                f"{path} is of another plan: {name} was {json.dumps(earlier.get(name))} then, and is"
                f" {json.dumps(value)} now; make both runs with the same options"
            )
