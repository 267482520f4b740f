"""Starts the process that makes the load, watches it and the target, and adds up what it tells."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from garrison_harness import interruption
from garrison_harness.load.account import Account
from garrison_harness.load.stream import FILE_NAME, Follower
from garrison_harness.process import Child
from garrison_harness.startup import likely_cause
from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison_harness.load.delta import Delta, Ended
    from garrison_harness.load.forks import Forks, LoadProcess
    from garrison_harness.load.plan import Plan
    from garrison_harness.running import Running

    Listener = Callable[[Account, Delta], str | None]

START_ALLOWANCE = 60.0
"""How long the load process may take to import Locust and to end, in seconds: a busy machine is slow."""

_POLL_INTERVAL = 0.1  # seconds
_STOP_GRACE = 10.0  # seconds, for what was seen to be told; whoever insists need not wait

How = Literal["finished", "aborted", "interrupted", "target died", "generator died", "generator stuck"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended, and what was seen until then.

    Attributes:
        how: `finished`, or what kept it from finishing.
        detail: The likely cause where something died, what a listener said where the run was aborted, empty
            otherwise.
        account: What the load process told; an empty one if it never did.
    """

    how: How
    detail: str = ""
    account: Account


def generate(
    plan: Plan,
    running: Running,
    *,
    listener: Listener | None = None,
    log_directory: Path | None = None,
    forks: Forks | None = None,
    allowance: float = START_ALLOWANCE,
) -> Outcome:
    """Run the plan against a target that is up. Afterwards the load process is gone, whatever happened.

    Args:
        plan: What the run does.
        running: The target.
        listener: Called about once a second with what was seen so far, and the delta that was just added to
            it. If it returns a text, the run is ended in order, and the text says why.
        log_directory: Where the logs of the load process go and stay, in `load/`; nowhere otherwise.
        forks: Makes the load process, where there is more than one run; started alone otherwise.
        allowance: How much longer than the plan the load process may take, in seconds.

    Raises:
        UsageFault: The locustfile cannot be used, workers do not come, or the logs cannot be written.
    """
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="garrison-load-")))
        plan.write(scratch / "plan.json")
        logs = log_directory / "load" if log_directory else scratch
        plan_path, stream = scratch / "plan.json", scratch / FILE_NAME
        told, patience = _Told(stream, listener), plan.duration + plan.grace + allowance
        child = forks.start(plan_path, stream) if forks else start_load(plan_path, stream, logs)
        try:
            how, detail = _watch(child, running, told, patience + (plan.max_wait if plan.bind else 0.0))
        except KeyboardInterrupt:
            how, detail = "interrupted", ""
        finally:
            # It tells the rest when it is told to end.
            child.end(grace=_STOP_GRACE)
        told.listen()
        if log_directory is not None:
            _keep(scratch, logs)
        # Here, since without a log directory its log goes with the scratch directory.
        if how == "finished" and told.ended != "finished":
            how, detail = "generator died", died(child.exit_status() or 0, child.log_tail(40))
    if told.ended == "refused":
        raise UsageFault(told.fault)
    if told.ended == "lost" and how in {"finished", "generator died"}:
        return Outcome(how="generator died", detail=told.fault, account=told.account)
    return Outcome(how=how, detail=detail, account=told.account)


class _Told:
    """What the load process told so far.

    Attributes:
        account: All of it, added up.
        ended: What the last delta said.
        fault: Why it cannot do what was asked, or who of several is lost.
    """

    def __init__(self, path: Path, listener: Listener | None) -> None:
        self.account = Account()
        self.ended: Ended = "running"
        self.fault = ""
        self._follower = Follower(path)
        self._listener = listener

    def listen(self) -> str | None:
        """Take what is new, and let the listener hear of it; the text is why it wants the run to end."""
        reason = None
        for delta in self._follower.deltas():
            self.account.add(delta)
            self.ended, self.fault = delta.ended, delta.fault
            if self._listener is not None:
                reason = self._listener(self.account, delta) or reason
        return reason


def _keep(scratch: Path, logs: Path) -> None:
    """Keep what each of several load processes told, too."""
    for told in scratch.glob("worker-*.jsonl"):
        shutil.copy(told, logs)


def start_load(plan: Path, stream: Path, logs: Path) -> Child:
    """Start a load process.

    Args:
        plan: What it does.
        stream: Where it tells of it.
        logs: Where its logs go.

    Raises:
        UsageFault: The logs cannot be written.
    """
    # -P keeps the current directory off the path: a module of the app must not stand in for one of Locust's.
    words = [sys.executable, "-P", "-m", "garrison_harness.load.driving.locust_child"]
    try:
        logs.mkdir(parents=True, exist_ok=True)
        return Child([*words, str(plan), str(stream)], logs=logs, environment={"PYTHONUNBUFFERED": "1"})
    except OSError as error:
        raise UsageFault(
            f"cannot write logs to {logs}: {error.strerror}; give another --log-directory"
        ) from error


def _watch(child: LoadProcess, running: Running, told: _Told, patience: float) -> tuple[How, str]:
    deadline = time.monotonic() + patience
    while child.exit_status() is None:
        if (reason := told.listen()) is not None:
            return "aborted", reason
        # Only a process is watched: asking a URL whether it lives would be a part of its load.
        if (status := running.exit_status()) is not None:
            return "target died", died(status, running.log_tail(40))
        if time.monotonic() > deadline:
            return "generator stuck", ""
        interruption.pause(_POLL_INTERVAL)
    if not running.alive():
        status = running.exit_status()
        return "target died", died(status, running.log_tail(40)) if status is not None else ""
    return "finished", ""


def died(status: int, log: list[str]) -> str:
    """How a process ended, and the likely cause.

    Args:
        status: Its exit status, negative for a signal.
        log: The last lines that it wrote.
    """
    how = f"signal {-status}" if status < 0 else f"exit status {status}"
    cause = likely_cause(log)
    return f"{how}; its log ends with: {cause}" if cause else f"{how}; it logged nothing"
