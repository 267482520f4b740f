"""The command line: `garrison accept`."""

from __future__ import annotations

import datetime as dt
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from garrison_harness.baseline import DEFAULT_PATH, Entry
from garrison_harness.baseline_file import write_entries
from garrison_harness.checks.catalogue import CATALOGUE, choose
from garrison_harness.one_line_errors import OneLineCommand, faults_stop
from garrison_harness.target import UsageFault

_DAYS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A finding as the report has it."""

    check: str
    where: str
    message: str
    failing: bool


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


@click.command(
    cls=OneLineCommand,
    context_settings={"max_content_width": 100, "help_option_names": ["-h", "--help"]},
)
@click.argument("report")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--reason", required=True, help="Why this is acceptable, for whoever reads it later.")
@click.option("--owner", required=True, help="Who answers for it: a person or a team.")
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help=f"The last day on which it is accepted.  [default: in {_DAYS} days]",
)
@click.option(
    "--baseline",
    "path",
    type=click.Path(path_type=Path),
    default=DEFAULT_PATH,
    show_default=True,
    help="Where to add it.",
)
def accept(
    report: str, ids: tuple[str, ...], reason: str, owner: str, until: dt.datetime | None, path: Path
) -> None:
    """Accept findings for a time, so that only new ones fail.

    REPORT is what `garrison check --format json` wrote; - is stdin. Without an ID it is what made that audit
    fail, with some everything that these checks or families found. What was accepted before gets the new
    reason, owner and day.

    \b
    Examples:
      garrison accept report.json H2 --reason 'a partner frames it' --owner web
      garrison accept report.json H --reason later --owner web --until 2030-01-31

    Exit status: 0, 2 where there is nothing to accept or the file cannot be written.
    """  # noqa: D301 - click wants the backspace itself
    with faults_stop():
        expires = until.date() if until else _today() + dt.timedelta(days=_DAYS)
        if expires < _today():
            raise UsageFault(f"--until {expires} is over already: name a day to come")
        if not reason.strip() or not owner.strip():
            raise UsageFault("--reason and --owner cannot be empty: say why, and who answers for it")
        wanted = _chosen(ids)
        entries = [
            Entry(
                check=found.check,
                where=found.where,
                message=found.message,
                reason=reason.strip(),
                owner=owner.strip(),
                expires=expires,
            )
            for found in _findings(report)
            if (found.check in wanted if ids else found.failing)
        ]
        if not entries:
            raise UsageFault(
                f"{report} holds no finding {'of these checks' if ids else 'that fails'} to accept"
            )
        # Findings that differ by what every audit makes up are one.
        distinct = list({entry.subject: entry for entry in entries}.values())
        write_entries(path, distinct)
    number = len(distinct)
    click.echo(f"{number} finding{'s' if number > 1 else ''} accepted until {expires} in {path}")


def _chosen(ids: tuple[str, ...]) -> set[str]:
    try:
        return {check.id for check in choose(ids, [])}
    except ValueError as error:
        raise UsageFault(str(error)) from error


def _findings(report: str) -> list[_Found]:
    """The findings of a report."""
    try:
        text = sys.stdin.read() if report == "-" else Path(report).read_text(encoding="utf-8")
        document = json.loads(text)
        return [_found(check, finding) for check in document["checks"] for finding in check["findings"]]
    except OSError as error:
        raise UsageFault(f"{report} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageFault(f"{report} is no report of garrison check --format json") from error


def _found(check: dict[str, Any], finding: dict[str, Any]) -> _Found:
    """One of them.

    Raises:
        KeyError: It lacks something.
        TypeError: It is of another form.
        UsageFault: This version has no such check.
    """
    id_, message, place = check["id"], finding["message"], finding["location"]
    words = (id_, message, place["method"], place["target"])
    if not all(isinstance(word, str) and word for word in words) or not isinstance(finding["failing"], bool):
        raise TypeError
    if all(id_ != known.id for known in CATALOGUE):
        raise UsageFault(f"the report has findings of {id_!r}, a check that this version does not have")
    where = f"{place['method']} {place['target']}"
    return _Found(check=id_, where=where, message=message, failing=finding["failing"])
