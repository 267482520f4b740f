"""Whether a request comes from the developer's own machine, by everything that could say otherwise."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from garrison.asgi import Scope
    from garrison.context import RequestContext

# With a port or without. A page of somebody else whose name leads to this machine has that name here.
LOCALHOST: Final = re.compile(rb"(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?", re.IGNORECASE)

# What proxies, tunnels and content networks add; each in any spelling, and whatever begins like these.
FORWARDED: Final = frozenset(
    {
        b"cdn-loop",
        b"client-ip",
        b"cluster-client-ip",
        b"fastly-client-ip",
        b"forwarded",
        b"true-client-ip",
        b"via",
        b"x-appengine-user-ip",
        b"x-client-ip",
        b"x-cluster-client-ip",
        b"x-host",
        b"x-real-ip",
    }
)
BEGINNINGS: Final = (b"x-forwarded", b"x-original-", b"x-envoy-", b"x-amzn-", b"x-azure-", b"cf-", b"fly-")


def is_local_developer(scope: Scope, context: RequestContext) -> bool:
    """Whether the peer is on a loopback address, the Host is localhost, and nothing was forwarded.

    Args:
        scope: of the request.
        context: of the same request, which knows the peer behind whatever was believed of it.
    """
    if context.forwarded or context.peer is None or not _is_loopback(context.peer[0]):
        return False
    hosts = []
    for name, value in scope["headers"]:
        lowered = name.lower().replace(b"_", b"-")
        if lowered in FORWARDED or lowered.startswith(BEGINNINGS):
            return False
        if lowered == b"host":
            hosts.append(value)
    return len(hosts) == 1 and LOCALHOST.fullmatch(hosts[0]) is not None


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
