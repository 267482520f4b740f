"""The command `garrison`: serve, look at the settings, and hand the rest to the harness."""

from __future__ import annotations

import importlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import click

from garrison import __version__
from garrison.ending import fail
from garrison.extras import needs

if TYPE_CHECKING:
    from collections.abc import Iterator


class Listed(NamedTuple):
    """A sub-command before it is imported, which is when somebody asks for it.

    Attributes:
        module: where it is, under its own name.
        text: what the list in the help says of it.
        extra: what brings its packages; empty for the base install.
    """

    module: str
    text: str
    extra: str = ""


# In the order in which people meet them. Those of the harness are found by name, because the toolkit does not
# know it.
COMMANDS: Final = {
    "run": Listed("garrison.run_cli", "Serve an app with every layer on."),
    "config": Listed("garrison.config_cli", "Print the effective settings, and what is missing."),
    "contract": Listed("garrison.contract_cli", "Make API keys that the contract verifies."),
    "csp": Listed("garrison.csp_cli", "Propose a Content-Security-Policy."),
    "limits": Listed("garrison.limits_cli", "Show and reset what one client has used."),
    "check": Listed(
        "garrison_harness.cli", "Audit an app from outside: what holds, and what does not.", "harness"
    ),
    "explain": Listed(
        "garrison_harness.explain",
        "Say what a check is about: why, how it is judged, how to fix it.",
        "harness",
    ),
    "accept": Listed("garrison_harness.accept", "Accept findings for a time: only new ones fail.", "harness"),
    "prove": Listed(
        "garrison_harness.prove",
        "Prove each layer: switch it off, and exactly its checks turn red.",
        "harness",
    ),
    "load": Listed(
        "garrison_harness.load.command", "Load an app with Locust, and judge by thresholds.", "load"
    ),
    "drill": Listed("garrison_harness.drills.command", "Break something under load: what holds?", "harness"),
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
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name, which is imported here."""
        if cmd_name not in COMMANDS:
            return None
        module, _, extra = COMMANDS[cmd_name]
        try:
            return cast("click.Command", getattr(importlib.import_module(module), cmd_name))
        except ModuleNotFoundError as error:
            if not extra:
                raise
            return _missing(cmd_name, extra, error)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list in the help, which imports none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, listed.text) for name, listed in COMMANDS.items()])


def _missing(name: str, extra: str, error: ModuleNotFoundError) -> click.Command:
    @click.command(name, context_settings={"ignore_unknown_options": True}, add_help_option=False)
    @click.argument("words", nargs=-1, type=click.UNPROCESSED)
    def missing(words: tuple[str, ...]) -> None:  # noqa: ARG001 - whatever was asked for, it is not there
        fail(needs(f"`garrison {name}`", error.name, extra), 2)

    return missing


@contextmanager
def _one_line() -> Iterator[None]:
    """Say what is wrong with a command line in one line, instead of click's three."""
    try:
        yield
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "garrison"
        message = " ".join(_message(error).split())
        end = "" if message.endswith((".", "?")) else "."
        fail(f"{message}{end} `{command} --help` says what there is.", 2)
    except KeyboardInterrupt:
        fail("interrupted", 4)


def _message(error: click.UsageError) -> str:
    """What click says, or what `run` has in place of a flag that people know from other servers."""
    if isinstance(error, click.NoSuchOption) and error.ctx and error.ctx.info_name == "run":
        from garrison.server.familiar_flags import advice_for  # noqa: PLC0415 - only this mistake needs it

        advice = advice_for(error.option_name)
        if advice is not None:
            return f"No such option '{error.option_name}': {advice}."
    return error.format_message()


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


if __name__ == "__main__":
    main()
