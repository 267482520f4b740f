"""The options that declare the limits of the app, which checks hold it to."""

from __future__ import annotations

from typing import Final

import click

from garrison_harness.options import reading
from garrison_harness.options.seconds import Seconds

LIMITS: Final = (
    click.Option(
        ["--time-limit"],
        metavar="SECONDS",
        type=Seconds(min=0.1, max=30),
        help="The longest that the app declares a handler may take.",
    ),
    click.Option(
        ["--slow-limit"],
        metavar="SECONDS",
        type=Seconds(min=0.1, max=60),
        help="The longest that it declares a client may take to send a request.",
    ),
    click.Option(
        ["--concurrency"],
        metavar="NUMBER",
        type=click.IntRange(min=1, max=50),
        help="How many requests it declares to take at the same time.",
    ),
    click.Option(
        ["--quota"],
        metavar="QUOTA",
        callback=reading.quota,
        help="The quota that the app declares: 5/minute for all that a client asks, POST /login: 5/minute for"
        " what it asks of one route.",
    ),
    click.Option(
        ["--max-body"],
        metavar="SIZE",
        callback=reading.size,
        default="10MB",
        show_default=True,
        help="The largest body that the app declares.",
    ),
)
"""In the order of the help."""
