"""Adds to every cookie the attributes that protect it and that the app left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from garrison.asgi import ANSWERS
from garrison.context import enter
from garrison.headers.set_cookie import SetCookie, is_csrf, is_session
from garrison.settings import validate

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send

SET_COOKIE: Final = b"set-cookie"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookies:
    """What is added to Set-Cookie; what the app has set itself stays as it is.

    A cookie whose name begins with `__Host-` or `__Secure-` also gets what browsers demand of it.

    Attributes:
        secure: whether cookies that are set over https get Secure, so that they never travel over http.
        http_only: which cookies get HttpOnly and are out of reach for scripts: those named like a `session`,
            `all`, or none (`off`). Cookies named like a CSRF token never do, because scripts read them.
        readable: names of further cookies that scripts have to read.
        same_site: SameSite for cookies that have none; off leaves it to the browser. Lax also ends the two
            minutes in which browsers send a new cookie with a cross-site POST, which some single sign-on
            needs.
    """

    secure: bool = True
    http_only: Literal["session", "all"] | None = "session"
    readable: tuple[str, ...] = ()
    same_site: Literal["Lax", "Strict"] | None = None

    def __post_init__(self) -> None:
        validate(self)
        names = all(name and name.isascii() and name.isprintable() for name in self.readable)
        validate(self, ("readable", names, "names of cookies"))


class CookiesMiddleware:
    """Rewrites each Set-Cookie line by itself; their number and order stay.

    Args:
        app: the app below.
        settings: the section.
    """

    def __init__(self, app: ASGIApp, settings: Cookies = Cookies()) -> None:
        self.app = app
        self._settings = settings
        self._readable = frozenset(name.encode("ascii") for name in settings.readable)
        self._same_site = b"SameSite=" + settings.same_site.encode("ascii") if settings.same_site else b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and `websocket`; `lifespan` and scopes of an unknown type pass through."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        scope, context = enter(scope)
        if not context.mount("cookies", self):
            await self.app(scope, receive, send)
            return
        is_https = scope.get("scheme") in {"https", "wss"}

        async def send_with_cookies(message: Message) -> None:
            if message["type"] in ANSWERS:
                headers = message.get("headers", ())
                for name, _ in headers:
                    if name.lower() == SET_COOKIE:
                        hardened = [
                            (
                                key,
                                self._harden(value, is_https=is_https)
                                if key.lower() == SET_COOKIE
                                else value,
                            )
                            for key, value in headers
                        ]
                        message = {**message, "headers": hardened}
                        break
            await send(message)

        await self.app(scope, receive, send_with_cookies)

    def _harden(self, value: bytes, *, is_https: bool) -> bytes:
        cookie = SetCookie(value)
        if is_https and self._settings.secure:
            cookie.add(b"Secure")
        if is_https:
            cookie.keep_prefix_rules()
        if self._hides(cookie.name):
            cookie.add(b"HttpOnly")
        if self._same_site:
            cookie.add(self._same_site)
        return cookie.render()

    def _hides(self, name: bytes) -> bool:
        if is_csrf(name) or name in self._readable:
            return False
        which = self._settings.http_only
        return which == "all" or (which == "session" and is_session(name))
