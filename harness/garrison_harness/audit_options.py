"""Reads what the options of an audit hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from garrison_harness.site import Quota

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIZE = re.compile(r"(\d{1,12})\s*([KMG]?)B?", re.IGNORECASE)
_UNITS = {"": 1, "K": 1000, "M": 1000**2, "G": 1000**3}
_LARGEST_BODY = 100_000_000  # bytes; an audit should not become a load test
_PATH = re.compile(r"/[!$-~]*")
# RFC 9110 section 7.2: a name, an IPv4 address or an IPv6 one in brackets, and perhaps a port.
_HOST = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?")


def size(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
    """A number of bytes from `10MB`.

    Raises:
        click.BadParameter: It is no size, or more than an audit sends.
    """
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        raise click.BadParameter(f"{value!r} is no size: write it as 10MB or 512KB")
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


def quota(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Quota | None:
    """A quota from `5/minute`.

    Raises:
        click.BadParameter: It is no quota.
    """
    try:
        return None if value is None else Quota.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def comma_separated(_context: click.Context, _parameter: click.Parameter, values: Sequence[str]) -> list[str]:
    """The words of a repeatable option that takes several at once."""
    return [word for value in values for word in value.split(",") if word.strip()]
