"""Adds to every cookie the attributes that protect it and that the app left out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from garrison.asgi import ANSWERS
from garrison.context import enter
from garrison.headers.set_cookie import SetCookie, is_csrf, is_session, parted
from garrison.settings import validate

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from garrison.asgi import ASGIApp, Headers, Message, Receive, Scope, Send
    from garrison.headers.presets import Preset

SET_COOKIE: Final = b"set-cookie"

# The presets for apps that render their own pages, and so know which cookies their scripts read.
RENDERING: Final = frozenset({"web", "strict"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookies:
    """What is added to Set-Cookie; what the app has set itself stays as it is.

    Over https a cookie whose name begins with `__Host-`, `__Secure-`, `__Http-` or `__Host-Http-` also gets
    what browsers demand of it, since they drop it otherwise.

    Attributes:
        secure: whether cookies that are set over https get Secure, so that they never travel over http.
        http_only: which cookies get HttpOnly and are out of reach for scripts: those named like a `session`,
            `all`, or none (`off`). `preset` is `all` with the presets `web` and `strict` of the security
            headers, and `session` with the others. Cookies named like a CSRF token never do, because scripts
            read them.
        readable: names of further cookies that scripts have to read.
        same_site: SameSite for cookies that have none; `off` leaves it to the browser. `preset` is Lax with
            the presets `web` and `strict`, and off with the others. Lax also ends the two minutes in which
            browsers send a new cookie with a cross-site POST: single sign-on that comes back with `form_post`
            then misses the cookie with its state, unless the app sets that one with SameSite=None itself.
    """

    secure: bool = True
    http_only: Literal["preset", "session", "all"] | None = "preset"
    readable: tuple[str, ...] = ()
    same_site: Literal["preset", "Lax", "Strict"] | None = "preset"

    def __post_init__(self) -> None:
        validate(self)
        names = all(name and name.isascii() and name.isprintable() for name in self.readable)
        validate(self, ("readable", names, "names of cookies"))


class CookiesMiddleware:
    """Rewrites each Set-Cookie line by itself; their number and order stay.

    Args:
        app: the app below.
        settings: the section.
        preset: of the security headers.
    """

    def __init__(self, app: ASGIApp, settings: Cookies = Cookies(), *, preset: Preset = "auto") -> None:
        self.app = app
        # An app writes the same few names and attributes again and again; values are not remembered.
        self._attributes = lru_cache(maxsize=256)(Hardening(settings, preset).attributes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and `websocket`; `lifespan` and scopes of an unknown type pass through."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        scope, context = enter(scope)
        if not context.mount("cookies", self):
            await self.app(scope, receive, send)
            return

        # Not a coroutine itself: one less for every message.
        def send_with_cookies(message: Message) -> Awaitable[None]:
            if message["type"] in ANSWERS:
                headers = message.get("headers", ())
                if type(headers) is not list:
                    # Any iterable is allowed, and some can be read only once.
                    headers = list(headers)
                    message = {**message, "headers": headers}
                for name, _ in headers:
                    if len(name) == 10 and name.lower() == SET_COOKIE:
                        is_https = scope.get("scheme") in {"https", "wss"}
                        message = {**message, "headers": self._hardened(headers, is_https=is_https)}
                        break
            return send(message)

        await self.app(scope, receive, send_with_cookies)

    def _hardened(self, headers: Headers, *, is_https: bool) -> Headers:
        found: Headers = []
        for pair in headers:
            name, line = pair
            if len(name) == 10 and name.lower() == SET_COOKIE:
                cookie, value, attributes = parted(line)
                found.append((name, value + self._attributes(cookie, attributes, is_https)))
            else:
                found.append(pair)
        return found


class Hardening:
    """What becomes of a cookie's attributes, by its name.

    Args:
        settings: the section.
        preset: of the security headers.
    """

    def __init__(self, settings: Cookies, preset: Preset) -> None:
        renders = preset in RENDERING
        which, same_site = settings.http_only, settings.same_site
        if which == "preset":
            which = "all" if renders else "session"
        if same_site == "preset":
            same_site = "Lax" if renders else None
        self._secure = settings.secure
        self._which = which
        self._same_site = f"SameSite={same_site}".encode("ascii") if same_site else b""
        self._readable = frozenset(name.encode("ascii") for name in settings.readable)

    def attributes(self, name: bytes, attributes: bytes, is_https: bool) -> bytes:
        """The attributes that the cookie leaves with.

        Args:
            name: of the cookie; empty where it has none.
            attributes: as the app wrote them, from the first semicolon on.
            is_https: whether the client came over https.
        """
        cookie = SetCookie(name, attributes)
        if is_https:
            if self._secure:
                cookie.add(b"Secure")
            cookie.keep_prefix_rules()
        if self._hides(name):
            cookie.add(b"HttpOnly")
        # A browser refuses a cross-site reply the right to touch a Lax cookie, deletions at a central
        # logout among it (RFC 6265bis section 5.7), and one that ends needs no protection.
        if self._same_site and not cookie.deletes:
            cookie.add(self._same_site)
        return cookie.render()

    def _hides(self, name: bytes) -> bool:
        if is_csrf(name) or name in self._readable:
            return False
        return self._which == "all" or (self._which == "session" and is_session(name))
