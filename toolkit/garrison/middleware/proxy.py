"""Believes forwarded headers from trusted proxies only, and strips what a stranger sent."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Final

from garrison.asgi import headers_without
from garrison.context import enter
from garrison.settings import validate
from garrison.units import Network

if TYPE_CHECKING:
    from ipaddress import IPv4Address

    from garrison.asgi import ASGIApp, Receive, Scope, Send
    from garrison.context import RequestContext

FOR: Final = b"x-forwarded-for"
PROTO: Final = b"x-forwarded-proto"

# Whatever tells an app where a request comes from, of both families; none of it is a client's to say.
FORWARDING: Final = frozenset(
    {
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-prefix",
        b"x-forwarded-proto",
        b"x-forwarded-server",
        b"x-real-ip",
    }
)
SECURE: Final = {"http": "https", "https": "https", "ws": "wss", "wss": "wss"}
PLAIN: Final = {"http": "http", "https": "http", "ws": "ws", "wss": "ws"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """Whose word counts about the client's address and scheme.

    Attributes:
        trusted: addresses and blocks of the proxies in front of this app. From them X-Forwarded-For and
            X-Forwarded-Proto are believed, from right to left up to the first address that is not
            trusted; from anybody else every forwarding header is removed. Empty: nobody is believed and
            nothing is removed.
    """

    trusted: tuple[Network, ...] = ()

    def __post_init__(self) -> None:
        validate(self)


class ProxyMiddleware:
    """Sets client and scheme of the scope to what the nearest trusted proxy vouches for.

    Args:
        app: the app below.
        settings: the section.
    """

    def __init__(self, app: ASGIApp, settings: Proxy = Proxy()) -> None:
        self.app = app
        self._active = bool(settings.trusted)

        # Addresses repeat, and parsing one costs as much as a whole layer.
        @lru_cache(maxsize=4096)
        def trusts(address: str) -> bool:
            parsed = parse_address(address)
            return parsed is not None and any(parsed in network for network in settings.trusted)

        self._trusts = trusts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and `websocket`; `lifespan` and scopes of an unknown type pass through."""
        if scope["type"] not in {"http", "websocket"} or not self._active:
            await self.app(scope, receive, send)
            return
        scope, context = enter(scope)
        if context.mount("proxy", self):
            peer = scope.get("client")
            if peer and self._trusts(peer[0]):
                context.trusted = True
                self._believe(scope, context)
            elif any(name in FORWARDING for name, _ in scope["headers"]):
                scope["headers"] = headers_without(scope["headers"], FORWARDING)
        await self.app(scope, receive, send)

    def _believe(self, scope: Scope, context: RequestContext) -> None:
        hops: list[bytes] = []
        proto = b""
        for name, value in scope["headers"]:
            if name == FOR:
                hops += value.split(b",")
            elif name == PROTO:
                proto = value.rpartition(b",")[2].strip().lower()
        client = self._client(hops)
        if client is not None:
            context.client = client
            # The port of a forwarded client is not known, and 0 is how ASGI servers say so.
            scope["client"] = (client, 0)
        if proto in {b"https", b"wss"}:
            scope["scheme"] = SECURE.get(scope["scheme"], scope["scheme"])
        elif proto in {b"http", b"ws"}:
            scope["scheme"] = PLAIN.get(scope["scheme"], scope["scheme"])

    def _client(self, hops: list[bytes]) -> str | None:
        """The rightmost address that no trusted proxy has; the leftmost if all are trusted.

        The chain ends at the first entry that is no address: whoever wrote it, nothing further left
        can be believed.
        """
        client = None
        for hop in reversed(hops):
            address = strip_port(hop.strip().decode("latin-1"))
            if parse_address(address) is None:
                break
            client = address
            if not self._trusts(address):
                break
        return client


def strip_port(hop: str) -> str:
    """An address without its port and brackets: `[2001:db8::1]:4711` and `192.0.2.1:80` have them."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    if hop.count(":") == 1:
        return hop.partition(":")[0]
    return hop


@lru_cache(maxsize=4096)
def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """The address, an IPv4 one that is mapped into IPv6 as itself; None for anything else."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
