"""One policy for what must not be shown: in logs, spans, problems and tracebacks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus

from garrison.settings import validate

MASK: Final = "[redacted]"

# The keys that OpenTelemetry's HTTP conventions redact in url.query, and the names under which
# credentials travel in practice (OWASP Logging Cheat Sheet, "Data to exclude").
QUERY: Final = (
    "access_token",
    "api_key",
    "apikey",
    "auth",
    "authorization",
    "awsaccesskeyid",
    "client_secret",
    "code",
    "id_token",
    "key",
    "password",
    "passwd",
    "pwd",
    "refresh_token",
    "secret",
    "session",
    "sessionid",
    "sig",
    "signature",
    "token",
    "x-amz-credential",
    "x-amz-security-token",
    "x-amz-signature",
    "x-goog-signature",
)

# Shapes that are secrets wherever they stand. Each part has one way to match and few places to begin,
# so that the time stays linear in the text's length.
SHAPES: Final = re.compile(
    r"""
    (?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{5,}+\.[A-Za-z0-9_-]{5,}+\.[A-Za-z0-9_-]*   # a JWT (RFC 7519)
    | (?i:\bbearer\s+)[A-Za-z0-9._~+/=-]{8,}                      # RFC 6750 section 2.1
    | (?i:\bbasic\s+)[A-Za-z0-9+/=]{8,}                           # RFC 7617
    | (?<=://)[^/\s:@]{1,256}:[^/\s@]{1,256}(?=@)                 # credentials in a URL
    | \b(?:AKIA|ASIA)[A-Z0-9]{16}\b                               # AWS access key id
    | \bgh[pousr]_[A-Za-z0-9]{20,}                                # GitHub token
    | \bsk_(?:live|test)_[A-Za-z0-9]{10,}                         # Stripe secret key
    | \bxox[abeoprs]-[A-Za-z0-9-]{10,}                            # Slack token
    | \bgarrison_key_[A-Za-z0-9_-]{20,}                           # an API key of `garrison contract key`
    | -----BEGIN\ [A-Z ]{0,32}PRIVATE\ KEY-----                   # PEM (RFC 7468)
    | (?P<name>(?i:\b(?:password|passwd|pwd|secret|api_?key|token)\b["']?\s{0,4}[=:]\s{0,4}["']?))
      [^\s"',;&}\[][^\s"',;&}]{2,}                                 # password=…, "secret": "…"
    """,
    re.VERBOSE,
)

# In lower case, and one of them in whatever has a shape.
MARKERS: Final = (
    "eyj",
    "bearer",
    "basic",
    "://",
    "akia",
    "asia",
    "gh",
    "sk_",
    "xox",
    "private key",
    "pass",
    "pwd",
    "secret",
    "key",
    "token",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """What is masked wherever Garrison writes something down.

    Attributes:
        query: names of query parameters whose values are masked, in any case.
    """

    query: tuple[str, ...] = QUERY

    def __post_init__(self) -> None:
        validate(self)
        validate(self, ("query", all(name.strip() for name in self.query), "names without blanks"))


class Redactor:
    """The policy, compiled.

    Args:
        settings: the policy.
    """

    def __init__(self, settings: Redaction) -> None:
        self._names = frozenset(name.lower() for name in settings.query)

    def query(self, raw: bytes) -> str:
        """A query string for the log, with the values of sensitive names masked.

        Args:
            raw: the query string as it came, without the question mark.
        """
        text = raw.decode("latin-1")
        parts = text.split("&")
        if not _suspicious(text):
            for part in parts:
                name = part.partition("=")[0]
                if "%" in name or name.lower() in self._names:
                    break
            else:
                return text
        return "&".join([self._parameter(part) for part in parts])

    def _parameter(self, part: str) -> str:
        name, equals, _ = part.partition("=")
        sensitive = name.lower() in self._names or ("%" in name and unquote_plus(name).lower() in self._names)
        return f"{name}={MASK}" if equals and sensitive else self.text(part)

    def text(self, text: str) -> str:
        """A free text, such as a traceback, with everything masked that has the shape of a secret."""
        if not _suspicious(text):
            return text
        return SHAPES.sub(lambda match: (match["name"] or "") + MASK, text)

    def reveals(self, text: str) -> bool:
        """Whether a text holds something that has the shape of a secret."""
        return _suspicious(text) and SHAPES.search(text) is not None


def _suspicious(text: str) -> bool:
    # Without one of these no shape can match, and looking for them costs a tenth of the expression.
    lowered = text.lower()
    return any([marker in lowered for marker in MARKERS])  # noqa: C419 - a generator costs more than it saves
