"""The command `garrison`: serve, look at the settings, and hand the rest to the harness."""

from __future__ import annotations

import importlib
import shutil
import sys
import textwrap
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

import click

from garrison import __version__, listing, reference
from garrison.contract_cli import contract
from garrison.csp_cli import csp
from garrison.env_file import take_env_file
from garrison.limits_cli import limits
from garrison.preflight import Advice, examine, examine_document, examine_imports
from garrison.server.environment import worker_count
from garrison.settings import SettingsError, foreign, load
from garrison.stack import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison.settings import Loaded

# Found by name, and only when asked for: the toolkit does not know the harness.
HARNESS = {
    "check": ("garrison_harness.cli", "Audit an app from outside: what holds, and what does not.", "harness"),
    "load": ("garrison_harness.load.command", "Load an app with Locust, and judge by thresholds.", "load"),
}


class Commands(click.Group):
    """The sub-commands of the toolkit, and those of the harness under the same roof."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the options in front of the command; a usage error is one line."""
        with _one_line():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Read the command's own options and run it; a usage error is one line."""
        with _one_line():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """All names, in the order in which people meet them."""
        return [*self.commands, *HARNESS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; one of the harness is imported here."""
        if cmd_name not in HARNESS:
            return super().get_command(ctx, cmd_name)
        module, _, extra = HARNESS[cmd_name]
        try:
            return cast("click.Command", getattr(importlib.import_module(module), cmd_name))
        except ModuleNotFoundError as error:
            return _missing(cmd_name, extra, error)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list in the help, which imports nothing of the harness."""
        own = [(name, command.get_short_help_str(70)) for name, command in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl([*own, *((name, text) for name, (_, text, _) in HARNESS.items())])


def _missing(name: str, extra: str, error: ModuleNotFoundError) -> click.Command:
    @click.command(name, context_settings={"ignore_unknown_options": True}, add_help_option=False)
    @click.argument("words", nargs=-1, type=click.UNPROCESSED)
    def missing(words: tuple[str, ...]) -> None:  # noqa: ARG001 - whatever was asked for, it is not there
        fail(_install(name, extra, error), 2)

    return missing


def _install(command: str, extra: str, error: ModuleNotFoundError) -> str:
    return f"`garrison {command}` needs {error.name}. Install it with: pip install 'garrison[{extra}]'"


def fail(message: str, status: int) -> NoReturn:
    """End with a message on standard error."""
    click.echo("\n".join(f"garrison: {line}" for line in message.splitlines()), err=True)
    sys.exit(status)


@contextmanager
def _one_line() -> Iterator[None]:
    """Say what is wrong with a command line in one line, instead of click's three."""
    try:
        yield
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "garrison"
        message = " ".join(error.format_message().split())
        end = "" if message.endswith((".", "?")) else "."
        fail(f"{message}{end} `{command} --help` says what there is.", 2)
    except KeyboardInterrupt:
        fail("interrupted", 4)


@click.group(
    cls=Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="garrison", message="%(prog)s %(version)s")
@click.pass_context
def main(context: click.Context) -> None:
    """Make an ASGI app fit for production, and prove it.

    \b
    Examples:
      garrison run shop.main:app --port 8000
      garrison config --check
      garrison check shop.main:app
    """  # noqa: D301 - click wants the backspace itself
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


_env_file = click.option(
    "--env-file", type=click.Path(path_type=Path), help="File of NAME=value lines; the environment wins."
)


@main.command(short_help="Serve an app with every layer on.")
@click.argument("target", required=False)
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="PORT", help="Port; 0 takes a free one.  [default: 8000]"
)
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes that serve.  [default: 1]")
@click.option("--factory", is_flag=True, help="TARGET names a function that makes the app.")
@_env_file
def run(
    target: str | None,
    host: str | None,
    port: int | None,
    workers: int | None,
    factory: bool,
    env_file: Path | None,
) -> None:
    """Serve TARGET, an app as module:attribute, with every layer on.

    Exit status: 0 after a stop, 2 for usage and settings, 3 where the app does
    not start.
    """
    try:
        from garrison.server import environment, loading, serve  # noqa: PLC0415 - only this command serves
    except ModuleNotFoundError as error:
        fail(_install("run", "server", error), 2)
    try:
        take_env_file(env_file)
        settings = serve.with_flags(
            environment.load_serving_settings().value,
            target=target,
            host=host,
            port=port,
            workers=workers,
            factory=factory,
        )
        if not settings.server.target:
            fail(
                "no app to serve. Name it as in `garrison run shop.main:app`, or set GARRISON_SERVER_TARGET.",
                2,
            )
        serve.serve(settings)
    except (SettingsError, loading.TargetUsageError) as error:
        fail(str(error), 2)
    except (loading.TargetError, serve.PortTakenError, serve.NotStartedError) as error:
        fail(str(error), 3)


@main.command(short_help="Print the effective settings, and what is missing.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "env", "markdown"]),
    default="text",
    show_default=True,
    help="A page, JSON, a template for --env-file, or the reference of all settings.",
)
@click.option("--check", is_flag=True, help="Also say what is missing or unsafe.")
@_env_file
def config(form: str, check: bool, env_file: Path | None) -> None:
    """Print the effective settings, and where each of them comes from.

    Exit status: 0, 1 where --check finds something unsafe, 2 for settings that
    cannot be used.
    """
    try:
        take_env_file(env_file)
        loaded = load(Settings, defaults=worker_count())
    except SettingsError as error:
        fail(str(error), 2)
    advice: Sequence[Advice] = ()
    if check:
        parts = (examine(loaded.value), examine_document(loaded.value), examine_imports(loaded.value))
        advice = sorted((each for part in parts for each in part), key=lambda each: each.level)
    if form == "env":
        click.echo(listing.template(loaded), nl=False)
    elif form == "json":
        click.echo(listing.document(loaded, advice if check else None))
    elif form == "markdown":
        click.echo(reference.document(), nl=False)
    else:
        # no-color.org: any value that is not empty switches colours off.
        color = False if foreign("NO_COLOR") else None
        click.echo(listing.page(loaded, width=_width()), nl=False, color=color)
    if check:
        _print_advice(loaded, advice)
    sys.exit(1 if any(item.level == "error" for item in advice) else 0)


main.add_command(contract)
main.add_command(csp)
main.add_command(limits)


def _width() -> int | None:
    """The columns of the terminal; None where there is no terminal, so that a line stays a line."""
    return shutil.get_terminal_size(fallback=(0, 0)).columns or None


def _print_advice(loaded: Loaded[Settings], found: Sequence[Advice]) -> None:
    unread = [
        Advice(level="warning", variable=variable, text="its section is off, so nothing reads it.")
        for variable in loaded.unused
    ]
    for advice in [*found, *unread]:
        line = f"{advice.level}: {advice.variable}: {advice.text}"
        width = _width()
        click.echo(line if width is None else textwrap.fill(line, width, subsequent_indent="  "), err=True)
    errors = sum(advice.level == "error" for advice in found)
    warnings = len(found) + len(unread) - errors
    click.echo(f"garrison: {_count(errors, 'error')}, {_count(warnings, 'warning')}", err=True)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


if __name__ == "__main__":
    main()
