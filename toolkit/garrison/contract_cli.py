"""The command `garrison contract`: API keys for callers, and what the settings hold of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from garrison.env_file import take_env_file, told
from garrison.openapi.api_keys import LONGEST, key_digest, key_entry, new_key
from garrison.settings import SettingsError, load
from garrison.stack import Settings

if TYPE_CHECKING:
    from garrison.units import Secret


class StopError(click.ClickException):
    """Ends a command with one line for each thing that is wrong with it or the settings."""

    exit_code = 2

    def show(self, file: Any = None) -> None:  # noqa: ARG002 - always standard error
        """Say it as the other commands do."""
        click.echo("\n".join(f"garrison: {line}" for line in self.message.splitlines()), err=True)


@click.group(invoke_without_command=True, short_help="Make API keys that the contract verifies.")
@click.pass_context
def contract(context: click.Context) -> None:
    """Make what the contract knows callers by.

    \b
    Examples:
      garrison contract key alice
      garrison contract key alice orders:read orders:write
      garrison contract key --stdin alice < key.txt
    """  # noqa: D301 - click wants the backspace itself
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@contract.command(short_help="Make an API key, and the entry that settings have of it.")
@click.argument("principal")
@click.argument("scopes", nargs=-1, metavar="[SCOPE]...")
@click.option(
    "--stdin", "existing", is_flag=True, help="Take the key from standard input instead of making one."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "entry"]),
    default="text",
    show_default=True,
    help="A page, JSON, or with --stdin the entry alone.",
)
@click.option(
    "--env-file", type=click.Path(path_type=Path), help="File of NAME=value lines; the environment wins."
)
def key(principal: str, scopes: tuple[str, ...], existing: bool, form: str, env_file: Path | None) -> None:
    """Make an API key for PRINCIPAL, and print it once.

    The entry is for GARRISON_CONTRACT_API_KEYS, where commas part entries. It
    has a hash of the key made with GARRISON_SECRET, which must be the app's:
    with another secret the app knows none of its keys.

    A principal may have several keys. To change one, add the entry of the new
    key, move the clients over, and take the old entry away.

    SCOPE is what the key may be used for, as operations of the document ask
    for it. A terminal is asked for the key with --stdin, and does not show it.

    \b
    Examples:
      garrison contract key alice orders:read orders:write
      garrison contract key --stdin --format entry alice < key.txt

    Exit status: 0, 2 for usage and settings.
    """  # noqa: D301 - click wants the backspace itself
    if form == "entry" and not existing:
        raise StopError("--format entry would lose the key that is made. It is for --stdin.")
    sources: dict[str, str] = {}
    try:
        sources = take_env_file(env_file)
        secret = load(Settings).value.secret
    except SettingsError as error:
        raise StopError(told(error, sources)) from None
    if secret is None:
        raise StopError(
            "GARRISON_SECRET is not set, and keys are hashed with it. `openssl rand -hex 32` makes one, which"
            " the app needs too."
        )
    entry = _entry(principal, scopes, text := _sent() if existing else new_key(), secret)
    if form == "json":
        made = {} if existing else {"key": text}
        click.echo(orjson.dumps({"principal": principal, **made, "entry": entry}, option=orjson.OPT_INDENT_2))
    elif form == "entry":
        click.echo(entry)
    else:
        click.echo(_page(principal, entry, "" if existing else text), nl=False)


def _entry(principal: str, scopes: tuple[str, ...], text: str, secret: Secret) -> str:
    """The entry of a key.

    Raises:
        StopError: something cannot be used; it shows no key.
    """
    try:
        return key_entry(principal, key_digest(text, secret), scopes)
    except ValueError as error:
        raise StopError(f"{error}.") from None


def _sent() -> str:
    """The key on standard input.

    Raises:
        StopError: there is none, or more than one line.
    """
    if sys.stdin.isatty():
        return str(click.prompt("Key", hide_input=True, err=True))
    # Twice the bound in bytes, so that one that is too long is told how long it may be.
    found = sys.stdin.buffer.read(2 * LONGEST)
    try:
        text = found.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise StopError("expected a key in UTF-8 on standard input, found other bytes.") from None
    if not text or "\n" in text:
        count = "nothing" if not text else "several lines"
        raise StopError(f"expected a key on one line of standard input, found {count}.")
    return text


def _page(principal: str, entry: str, made: str) -> str:
    """The key and its entry, for people."""
    shown = f"The key of {principal}, which cannot be shown again:\n\n  {made}\n\n" if made else ""
    return (
        f"{shown}The entry for GARRISON_CONTRACT_API_KEYS, behind a comma if there are others:\n\n  {entry}\n"
    )
