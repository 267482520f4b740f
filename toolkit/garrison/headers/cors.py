"""Who may read from other origins, as Starlette's CORS middleware decides it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers as HeaderView
from starlette.middleware.cors import CORSMiddleware

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison.asgi import Headers, Receive, Scope, Send

ALLOW_ORIGIN: Final = b"access-control-allow-origin"

# What describes the body of Starlette's own reply to a preflight.
OF_THE_BODY: Final = frozenset({b"content-length", b"content-type"})


class Cors:
    """Who may read which replies from other origins (Fetch, "HTTP extensions").

    Attributes:
        names: of the headers that a grant sets, in lower case.

    Args:
        origins: as browsers send them, or `*`.
        pattern: what further origins match as a whole; None if there are none.
        credentials: whether they read with the user's cookies.
        methods: that they may use.
        headers: request headers that they may set beyond the safelisted ones.
        expose: reply headers that they may read beyond the safelisted ones.
        max_age: seconds for which browsers keep the answer to a preflight.
    """

    def __init__(
        self,
        origins: Iterable[str],
        pattern: str | None,
        *,
        credentials: bool,
        methods: Iterable[str],
        headers: Iterable[str],
        expose: Iterable[str],
        max_age: float,
    ) -> None:
        self._starlette = CORSMiddleware(
            _nothing,
            allow_origins=frozenset(origins),
            allow_origin_regex=pattern,
            allow_credentials=credentials,
            allow_methods=tuple(methods),
            allow_headers=tuple(headers),
            expose_headers=tuple(expose),
            max_age=int(max_age),
        )
        self._lines: Headers = [
            (name.lower().encode("ascii"), value.encode("ascii"))
            for name, value in self._starlette.simple_headers.items()
        ]
        self.names = frozenset(name for name, _ in self._lines) | {ALLOW_ORIGIN}

    def preflight(self, scope: Scope) -> tuple[int, Headers, str]:
        """The answer to a preflight: its status, its header lines without those of a body, and what it says.

        Args:
            scope: of the preflight.
        """
        reply = self._starlette.preflight_response(request_headers=HeaderView(scope=scope))
        lines = [line for line in reply.raw_headers if line[0] not in OF_THE_BODY]
        return reply.status_code, lines, bytes(reply.body).decode("latin-1")

    def grants(self, origin: bytes) -> Headers:
        """The header lines with which an origin reads a reply; none if it may not.

        Starlette's own sender changes the message that it is given, and adds the permission for credentials
        whoever asks, which would complete what the app's own CORS has granted somebody else by half.

        Args:
            origin: the value of the Origin header.
        """
        if not self._starlette.is_allowed_origin(origin.decode("latin-1")):
            return []
        if self._starlette.allow_all_origins:
            return self._lines
        return [(ALLOW_ORIGIN, origin), *self._lines]


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """Starlette's middleware is asked, and never called."""
