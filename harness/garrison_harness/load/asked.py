"""What one run is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from garrison_harness.load.compare.against import Against
from garrison_harness.load.plan import Plan
from garrison_harness.load.requests.wanted import Wanted
from garrison_harness.load.thresholds import Threshold
from garrison_harness.login.settings import Login
from garrison_harness.site import Quota
from garrison_harness.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What one run is asked to do.

    Attributes:
        target: What to load; what is started for it is ended afterwards.
        plan: What the load process does.
        thresholds: What the run has to keep.
        login: How to log in to the target before anything else is asked of it; None for not at all.
        wanted: The OpenAPI document whose requests the plan gets; None for none.
        against: What to hold the target against; None for nothing.
        quotas: What one client may ask, to be watched over with all that hardening has to keep; None for not
            watching the target at all.
        calibrated: Try first what the generator can reach.
        progress: Tell on stderr how far the run is, also where that is no terminal.
        log_directory: Where the logs go and stay; nowhere otherwise.
    """

    target: Target
    plan: Plan
    thresholds: tuple[Threshold, ...]
    login: Login | None = None
    wanted: Wanted | None = None
    against: Against | None = None
    quotas: tuple[Quota, ...] | None = None
    calibrated: bool = True
    progress: bool = False
    log_directory: Path | None = None
