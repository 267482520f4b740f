"""The options that say what requests carry, and where they go."""

from __future__ import annotations

from typing import Final

import click

from garrison_harness.options import reading

HEADER: Final = click.Option(
    ["--header", "headers"],
    metavar="NAME:VALUE",
    multiple=True,
    callback=reading.header_lines,
    help="A line that every request carries, such as a login's.  Repeatable.",
)

REQUESTS: Final = (
    HEADER,
    click.Option(
        ["--host"],
        metavar="NAME",
        callback=reading.host,
        help="The Host that requests name, where the app serves some only.  [default: the address]",
    ),
    click.Option(
        ["--path"],
        metavar="PATH",
        callback=reading.request_path,
        help="The page to judge.  [default: the URL's path, or /]",
    ),
    click.Option(
        ["--body-path"],
        metavar="PATH",
        callback=reading.request_path,
        help="A route that takes JSON.  [default: that of --path]",
    ),
    click.Option(
        ["--openapi"],
        metavar="PATH",
        help="The OpenAPI document in JSON: a path of the app, or a file.  [default: looked for]",
    ),
    click.Option(
        ["--error-path"], metavar="PATH", callback=reading.request_path, help="A route that raises."
    ),
    click.Option(
        ["--slow-path"],
        metavar="PATH",
        callback=reading.request_path,
        help="A route that takes its time to answer.",
    ),
    click.Option(
        ["--one-address"],
        is_flag=True,
        help="Speak from the address that the system picks, one check after the other.",
    ),
    click.Option(
        ["--as-https"],
        is_flag=True,
        help="Have Observatory score the page as behind a proxy that speaks https.",
    ),
)
"""In the order of the help."""
