"""One audit from the start of its target to the report."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from garrison_harness.audit import audit
from garrison_harness.checks.slow_clients import BODY_GRACE
from garrison_harness.discovery.survey import surveyed
from garrison_harness.login.entering import Entrance
from garrison_harness.observatory.visit import rated
from garrison_harness.probe import has_addresses
from garrison_harness.report.report import report_of
from garrison_harness.running import running

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from garrison_harness.asgi_call import App
    from garrison_harness.baseline import Baseline
    from garrison_harness.checks.check import Check
    from garrison_harness.finding import Severity
    from garrison_harness.login.settings import Login
    from garrison_harness.report.report import Report
    from garrison_harness.site import Site
    from garrison_harness.stage import Reached
    from garrison_harness.target import Target


# A section that is off, or a grace that somebody chose, is judged as it is.
_GRACES: Final = (
    "GARRISON_TIMEOUTS",
    "GARRISON_TIMEOUTS_FILE",
    "GARRISON_TIMEOUTS_BODY_GRACE",
    "GARRISON_TIMEOUTS_BODY_GRACE_FILE",
)


def audited(
    target: Target,
    site: Site,
    checks: Sequence[Check],
    *,
    fail_on: Severity,
    timeout: float,
    app: App | None = None,
    accepted: Baseline | None = None,
    openapi: str | None = None,
    login: Login | None = None,
    as_https: bool = False,
    severities: Mapping[str, Severity] | None = None,
    logs: Path | None = None,
    reference: str = "",
    progress: Callable[[Check], None] = lambda _: None,
) -> Report:
    """Start the target, find out what it serves, audit it, and end it.

    Args:
        target: What to audit.
        site: What the person said of it; what shows itself is filled in.
        checks: What to find out.
        fail_on: The least severity at which a confirmed finding fails.
        timeout: How long the checks may take, in seconds.
        app: The app itself, where it is driven in this process.
        accepted: Findings that are hidden.
        openapi: The OpenAPI document as a path of the app or as a file; looked for otherwise.
        login: How to log in to every start of it, where checks should see what only users see.
        as_https: Have the page scored as if a proxy in front of the app spoke https.
        severities: Those that checks have in place of their own, by id.
        logs: Where the output of the target goes and stays; nowhere otherwise.
        reference: Where the reference of checks is published, for findings to link to.
        progress: Told of each check once it has been asked, from any thread.

    Raises:
        TargetFailed: The target does not start.
        UsageFault: The logs cannot be written, the document cannot be read, or the login failed.
    """
    with ExitStack() as stack:
        launch: Callable[[], AbstractContextManager[Reached]] | None = None
        reached: Reached
        addresses = site.addresses
        if app is not None:
            from garrison_harness.in_process import Hosted  # noqa: PLC0415 - brings asyncio, for this one case

            reached = stack.enter_context(Hosted(app))
        else:
            target = within_patience(target, site)
            reached = started = stack.enter_context(running(target, log_directory=logs))
            addresses = addresses and has_addresses(started.host, started.port)
            launch = None if target.kind == "url" else partial(running, target)
        site = replace(
            site,
            authority=site.authority or reached.base_url.partition("://")[2],
            https=reached.base_url.startswith("https:"),
            addresses=addresses,
            directory="" if target.kind == "url" else str(Path.cwd()),
            sockets=app is None,
            started=target.kind != "url",
        )
        entrance = Entrance(login)
        site = surveyed(reached, entrance.enter(reached, site), target, openapi=openapi, app=app)
        rating = rated(reached, site, as_https=as_https)
        outcome = audit(
            reached, site, checks, timeout=timeout, progress=progress, launch=launch, enter=entrance.enter
        )
    return report_of(
        target,
        outcome,
        site,
        fail_on=fail_on,
        directory=Path.cwd(),
        baseline=accepted,
        today=datetime.now(UTC).date(),
        rating=rating,
        secrets=entrance.secrets,
        severities=severities,
        reference=reference,
    )


def within_patience(target: Target, site: Site) -> Target:
    """The target, whose layers wait for a slow body for less than an audit does, unless told otherwise.

    What they wait for by default is longer than all the rest of an audit, and a bound that is not waited for
    looks like none.

    Args:
        target: As the person named it.
        site: What they said of it; a bound on slow clients is one that is waited for.
    """
    said = {*os.environ, *dict(target.environment)}
    if target.kind == "url" or site.slow_limit is not None or not said.isdisjoint(_GRACES):
        return target
    planted = ("GARRISON_TIMEOUTS_BODY_GRACE", f"{BODY_GRACE:g}s")
    return replace(target, environment=(*target.environment, planted))
