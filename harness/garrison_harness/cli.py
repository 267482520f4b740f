"""The command line: `garrison check`."""

from __future__ import annotations

import secrets
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from garrison_harness import audit_options
from garrison_harness.checks.catalogue import choose
from garrison_harness.finding import Severity
from garrison_harness.one_line_errors import OneLineCommand, Stop, faults_stop
from garrison_harness.output import pair_outputs
from garrison_harness.process import termination_interrupts
from garrison_harness.progress import Progress
from garrison_harness.running import running
from garrison_harness.site import Site
from garrison_harness.target import UsageFault, parse_target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison_harness.checks.check import Check
    from garrison_harness.report.report import Report
    from garrison_harness.site import Quota
    from garrison_harness.target import Target

_FORMATS = ("text", "json", "sarif")
_SEVERITIES = tuple(severity.word for severity in Severity)


@click.command(cls=OneLineCommand, context_settings={"max_content_width": 100})
@click.argument("words", metavar="TARGET", nargs=-1)
@click.option("--factory", is_flag=True, help="The attribute is called to get the app.")
@click.option(
    "--harden", is_flag=True, help="Start the app under garrison run, to show what would be gained."
)
@click.option(
    "--host",
    metavar="NAME",
    callback=audit_options.host,
    help="The Host that requests name, where the app serves some only.  [default: the address]",
)
@click.option(
    "--path",
    metavar="PATH",
    callback=audit_options.request_path,
    help="The page to judge.  [default: the URL's path, or /]",
)
@click.option(
    "--body-path",
    metavar="PATH",
    callback=audit_options.request_path,
    help="A route that takes JSON.  [default: that of --path]",
)
@click.option(
    "--error-path", metavar="PATH", callback=audit_options.request_path, help="A route that raises."
)
@click.option(
    "--quota",
    metavar="QUOTA",
    callback=audit_options.quota,
    help="The quota that the app declares, such as 5/minute.",
)
@click.option(
    "--max-body",
    metavar="SIZE",
    callback=audit_options.size,
    default="10MB",
    show_default=True,
    help="The largest body that the app declares.",
)
@click.option(
    "--select",
    metavar="IDS",
    multiple=True,
    callback=audit_options.comma_separated,
    help="Checks to run, by id or family: E1,M.",
)
@click.option(
    "--ignore",
    metavar="IDS",
    multiple=True,
    callback=audit_options.comma_separated,
    help="Checks to leave out, likewise.",
)
@click.option(
    "--fail-on",
    type=click.Choice(_SEVERITIES),
    default="medium",
    show_default=True,
    help="The least severity at which a confirmed finding fails.",
)
@click.option(
    "--format", "formats", multiple=True, type=click.Choice(_FORMATS), help="Repeatable.  [default: text]"
)
@click.option(
    "--output",
    "outputs",
    metavar="PATH",
    multiple=True,
    help="Where the format in the same place goes, one for each; - is stdout, the default for one.",
)
@click.option("--log-directory", type=click.Path(path_type=Path), help="Keep the target's output here.")
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=1, max=600),
    default=60,
    show_default=True,
    help="Seconds that the audit may take.",
)
@click.option("--list", "catalogue", is_flag=True, help="Say what there is to check, and end.")
def check(
    words: tuple[str, ...],
    factory: bool,
    harden: bool,
    host: str | None,
    path: str | None,
    body_path: str | None,
    error_path: str | None,
    quota: Quota | None,
    max_body: int,
    select: list[str],
    ignore: list[str],
    fail_on: str,
    formats: tuple[str, ...],
    outputs: tuple[str, ...],
    log_directory: Path | None,
    timeout: float,
    catalogue: bool,
) -> None:
    """Audit a web app from outside.

    TARGET is module:attribute (booted on a free port), an http(s) URL on this machine, or, after --, a
    command with {port} where it takes the port to listen on.

    Exit status: 0 pass, 1 confirmed findings, 2 usage, 3 the target did not start, 4 inconclusive
    (the page did not answer, the time was up, or it was interrupted).
    """
    _require_extra()
    with faults_stop():
        chosen = _choose(select, ignore)
        if catalogue:
            _list(chosen)
            return
        target = parse_target(words, factory=factory, harden=harden)
        destinations = pair_outputs(formats, outputs)
        site = Site(
            authority=host or "",
            canary=f"garrison-{secrets.token_hex(6)}",
            path=path or target.path,
            body_path=body_path or path or target.path,
            error_path=error_path,
            quota=quota,
            max_body=max_body,
        )
        report = _audit(target, site, chosen, timeout=timeout, fail_on=fail_on, logs=log_directory)
        for form, destination in destinations:
            _write(report, form, destination)
        if ("text", None) not in destinations:
            _summarize(report)
    sys.exit(report.outcome.exit_status(report.fail_on))


def _require_extra() -> None:
    try:
        import h11  # noqa: F401, PLC0415 - found out here, to say it in one line
        import rich  # noqa: F401, PLC0415 - the same
    except ModuleNotFoundError as error:
        raise Stop(f"{error.name} is missing: pip install 'garrison[harness]'") from error


def _choose(select: Sequence[str], ignore: Sequence[str]) -> tuple[Check, ...]:
    try:
        chosen = choose(select, ignore)
    except ValueError as error:
        raise UsageFault(str(error)) from error
    if not chosen:
        raise UsageFault("--select and --ignore leave no check to run: ignore fewer")
    return chosen


def _list(checks: Sequence[Check]) -> None:
    from garrison_harness.report.text import write_catalogue  # noqa: PLC0415 - needs the extra

    write_catalogue(checks, sys.stdout)


def _audit(
    target: Target, site: Site, checks: Sequence[Check], *, timeout: float, fail_on: str, logs: Path | None
) -> Report:
    from garrison_harness.audit import audit  # noqa: PLC0415 - needs the extra
    from garrison_harness.probe import has_addresses  # noqa: PLC0415 - needs the extra
    from garrison_harness.report.report import Report  # noqa: PLC0415 - needs the extra

    with ExitStack() as stack:
        stack.enter_context(termination_interrupts())
        reached = stack.enter_context(running(target, log_directory=logs))
        site = replace(
            site,
            authority=site.authority or reached.base_url.partition("://")[2],
            https=reached.https,
            addresses=has_addresses(reached.host, reached.port),
            directory="" if target.kind == "url" else str(Path.cwd()),
        )
        progress = stack.enter_context(Progress(len(checks)))
        outcome = audit(reached, site, checks, timeout=timeout, progress=progress.count)
    return Report(target=target, outcome=outcome, fail_on=Severity[fail_on.upper()], directory=Path.cwd())


def _write(report: Report, form: str, destination: Path | None) -> None:
    from garrison_harness.report import json_report, sarif, text  # noqa: PLC0415 - needs the extra

    with ExitStack() as stack:
        try:
            stream = (
                stack.enter_context(destination.open("w", encoding="utf-8")) if destination else sys.stdout
            )
            if form == "text":
                text.write(report, stream)
            else:
                stream.write((json_report if form == "json" else sarif).render(report))
        except OSError as error:
            raise UsageFault(f"cannot write {destination or 'stdout'}: {error.strerror}") from error


def _summarize(report: Report) -> None:
    """What a person who watches wants to know where the report itself goes elsewhere."""
    from garrison_harness.report.text import write_summary  # noqa: PLC0415 - needs the extra

    write_summary(report, sys.stderr)
