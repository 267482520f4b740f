"""Starts the process that makes the load, watches it and the target, and takes its report."""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from garrison_harness.load.plan import Report
from garrison_harness.load.tally import Tally
from garrison_harness.process import Child
from garrison_harness.startup import likely_cause
from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from garrison_harness.load.plan import Plan
    from garrison_harness.running import Running

START_ALLOWANCE = 60.0
"""How long the load process may take to import Locust and to end, in seconds: a busy machine is slow."""

_POLL_INTERVAL = 0.1  # seconds
_STOP_GRACE = 5.0  # seconds

How = Literal["finished", "interrupted", "target died", "generator died", "generator stuck"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended, and what was seen until then.

    Attributes:
        how: `finished`, or what kept it from finishing.
        detail: The likely cause where something died, empty otherwise.
        report: The last report; an empty one if there was none.
    """

    how: How
    detail: str = ""
    report: Report


def generate(
    plan: Plan, running: Running, *, log_directory: Path | None = None, allowance: float = START_ALLOWANCE
) -> Outcome:
    """Run the plan against a target that is up. Afterwards the load process is gone, whatever happened.

    Args:
        plan: What the run does.
        running: The target.
        log_directory: Where the logs of the load process go and stay, in `load/`; nowhere otherwise.
        allowance: How much longer than the plan the load process may take, in seconds.

    Raises:
        UsageFault: The locustfile cannot be used, or the logs cannot be written.
    """
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="garrison-load-")))
        plan.write(scratch / "plan.json")
        logs = log_directory / "load" if log_directory else scratch
        child = _start(scratch, logs)
        try:
            how, detail = _watch(child, running, plan.duration + plan.grace + allowance)
        except KeyboardInterrupt:
            how, detail = "interrupted", ""
        finally:
            # It writes its last report when it is told to end.
            child.end(grace=_STOP_GRACE)
        report = Report.read(scratch / "report.json") or Report(ended="running", tally=Tally())
    if report.ended == "locustfile":
        raise UsageFault(report.fault)
    if how == "finished" and report.ended != "finished":
        status = child.exit_status() or 0
        how, detail = "generator died", _died(status, child.log_tail(40))
    return Outcome(how=how, detail=detail, report=report)


def _start(scratch: Path, logs: Path) -> Child:
    # -P keeps the current directory off the path: a module of the app must not stand in for one of Locust's.
    words = [sys.executable, "-P", "-m", "garrison_harness.load.locust_child"]
    files = [str(scratch / "plan.json"), str(scratch / "report.json")]
    try:
        logs.mkdir(parents=True, exist_ok=True)
        return Child([*words, *files], logs=logs, environment={"PYTHONUNBUFFERED": "1"})
    except OSError as error:
        raise UsageFault(
            f"cannot write logs to {logs}: {error.strerror}; give another --log-directory"
        ) from error


def _watch(child: Child, running: Running, patience: float) -> tuple[How, str]:
    deadline = time.monotonic() + patience
    while child.exit_status() is None:
        # Only a process is watched: asking a URL whether it lives would be a part of its load.
        if (status := running.exit_status()) is not None:
            return "target died", _died(status, running.log_tail(40))
        if time.monotonic() > deadline:
            return "generator stuck", ""
        time.sleep(_POLL_INTERVAL)
    if not running.alive():
        status = running.exit_status()
        return "target died", _died(status, running.log_tail(40)) if status is not None else ""
    return "finished", ""


def _died(status: int, log: list[str]) -> str:
    how = f"signal {-status}" if status < 0 else f"exit status {status}"
    cause = likely_cause(log)
    return f"{how}; its log ends with: {cause}" if cause else f"{how}; it logged nothing"
