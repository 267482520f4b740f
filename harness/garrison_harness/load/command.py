"""The command `garrison load`. Locust stays in a process of its own, so nothing here imports it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Unpack

import click

from garrison_harness.configuration.command import config_option, login_of
from garrison_harness.configuration.readers import LOAD
from garrison_harness.extras import require
from garrison_harness.interruption import termination_interrupts
from garrison_harness.load.grouped_help import GroupedCommand
from garrison_harness.load.options.asked import asked_of, without_idle_quotas
from garrison_harness.load.options.distributed import DISTRIBUTED, errand_of
from garrison_harness.load.options.judgement import JUDGEMENT
from garrison_harness.load.options.model import MODEL
from garrison_harness.load.options.reports import REPORTS
from garrison_harness.load.options.requests import REQUESTS
from garrison_harness.load.options.target import TARGET
from garrison_harness.load.report.destinations import destinations, on_screen
from garrison_harness.load.report.forms import write
from garrison_harness.load.run import perform
from garrison_harness.load.verdict import EXIT_STATUSES
from garrison_harness.load.worker import serve
from garrison_harness.one_line_errors import faults_stop
from garrison_harness.output import write_all

if TYPE_CHECKING:
    from garrison_harness.load.options.given import Given
    from garrison_harness.load.worker import Errand

# \b keeps click from filling a paragraph.
_EPILOG = """\b
Examples:
  garrison load shop.main:app --users 20 --threshold 'p95<200ms'
  garrison load shop.main:app --harden --threshold 'errors{name:GET /}<0.1%'
  garrison load http://127.0.0.1:8000 --threshold 'p99<1s abort after 10s'
  garrison load shop.main:app --rate 20000 --workers 4
  garrison load --locustfile journeys.py -- node server.js {port}

Exit status: 0 passed; 1 a threshold was missed, hardening did not hold, or no request was sent; 2 usage; 3
the target did not start; 4 inconclusive: the generator itself was the limit, it was interrupted, or the
target or the load process died.
"""


@click.command(
    cls=GroupedCommand,
    name="load",
    context_settings={"help_option_names": ["-h", "--help"]},
    subjects={
        "Target": (*TARGET, config_option(LOAD, section="load")),
        "Load": MODEL,
        "Processes": DISTRIBUTED,
        "Requests": REQUESTS,
        "Judgement": JUDGEMENT,
        "Reports": REPORTS,
    },
    epilog=_EPILOG,
)
@click.pass_context
def load(context: click.Context, /, **given: Unpack[Given]) -> None:
    """Load an app with Locust, and judge it by thresholds.

    TARGET is module:attribute, a URL on loopback, or a command after -- with {port} where it takes its port.
    """
    with faults_stop(), termination_interrupts():
        require("load", "locust", extra="load")
        errand = errand_of(given, context)
        if errand is not None:
            context.exit(_work(errand))
        places = destinations(given["formats"], given["outputs"])
        asked = asked_of(without_idle_quotas(given, context), login=login_of(context))
        result = perform(asked)
        write_all(places, partial(write, result))
    # The report ends with it.
    if result.reason and not on_screen(places):
        click.echo(f"garrison: {result.reason}", err=True)
    context.exit(result.exit_status)


def _work(errand: Errand) -> int:
    """Be a worker, and say what became of it; returns the exit status."""
    click.echo(f"garrison: looking for the master at {errand.place}", err=True)
    done = serve(errand)
    requests = sum(tally.requests for tally in done.account.names.values())
    click.echo(
        f"{requests:,} requests in {done.account.duration:.1f} s; the master at {errand.place} has the report"
    )
    if done.how == "done":
        return 0
    click.echo(f"garrison: {done.how}{f': {done.detail}' if done.detail else ''}", err=True)
    return EXIT_STATUSES["inconclusive"]
