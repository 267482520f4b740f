"""The command `garrison drill`."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Unpack

import click

from garrison_harness.configuration.command import config_option
from garrison_harness.configuration.readers import DRILL
from garrison_harness.drills.given import asked_of
from garrison_harness.drills.options import APP, BOUNDS, LOAD, REPORTS, TARGET, VERDICT
from garrison_harness.extras import require
from garrison_harness.interruption import termination_interrupts
from garrison_harness.load.grouped_help import GroupedCommand
from garrison_harness.one_line_errors import faults_stop
from garrison_harness.options.target import target_of
from garrison_harness.output import pair_outputs, write_all
from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from garrison_harness.drills.drill import Drill
    from garrison_harness.drills.given import Given
    from garrison_harness.drills.performing import Outcome
    from garrison_harness.target import Target

_WORKERS = "GARRISON_SERVER_WORKERS"


@click.command(
    cls=GroupedCommand,
    name="drill",
    context_settings={"help_option_names": ["-h", "--help"]},
    subjects={
        "Target": [*TARGET, config_option(only=DRILL)],
        "Load": LOAD,
        "What is known of the app": APP,
        "What it is held to": BOUNDS,
        "Drills and reports": (*VERDICT, *REPORTS),
    },
)
def drill(**given: Unpack[Given]) -> None:
    """Break something under a small load, and see whether the app holds.

    TARGET is module:attribute, a command after -- with {port} where it takes
    its port, or a URL on this machine, which cannot be stopped or given a
    store, so that fewer drills are run. Each drill takes some seconds and
    starts the app anew.

    \b
    Examples:
      garrison drill shop.main:app --harden --error-path /boom
      garrison drill shop.main:app --store-variable REDIS_URL
      garrison drill --select stopped,log-stalled -- granian --port {port} ...

    Exit status: 0 held, 1 broken, 2 usage, 3 the target did not start, 4
    inconclusive (interrupted, or a drill that was begun or named says nothing).
    """  # noqa: D301 - click wants the backspace itself
    with faults_stop(), termination_interrupts():
        require("drill", "rich")
        from garrison_harness.drills.catalogue import choose  # noqa: PLC0415 - needs the extra

        try:
            drills = choose(given["select"], given["ignore"])
        except ValueError as error:
            raise UsageFault(str(error)) from error
        if given["catalogue"]:
            write_all([("text", None)], partial(_list, drills))
            return
        target = target_of(given)
        destinations = pair_outputs(given["formats"], given["outputs"])
        outcome = _perform(target, drills, given)
        write_all(destinations, partial(_write, outcome))
    if not outcome.complete:
        click.echo("garrison: interrupted; what was found until then is in the report", err=True)
    sys.exit(outcome.exit_status)


def _perform(target: Target, drills: Sequence[Drill], given: Given) -> Outcome:
    from garrison_harness.drills.performing import perform  # noqa: PLC0415 - needs the extra

    workers = dict(target.environment).get(_WORKERS, os.environ.get(_WORKERS, "1"))
    asked = asked_of(given, target.path, int(workers) if workers.isdecimal() else 1)
    telling = _Telling()
    try:
        return perform(
            target,
            asked,
            drills,
            logs=given["log_directory"],
            named=bool(given["select"]),
            telling=telling,
        )
    finally:
        telling("")


class _Telling:
    """A line on stderr that says what is being done, where stderr is a terminal; gone at the end."""

    def __call__(self, text: str) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()


def _list(drills: Sequence[Drill], _form: str, stream: TextIO) -> None:
    from garrison_harness.drills.report.text import write_catalogue  # noqa: PLC0415 - needs the extra

    write_catalogue(drills, stream)


def _write(outcome: Outcome, form: str, stream: TextIO) -> None:
    from garrison_harness.drills.report import json_report, junit, text  # noqa: PLC0415 - needs the extra

    if form == "text":
        text.write(outcome, stream)
    else:
        stream.write((json_report if form == "json" else junit).render(outcome))
