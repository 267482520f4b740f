"""Whom quotas count, as it is written on a command line."""

from __future__ import annotations

import os
from ipaddress import IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from garrison.ratelimit.client import network_of
from garrison.ratelimit.identity import ADDRESS, HEADER, parse_identity

# How keys name a peer without an address, such as one on a Unix socket.
UNKNOWN: Final = "unknown"
EXPECTED: Final = (
    "an address such as 203.0.113.9, or IDENTITY=VALUE such as header:x-api-key=abc or principal=alice"
)


if TYPE_CHECKING:
    _PairType = click.ParamType[tuple[str, str]]
else:
    _PairType = click.ParamType  # which takes no parameter before click 8.4


class Key(_PairType):
    """One part of a client's identity, and its value as the layer reads it from requests."""

    name = "key"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Read `ADDRESS` or `IDENTITY=VALUE`; no identity has an equals sign in it."""
        written, equals, text = value.partition("=")
        if not equals:
            written, text = ADDRESS, value
        try:
            (part,) = parse_identity(written).parts
        except ValueError:
            self._refuse(value, param, ctx)
        if part == ADDRESS:
            text = _network(text)
        elif part.startswith(HEADER):
            # As servers hand over what is on the wire.
            text = os.fsencode(text).decode("latin-1")
        if not text:
            self._refuse(value, param, ctx)
        return part, text

    def _refuse(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> NoReturn:
        self.fail(f"expected {EXPECTED}, found {value!r}.", param, ctx)


def _network(text: str) -> str:
    """Who is counted for an address, or for a /64 as keys have it; an empty text for anything else."""
    if text == UNKNOWN:
        return text
    try:
        if "/" not in text:
            return network_of(str(ip_address(text)))
        network = ip_network(text)
    except ValueError:
        return ""
    is_one = isinstance(network, IPv6Network) and network.prefixlen == 64
    return network_of(str(network.network_address)) if is_one else ""
