"""Closes what is not for strangers: interactive docs, metrics, dotfiles, and paths of your choice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hmac import compare_digest
from typing import TYPE_CHECKING, Final

from garrison.asgi import header
from garrison.closed_paths import ClosedPaths, nearest
from garrison.context import enter
from garrison.forwarding.addresses import Trust
from garrison.problems import Problem, reject
from garrison.rules import NotationError, root_path_of
from garrison.security_events import AUTHZ_FAIL
from garrison.settings import Problem as SettingProblem
from garrison.settings import SettingsError, validate
from garrison.units import Network, Secret

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Receive, Scope, Send
    from garrison.context import RequestContext

# Not a word more than an unknown path could get.
NOT_FOUND: Final = Problem(status=404)

# RFC 6750 section 2.1; nobody guesses 16 characters at any speed that a network allows.
TOKEN: Final = re.compile(r"(?=.{16})[A-Za-z0-9._~+/-]+=*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What is closed to strangers (ASVS 5.0, 13.4.5), who get a 404 whether or not there is something.

    Attributes:
        closed: paths such as `/admin/*` (and `/admin` with it) and words, parted by `;`. `docs` stands for
            what frameworks serve about themselves, such as `/docs`, `/redoc`, `/openapi.json`, `/schema/*`;
            `metrics` for `/metrics/*`; `dotfiles` for every path with a segment such as `.git`, except
            `.well-known`. Example: `docs; metrics; /admin/*`. The docs of a mounted app are below its mount
            and closed by their own path: `/api/docs`. Upper and lower case are the same.
        allowed: addresses and blocks of clients that are no strangers, behind the proxies that are trusted.
        token: opens what is closed to whoever sends it as `Authorization: Bearer …`, such as a scraper of
            metrics; at least 16 letters, digits and `-._~+/`.
    """

    closed: str = ""
    allowed: tuple[Network, ...] = ()
    token: Secret | None = None

    def __post_init__(self) -> None:
        validate(self)
        fine = self.token is None or TOKEN.fullmatch(self.token.reveal()) is not None
        validate(self, ("token", fine, "at least 16 letters, digits and -._~+/"))
        try:
            ClosedPaths(self.closed)
        except NotationError as error:
            meant = nearest(error.found)
            problem = SettingProblem(
                name="Exposure.closed",
                expected=error.expected,
                found=error.found,
                hint=f"Did you mean {meant}?" if meant else "",
            )
            raise SettingsError([problem]) from None


class ExposureMiddleware:
    """Answers strangers with 404 for the app on closed paths, handshakes of WebSockets included.

    Args:
        app: the app below.
        settings: the section.
    """

    def __init__(self, app: ASGIApp, settings: Exposure = Exposure()) -> None:
        self.app = app
        self._closed = ClosedPaths(settings.closed)
        self._friends = Trust(settings.allowed)
        self._token = settings.token.reveal().encode("ascii") if settings.token is not None else None
        self._root = root_path_of(app)
        # The same list twice says nothing new; another list on a route does.
        self._mount = f"exposure {settings.closed} {','.join(map(str, settings.allowed))}".rstrip()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and `websocket`; `lifespan` and scopes of an unknown type pass through."""
        if scope["type"] not in {"http", "websocket"} or not self._closed:
            await self.app(scope, receive, send)
            return
        scope, context = enter(scope)
        if context.mount(self._mount, self) and self._is_closed(scope) and self._is_stranger(scope, context):
            context.note(AUTHZ_FAIL)
            await reject(scope, receive, send, context, "exposure", NOT_FOUND)
            return
        await self.app(scope, receive, send)

    def _is_closed(self, scope: Scope) -> bool:
        """Whether the app could take the path for a closed one, whichever prefix it takes away first."""
        path: str = scope["path"]
        if path in self._closed:
            return True
        root: str = scope.get("root_path", "")
        if not root and not self._root:
            return False
        # Litestar looks for the prefix anywhere in the path, and FastAPI has one of its own.
        found = [path.partition(prefix)[2] for prefix in (root, self._root) if prefix and prefix in path]
        return any(rest in self._closed for rest in found)

    def _is_stranger(self, scope: Scope, context: RequestContext) -> bool:
        if context.client is not None and self._friends.knows(context.client):
            return False
        if self._token is None:
            return True
        scheme, _, token = (header(scope["headers"], b"authorization") or b"").partition(b" ")
        return scheme.lower() != b"bearer" or not compare_digest(token.strip(), self._token)
