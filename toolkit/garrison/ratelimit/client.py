"""Whom a quota counts as one client."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import quote


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
    return str(ip_network((address.packed[:8] + bytes(8), 64)))
