"""The headers that promises are about, in lower case."""

from __future__ import annotations

from typing import Final

SECURITY_HEADERS: Final = frozenset(
    {
        "content-security-policy",
        "content-security-policy-report-only",
        "cross-origin-embedder-policy",
        "cross-origin-opener-policy",
        "cross-origin-resource-policy",
        "origin-agent-cluster",
        "permissions-policy",
        "referrer-policy",
        "strict-transport-security",
        "x-content-type-options",
        "x-frame-options",
        "x-permitted-cross-domain-policies",
    }
)
"""Headers by which a reply tells a browser what it must not do with it."""

ID_HEADERS: Final = ("x-request-id", "x-correlation-id", "request-id", "x-trace-id", "x-amzn-requestid")
"""Headers by which the log record of a reply is found, the most usual first."""
