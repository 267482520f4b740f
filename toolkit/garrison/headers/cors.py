"""CORS by Starlette's middleware, with its sender mended: it changes messages, and grants more than asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers as HeaderView
from starlette.middleware.cors import CORSMiddleware

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison.asgi import Headers, Message, Receive, Scope, Send

# What describes the body of Starlette's own reply to a preflight.
OF_THE_BODY: Final = frozenset({b"content-length", b"content-type"})


class Cors:
    """Who may read which replies from other origins (Fetch, "HTTP extensions").

    Args:
        origins: as browsers send them, or `*`.
        credentials: whether they read with the user's cookies.
        methods: that they may use.
        headers: request headers that they may set beyond the safelisted ones.
        expose: reply headers that they may read beyond the safelisted ones.
        max_age: seconds for which browsers keep the answer to a preflight.
    """

    def __init__(
        self,
        origins: Iterable[str],
        *,
        credentials: bool,
        methods: Iterable[str],
        headers: Iterable[str],
        expose: Iterable[str],
        max_age: float,
    ) -> None:
        self._starlette = CORSMiddleware(
            _nothing,
            allow_origins=tuple(origins),
            allow_credentials=credentials,
            allow_methods=tuple(methods),
            allow_headers=tuple(headers),
            expose_headers=tuple(expose),
            max_age=int(max_age),
        )

    def preflight(self, scope: Scope) -> tuple[int, Headers, str]:
        """The answer to a preflight: its status, its header lines without those of a body, and what it says.

        Args:
            scope: of the preflight.
        """
        reply = self._starlette.preflight_response(request_headers=HeaderView(scope=scope))
        lines = [line for line in reply.raw_headers if line[0] not in OF_THE_BODY]
        return reply.status_code, lines, bytes(reply.body).decode("latin-1")

    def sender(self, scope: Scope, origin: bytes, send: Send) -> Send:
        """A `send` that lets the origin read the reply; the one that was given if it may not.

        Starlette adds the permission for credentials and the exposed headers whoever asks, which would
        complete what the app's own CORS has granted somebody else by half.

        Args:
            scope: of the request.
            origin: the value of its Origin header.
            send: where the reply goes.
        """
        starlette = self._starlette
        if not starlette.is_allowed_origin(origin.decode("latin-1")):
            return send
        request_headers = HeaderView(scope=scope)

        async def send_with_cors(message: Message) -> None:
            if message["type"] == "http.response.start":
                # Starlette's puts its lines into the message that it is given.
                await starlette.send(dict(message), send, request_headers)
            else:
                await send(message)

        return send_with_cors


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """Starlette's middleware is asked, and never called."""
