"""Puts the browser's protections on every reply, by what the reply holds, and removes banners."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, get_args

from garrison.asgi import STARTS, header
from garrison.context import enter
from garrison.denial import denying
from garrison.headers.banners import BANNERS
from garrison.headers.caching import CACHE_CONTROL, CACHING, FRESHNESS, is_authenticated
from garrison.headers.chosen import policy_of, problems_of
from garrison.headers.existing import SECURITY, parse_modes, reconcile
from garrison.headers.finish import finished
from garrison.headers.hsts import PRELOAD_AGE, is_real_host
from garrison.headers.kinds import NONCED, kind_of
from garrison.headers.lines import Lines, Way, with_nonce
from garrison.headers.override import Override, combined, parse_overrides
from garrison.headers.presets import Kind, Preset
from garrison.host_names import LONGEST
from garrison.nonce import csp_nonce
from garrison.rules import routed_path
from garrison.settings import SettingsError, validate
from garrison.units import Duration

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from garrison.asgi import ASGIApp, Headers, Message, Receive, Scope, Send
    from garrison.context import RequestContext

# Referrer Policy section 3; `unsafe-url` and the empty string protect nothing.
ReferrerPolicy = Literal[
    "preset",
    "no-referrer",
    "no-referrer-when-downgrade",
    "origin",
    "origin-when-cross-origin",
    "same-origin",
    "strict-origin",
    "strict-origin-when-cross-origin",
]
Frames = Literal["preset", "DENY", "SAMEORIGIN"]
# HTML standard, "cross-origin opener policies" and "cross-origin embedder policies"; Fetch,
# "Cross-Origin-Resource-Policy header".
Opener = Literal["preset", "same-origin", "same-origin-allow-popups", "noopener-allow-popups", "unsafe-none"]
Embedder = Literal["preset", "require-corp", "credentialless", "unsafe-none"]
Resource = Literal["preset", "same-origin", "same-site", "cross-origin"]
More = Literal[
    "preset",
    "origin-agent-cluster",
    "x-dns-prefetch-control",
    "x-download-options",
    "x-permitted-cross-domain-policies",
    "x-xss-protection",
]

YEAR: Final = 365 * 24 * 3600.0
NO_STORE: Final = (CACHE_CONTROL, b"no-store")
NAME: Final = re.compile(r"\s*[A-Za-z0-9!#$%&'*+.^_`|~-]+\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityHeaders:
    """The policy that browsers are told.

    With the preset `auto` a page gets what breaks no app that works today. An API reply (JSON, `+json`,
    plain text) gets the strictest policy, since nothing in it is to be rendered, and `no-store` where the
    app said nothing about caching. Everything else gets `nosniff` only. Where a setting says `preset`, the
    preset decides; `off` or an empty text sends no such header.

    Attributes:
        preset: `auto` breaks nothing; `web` enforces a policy with nonces, for pages that render with
            `csp_nonce`; `strict` locks pages down, Trusted Types included; `api` is for apps without pages.
        existing: what happens to a header of these that the app has set itself: `keep` it, `override` it, or
            `merge` both into the stricter, where an app's policy gets every directive that it leaves out;
            for single headers as in `keep, content-security-policy=merge`. X-Frame-Options always follows
            `frame-ancestors`.
        rules: what is different on some paths, such as `/docs: auto; /admin/*: strict; /embed/*:
            frame-ancestors https://partner.example; /media/*: sandbox; /files/*: attachment; POST /logout:
            clear-site-data`. The first that fits counts. A preset or a directive is about pages; `sandbox` is
            for uploaded files that are shown, `attachment` for those that are saved; `clear-site-data` may
            name `cache`, `cookies`, `storage`.
        page_policy: Content-Security-Policy of pages (CSP Level 3). It may begin with `preset`, or with the
            name of one, and change single directives: `web; img-src 'self' https://cdn.example`. The keyword
            `'nonce'` stands for what `csp_nonce` gives out.
        page_policy_report_only: the report-only form of `page_policy`, sent where reports go somewhere. With
            `preset` it has the directives that `page_policy` changes in its preset, too.
        page_frames: X-Frame-Options of pages; `preset` follows the policy's `frame-ancestors`, and nothing
            else may stand here where there is one.
        page_referrer: Referrer-Policy of pages.
        page_permissions: Permissions-Policy of pages, such as `preset, camera=(self)`.
        page_permissions_report_only: the report-only form of `page_permissions`, sent where reports go
            somewhere.
        page_opener: Cross-Origin-Opener-Policy of pages.
        page_opener_report_only: the report-only form of `page_opener`, sent where reports go somewhere.
        page_embedder: Cross-Origin-Embedder-Policy of pages.
        page_embedder_report_only: the report-only form of `page_embedder`, sent where reports go
            somewhere.
        page_resource: Cross-Origin-Resource-Policy of pages.
        other_resource: Cross-Origin-Resource-Policy of what is neither page nor API reply, such as images.
        more: further headers, which have only one safe value.
        reports: where browsers send reports: a path of this app, or the https URL of a collector; the path of
            the report receiver unless given.
        hsts: how long browsers remember to use https only (RFC 6797), sent on https to real host names;
            0 sends nothing.
        hsts_subdomains: whether that holds for every name below the host, too.
        hsts_preload: whether browsers may ship with the host in their list of https hosts, which takes
            `hsts_subdomains`, at least a year, and months to undo.
        api_no_store: whether API replies get `Cache-Control: no-store` where the app said nothing about it.
        authenticated_cache: Cache-Control of pages for somebody who is logged in, where the app said nothing.
        remove: names of headers that are removed from every reply, in any case.
    """

    preset: Preset = "auto"
    existing: str = "keep"
    rules: str = ""
    page_policy: str = "preset"
    page_policy_report_only: str = "preset"
    page_frames: Frames | None = "preset"
    page_referrer: ReferrerPolicy | None = "preset"
    page_permissions: str = "preset"
    page_permissions_report_only: str = "preset"
    page_opener: Opener | None = "preset"
    page_opener_report_only: Opener | None = "preset"
    page_embedder: Embedder | None = "preset"
    page_embedder_report_only: Embedder | None = "preset"
    page_resource: Resource | None = "preset"
    other_resource: Resource | None = "preset"
    more: tuple[More, ...] = ("preset",)
    reports: str = ""
    hsts: Duration = 2 * YEAR
    hsts_subdomains: bool = False
    hsts_preload: bool = False
    api_no_store: bool = True
    authenticated_cache: Literal["preset", "private", "no-store"] | None = "preset"
    remove: tuple[str, ...] = BANNERS

    def __post_init__(self) -> None:
        validate(self)
        validate(
            self,
            ("hsts", float(self.hsts).is_integer() and self.hsts >= 0, "whole seconds"),
            (
                "hsts_preload",
                not self.hsts_preload or (self.hsts_subdomains and self.hsts >= PRELOAD_AGE),
                "off, or hsts_subdomains on and hsts of at least 365 days, as hstspreload.org asks",
            ),
            ("remove", all(map(NAME.fullmatch, self.remove)), "names of headers"),
        )
        problems = problems_of(self)
        if problems:
            raise SettingsError(problems)


class SecurityHeadersMiddleware:
    """Adds the headers of the policy to the start of a reply, whoever made it.

    Args:
        app: the app below.
        settings: the section.
        reports: the path of the report receiver, where the section names no other place; empty for none.
    """

    def __init__(
        self, app: ASGIApp, settings: SecurityHeaders = SecurityHeaders(), *, reports: str = ""
    ) -> None:
        self.app = app
        policy = policy_of(settings, reports)
        self._reports = bool(policy.reports)
        self._modes = parse_modes(settings.existing)
        self._rules = parse_overrides(settings.rules)
        self._removed = frozenset(name.strip().lower().encode("ascii") for name in settings.remove)
        self._watched = SECURITY | CACHING | self._removed
        self._harmless = CACHING - self._removed
        self._no_store = settings.api_no_store

        # What handlers ask for is theirs to choose, so that there must be an end to what is kept of it.
        @lru_cache(maxsize=512)
        def lines(kind: Kind, way: Way, root: str, override: Override | None) -> Lines:
            return policy.lines(kind, way, root=root, override=override)

        self._lines = lines
        self._usual = {
            (kind, way, ""): lines(kind, way, "", None) for kind in get_args(Kind) for way in get_args(Way)
        }
        # Most replies are no pages, and say nothing that would have to be looked at.
        self._plain = {
            (kind, way): [*usual.added, *([NO_STORE] if usual.is_data and self._no_store else [])]
            for (kind, way, _), usual in self._usual.items()
            if kind != "page" and not usual.fresh
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and `websocket`; `lifespan` and scopes of an unknown type pass through."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        scope, context = enter(scope)
        if not context.mount("security_headers", self):
            await self.app(scope, receive, send)
            return
        way: Way = "http"
        if scope.get("scheme") in {"https", "wss"}:
            way = (
                "https to a name"
                if is_real_host((header(scope["headers"], b"host") or b"")[: LONGEST + 1])
                else "https"
            )
        # Mounts change the path and the root path in place, so that they are read before the app runs.
        override = self._override(scope, context.method) if self._rules else None
        root = context.root_path.rstrip("/") if self._reports else ""

        # Not a coroutine itself: one less for every message.
        def send_with_policy(message: Message) -> Awaitable[None]:
            if message["type"] in STARTS:
                wanted = override
                if context.reply_policy is not None:
                    wanted = combined(override, context.reply_policy)
                headers = self._hardened(scope, message, context, way, root, wanted)
                message = {**message, "headers": headers}
            return send(message)

        denies = scope["type"] == "websocket"
        await self.app(scope, receive, denying(scope, send_with_policy) if denies else send_with_policy)

    def _override(self, scope: Scope, method: str) -> Override | None:
        path = routed_path(scope)
        return next((override for rule, override in self._rules if rule.applies(method, path)), None)

    def _hardened(
        self,
        scope: Scope,
        message: Message,
        context: RequestContext,
        way: Way,
        root: str,
        override: Override | None,
    ) -> Headers:
        # Any iterable is allowed, and some can be read only once.
        headers = list(message.get("headers", ()))
        content_type = b""
        present = []
        watched = self._watched
        for name, value in headers:
            lowered = name.lower()
            if lowered == b"content-type":
                content_type = value
            elif lowered in watched:
                present.append(lowered)
        kind = kind_of(content_type, message["status"])
        if not present and override is None and context.nonce is None and (kind, way) in self._plain:
            headers += self._plain[kind, way]
            return headers
        lines = self._usual.get((kind, way, root)) if override is None else None
        if lines is None:
            lines = self._lines(kind, way, root, override)
        if present and not self._harmless.issuperset(present):
            found = self._joined(headers, lines)
        else:
            found = [*headers, *lines.added]
        if lines.is_data:
            if self._no_store and CACHING.isdisjoint(present):
                found.append(NO_STORE)
        elif kind == "page":
            said = lines.authenticated_cache
            if said and FRESHNESS.isdisjoint(present) and is_authenticated(scope["headers"], headers):
                found.append((CACHE_CONTROL, said))
        if lines.fresh or (context.nonce is not None and kind in NONCED):
            found = with_nonce(found, csp_nonce(scope), message["status"])
        return found if override is None else finished(found, message["status"], override)

    def _joined(self, headers: Headers, lines: Lines) -> Headers:
        """The app's headers and ours where the app has set some of ours, or some that are removed."""
        dropped = self._removed | lines.dropped
        kept = [line for line in headers if line[0].lower() not in dropped]
        own = tuple((name.lower(), value) for name, value in kept if name.lower() in SECURITY)
        if not own:
            return [*kept, *lines.added]
        settled = list(reconcile(own, lines.added, self._modes))
        found: Headers = []
        for line in kept:
            pair = (line[0].lower(), line[1])
            if pair in settled:
                settled.remove(pair)
            elif pair[0] in SECURITY:
                continue
            found.append(line)
        return found + settled
