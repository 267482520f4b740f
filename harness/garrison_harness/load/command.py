"""The command `garrison load`. Locust stays in a process of its own, so nothing here imports it."""

from __future__ import annotations

import importlib.util
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from garrison_harness.load.generator import generate
from garrison_harness.load.plan import Plan
from garrison_harness.load.result import EXIT_STATUSES, Result, judge_run
from garrison_harness.load.text import render
from garrison_harness.load.thresholds import DEFAULT, EXAMPLES, Threshold, parse_threshold
from garrison_harness.load.units import parse_duration
from garrison_harness.one_line_errors import OneLineCommand, faults_stop
from garrison_harness.output import pair_outputs
from garrison_harness.process import termination_interrupts
from garrison_harness.running import running
from garrison_harness.target import Target, UsageFault, parse_target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# RFC 9112 section 3.2.1: origin-form. Two slashes would begin an authority.
_PATH = re.compile(r"/(?!/)[!-\"$-~]*")

_FORMATS: Mapping[str, Callable[[Result], str]] = {"text": render, "json": Result.to_json}


def _read_duration(_context: click.Context, _parameter: click.Parameter, value: str) -> float:
    try:
        seconds = parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}, found {value!r}") from error
    if not seconds:
        raise click.BadParameter(f"expected more than nothing, such as 10s, found {value!r}")
    return seconds


def _read_thresholds(
    _context: click.Context, _parameter: click.Parameter, values: Sequence[str]
) -> tuple[Threshold, ...]:
    try:
        return tuple(map(parse_threshold, values))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _read_paths(
    _context: click.Context, _parameter: click.Parameter, values: Sequence[str]
) -> tuple[str, ...]:
    for value in values:
        if not _PATH.fullmatch(value):
            raise click.BadParameter(
                f"expected a path such as /items?page=2, percent-encoded where needed, found {value!r}"
            )
    return tuple(values)


@click.command(
    cls=OneLineCommand,
    name="load",
    epilog="Exit status: 0 passed, 1 a threshold was missed or no request was sent, 2 usage,"
    " 3 the target did not start, 4 inconclusive (interrupted, or the target or the load process died).",
)
@click.argument("words", metavar="TARGET | -- COMMAND ... {port}", nargs=-1)
@click.option("--factory", is_flag=True, help="The attribute of the import string returns the app.")
@click.option("--harden", is_flag=True, help="Start the import string under `garrison run`.")
@click.option(
    "--users", type=click.IntRange(min=1), default=10, show_default=True, help="Users at the same time."
)
@click.option(
    "--spawn-rate",
    type=click.FloatRange(min=0, min_open=True),
    help="Users started per second.  [default: all in the first second]",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    help="Requests per second of all users together, evenly spaced. This is a closed model: a user waits for"
    " its reply, so a target that stalls gets fewer requests.  [default: as fast as the replies come]",
)
@click.option(
    "--duration",
    callback=_read_duration,
    metavar="DURATION",
    default="10s",
    show_default=True,
    help="How long: 500ms, 10s, 1m, 1h.",
)
@click.option(
    "--path",
    "paths",
    callback=_read_paths,
    metavar="PATH",
    multiple=True,
    help="Path to GET, in turn; repeatable.  [default: /]",
)
@click.option(
    "--locustfile",
    type=click.Path(path_type=Path),
    help="Run the users of this file instead of asking for paths; a load shape in it overrides --users.",
)
@click.option(
    "--threshold",
    "thresholds",
    callback=_read_thresholds,
    metavar="THRESHOLD",
    multiple=True,
    help=f"What the run must keep; repeatable: {EXAMPLES}. limited is the share of 429 replies, which are no"
    f" errors.  [default, where none is given: {DEFAULT}]",
)
@click.option(
    "--expect",
    "expected",
    type=click.IntRange(400, 599),
    multiple=True,
    metavar="STATUS",
    help="A status from 400 on that is no error, such as 404; repeatable.",
)
@click.option(
    "--one-address",
    is_flag=True,
    help="All users speak from one address; else each has its own 127.0.x.y where the target is on IPv4"
    " loopback, so that a quota per client sees many clients.",
)
@click.option(
    "--format",
    "formats",
    type=click.Choice(list(_FORMATS)),
    multiple=True,
    help="Repeatable.  [default: text]",
)
@click.option(
    "--output",
    "outputs",
    multiple=True,
    help="Where the format in the same place goes, one for each; - is stdout, the default for one.",
)
@click.option(
    "--log-directory",
    type=click.Path(path_type=Path),
    help="Where the logs of the target and of Locust go and stay.",
)
@click.pass_context
def load(
    context: click.Context,
    *,
    words: tuple[str, ...],
    factory: bool,
    harden: bool,
    users: int,
    spawn_rate: float | None,
    rate: float | None,
    duration: float,
    paths: tuple[str, ...],
    locustfile: Path | None,
    thresholds: tuple[Threshold, ...],
    expected: tuple[int, ...],
    one_address: bool,
    formats: tuple[str, ...],
    outputs: tuple[str, ...],
    log_directory: Path | None,
) -> None:
    """Load an app with Locust, and judge it by thresholds.

    TARGET is module:attribute, a URL on loopback, or a command after -- with {port} where it takes its port.
    """
    with faults_stop(), termination_interrupts():
        _require_locust()
        sinks = pair_outputs(formats, outputs)
        target = parse_target(words, factory=factory, harden=harden)
        if locustfile is not None:
            _check_locustfile(locustfile, rate=rate, paths=paths)
        plan = Plan(
            users=users,
            spawn_rate=spawn_rate or users,
            rate=rate,
            duration=duration,
            paths=paths or (target.path,),
            locustfile=str(locustfile) if locustfile else None,
            expected=expected,
            one_address=one_address,
        )
        result = _run(target, plan, thresholds or (parse_threshold(DEFAULT),), log_directory)
        for name, path in sinks:
            write(_FORMATS[name](result), path)
    if result.reason:
        click.echo(f"garrison: {result.reason}", err=True)
    context.exit(EXIT_STATUSES[result.verdict])


def _require_locust() -> None:
    if importlib.util.find_spec("locust") is None:
        raise UsageFault("Locust is not installed: pip install 'garrison[load]'")


def _check_locustfile(path: Path, *, rate: float | None, paths: Sequence[str]) -> None:
    for flag, given in (("--rate", rate), ("--path", paths)):
        if given:
            raise UsageFault(
                f"{flag} does not go with --locustfile: its users say what they ask for, and when"
            )
    try:
        compile(path.read_bytes(), str(path), "exec")
    except OSError as error:
        raise UsageFault(f"cannot read the locustfile {path}: {error.strerror}; check the path") from error
    except (SyntaxError, ValueError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise UsageFault(f"{path}{line} is not Python: {error}; mend it") from error


def _run(target: Target, plan: Plan, thresholds: Sequence[Threshold], log_directory: Path | None) -> Result:
    with running(target, log_directory=log_directory) as up:
        plan = plan.at(up.base_url)
        if sys.stderr.isatty():
            click.echo(f"{plan.users} users for {plan.duration:g} s at {up.base_url} ...", err=True)
        started = datetime.now(UTC)
        outcome = generate(plan, up, log_directory=log_directory)
    return judge_run(target=target, started=started, plan=plan, outcome=outcome, thresholds=thresholds)


def write(text: str, path: Path | None) -> None:
    """Write a report to its file, or to stdout.

    Raises:
        UsageFault: The file could not be written after all.
    """
    if path is None:
        click.echo(text, nl=False)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageFault(
            f"--output {path} could not be written: {error.strerror}; name another file"
        ) from error
