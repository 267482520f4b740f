"""Refuses requests for hosts that are not ours, before anything is made of their name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from garrison.context import enter
from garrison.problems import Problem, reject
from garrison.settings import validate

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Receive, Scope, Send

# RFC 9110 section 7.2: a name or an address, and perhaps a port.
HOST: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?")
PATTERN: Final = re.compile(r"(?:\*\.)?[a-z0-9._-]+|\[[0-9a-f:.]+\]")

# RFC 9112 section 3.2: a request without exactly one Host is answered with 400.
NOT_ONE: Final = Problem(status=400, detail="The request has not exactly one Host header.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """Which hosts this app answers for.

    Attributes:
        allowed: names such as `shop.example`, addresses, or `*.shop.example` for every name below; any port
            goes. Another Host is a 421, none or a malformed one a 400. Empty: every host is answered.
    """

    allowed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        validate(self)
        fine = all(PATTERN.fullmatch(name.lower()) for name in self.allowed)
        validate(self, ("allowed", fine, "host names without scheme and port, such as shop.example"))


class HostsMiddleware:
    """Compares the Host header with the list, for WebSocket handshakes too.

    Args:
        app: the app below.
        settings: the section.
    """

    def __init__(self, app: ASGIApp, settings: Hosts = Hosts()) -> None:
        self.app = app
        self._active = bool(settings.allowed)
        names = frozenset(name.lower() for name in settings.allowed)
        suffixes = tuple(name[1:] for name in names if name.startswith("*."))

        @lru_cache(maxsize=1024)
        def judge(value: bytes) -> Problem | None:
            match = HOST.fullmatch(value.decode("latin-1").lower())
            if match is None:
                return Problem(status=400, detail="The Host header is not a host.")
            if match[1] in names or match[1].endswith(suffixes):
                return None
            return Problem(status=421, detail="This host is not served here.")

        self._judge = judge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and `websocket`; `lifespan` and scopes of an unknown type pass through."""
        if scope["type"] not in {"http", "websocket"} or not self._active:
            await self.app(scope, receive, send)
            return
        scope, context = enter(scope)
        if context.mount("hosts", self):
            hosts = [value for name, value in scope["headers"] if name == b"host"]
            problem = self._judge(hosts[0]) if len(hosts) == 1 else NOT_ONE
            if problem is not None:
                await reject(scope, receive, send, context, "hosts", problem)
                return
        await self.app(scope, receive, send)
