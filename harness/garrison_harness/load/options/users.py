"""Reads which users make a load, and what they send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from garrison_harness.load.mix import Share, parse_mix
from garrison_harness.load.requests.drawing import METHODS
from garrison_harness.load.requests.listing import ListFault, read_list
from garrison_harness.load.requests.wanted import Wanted
from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from garrison_harness.load.options.given import Given
    from garrison_harness.load.requests.spec import RequestSpec
    from garrison_harness.target import Target

_API = "api"
_WITH_PLACES = frozenset({"api", "websocket"})
"""Users that know where to go by themselves."""


def read_mix(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[Share, ...]:
    """Shares as they are written; none where there is no mix.

    Raises:
        click.BadParameter: They cannot be read.
    """
    try:
        return parse_mix(value) if value is not None else ()
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def read_methods(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    """Methods as they are written; none where none are.

    Raises:
        click.BadParameter: One of them is none that a load sends.
    """
    methods = tuple(word.strip().upper() for word in value.split(",")) if value is not None else ()
    for method in methods:
        if method not in METHODS:
            raise click.BadParameter(f"expected some of {', '.join(METHODS)}, found {method!r}")
    return methods


def requests_of(given: Given) -> tuple[RequestSpec, ...]:
    """The requests of the list that was named; none where none was.

    Args:
        given: The options.

    Raises:
        UsageFault: Options do not go together, or the list cannot be read.
    """
    _check(given)
    if given["requests"] is None:
        return ()
    try:
        return read_list(given["requests"])
    except ListFault as fault:
        raise UsageFault(f"--requests: {fault}") from fault


def mix_of(given: Given, target: Target) -> tuple[tuple[str, str, int], ...]:
    """The users that share the load: name, path and weight.

    Args:
        given: The options.
        target: The path of its URL is where users go that were given none.
    """
    usual = target.path if target.path != "/" else ""
    return tuple(
        (share.user, share.path or ("" if share.user in _WITH_PLACES else usual), share.weight)
        for share in given["mix"]
    )


def document_of(given: Given) -> Wanted | None:
    """The OpenAPI document whose requests are to be sent; None for none.

    Args:
        given: The options.
    """
    has_api = any(share.user == _API and not share.path for share in given["mix"])
    if given["openapi"] is None and (given["requests"] is not None or not has_api):
        return None
    return Wanted(openapi=given["openapi"], methods=given["methods"] or METHODS)


def _check(given: Given) -> None:
    """Stop where two options say what is asked for."""
    flags = {
        "--locustfile": given["locustfile"],
        "--requests": given["requests"],
        "--openapi": given["openapi"],
        "--path": given["paths"],
    }
    named = [flag for flag, value in flags.items() if value]
    if len(named) > 1:
        raise UsageFault(f"{named[0]} and {named[1]} both say what is asked for: leave one out")
    mix = given["mix"]
    if mix and (named and named[0] in {"--locustfile", "--path"}):
        instead = "write NAME:/PATH in the mix" if named[0] == "--path" else "name its users there"
        raise UsageFault(f"{named[0]} does not go with --mix: {instead}")
    if mix and named and not any(share.user == _API for share in mix):
        raise UsageFault(f"{named[0]} is for the api users, and --mix has none: add api=1")
    if given["methods"] and document_of(given) is None:
        raise UsageFault("--methods chooses among the operations of a document: add --openapi auto")
