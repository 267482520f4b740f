"""Content-Security-Policy: reading a policy as browsers do, refusing what they would drop, and writing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import secure

from garrison.csp.merge import merge_policies
from garrison.csp.policy_error import PolicyError, did_you_mean
from garrison.csp.values import VALUES, check_values

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "DIRECTIVES",
    "PolicyError",
    "merge_policies",
    "parse_policy",
    "render_policy",
]

DIRECTIVES: Final = frozenset(VALUES)

# What browsers have dropped or never had, with what does its work today.
GONE: Final = {
    "allow": "write default-src",
    "block-all-mixed-content": "browsers block mixed content anyway; upgrade-insecure-requests mends it",
    "disown-opener": "send the header Cross-Origin-Opener-Policy",
    "navigate-to": "form-action restricts where forms go, and nothing restricts links",
    "options": "write 'unsafe-inline' or 'unsafe-eval' in script-src",
    "plugin-types": "write object-src 'none'",
    "policy-uri": "write the policy itself",
    "prefetch-src": "prefetches follow default-src",
    "referrer": "send the header Referrer-Policy",
    "reflected-xss": "write script-src without 'unsafe-inline'",
    "require-sri-for": "send the header Integrity-Policy",
    "xhr-src": "write connect-src",
}


def parse_policy(text: str) -> dict[str, tuple[str, ...]]:
    """Read a policy, in the order in which it is written; the empty policy is fine.

    Beyond the grammar of CSP Level 3 (section 2.3.1) this knows one word: `'nonce'`, in directives of
    scripts and styles, stands for a nonce that is new on every reply.

    Args:
        text: directives, parted by `;`, each a name and its values.

    Returns:
        Each directive, in lower case, with its values; keywords are in lower case, all else is as written.

    Raises:
        PolicyError: browsers would drop a part of it, or read it otherwise than it looks.
    """
    if not (text.isascii() and text.isprintable()):
        found = next(sign for sign in text if not (sign.isascii() and sign.isprintable()))
        raise PolicyError(f"a policy is printable ASCII, without line ends: {found!r} cannot stand in it")
    if "," in text:
        raise PolicyError("a comma starts another policy: part values by blanks, write %2C in an address")
    policy: dict[str, tuple[str, ...]] = {}
    for written, *values in filter(None, map(str.split, text.split(";"))):
        name = written.lower()
        if name not in VALUES:
            raise PolicyError(_unknown(written))
        if name in policy:
            raise PolicyError(f"{name} stands there twice: browsers ignore the second, so join the values")
        policy[name] = check_values(name, values)
    return policy


def _unknown(name: str) -> str:
    if name.lower() in GONE:
        return f"{name} is no directive any more: {GONE[name.lower()]}"
    nearest = did_you_mean(name, VALUES, otherwise="see CSP Level 3, section 6")
    return f"{name} is no directive: {nearest}"


def render_policy(directives: Mapping[str, tuple[str, ...]]) -> str:
    """Write a policy as a header value, through `secure`'s builder; the empty policy is the empty text.

    Args:
        directives: each with its values, as `parse_policy` returns them.
    """
    if not directives:
        # The builder has a policy of its own for that.
        return ""
    policy = secure.ContentSecurityPolicy()
    for name, values in directives.items():
        policy = policy.custom_directive(name, *values)
    return policy.header_value
