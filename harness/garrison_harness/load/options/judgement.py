"""The options that say what a run has to keep."""

from __future__ import annotations

from typing import Final

import click

from garrison_harness.load.compare.difference import FEWEST_ROUNDS
from garrison_harness.load.compare.turns import ROUNDS
from garrison_harness.load.options.reading import read_thresholds
from garrison_harness.load.thresholds import DEFAULT, EXAMPLES, OPEN_DEFAULT
from garrison_harness.options.reading import quotas_of_a_client

JUDGEMENT: Final[tuple[click.Parameter, ...]] = (
    click.Option(
        ["--threshold", "thresholds"],
        callback=read_thresholds,
        metavar="THRESHOLD",
        multiple=True,
        help=f"What the run must keep: {EXAMPLES}. limited is the share of 429 replies, which are no errors."
        " Of some requests: p95{name:GET /items}<50ms, errors{tag:write}<1%, requests{status:503}<10. With"
        " abort, or abort after 10s, behind it, a miss ends the run.  Repeatable.  [default, where none is"
        f" given: {DEFAULT}; with --rate also {OPEN_DEFAULT}]",
    ),
    click.Option(
        ["--compare"],
        metavar="bare|REPORT",
        help="Hold the target against another variant, and say how sure the difference is: bare is the same"
        " app without what --harden starts, loaded in turn with it; a report is one that --format json wrote"
        " of an earlier run. diff(p95)<1ms, diff(p50)<10% and so on are thresholds of the difference.",
    ),
    click.Option(
        ["--rounds"],
        metavar="NUMBER",
        type=click.IntRange(FEWEST_ROUNDS, 1000),
        help="How often --compare bare loads both in turn; each has the --duration in all rounds together."
        f"  [default: {ROUNDS}]",
    ),
    click.Option(
        ["--no-watch", "unwatched"],
        is_flag=True,
        help="Do not watch the target for what hardening has to keep under load: security headers, request"
        " ids, problem documents, orderly 503s, quotas, secrets and whole lines in its log; nor its memory"
        " and its loop lag. For that it is asked for the paths of the run twice before the load, and for"
        " trifles ten times a second during it. --compare bare watches nothing.",
    ),
    click.Option(
        ["--quota", "quotas"],
        callback=quotas_of_a_client,
        metavar="QUOTA",
        multiple=True,
        help="What the app declares that one client may ask in all, such as 100/minute: under load each"
        " client must get exactly that.  Repeatable.",
    ),
    click.Option(
        ["--no-calibrate", "uncalibrated"],
        is_flag=True,
        help="Do not find out first, in some two seconds, what the generator reaches here with a server that"
        " does nothing.",
    ),
)
"""In the order of the help."""
