"""Reads Content-Security-Policy as a browser does (CSP Level 3, section 2.2)."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from garrison_harness.exchange import Reply

Policy = Mapping[str, tuple[str, ...]]
"""The values of each directive by its name in lower case."""

_SPACE: Final = " \t\n\f\r"
_META: Final = re.compile(r"<meta\s[^<>]*>", re.IGNORECASE)
_ABOUT_POLICY: Final = re.compile(r"content-security-policy[\"'\s]", re.IGNORECASE)
_CONTENT: Final = re.compile(r"\bcontent\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
# Directives that count in a header only (CSP Level 3 section 3.3).
_NOT_IN_META: Final = frozenset({"frame-ancestors", "report-uri", "sandbox"})


def header_policies(reply: Reply, name: str = "content-security-policy") -> list[Policy]:
    """The policies in the headers of that name; a page has to keep all of them.

    Args:
        reply: The page.
        name: Of the header, in lower case.
    """
    found = [_policy(text) for value in reply.all(name) for text in value.split(",")]
    return [policy for policy in found if policy]


def page_policies(reply: Reply) -> list[Policy]:
    """The policies that a browser enforces on what is inside a page: those of headers, then of elements."""
    found = header_policies(reply)
    for element in _META.findall(reply.text):
        content = _CONTENT.search(element) if _ABOUT_POLICY.search(element) else None
        if content is not None:
            text = html.unescape(content[1] or content[2] or "")
            policy = {name: values for name, values in _policy(text).items() if name not in _NOT_IN_META}
            found += [policy] if policy else []
    return found


def _policy(text: str) -> Policy:
    found: dict[str, tuple[str, ...]] = {}
    for directive in text.split(";"):
        words = directive.strip(_SPACE).split()
        if words:
            # The first of several counts.
            found.setdefault(words[0].lower(), tuple(words[1:]))
    return found


def sources(policy: Policy, *names: str) -> tuple[str, ...] | None:
    """The sources of the first directive that is there, None where the policy leaves them open.

    Args:
        policy: To look in.
        names: A directive, and those that stand in for it.
    """
    return next((policy[name] for name in names if name in policy), None)


def script_sources(policy: Policy) -> tuple[str, ...] | None:
    """Where script elements may come from, None where a policy leaves it open."""
    if "sandbox" in policy and "allow-scripts" not in map(str.lower, policy["sandbox"]):
        return ("'none'",)
    return sources(policy, "script-src-elem", "script-src", "default-src")


def nonces(policy: Policy) -> frozenset[str]:
    """The nonces that a policy gives out."""
    return frozenset(
        source[len("'nonce-") : -1]
        for values in policy.values()
        for source in values
        if source.lower().startswith("'nonce-") and source.endswith("'")
    )
