"""The command `garrison`: serve, look at the settings, and hand the rest to the harness."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

import click
import orjson

from garrison import __version__
from garrison.preflight import examine
from garrison.settings import (
    SettingsError,
    attribute_docs,
    load,
    optional_sections,
    read_env_file,
    sections_of,
    settings_of,
)
from garrison.stack import Settings
from garrison.values import describe, render

if TYPE_CHECKING:
    from garrison.settings import Loaded

# Found by name, and only when asked for: the toolkit does not know the harness.
HARNESS = {
    "check": ("garrison_harness.cli", "Audit an app from outside: what holds, and what does not.", "harness"),
    "load": ("garrison_harness.load.command", "Load an app with Locust, and judge by thresholds.", "load"),
}


class Commands(click.Group):
    """The sub-commands of the toolkit, and those of the harness under the same roof."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order in which people meet them."""
        return [*super().list_commands(ctx), *HARNESS]

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
        own = [(name, command.get_short_help_str(60)) for name, command in sorted(self.commands.items())]
        with formatter.section("Commands"):
            formatter.write_dl([*own, *((name, text) for name, (_, text, _) in HARNESS.items())])


def _missing(name: str, extra: str, error: ModuleNotFoundError) -> click.Command:
    @click.command(name, context_settings={"ignore_unknown_options": True}, add_help_option=False)
    @click.argument("words", nargs=-1, type=click.UNPROCESSED)
    def missing(words: tuple[str, ...]) -> None:  # noqa: ARG001 - whatever was asked for, it is not there
        fail(f"`garrison {name}` needs {error.name}. Install it with: pip install 'garrison[{extra}]'", 2)

    return missing


def fail(message: str, status: int) -> NoReturn:
    """End with a message on standard error."""
    click.echo("\n".join(f"garrison: {line}" for line in message.splitlines()), err=True)
    sys.exit(status)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="garrison", message="%(prog)s %(version)s")
def main() -> None:
    r"""Make an ASGI app fit for production, and prove it.

    \b
    Examples:
      garrison run shop.main:app --port 8000
      garrison config --check
      garrison check shop.main:app
    """


@main.command()
@click.argument("target", required=False)
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 takes a free one.  [default: 8000]")
@click.option("--workers", type=click.IntRange(1), help="Processes that serve.  [default: 1]")
@click.option("--factory", is_flag=True, help="TARGET names a function that makes the app.")
@click.option(
    "--env-file", type=click.Path(path_type=Path), help="File of NAME=value lines; the environment wins."
)
def run(
    target: str | None,
    host: str | None,
    port: int | None,
    workers: int | None,
    factory: bool,
    env_file: Path | None,
) -> None:
    """Serve TARGET, an app as module:attribute, with every layer on.

    Exit status: 0 after a stop, 2 for usage and settings, 3 where the app does not start.
    """
    try:
        from garrison.server import loading, serve  # noqa: PLC0415 - only this command needs a server
    except ModuleNotFoundError as error:
        fail(f"`garrison run` needs {error.name}. Install it with: pip install 'garrison[server]'", 2)
    try:
        _take_env_file(env_file)
        settings = serve.with_flags(
            serve.load_settings().value, target=target, host=host, port=port, workers=workers, factory=factory
        )
        if not settings.server.target:
            fail(
                "no app to serve. Name it as in `garrison run shop.main:app`, or set GARRISON_SERVER_TARGET.",
                2,
            )
        status = serve.serve(settings)
    except (SettingsError, loading.TargetUsageError) as error:
        fail(str(error), 2)
    except (loading.TargetError, serve.PortTakenError) as error:
        fail(str(error), 3)
    sys.exit(status)


@main.command()
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "env"]), default="text", show_default=True
)
@click.option(
    "--check", is_flag=True, help="Also say what is missing or unsafe; exit 1 if anything is unsafe."
)
@click.option(
    "--env-file", type=click.Path(path_type=Path), help="File of NAME=value lines; the environment wins."
)
def config(form: str, check: bool, env_file: Path | None) -> None:
    """Print the effective settings, and where each of them comes from.

    Exit status: 0, 1 where --check finds something unsafe, 2 for settings that cannot be used.
    """
    try:
        _take_env_file(env_file)
        loaded = load(Settings)
    except SettingsError as error:
        fail(str(error), 2)
    rows = list(_rows(loaded))
    if form == "env":
        click.echo(_template(rows), nl=False)
    elif form == "json":
        document: dict[str, Any] = {
            "settings": {row["variable"]: {key: row[key] for key in ("value", "origin")} for row in rows}
        }
        if check:
            document["advice"] = [
                {"level": advice.level, "variable": advice.variable, "text": advice.text}
                for advice in examine(loaded.value)
            ]
        click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    else:
        _print_table(rows)
    sys.exit(_print_advice(loaded) if check else 0)


def _take_env_file(path: Path | None) -> None:
    if path is not None:
        for name, value in read_env_file(path).items():
            os.environ.setdefault(name, value)


def _rows(loaded: Loaded[Settings]) -> list[dict[str, str]]:
    defaults = Settings()
    sections = sections_of(Settings)
    rows = []
    for setting in settings_of(Settings):
        holder = loaded.value if setting.section is None else getattr(loaded.value, setting.section)
        origin = loaded.origins.get(setting.variable, "default")
        if holder is None:
            # What the section would have, were it on.
            holder, origin = getattr(defaults, str(setting.section)), "section off"
        docs = attribute_docs(sections[setting.section] if setting.section else Settings)
        rows.append(
            {
                "section": setting.section or "",
                "variable": setting.variable,
                "value": render(getattr(holder, setting.name), setting.annotation),
                "origin": origin,
                "expects": describe(setting.annotation),
                "about": docs.get(setting.name, ""),
            }
        )
    return rows


def _print_table(rows: list[dict[str, str]]) -> None:
    width = max(len(row["variable"]) for row in rows)
    for row in rows:
        value = row["value"]
        if len(value) > 60 and row["origin"] == "default":
            value = f"{value[:57]}..."
        origin = "" if row["origin"] == "default" else f"  ({row['origin']})"
        click.echo(f"{row['variable']:<{width}}  {value}{origin}")


def _template(rows: list[dict[str, str]]) -> str:
    lines = ["# Every setting of Garrison with its value. Remove the # in front of what you change.", ""]
    section = ""
    for row in rows:
        if row["section"] != section:
            section = row["section"]
            lines += [f"# {section.upper().replace('_', ' ')}", ""]
            if section in optional_sections(Settings):
                lines[-1:] = [f"# GARRISON_{section.upper()}=off switches this layer off.", ""]
        lines += [f"# {line}" for line in _wrapped(f"{row['about']} Expects {row['expects']}.")]
        is_set = row["origin"] not in {"default", "section off"}
        lines += [f"{'' if is_set else '#'}{row['variable']}={row['value']}", ""]
    return "\n".join(lines)


def _wrapped(text: str) -> list[str]:
    return click.wrap_text(" ".join(text.split()), width=90).splitlines()


def _print_advice(loaded: Loaded[Settings]) -> int:
    found = examine(loaded.value)
    for variable in loaded.unused:
        click.echo(f"warning: {variable}: its section is off, so nothing reads it.", err=True)
    for advice in found:
        click.echo(f"{advice.level}: {advice.variable}: {advice.text}", err=True)
    return 1 if any(advice.level == "error" for advice in found) else 0


if __name__ == "__main__":
    main()
