"""Content-Security-Policy: which directives there are, and how a policy is written."""

from __future__ import annotations

from typing import Final

import secure

# CSP Level 3 section 6, with Upgrade Insecure Requests and Trusted Types.
DIRECTIVES: Final = frozenset(
    {
        "base-uri",
        "child-src",
        "connect-src",
        "default-src",
        "font-src",
        "form-action",
        "frame-ancestors",
        "frame-src",
        "img-src",
        "manifest-src",
        "media-src",
        "object-src",
        "report-to",
        "report-uri",
        "require-trusted-types-for",
        "sandbox",
        "script-src",
        "script-src-attr",
        "script-src-elem",
        "style-src",
        "style-src-attr",
        "style-src-elem",
        "trusted-types",
        "upgrade-insecure-requests",
        "webrtc",
        "worker-src",
    }
)


def content_policy(text: str) -> str:
    """A Content-Security-Policy through `secure`'s builder, which keeps line ends and `;` out of values."""
    policy = secure.ContentSecurityPolicy()
    for name, *sources in filter(None, map(str.split, text.split(";"))):
        policy = policy.custom_directive(name, *sources)
    return policy.header_value


def without_directive(policy: str, name: str) -> str:
    """A policy without one of its directives; empty where nothing else is in it."""
    directives = [directive.strip() for directive in policy.split(";")]
    return "; ".join(directive for directive in directives if directive.lower().split()[:1] != [name])


def is_policy(text: str) -> bool:
    """Whether every directive is one that browsers know, in ASCII; the empty policy is fine."""
    directives = [directive.split()[0].lower() for directive in text.split(";") if directive.strip()]
    return text.isascii() and text.isprintable() and DIRECTIVES.issuperset(directives)
