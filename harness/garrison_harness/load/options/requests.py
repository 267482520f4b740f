"""The options that say what is asked for, and which replies are in order."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from garrison_harness.load.options.reading import read_paths
from garrison_harness.load.options.users import read_methods, read_mix
from garrison_harness.load.requests.drawing import METHODS
from garrison_harness.options.requests import HEADER

REQUESTS: Final[tuple[click.Parameter, ...]] = (
    click.Option(
        ["--path", "paths"],
        callback=read_paths,
        metavar="PATH",
        multiple=True,
        help="Path to GET, in turn; repeatable.  [default: /]",
    ),
    click.Option(
        ["--openapi"],
        metavar="auto|PATH|FILE",
        help="Send the requests of this OpenAPI document, in JSON: valid examples, by weight, with ids from"
        " replies in later requests. It writes, too: POST, PUT, PATCH, and DELETE of what it made itself.",
    ),
    click.Option(
        ["--methods"],
        callback=read_methods,
        metavar="GET,POST,...",
        help=f"Of the document, only these.  [default: {','.join(METHODS)}]",
    ),
    click.Option(
        ["--requests", "requests"],
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Send the requests of this list, one a line, such as GET /items?page=2 weight=3.",
    ),
    click.Option(
        ["--mix"],
        callback=read_mix,
        metavar="NAME[:PATH][=WEIGHT],...",
        help="Share the load among users that ship: browser, api, patient, impatient, slow, malformed,"
        " websocket; such as browser=3,api=1,websocket:/ws=1.",
    ),
    click.Option(
        ["--locustfile"],
        type=click.Path(path_type=Path),
        help="Run the users of this file instead of asking for paths; a load shape in it overrides --users.",
    ),
    HEADER,
    click.Option(
        ["--expect", "expected"],
        type=click.IntRange(400, 599),
        multiple=True,
        metavar="STATUS",
        help="A status from 400 on that is no error, such as 404; repeatable.",
    ),
    click.Option(
        ["--one-address"],
        is_flag=True,
        help="All users speak from one address; else each has its own 127.0.x.y where the target is on IPv4"
        " loopback, so that a quota per client sees many clients.",
    ),
)
"""In the order of the help."""
