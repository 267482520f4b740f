"""The options of `garrison drill`, in the order of its help."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from garrison_harness.drills.bounds import Bounds
from garrison_harness.drills.constant_load import MOST_RATE
from garrison_harness.drills.scene import RATE, STORE_VARIABLE
from garrison_harness.options import reading
from garrison_harness.options.reports import written
from garrison_harness.options.requests import HEADER
from garrison_harness.options.seconds import Seconds
from garrison_harness.options.target import ENV_FILE, ENVIRONMENT, FACTORY, WORDS
from garrison_harness.options.verdict import chosen
from garrison_harness.target import START_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Sequence


FORMATS: Final = ("text", "json", "junit")

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# RFC 9112 section 3.2.1: origin-form. Two slashes would begin an authority.
_PATH: Final = re.compile(r"/(?!/)[!-\"$-~]*")


def _read_paths(
    _context: click.Context, _parameter: click.Parameter, values: Sequence[str]
) -> tuple[str, ...]:
    for value in values:
        if not _PATH.fullmatch(value):
            raise click.BadParameter(
                f"expected a path such as /items?page=2, percent-encoded where needed, found {value!r}"
            )
    return tuple(values)


def _read_variables(
    _context: click.Context, _parameter: click.Parameter, values: Sequence[str]
) -> tuple[str, ...]:
    for value in values:
        if not _VARIABLE.fullmatch(value):
            raise click.BadParameter(f"expected the name of a variable such as REDIS_URL, found {value!r}")
    return tuple(values)


def _path(name: str, help_text: str) -> click.Option:
    return click.Option([name], metavar="PATH", callback=reading.request_path, help=help_text)


def _seconds(names: list[str], low: float, high: float, default: float, help_text: str) -> click.Option:
    return click.Option(
        names,
        metavar="SECONDS",
        type=Seconds(min=low, max=high),
        default=default,
        show_default=True,
        help=help_text,
    )


_DEFAULTS: Final = Bounds()

TARGET: Final = (
    WORDS,
    FACTORY,
    click.Option(["--harden"], is_flag=True, help="Start the app under garrison run."),
    ENVIRONMENT,
    ENV_FILE,
    _seconds(["--start-timeout"], 1, 600, START_TIMEOUT, "Seconds that it may take to start, and again."),
)
LOAD: Final = (
    click.Option(
        ["--rate"],
        metavar="NUMBER",
        type=click.FloatRange(min=1, max=MOST_RATE),
        default=RATE,
        show_default=True,
        help="Requests a second, at their times whatever became of those before.",
    ),
    _seconds(["--window"], 0.5, 60, 2, "Seconds that something is broken for, and about as long before."),
    click.Option(
        ["--path", "paths"],
        metavar="PATH",
        multiple=True,
        callback=_read_paths,
        help="Path to GET, in turn; repeatable.  [default: the URL's path, or /]",
    ),
    HEADER,
    click.Option(
        ["--one-address"],
        is_flag=True,
        help="Speak from one address; else each request has its own 127.x.y.z, so that a quota per client"
        " sees many clients.",
    ),
)
APP: Final = (
    click.Option(
        ["--store-variable", "store_variables"],
        metavar="NAME",
        multiple=True,
        callback=_read_variables,
        help=f"Variable that gets the URL of the Valkey to break, such as REDIS_URL; repeatable."
        f"  [default: {STORE_VARIABLE}]",
    ),
    click.Option(
        ["--quota"],
        metavar="QUOTA",
        callback=reading.quota_of_a_client,
        help="The quota of a client, such as 20/minute, which has to hold again.  [default: that of"
        " GARRISON_RATE_LIMIT_LIMITS; 20/minute with --harden and without it]",
    ),
    click.Option(
        ["--closed"],
        is_flag=True,
        help="The app answers 503 while its store is away, because it is meant to.  [default: what"
        " GARRISON_RATE_LIMIT_ON_STORAGE_ERROR says]",
    ),
    _path("--error-path", "A path that raises."),
    _path("--body-path", "A path that takes JSON by POST."),
    _path("--slow-path", "A path that takes a second or so to answer."),
    _path("--large-path", "A path with a reply of some MiB, for clients that do not read."),
    _path("--ready-path", "A path that says whether the app is ready.  [default: the usual ones]"),
)
BOUNDS: Final = (
    _seconds(["--late"], 0.05, 10, _DEFAULTS.late, "No reply may take longer."),
    click.Option(
        ["--factor"],
        metavar="NUMBER",
        type=click.FloatRange(min=1, max=1000),
        default=_DEFAULTS.factor,
        show_default=True,
        help="How many times as long the 95th percentile may be for those who did nothing wrong.",
    ),
    _seconds(["--recovery"], 0.5, 60, _DEFAULTS.recovery, "Seconds until the app uses its store again."),
    _seconds(["--grace"], 1, 120, _DEFAULTS.grace, "Seconds in which it has to stop."),
    click.Option(
        ["--slow-limit"],
        metavar="SECONDS",
        type=Seconds(min=0.1, max=120),
        help="The longest that a client may be slow.  [default: with --harden and none of its settings for"
        " that, 2, which the drill sets]",
    ),
    click.Option(
        ["--slow-clients"],
        type=click.IntRange(min=1, max=200),
        default=20,
        metavar="NUMBER",
        show_default=True,
        help="Slow clients of each kind.",
    ),
)
VERDICT: Final = (
    *chosen("Drills", "NAMES", "name: stopped,log-stalled"),
    click.Option(["--list", "catalogue"], is_flag=True, help="Say what drills there are, and end."),
)
REPORTS: Final = (
    *written(FORMATS),
    click.Option(
        ["--log-directory"],
        type=click.Path(path_type=Path),
        help="Keep the target's output here, in a directory for each drill.",
    ),
)
