"""Addresses as proxies write them, and which of them are proxies whose word counts."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from garrison.units import Network

# RFC 7239 section 6: an IPv6 address stands in brackets, either may have a port, and the port may be
# hidden. X-Forwarded-For has IPv6 without brackets too. A zone means something on one machine only (RFC
# 4007 section 11.2), and anything could be written into it.
PORT: Final = r"(?::(?:[0-9]{1,5}|_[A-Za-z0-9._-]+))?"
NODE: Final = re.compile(
    rf"\[(?P<bracketed>[0-9A-Fa-f:.]+)(?:%[^\]]*)?\]{PORT}"
    rf"|(?P<four>[0-9.]+){PORT}"
    r"|(?P<bare>[0-9A-Fa-f:.]+)(?:%.*)?"
)

# No address is longer, with brackets, zone and port. What is longer is not worth a place in a cache.
LONGEST_NODE: Final = 100
ADDRESSES: Final = 4096

# More proxies than stand in front of any app; what a client adds beyond is not looked at.
MOST_HOPS: Final = 32

# RFC 4291 section 2.5.5.2: what a dual-stack socket shows of an IPv4 peer.
MAPPED: Final = IPv6Network("::ffff:0:0/96")

# Loopback, private, shared and link-local blocks: RFC 6890, 1918, 6598, 3927, 4193 and 4291.
PRIVATE: Final = tuple(
    map(
        ip_network,
        (
            "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
            "169.254.0.0/16", "::1/128", "fc00::/7", "fe80::/10",
        ),
    )
)  # fmt: skip


def read_address(text: str) -> IPv4Address | IPv6Address | None:
    """The address in a node such as `192.0.2.1:80`, `[2001:db8::1]:4711` or `fe80::1%eth0`.

    Args:
        text: what a proxy or a server wrote.

    Returns:
        The address without port and zone, an IPv4 one that is mapped into IPv6 as itself; None for a node
        without an address, such as `unknown` and `_hidden`, and for whatever is no node.
    """
    if len(text) > LONGEST_NODE:
        return None
    match = NODE.fullmatch(text)
    if match is None:
        return None
    try:
        if match["four"]:
            return IPv4Address(match["four"])
        address = IPv6Address(match["bracketed"] or match["bare"])
    except ValueError:
        return None
    return address.ipv4_mapped or address


@lru_cache(maxsize=ADDRESSES)
def is_private(text: str) -> bool:
    """Whether an address belongs to this machine or to its own network, where proxies are.

    Args:
        text: the address as the server gave it, which is no long one.
    """
    address = read_address(text)
    return address is not None and any(address in network for network in PRIVATE)


class Trust:
    """Which entries of a chain of proxies count.

    Args:
        networks: where the proxies are.
        hops: how many of them there are, where it is not known where they are; else 0.

    Attributes:
        hops: as given.
    """

    __slots__ = ("_look", "hops")

    def __init__(self, networks: Iterable[Network], hops: int = 0) -> None:
        known = tuple(map(_unmapped, networks))
        self.hops = hops

        # Addresses repeat, and reading one costs as much as a whole layer.
        @lru_cache(maxsize=ADDRESSES)
        def look(node: str) -> tuple[str | None, bool]:
            address = read_address(node)
            if address is None:
                return None, False
            return str(address), any(address in network for network in known)

        self._look = look

    def knows(self, address: str) -> bool:
        """Whether a peer is a proxy; where only their number is known, every peer is taken for one."""
        return self.hops > 0 or (len(address) <= LONGEST_NODE and self._look(address)[1])

    def client(self, nodes: Sequence[str]) -> tuple[str | None, int]:
        """The rightmost address that is no proxy's; the leftmost if all are.

        The chain ends at the first node that has no address: whoever wrote it, nothing further left can
        be believed.

        Args:
            nodes: the entries of the chain from the right, which is the nearest proxy's.

        Returns:
            The address as RFC 5952 writes it, or None, and the place of its entry, 0 for the first.
        """
        client, depth = None, 0
        for index, node in enumerate(nodes):
            address, is_proxy = self._look(node) if len(node) <= LONGEST_NODE else (None, False)
            if address is None:
                break
            client, depth = address, index
            if not (is_proxy if self.hops == 0 else index + 1 < self.hops):
                break
        return client, depth


def _unmapped(network: Network) -> Network:
    """A block of mapped addresses as the IPv4 block that it stands for."""
    if isinstance(network, IPv6Network) and network.subnet_of(MAPPED):
        first = network.network_address.ipv4_mapped
        return IPv4Network((int(first or 0), network.prefixlen - MAPPED.prefixlen))
    return network
