"""Whom a quota counts as one client."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import quote

# RFC 6052 section 2.1: how IPv4 clients look to a server that only has IPv6.
TRANSLATED: Final = ip_network("64:ff9b::/96")


@lru_cache(maxsize=4096)
def network_of(client: str | None) -> str:
    """Whom a quota counts as one client: an IPv4 address, or the /64 that one IPv6 client owns.

    RFC 6177 has sites given no less than a /64, so a single address says nothing about who it is.
    """
    try:
        address = ip_address(client or "")
    except ValueError:
        # A server may name a peer in any way; in a key it is one word.
        return quote(client or "unknown", errors="surrogatepass")
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    if address in TRANSLATED:
        return str(IPv4Address(address.packed[12:]))
    return str(ip_network((address.packed[:8] + bytes(8), 64)))
