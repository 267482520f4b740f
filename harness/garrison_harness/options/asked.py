"""What the options of `garrison check` ask for, for the command itself and for tests."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from garrison_harness.baseline import DEFAULT_PATH, read_baseline
from garrison_harness.finding import Severity
from garrison_harness.site import Site
from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison_harness.asgi_call import App
    from garrison_harness.baseline import Baseline
    from garrison_harness.checks.check import Check
    from garrison_harness.login.settings import Login
    from garrison_harness.options.given import Given
    from garrison_harness.report.report import Report
    from garrison_harness.target import Target


def checks_of(given: Given) -> tuple[Check, ...]:
    """The checks to run.

    Args:
        given: The options.

    Raises:
        UsageFault: One has another name, or none is left.
    """
    from garrison_harness.checks.catalogue import choose  # noqa: PLC0415 - the help does without it

    try:
        chosen = choose(given["select"], given["ignore"])
    except ValueError as error:
        raise UsageFault(str(error)) from error
    if not chosen:
        raise UsageFault("--select and --ignore leave no check to run: ignore fewer")
    return chosen


def accepted_by(given: Given) -> Baseline | None:
    """What is accepted; read before the audit, since a fault in it is better known early.

    Args:
        given: The options.

    Raises:
        UsageFault: The file is none, or cannot be read.
    """
    named = given["baseline"]
    if named == "off" or (named is None and not DEFAULT_PATH.is_file()):
        return None
    return read_baseline(Path(named) if named is not None else DEFAULT_PATH)


def audited_as(
    given: Given,
    target: Target,
    checks: tuple[Check, ...] | list[Check],
    *,
    login: Login | None,
    app: App | None,
    accepted: Baseline | None,
    progress: Callable[[Check], None] = lambda _: None,
) -> Report:
    """Audit as the options ask for it.

    Args:
        given: The options.
        target: What to audit.
        checks: What to find out.
        login: How to log in.
        app: The app itself, where it is driven in this process.
        accepted: Findings that are hidden.
        progress: Told of each check once it has been asked, from any thread.

    Raises:
        TargetFailed: The target does not start.
        UsageFault: The logs cannot be written, the document cannot be read, or the login failed.
    """
    from garrison_harness.auditing import audited  # noqa: PLC0415 - needs the extra
    from garrison_harness.report.reference import published  # noqa: PLC0415 - only where it is needed

    return audited(
        target,
        _site(target, given),
        checks,
        app=app,
        fail_on=Severity[given["fail_on"].upper()],
        timeout=given["timeout"],
        accepted=accepted,
        openapi=given["openapi"],
        login=login,
        as_https=given["as_https"],
        severities=given["severities"],
        logs=given["log_directory"],
        reference=given["reference"] or published(),
        progress=progress,
    )


def _is_told(name: str) -> bool:
    """Whether somebody gave the option of a parameter, on the command line or in a file."""
    context = click.get_current_context(silent=True)
    return context is None or context.get_parameter_source(name) is not ParameterSource.DEFAULT


def _site(target: Target, given: Given) -> Site:
    """What the person says of the app."""
    path = given["path"] or target.path
    return Site(
        authority=given["host"] or "",
        canary=f"garrison-{secrets.token_hex(6)}",
        path=path,
        body_path=given["body_path"] or path,
        error_path=given["error_path"],
        slow_path=given["slow_path"],
        time_limit=given["time_limit"],
        slow_limit=given["slow_limit"],
        concurrency=given["concurrency"],
        quota=given["quota"],
        max_body=given["max_body"],
        told_max_body=_is_told("max_body"),
        headers=tuple(given["headers"]),
        addresses=not given["one_address"],
    )
