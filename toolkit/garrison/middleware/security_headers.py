"""Puts the browser's protections on every reply, by what the reply holds, and removes banners."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, Literal

import secure

from garrison.asgi import STARTS, accepts_denial, header
from garrison.context import enter
from garrison.headers.csp import content_policy, is_policy
from garrison.headers.framing import decides_framing, unframed
from garrison.settings import validate
from garrison.units import Duration

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Headers, Message, Receive, Scope, Send

Kind = Literal["page", "api", "other"]

# Referrer Policy section 3; `unsafe-url` and the empty string protect nothing.
ReferrerPolicy = Literal[
    "no-referrer",
    "no-referrer-when-downgrade",
    "origin",
    "origin-when-cross-origin",
    "same-origin",
    "strict-origin",
    "strict-origin-when-cross-origin",
]

# Banners and debug headers, after OWASP's list of headers to remove
# (owasp.org/www-project-secure-headers, "headers_remove.json").
BANNERS: Final = (
    "server",
    "x-powered-by",
    "x-powered-by-plesk",
    "x-aspnet-version",
    "x-aspnetmvc-version",
    "x-generator",
    "x-runtime",
    "x-version",
    "x-backend-server",
    "x-debug-token",
    "x-debug-token-link",
    "x-debug-exception",
    "x-debug-exception-file",
    "x-sourcefiles",
    "x-php-version",
    "x-python-version",
)
YEAR: Final = 365 * 24 * 3600.0
API_POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
CACHING: Final = frozenset({b"cache-control", b"etag", b"expires", b"last-modified", b"pragma"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityHeaders:
    """The policy that browsers are told.

    A page gets what breaks no app that works today. An API reply (JSON, `+json`, plain text) gets the
    strictest policy, since nothing in it is to be rendered, and `no-store` where the app said nothing
    about caching. Everything else gets `nosniff` only.

    Attributes:
        existing: what happens to a header of these that the app has set itself: `keep` it or `override` it.
            X-Frame-Options and the policy's `frame-ancestors` are one matter: an app that sets either keeps
            both as they are.
        hsts: how long browsers remember to use https only (RFC 6797), sent on https to real host names;
            0 sends nothing.
        page_policy: Content-Security-Policy of pages (CSP Level 3); empty for none.
        page_frames: X-Frame-Options of pages, for browsers that know no `frame-ancestors`; off for none.
        page_referrer: Referrer-Policy of pages; off for none.
        remove: names of headers that are removed from every reply, in any case.
    """

    existing: Literal["keep", "override"] = "keep"
    hsts: Duration = 2 * YEAR
    page_policy: str = "base-uri 'self'; frame-ancestors 'self'"
    page_frames: Literal["DENY", "SAMEORIGIN"] | None = "SAMEORIGIN"
    page_referrer: ReferrerPolicy | None = "strict-origin-when-cross-origin"
    remove: tuple[str, ...] = BANNERS

    def __post_init__(self) -> None:
        validate(self)
        validate(
            self,
            ("hsts", self.hsts == int(self.hsts), "whole seconds"),
            (
                "page_policy",
                is_policy(self.page_policy),
                "directives of Content-Security-Policy, joined by ;",
            ),
            ("remove", all(name.strip() and name.isascii() for name in self.remove), "names of headers"),
        )


class SecurityHeadersMiddleware:
    """Adds the headers of the policy to the start of a reply, whoever made it.

    Args:
        app: the app below.
        settings: the section.
    """

    def __init__(self, app: ASGIApp, settings: SecurityHeaders = SecurityHeaders()) -> None:
        self.app = app
        self._keep = settings.existing == "keep"
        self._removed = frozenset(name.strip().lower().encode("ascii") for name in settings.remove)
        self._lines: dict[tuple[Kind, bool], Headers] = {}
        for is_https in (False, True):
            for kind, lines in policies(settings).items():
                self._lines[kind, is_https] = lines + (hsts(settings) if is_https else [])
        self._unframed = {key: unframed(lines) for key, lines in self._lines.items()}
        self._names = {key: frozenset(name for name, _ in lines) for key, lines in self._lines.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and `websocket`; `lifespan` and scopes of an unknown type pass through."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        scope, context = enter(scope)
        if not context.mount("security_headers", self):
            await self.app(scope, receive, send)
            return
        is_https = scope.get("scheme") in {"https", "wss"} and is_real_host(header(scope["headers"], b"host"))

        async def send_with_policy(message: Message) -> None:
            if message["type"] in STARTS:
                headers = self._hardened(message.get("headers", ()), is_https=is_https)
                message = {**message, "headers": headers}
            await send(message)

        denies = scope["type"] == "websocket" and accepts_denial(scope)
        await self.app(scope, receive, denying(send_with_policy) if denies else send_with_policy)

    def _hardened(self, headers: Headers, *, is_https: bool) -> Headers:
        content_type = b""
        present = set()
        kept: Headers = []
        for pair in headers:
            name = pair[0].lower()
            if name in self._removed:
                continue
            if name == b"content-type":
                content_type = pair[1]
            present.add(name)
            kept.append(pair)
        kind = kind_of(content_type)
        lines, names = self._lines[kind, is_https], self._names[kind, is_https]
        if not present.isdisjoint(names):
            if self._keep:
                lines = self._unframed[kind, is_https] if decides_framing(kept) else lines
                lines = [pair for pair in lines if pair[0] not in present]
            else:
                kept = [pair for pair in kept if pair[0].lower() not in names]
        kept += lines
        if kind == "api" and present.isdisjoint(CACHING):
            kept.append((b"cache-control", b"no-store"))
        return kept


def denying(send: Send) -> Send:
    """A `send` that turns a close before the accept into a whole reply, which can carry headers.

    A server makes a 403 without any header of ours of such a close (ASGI 3.0, WebSocket close); this is the
    same 403 to the client.
    """
    undecided = True

    async def send_denial(message: Message) -> None:
        nonlocal undecided
        closes = undecided and message["type"] == "websocket.close"
        undecided = False
        if not closes:
            await send(message)
            return
        headers = [(b"content-length", b"0")]
        await send({"type": "websocket.http.response.start", "status": 403, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": b""})

    return send_denial


@lru_cache(maxsize=1024)
def kind_of(content_type: bytes) -> Kind:
    """What a reply of this media type is to a browser (RFC 9110 section 8.3: names in any case)."""
    media_type = content_type.partition(b";")[0].strip().lower()
    if media_type in {b"text/html", b"application/xhtml+xml"}:
        return "page"
    if media_type in {b"application/json", b"text/plain"} or media_type.endswith(b"+json"):
        return "api"
    return "other"


@lru_cache(maxsize=1024)
def is_real_host(host: bytes | None) -> bool:
    """Whether HSTS may be told for this Host: a name, neither an address nor localhost.

    Browsers ignore it for addresses (RFC 6797 section 8.1.1), and a developer's localhost would be
    locked out of plain http for years.
    """
    if not host:
        return False
    name = host.decode("latin-1").lower()
    name = name.partition("]")[0].strip("[") if name.startswith("[") else name.partition(":")[0]
    if name == "localhost" or name.endswith(".localhost") or "." not in name:
        return False
    try:
        ip_address(name)
    except ValueError:
        return True
    return False


def policies(settings: SecurityHeaders) -> dict[Kind, Headers]:
    """The header lines for each kind of reply, built once by `secure`'s builders."""
    nosniff = ("x-content-type-options", secure.XContentTypeOptions().nosniff().header_value)
    page = [nosniff]
    if settings.page_policy:
        page.append(("content-security-policy", content_policy(settings.page_policy)))
    if settings.page_frames:
        page.append(("x-frame-options", settings.page_frames))
    if settings.page_referrer:
        page.append(("referrer-policy", secure.ReferrerPolicy().set(settings.page_referrer).header_value))
    api = [
        nosniff,
        ("content-security-policy", content_policy(API_POLICY)),
        ("x-frame-options", secure.XFrameOptions().deny().header_value),
        ("referrer-policy", secure.ReferrerPolicy().no_referrer().header_value),
        ("cross-origin-opener-policy", secure.CrossOriginOpenerPolicy().same_origin().header_value),
        ("cross-origin-embedder-policy", secure.CrossOriginEmbedderPolicy().require_corp().header_value),
        ("cross-origin-resource-policy", secure.CrossOriginResourcePolicy().same_origin().header_value),
    ]
    found: dict[Kind, list[tuple[str, str]]] = {"page": page, "api": api, "other": [nosniff]}
    return {
        kind: [(name.encode("ascii"), value.encode("ascii")) for name, value in lines]
        for kind, lines in found.items()
    }


def hsts(settings: SecurityHeaders) -> Headers:
    """The Strict-Transport-Security line, without `includeSubDomains`: those may belong to others."""
    if not settings.hsts:
        return []
    value = secure.StrictTransportSecurity().max_age(int(settings.hsts)).header_value
    return [(b"strict-transport-security", value.encode("ascii"))]
