"""Reads what the options of a load hold."""

from __future__ import annotations

import ipaddress
import math
import re
from typing import TYPE_CHECKING

import click

from garrison_harness.load.thresholds import parse_threshold
from garrison_harness.load.units import parse_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison_harness.load.thresholds import Threshold

_PORTS = 1 << 16

# RFC 9112 section 3.2.1: origin-form. Two slashes would begin an authority.
_PATH = re.compile(r"/(?!/)[!-\"$-~]*")


def read_duration(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    """Seconds from `10s`; None where nothing is said.

    Raises:
        click.BadParameter: It is no duration, or none at all.
    """
    if value is None:
        return None
    try:
        seconds = parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}, found {value!r}") from error
    if not seconds:
        raise click.BadParameter(f"expected more than nothing, such as 10s, found {value!r}")
    return seconds


def read_address(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[str, int] | None:
    """An address to listen at, from `192.0.2.1:5557`; None where nothing is said.

    Raises:
        click.BadParameter: It is none that a master can wait at.
    """
    if value is None:
        return None
    host, _, port = value.rpartition(":")
    try:
        # Locust binds to an address of IPv4 as it is written.
        address = str(ipaddress.IPv4Address("127.0.0.1" if host == "localhost" else host))
    except ValueError:
        address = ""
    if not address or not port.isascii() or not port.isdigit() or not 0 < int(port) < _PORTS:
        raise click.BadParameter(
            f"expected an IPv4 address and a port, as in 127.0.0.1:5557, found {value!r}"
        )
    return address, int(port)


def read_number(_context: click.Context, _parameter: click.Parameter, value: float | None) -> float | None:
    """A number as people count; `nan` is neither below nor above any bound, and `inf` is no load.

    Raises:
        click.BadParameter: It is one of these.
    """
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"expected a number such as 50, found {value}")
    return value


def read_thresholds(
    _context: click.Context, _parameter: click.Parameter, values: Sequence[str]
) -> tuple[Threshold, ...]:
    """Thresholds as they are written.

    Raises:
        click.BadParameter: One cannot be read, or can never be kept.
    """
    try:
        return tuple(map(parse_threshold, values))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def read_paths(
    _context: click.Context, _parameter: click.Parameter, values: Sequence[str]
) -> tuple[str, ...]:
    """Paths that can stand in a request line as they are, with a query where they have one.

    Raises:
        click.BadParameter: One cannot.
    """
    for value in values:
        if not _PATH.fullmatch(value):
            raise click.BadParameter(
                f"expected a path such as /items?page=2, percent-encoded where needed, found {value!r}"
            )
    return tuple(values)
