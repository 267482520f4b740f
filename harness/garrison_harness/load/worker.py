"""The parent of a worker: starts its load process, and says what became of it."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from garrison_harness import interruption
from garrison_harness.load.account import Account
from garrison_harness.load.generator import died, start_load
from garrison_harness.load.plan import Plan
from garrison_harness.load.stream import FILE_NAME, Follower
from garrison_harness.target import UsageFault

_POLL = 0.1  # seconds
_STOP_GRACE = 10.0  # seconds, for what was seen to be told; whoever insists need not wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What a worker is to do.

    Attributes:
        address: Host and port of its master.
        max_wait: How long to look for it, in seconds.
        locustfile: Its own, instead of the master's.
        log_directory: Where the log of Locust and what it tells go and stay, in `load/`; nowhere otherwise.
    """

    address: tuple[str, int]
    max_wait: float
    locustfile: Path | None = None
    log_directory: Path | None = None

    @property
    def place(self) -> str:
        """Where the master is, as people write it."""
        return f"{self.address[0]}:{self.address[1]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How the work of a worker ended.

    Attributes:
        how: `done`, whatever the master made of it, or what kept it from that.
        detail: More of that, one line.
        account: What this worker saw.
    """

    how: Literal["done", "interrupted", "lost"]
    detail: str = ""
    account: Account


def serve(errand: Errand) -> Done:
    """Do what a master says. Afterwards the load process is gone, whatever happened.

    Args:
        errand: Where the master is.

    Raises:
        UsageFault: There is no such master, it refuses this worker, or what it asks for cannot be done here.
    """
    plan = Plan(
        duration=0.0,
        role="worker",
        bind=errand.address,
        max_wait=errand.max_wait,
        locustfile=str(errand.locustfile.resolve()) if errand.locustfile else None,
    )
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="garrison-load-")))
        plan_path, stream = scratch / "plan.json", scratch / FILE_NAME
        plan.write(plan_path)
        logs = errand.log_directory / "load" if errand.log_directory else scratch
        child = start_load(plan_path, stream, logs)
        interrupted = False
        try:
            while child.exit_status() is None:
                interruption.pause(_POLL)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            child.end(grace=_STOP_GRACE)
        deltas = Follower(stream).deltas()
        if errand.log_directory is not None and stream.exists():
            shutil.copy(stream, logs / "worker.jsonl")
        status, log = child.exit_status() or 0, child.log_tail(40)
    account = Account()
    for delta in deltas:
        account.add(delta)
    ended, fault = (deltas[-1].ended, deltas[-1].fault) if deltas else ("running", "")
    if ended == "refused":
        raise UsageFault(fault)
    if interrupted:
        return Done(how="interrupted", account=account)
    if ended in {"lost", "running"}:
        return Done(
            how="lost", detail=fault or f"the load process died ({died(status, log)})", account=account
        )
    return Done(how="done", account=account)
