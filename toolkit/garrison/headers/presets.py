"""What each preset tells browsers about pages, API replies and everything else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from garrison.headers.permissions import DENY_ALL, render_permissions

if TYPE_CHECKING:
    from collections.abc import Mapping

Preset = Literal["auto", "web", "strict", "api"]
"""How far a policy goes: `auto` breaks no app that works, `web` is for pages that render with `csp_nonce`,
`strict` locks pages down, and `api` is for apps without pages."""

Kind = Literal["page", "api", "other", "unchanged"]
"""What a reply is to a browser: something to render, data, a part of a page, or word that what it has in
its cache is still good."""

# Further headers, each with the one value that protects: https://html.spec.whatwg.org (origin-keyed agent
# clusters), and what OWASP's Secure Headers Project lists for old browsers and plug-ins.
MORE: Final[Mapping[str, str]] = {
    "origin-agent-cluster": "?1",
    "x-dns-prefetch-control": "off",
    "x-download-options": "noopen",
    "x-permitted-cross-domain-policies": "none",
    # The filters that this once switched on could be turned against a page.
    "x-xss-protection": "0",
}

API_POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
STRICT_API_POLICY: Final = API_POLICY.replace("'self'", "'none'")

# Uploaded files can be anything. In a sandbox they are an origin of their own and run no script (CSP Level 3
# section 6.3.1), and still show as picture, text or film.
SANDBOX_POLICY: Final = (
    "sandbox; default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'"
)

# Fetch directives are named one by one, because `default-src 'none'` in front of them leaves nothing open
# that a later version of CSP adds. `https:` and `'unsafe-inline'` are for browsers that know no nonces or no
# 'strict-dynamic'; all others ignore them (CSP Level 3 section 6.7.1.1).
WEB_POLICY: Final = (
    "default-src 'none'; script-src 'nonce' 'strict-dynamic' https: 'unsafe-inline';"
    " style-src 'self' 'nonce'; img-src 'self' data:; font-src 'self'; connect-src 'self';"
    " media-src 'self'; manifest-src 'self'; worker-src 'self'; frame-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'self'"
)
STRICT_POLICY: Final = (
    "default-src 'none'; script-src 'nonce' 'strict-dynamic'; style-src 'self' 'nonce'; img-src 'self';"
    " font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
AUTO_POLICY: Final = "base-uri 'self'; frame-ancestors 'self'"

# What an app would have to keep to for a stricter preset, told and not enforced. Without a nonce, which
# would take pages out of shared caches that are in them today.
AUTO_REPORT_ONLY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none';"
    " form-action 'self'; base-uri 'self'; frame-ancestors 'self'"
)

# What a page of an ordinary site does not ask for (Permissions Policy, section 5; the registry of features).
# Nothing that frames commonly need, such as fullscreen or autoplay, is among it, and nothing that Chromium
# knows on some systems only and warns of on the console of others.
POWERFUL: Final = render_permissions(
    dict.fromkeys(
        (
            "accelerometer", "camera", "display-capture", "geolocation",
            "gyroscope", "hid", "magnetometer", "microphone", "midi", "payment", "serial", "usb",
            "xr-spatial-tracking",
        ),
        "()",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySet:
    """What browsers are told of pages, and of the rest where there is a choice.

    An empty text stands for a header that is not sent.

    Attributes:
        policy: Content-Security-Policy of pages.
        policy_report_only: what browsers only report of; sent where reports go somewhere.
        frames: X-Frame-Options of pages, where their policy names no `frame-ancestors`.
        referrer: Referrer-Policy of pages.
        permissions: Permissions-Policy of pages.
        permissions_report_only: its report-only form.
        opener: Cross-Origin-Opener-Policy of pages.
        opener_report_only: its report-only form.
        embedder: Cross-Origin-Embedder-Policy of pages.
        embedder_report_only: its report-only form.
        resource: Cross-Origin-Resource-Policy of pages.
        other_resource: the same for what is neither page nor API reply.
        more: names from `MORE`, sent with pages and API replies.
        authenticated_cache: Cache-Control of pages for somebody who is logged in.
        pages_are_data: whether a page is nothing to render, and is kept nowhere.
        api_policy: Content-Security-Policy of API replies. Apps show text and data in frames of their own,
            so that only the strict presets forbid that.
    """

    policy: str = ""
    policy_report_only: str = ""
    frames: str = ""
    referrer: str = ""
    permissions: str = ""
    permissions_report_only: str = ""
    opener: str = ""
    opener_report_only: str = ""
    embedder: str = ""
    embedder_report_only: str = ""
    resource: str = ""
    other_resource: str = ""
    more: tuple[str, ...] = ()
    authenticated_cache: str = "private"
    pages_are_data: bool = False
    api_policy: str = API_POLICY


LOCKED: Final = PolicySet(
    policy=STRICT_POLICY,
    api_policy=STRICT_API_POLICY,
    frames="DENY",
    referrer="no-referrer",
    permissions=DENY_ALL,
    opener="same-origin",
    embedder="require-corp",
    resource="same-origin",
    other_resource="same-origin",
    more=tuple(MORE),
    authenticated_cache="no-store",
)
PRESETS: Final[Mapping[Preset, PolicySet]] = {
    "auto": PolicySet(
        policy=AUTO_POLICY,
        policy_report_only=AUTO_REPORT_ONLY,
        frames="SAMEORIGIN",
        referrer="strict-origin-when-cross-origin",
        permissions_report_only=POWERFUL,
        opener_report_only="same-origin",
    ),
    "web": PolicySet(
        policy=WEB_POLICY,
        frames="SAMEORIGIN",
        referrer="strict-origin-when-cross-origin",
        permissions=POWERFUL,
        # Pop-ups that the page opens, as for a payment or a login, keep talking to it.
        opener="same-origin-allow-popups",
        resource="same-origin",
    ),
    "strict": LOCKED,
    # The same, and a page is nothing but data.
    "api": replace(LOCKED, policy=STRICT_API_POLICY, pages_are_data=True),
}
