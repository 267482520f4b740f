"""The commands `garrison csp`: a policy out of reports, and the hashes of what is inline."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, BinaryIO

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.csp.reports import Violation
    from garrison.csp.suggestion import Suggestion


class NothingToDoError(click.ClickException):
    """Ends a command with one line, because what it was given is of no use to it."""

    exit_code = 2

    def show(self, file: Any = None) -> None:  # noqa: ARG002 - always standard error
        """Say it as the other commands do."""
        click.echo(f"garrison: {self.message}", err=True)


@click.group(invoke_without_command=True, short_help="Propose a Content-Security-Policy.")
@click.pass_context
def csp(context: click.Context) -> None:
    """Work on a Content-Security-Policy: from reports to a policy, and hashes.

    \b
    Examples:
      garrison csp suggest app.log
      garrison csp suggest --policy web --format env app.log
      garrison csp hash templates/base.html
    """  # noqa: D301 - click wants the backspace itself
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@csp.command(short_help="Propose the policy that would have allowed what was reported.")
@click.argument("files", nargs=-1, type=click.File("rb"), metavar="[FILE]...")
@click.option(
    "--policy",
    metavar="TEXT",
    help="Begin from this policy, or a preset such as web, not from the reported one.",
)
@click.option(
    "--include",
    multiple=True,
    metavar="SOURCE",
    help="Add a source that is left out otherwise, such as blob:. Repeatable.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "header", "env"]),
    default="text",
    show_default=True,
    help="A page, JSON, the header line alone, or the line to set.",
)
def suggest(files: tuple[BinaryIO, ...], policy: str | None, include: tuple[str, ...], form: str) -> None:
    """Propose the policy that would have allowed what was reported.

    FILE is the JSON log of Garrison, or reports as browsers send them; without
    one, standard input is read. Anybody can send a report: add only what you
    know. A nonce is written 'nonce', as in the settings.

    \b
    Examples:
      garrison csp suggest app.log
      garrison csp suggest --policy web --include blob: --format env app.log

    Exit status: 0, 2 where there is nothing to propose from.
    """  # noqa: D301 - click wants the backspace itself
    from garrison import csp_pages  # noqa: PLC0415 - only this command needs it and the next
    from garrison.csp.suggestion import suggest as propose  # noqa: PLC0415

    base = None if policy is None else _given(policy)
    violations = [found for file in files or (sys.stdin.buffer,) for found in _read(file)]
    if base is None and not any(violation.policy for violation in violations):
        raise NothingToDoError(
            "no report names the policy that it is about. Give the policy to begin from with --policy."
        )
    found = propose(violations, base, frozenset(include))
    unnamed = 0 if base is not None else sum(not violation.policy for violation in violations)
    if unnamed:
        click.echo(f"garrison: reports that name no policy, and were left out: {unnamed}", err=True)
    if form == "json":
        click.echo(csp_pages.document(found))
    elif form == "header":
        click.echo("\n".join(csp_pages.header_line(suggestion) for suggestion in found))
    elif form == "env":
        _echo_setting(found)
    else:
        click.echo(csp_pages.page(found), nl=False)


@csp.command("hash", short_help="Print the hash of each inline script and style.")
@click.argument("files", nargs=-1, required=True, type=click.File("rb"), metavar="FILE...")
def hash_(files: tuple[BinaryIO, ...]) -> None:
    """Print the hash of each inline script and style, as a source for a policy.

    Of HTML the inline scripts and styles count, of any other FILE the whole.

    \b
    Examples:
      garrison csp hash templates/base.html

    Exit status: 0, 2 where there is nothing to hash.
    """  # noqa: D301 - click wants the backspace itself
    from garrison.csp.hashes import csp_hash  # noqa: PLC0415 - only this command needs them
    from garrison.csp.inline import inline_parts, is_html  # noqa: PLC0415

    found = 0
    for file in files:
        data = file.read()
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise NothingToDoError(f"{file.name} is not UTF-8 (byte {error.start}).") from None
        if not is_html(text):
            click.echo(f"{csp_hash(data)}  {file.name}")
            found += 1
            continue
        for part in inline_parts(text):
            where = f"{file.name}:{part.line}"
            if part.is_template:
                click.echo(
                    f"garrison: {where}: a template fills in this {part.tag}, so that its hash is not that of"
                    " the file. Give it a nonce with csp_nonce.",
                    err=True,
                )
            else:
                click.echo(f"{csp_hash(part.text)}  {where} {part.tag}")
                found += 1
    if not found:
        names = ", ".join(file.name for file in files)
        raise NothingToDoError(f"no inline script or style that has a fixed hash in {names}.")


def _given(text: str) -> dict[str, tuple[str, ...]]:
    """The policy of `--policy`, which may begin with a preset's name as that of a setting may.

    Raises:
        click.BadParameter: it is none.
    """
    from garrison.csp.policy import PolicyError, parse_policy  # noqa: PLC0415 - as above
    from garrison.headers.chosen import policy_text  # noqa: PLC0415
    from garrison.headers.presets import PRESETS  # noqa: PLC0415

    try:
        return parse_policy(policy_text(text, PRESETS["auto"].policy))
    except PolicyError as error:
        raise click.BadParameter(f"{error}.", param_hint="'--policy'") from None


def _echo_setting(found: Sequence[Suggestion]) -> None:
    """Print the line to set for the policy with most reports: a variable can be set once.

    Raises:
        NothingToDoError: no setting takes the policy.
    """
    from garrison import csp_pages  # noqa: PLC0415 - as above
    from garrison.csp.policy import PolicyError  # noqa: PLC0415

    try:
        click.echo(csp_pages.setting_line(found[0]))
    except PolicyError as error:
        # Anybody can send a report about any policy.
        raise NothingToDoError(
            f"no setting takes the reported policy: {error}. Give the one to begin from with --policy."
        ) from None
    if found[1:]:
        left = f"garrison: policies that have fewer reports, and were left out: {len(found) - 1}"
        click.echo(left, err=True)


def _read(file: BinaryIO) -> list[Violation]:
    """The violations in a log or in reports.

    Raises:
        NothingToDoError: there is none.
    """
    from garrison.csp.report_files import NoReportError, read_report_file  # noqa: PLC0415 - as above

    name = getattr(file, "name", "<stdin>")
    name = "standard input" if name == "<stdin>" else name
    try:
        return read_report_file(file)
    except NoReportError as error:
        raise NothingToDoError(f"{name} {error}.") from None
    except OSError as error:
        raise NothingToDoError(f"{name} cannot be read: {error.strerror}.") from None
