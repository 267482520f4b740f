"""The options that say how much load there is, and for how long."""

from __future__ import annotations

from typing import Final

import click

from garrison_harness.load.options.amount import DURATION, UNBOUNDED_RATE, USERS, summary
from garrison_harness.load.options.reading import read_duration, read_number
from garrison_harness.load.plan import MAX_USERS
from garrison_harness.load.profiles import PROFILES

MODEL: Final[tuple[click.Parameter, ...]] = (
    click.Option(
        ["--users"],
        metavar="NUMBER",
        type=click.IntRange(min=1),
        help="Users at the same time, each of whom waits for its reply before it asks again (closed model)."
        f"  [default: {USERS}]",
    ),
    click.Option(
        ["--spawn-rate"],
        callback=read_number,
        metavar="NUMBER",
        type=click.FloatRange(min=0, min_open=True),
        help="Users started per second.  [default: all in the first second]",
    ),
    click.Option(
        ["--rate"],
        callback=read_number,
        metavar="NUMBER",
        type=click.FloatRange(min=0, min_open=True, max=UNBOUNDED_RATE),
        help="Arrivals per second, on schedule and evenly spaced, whatever the replies do (open model). An"
        " arrival is one task of a user, and its latency counts from its time: while a target stalls, they"
        " go on, as people do.",
    ),
    click.Option(
        ["--max-users"],
        metavar="NUMBER",
        type=click.IntRange(min=1),
        help="Users that --rate may start; an arrival that finds all of them waiting for replies waits too."
        f"  [default: {MAX_USERS}]",
    ),
    click.Option(
        ["--duration"],
        callback=read_duration,
        metavar="DURATION",
        help=f"How long: 500ms, 10s, 1m, 1h.  [default: {DURATION:g}s, or that of the profile]",
    ),
    click.Option(
        ["--profile"],
        type=click.Choice(list(PROFILES)),
        help="How the load rises and falls. --users or --rate is its peak, --duration its length. "
        + "; ".join(map(summary, PROFILES.values()))
        + ".",
    ),
)
"""In the order of the help."""
