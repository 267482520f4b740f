"""Reads what options hold, those of other commands included where they mean the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from garrison_harness.finding import Severity
from garrison_harness.site import Quota

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIZE = re.compile(r"(\d{1,12})\s*((?:[KMG]I?)?)B?", re.IGNORECASE)
_UNITS = {"": 1, "K": 1000, "M": 1000**2, "G": 1000**3, "KI": 1024, "MI": 1024**2, "GI": 1024**3}
_LARGEST_BODY = 100_000_000  # bytes; an audit should not become a load test
_PATH = re.compile(r"/[!$-~]*")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9\[][!$-;=?-~]*(#[!$-;=?-~]*)?")
_FIELD_VALUE = re.compile(r"[\t -~]+")
# RFC 9110 section 7.2: a name, an IPv4 address or an IPv6 one in brackets, and perhaps a port.
_HOST = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?")


def size(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
    """A number of bytes from `10MB` or `64KiB`, as Garrison's settings have them.

    Raises:
        click.BadParameter: It is no size, or more than an audit sends.
    """
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        raise click.BadParameter(f"{value!r} is no size: write it as 10MB or 64KiB")
    number = int(match[1]) * _UNITS[match[2].upper()]
    if not 0 < number <= _LARGEST_BODY:
        raise click.BadParameter(f"{value} is out of range: an audit sends 1 byte to 100MB")
    return number


def request_path(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """A path that can stand in a request line as it is.

    Raises:
        click.BadParameter: It cannot.
    """
    if value is not None and (not _PATH.fullmatch(value) or "?" in value):
        raise click.BadParameter(f"{value!r} is no path: start it with /, percent-encoded, without a query")
    return value


def host(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """A host as the Host header names it.

    Raises:
        click.BadParameter: It is none.
    """
    if value is not None and not _HOST.fullmatch(value):
        raise click.BadParameter(f"{value!r} is no host: write it as shop.example or shop.example:8080")
    return value


def web_address(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """An address that reports can link to.

    Raises:
        click.BadParameter: It is none, or none of the web.
    """
    if value is not None and not _ADDRESS.fullmatch(value):
        raise click.BadParameter(
            f"{value!r} is no address of a page: write it as https://docs.example/checks.html"
        )
    return value


def header_lines(
    _context: click.Context, _parameter: click.Parameter, values: Sequence[str]
) -> list[tuple[str, str]]:
    """Header lines written as `Name: value`.

    Raises:
        click.BadParameter: One of them is none.
    """
    found = []
    for line in values:
        name, colon, value = line.partition(":")
        # RFC 9110 sections 5.1 and 5.5.
        if not colon or not _TOKEN.fullmatch(name) or not _FIELD_VALUE.fullmatch(value.strip()):
            raise click.BadParameter(f"{name!r} begins no header: write it as 'Authorization: Bearer abc'")
        found.append((name, value.strip()))
    return found


def variables(
    _context: click.Context, _parameter: click.Parameter, values: Sequence[str]
) -> list[tuple[str, str]]:
    """Variables written as `NAME=value`.

    Raises:
        click.BadParameter: One of them is none.
    """
    found = []
    for text in values:
        name, equals, value = text.partition("=")
        if not equals or not name or "\0" in text:
            raise click.BadParameter(f"{name!r} begins no variable: write it as NAME=value")
        found.append((name, value))
    return found


def quota(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Quota | None:
    """A quota from `5/minute`.

    Raises:
        click.BadParameter: It is no quota.
    """
    try:
        return None if value is None else Quota.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def quotas_of_a_client(
    context: click.Context, parameter: click.Parameter, values: Sequence[str]
) -> tuple[Quota, ...]:
    """Quotas for all requests of a client, from `5/minute`.

    That of one route is for the audit: where the file declares it for every command, it is passed over.

    Raises:
        click.BadParameter: One is no quota, or that of one route.
    """
    found = [one for value in values if (one := quota(context, parameter, value)) is not None]
    routed = [one for one in found if one.path]
    if routed and context.get_parameter_source(parameter.name or "") is not ParameterSource.DEFAULT_MAP:
        raise click.BadParameter(
            f"what a client may ask in all is held here, and not what it may ask of {routed[0].route}:"
            " that is for garrison check"
        )
    return tuple(one for one in found if not one.path)


def quota_of_a_client(context: click.Context, parameter: click.Parameter, value: str | None) -> Quota | None:
    """The same for one quota.

    Raises:
        click.BadParameter: It is no quota, or that of one route.
    """
    return next(iter(quotas_of_a_client(context, parameter, () if value is None else (value,))), None)


def comma_separated(_context: click.Context, _parameter: click.Parameter, values: Sequence[str]) -> list[str]:
    """The words of a repeatable option that takes several at once."""
    return [word for value in values for word in value.split(",") if word.strip()]


def severities(
    _context: click.Context, _parameter: click.Parameter, values: Sequence[str]
) -> dict[str, Severity]:
    """The severity of each check that is named, from `H7=low` or, for a whole family, `H=low`.

    Raises:
        click.BadParameter: There is no such check, or no such severity.
    """
    found: dict[str, Severity] = {}
    pairs = [pair.partition("=") for value in values for pair in value.split(",") if pair.strip()]
    if pairs:
        from garrison_harness.checks.catalogue import ids_of  # noqa: PLC0415 - the help does without it
    # An id says more than a letter does, wherever it stands.
    for name, _, word in sorted(pairs, key=lambda pair: any(letter.isdigit() for letter in pair[0])):
        if word.strip().upper() not in Severity.__members__:
            words = ", ".join(severity.word for severity in Severity)
            raise click.BadParameter(f"{name}={word} names no severity: there are {words}")
        try:
            found.update(dict.fromkeys(ids_of(name), Severity[word.strip().upper()]))
        except ValueError as error:
            raise click.BadParameter(str(error)) from error
    return found
