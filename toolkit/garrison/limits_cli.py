"""The commands `garrison limits`: where one client stands with its quotas, and forgiving it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import click

from garrison import limits_pages
from garrison.callables import search_here
from garrison.env_file import take_env_file, told
from garrison.limiting.accounts import CallableError, accounts_of, forget, identities, look
from garrison.limiting.section import HASHES
from garrison.limiting.who import hash_key
from garrison.limits_key import Key
from garrison.ratelimit.identity import Identity
from garrison.ratelimit.penalties import Penalties
from garrison.ratelimit.storage import check_storage
from garrison.ratelimit.unavailable import StoreUnavailableError
from garrison.redaction import Redactor
from garrison.rules import NotationError
from garrison.settings import SettingsError, load
from garrison.stack import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from garrison.limiting.accounts import Account, Balance
    from garrison.middleware.rate_limit import RateLimit
    from garrison.ratelimit.limits_store import LimitsStore
    from garrison.ratelimit.quota import Quota, Store
    from garrison.ratelimit.valkey import ValkeyStore

    # What is done with each account of a client, whose penalties, if any, are the quota at the end.
    Act = Callable[[Store, Account, tuple[Quota, ...] | None], Awaitable[Balance]]

# Enough for a store that is slow, and short enough for a person.
SECONDS: Final = 5.0
IN_MEMORY: Final = (
    "counts are in the memory of each process; nothing outside can see them. Name a Valkey or Redis server in"
    " GARRISON_RATE_LIMIT_STORAGE, and start the app with it."
)


class StopError(click.ClickException):
    """Ends a command with one line for each thing that is wrong with it or the settings."""

    exit_code = 2

    def show(self, file: Any = None) -> None:  # noqa: ARG002 - always standard error
        """Say it as the other commands do."""
        click.echo("\n".join(f"garrison: {line}" for line in self.message.splitlines()), err=True)


class NoAnswerError(StopError):
    """Ends a command with one line because the store, or a callable, does not answer."""

    exit_code = 3


def _with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command what all of them take."""
    options = (
        click.argument("keys", nargs=-1, required=True, type=Key(), metavar="KEY..."),
        click.option(
            "--store", metavar="URL", help="Where the counts are.  [default: GARRISON_RATE_LIMIT_STORAGE]"
        ),
        click.option(
            "--format",
            "form",
            type=click.Choice(["text", "json"]),
            default="text",
            show_default=True,
            help="A page, or JSON.",
        ),
        click.option(
            "--env-file",
            type=click.Path(path_type=Path),
            help="File of NAME=value lines; the environment wins.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group(invoke_without_command=True, short_help="Show and reset what one client has used.")
@click.pass_context
def limits(context: click.Context) -> None:
    """Look at one client's quotas in a shared store, and forgive it.

    \b
    Examples:
      garrison limits show 203.0.113.9
      garrison limits show --format json header:x-api-key=abc
      garrison limits reset 203.0.113.9 principal=alice
    """  # noqa: D301 - click wants the backspace itself
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@limits.command(short_help="Show where a client stands with each of its quotas.")
@_with_options
def show(keys: tuple[tuple[str, str], ...], store: str | None, form: str, env_file: Path | None) -> None:
    """Show where a client stands with each quota of the settings.

    KEY is an address (of IPv6 its /64 counts), or IDENTITY=VALUE where rules
    count by something else: header:x-api-key=abc, principal=alice,
    shop.limits:tenant=acme. Everything behind the first = is the value.

    Several KEYs are one client: `203.0.113.9 principal=alice` is whom rules
    count `by address+principal`. Quotas that code gives a route are not shown.

    What is no address is found by a hash: with another GARRISON_SECRET than
    the app's it looks as if nothing were used.

    \b
    Examples:
      garrison limits show 203.0.113.9
      garrison limits show --store valkey://localhost:6379/0 header:x-api-key=abc

    Exit status: 0, 2 for usage and settings, 3 where the store does not answer.
    """  # noqa: D301 - click wants the backspace itself
    found = _done(look, keys, store, env_file)
    click.echo(limits_pages.document(found) if form == "json" else limits_pages.page(found))


@limits.command(short_help="Forget what a client has used, and that it is blocked.")
@_with_options
def reset(keys: tuple[tuple[str, str], ...], store: str | None, form: str, env_file: Path | None) -> None:
    """Forget what a client has used of each quota, and that it is blocked.

    It prints where the client stood. `garrison limits show --help` says what
    KEY is. Workers remember refusals, and notice within a second.

    \b
    Examples:
      garrison limits reset 203.0.113.9
      garrison limits reset 203.0.113.9 principal=alice

    Exit status: 0, also where there was nothing to forget, 2 for usage and
    settings, 3 where the store does not answer.
    """  # noqa: D301 - click wants the backspace itself
    found = _done(forget, keys, store, env_file)
    found = found._replace(balances=[balance for balance in found.balances if not balance.is_untouched])
    click.echo(
        limits_pages.document(found, "forgotten") if form == "json" else limits_pages.page_of_reset(found)
    )


def _done(
    act: Act, keys: tuple[tuple[str, str], ...], url: str | None, env_file: Path | None
) -> limits_pages.Found:
    """Do something with every account of a client.

    Raises:
        StopError: it cannot be done; a `NoAnswerError` if that is the store's fault.
    """
    who = dict(keys)
    if len(who) < len(keys):
        raise StopError("several KEYs are one client, so that each of them says something else about it.")
    sources: dict[str, str] = {}
    try:
        sources = take_env_file(env_file)
        settings = load(Settings).value
        section = settings.rate_limit
        if section is None or not (section.limits or section.messages):
            off = "GARRISON_RATE_LIMIT is off" if section is None else "GARRISON_RATE_LIMIT_LIMITS is not set"
            raise StopError(f"no client is limited, because {off}. Give --env-file, or the app's variables.")
        _require_rules(section, who)
        store = _store(section, url)
        search_here()
        return asyncio.run(_do(act, store, section, settings, who))
    except SettingsError as error:
        raise StopError(told(error, sources)) from None


def _require_rules(section: RateLimit, who: dict[str, str]) -> None:
    known = identities(section.limits, section.messages)
    if not any(set(identity.parts) == who.keys() for identity in known):
        names = ", ".join(identity.text for identity in known)
        raise StopError(f"no rule counts by {'+'.join(who)}. Those of the settings count by {names}.")


def _store(section: RateLimit, url: str | None) -> ValkeyStore | LimitsStore:
    """The store itself: what a worker decides without it, nobody else can see."""
    from garrison.ratelimit.stores import (  # noqa: PLC0415 - its clients take a while to import
        nearest_scheme,
        shared_store,
    )

    place = "GARRISON_RATE_LIMIT_STORAGE" if url is None else "--store"
    url = section.storage if url is None else url
    if urlsplit(url).scheme in {"memory", "async+memory"}:
        raise StopError(IN_MEMORY)
    try:
        check_storage(url, section.algorithm, refunds=False, penalty=section.penalty is not None)
        return shared_store(url, section.algorithm)
    except NotationError as error:
        found = "" if error.found == "penalty" else f", found {error.found!r}"
        nearest = nearest_scheme(url)
        hint = f" Did you mean {nearest}://?" if nearest else ""
        raise StopError(f"{place}: expected {error.expected}{found}.{hint}") from None
    except ModuleNotFoundError as error:
        raise StopError(f"{place}: {error}") from None


async def _do(
    act: Act, store: ValkeyStore | LimitsStore, section: RateLimit, settings: Settings, who: dict[str, str]
) -> limits_pages.Found:
    secret = hash_key(settings.secret, HASHES if Identity(tuple(who)).has_secrets else "")
    block = Penalties(section.penalty, section.penalty_after).block if section.penalty else None
    silent = "a callable of the settings"
    try:
        async with asyncio.timeout(SECONDS):
            accounts = await accounts_of(
                who, limits=section.limits, messages=section.messages, algorithm=section.algorithm, key=secret
            )
            silent = f"the store {store.name}"
            balances = [await act(store, account, block) for account in accounts]
    except CallableError as error:
        cause = f"{type(error.__cause__).__qualname__}: {error.__cause__}"
        raise StopError(f"{error.name} failed with {_one_line(cause, settings)}.") from None
    except StoreUnavailableError as error:
        raise NoAnswerError(f"the store does not answer: {_one_line(str(error), settings)}.") from None
    except TimeoutError:
        raise NoAnswerError(f"{silent} does not answer within {SECONDS:g} s.") from None
    finally:
        await store.aclose()
    return limits_pages.Found(who=who, store=store.name, balances=balances)


def _one_line(text: str, settings: Settings) -> str:
    """What somebody else's code says, on one line and without secrets."""
    return Redactor(settings.redaction).text(" ".join(text.split())).rstrip(".")
