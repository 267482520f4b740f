"""Source addresses, one to a user, so that a quota per client sees many clients."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from gevent import socket
from geventhttpclient.client import HTTPClientPool

if TYPE_CHECKING:
    from geventhttpclient.client import HTTPClient
    from geventhttpclient.url import URL

# Above 127.0.0.0/24: servers trust 127.0.0.1 as a proxy, and audits speak from its neighbours.
_FIRST_ADDRESS = ipaddress.IPv4Address("127.0.1.1")
_ADDRESSES = 1 << 22


class SourceAddresses:
    """Hands out loopback addresses, one to a user, so that a quota per client sees many clients."""

    def __init__(self, index: int = 0, workers: int = 1) -> None:
        """Take a range of addresses.

        Args:
            index: Which load process of several this one is, from 0.
            workers: How many there are: no two users of them have the same address.
        """
        self.given = 0
        self._room = _ADDRESSES // workers
        self._first = _FIRST_ADDRESS + index * self._room

    def next(self) -> str:
        """The next address; after four million users of all load processes they come round again."""
        address = self._first + self.given % self._room
        self.given += 1
        return str(address)

    @staticmethod
    def available(host: str) -> bool:
        """Whether a target at `host` can be spoken to from such addresses: Linux lends the whole of 127/8."""
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
                probe.bind((str(_FIRST_ADDRESS), 0))
        except OSError:
            return False
        return _is_loopback_ipv4(host)


def _is_loopback_ipv4(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False


class BoundPool(HTTPClientPool):
    """Clients whose connections to this machine start from one address."""

    def __init__(self, address: str, arguments: dict[str, Any]) -> None:
        super().__init__(**arguments)
        self._address = address

    def get_client(self, url: str | URL) -> HTTPClient:
        """The client for a URL, bound when it is new."""
        known = len(self.clients)
        client = super().get_client(url)
        if len(self.clients) > known and _is_loopback_ipv4(client.host):
            self._bind(client)
        return client

    def _bind(self, client: HTTPClient) -> None:
        # The library offers no source address. This method is its hook for subclasses, but it names the
        # class of the pool itself, so the hook is set on the one pool.
        pool: Any = client._connection_pool  # noqa: SLF001
        create = pool._create_tcp_socket  # noqa: SLF001

        def create_bound(family: int, kind: int, protocol: int) -> socket.socket:
            made = create(family, kind, protocol)
            if family == socket.AF_INET:
                made.bind((self._address, 0))
            return made

        pool._create_tcp_socket = create_bound  # noqa: SLF001
