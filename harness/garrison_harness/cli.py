"""The command line: `garrison check`."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Unpack

import click

from garrison_harness.app_output import app_output
from garrison_harness.configuration.command import ConfiguredCommand, config_option, login_of
from garrison_harness.extras import require
from garrison_harness.interruption import at_once, termination_interrupts
from garrison_harness.one_line_errors import faults_stop
from garrison_harness.options.asked import accepted_by, audited_as, checks_of
from garrison_harness.options.limits import LIMITS
from garrison_harness.options.reports import REPORTS
from garrison_harness.options.requests import REQUESTS
from garrison_harness.options.target import TARGET, target_of
from garrison_harness.options.verdict import VERDICT
from garrison_harness.output import pair_outputs, write_all
from garrison_harness.progress import Progress
from garrison_harness.report.forms import write

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from garrison_harness.baseline import Baseline
    from garrison_harness.checks.check import Check
    from garrison_harness.options.given import Given
    from garrison_harness.report.report import Report
    from garrison_harness.target import Target


@click.command(
    cls=ConfiguredCommand,
    context_settings={"max_content_width": 100, "help_option_names": ["-h", "--help"]},
    params=[*TARGET, *REQUESTS, *LIMITS, *VERDICT, *REPORTS, config_option()],
)
def check(**given: Unpack[Given]) -> None:
    """Audit a web app from outside.

    TARGET is module:attribute (booted on a free port), an http(s) URL on this machine, or, after --, a
    command with {port} where it takes the port to listen on.

    \b
    Examples:
      garrison check shop.main:app
      garrison check shop.main:app --harden --fail-on high
      garrison check http://127.0.0.1:8000 --format html --output garrison.html
      garrison check -- node server.js --port {port}

    Exit status: 0 pass, 1 confirmed findings, 2 usage, 3 the target did not start, 4 inconclusive
    (the page did not answer, the time was up, or it was interrupted).
    """  # noqa: D301 - click wants the backspace itself
    with faults_stop():
        require("check", "h11", "rich")
        checks = checks_of(given)
        if given["catalogue"]:
            write_all([("text", None)], partial(_list, checks))
            return
        target = target_of(given)
        destinations = pair_outputs(given["formats"], given["outputs"])
        report = _report(target, checks, given, accepted=accepted_by(given))
        write_all(destinations, partial(write, report))
        if ("text", None) not in destinations:
            _summarize(report)
    sys.exit(report.exit_status)


def _list(checks: Sequence[Check], _form: str, stream: TextIO) -> None:
    from garrison_harness.report.text import write_catalogue  # noqa: PLC0415 - needs the extra

    write_catalogue(checks, stream)


def _report(target: Target, checks: tuple[Check, ...], given: Given, *, accepted: Baseline | None) -> Report:
    from garrison_harness.loading import load_asgi_app  # noqa: PLC0415 - only this command needs it

    with termination_interrupts(), Progress(len(checks)) as progress, ExitStack() as stack:
        app = None
        if target.in_process:
            stack.enter_context(app_output(given["log_directory"]))
            with at_once():
                app = load_asgi_app(target.words[0], factory=target.factory, environment=target.environment)
        return audited_as(
            given,
            target,
            checks,
            login=login_of(click.get_current_context()),
            app=app,
            accepted=accepted,
            progress=progress.count,
        )


def _summarize(report: Report) -> None:
    """What a person who watches wants to know where the report itself goes elsewhere."""
    from garrison_harness.report.text import write_summary  # noqa: PLC0415 - needs the extra

    write_summary(report, sys.stderr)
