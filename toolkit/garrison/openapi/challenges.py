"""What a refused client is told about how to authenticate: the values of WWW-Authenticate."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison.openapi.model import Scheme

# RFC 6750 section 3: `error` only where a credential was sent.
Error = Literal["", "invalid_token", "insufficient_scope"]

# The spelling of IANA's registry of authentication schemes; recipients ignore the case.
SPELLINGS: Final = {
    "basic": "Basic",
    "bearer": "Bearer",
    "concealed": "Concealed",
    "digest": "Digest",
    "dpop": "DPoP",
    "gnap": "GNAP",
    "hoba": "HOBA",
    "mutual": "Mutual",
    "negotiate": "Negotiate",
    "oauth": "OAuth",
    "privatetoken": "PrivateToken",
    "scram-sha-1": "SCRAM-SHA-1",
    "scram-sha-256": "SCRAM-SHA-256",
    "vapid": "vapid",
}
# No scheme is registered for API keys; this is what FastAPI sends.
API_KEY: Final = "APIKey"

# RFC 9110 section 5.6.4, without what would have to be escaped.
QUOTABLE: Final = re.compile(r"[ !#-\[\]-~]+")
# RFC 6749 section 3.3.
SCOPE: Final = re.compile(r"[!#-\[\]-~]+")
# RFC 9110 section 5.6.2.
NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def is_realm(text: str) -> bool:
    """Whether a text can be the realm of a challenge: printable ASCII without quotes and backslashes."""
    return QUOTABLE.fullmatch(text) is not None


def challenge(scheme: Scheme, realm: str, *, error: Error = "", scopes: Iterable[str] = ()) -> bytes | None:
    """One challenge (RFC 9110 section 11.6.1).

    Args:
        scheme: with which to authenticate.
        realm: a text that `is_realm`.
        error: what is wrong with a bearer token that was sent; of other schemes nothing is said.
        scopes: that a bearer token must have.

    Returns:
        A value of WWW-Authenticate; None for mutualTLS, which no challenge can ask for.
    """
    if scheme.type == "mutualTLS":
        return None
    name = authentication_scheme(scheme)
    if name == "Negotiate":
        # RFC 4559 section 4.1 has no parameters in it.
        return b"Negotiate"
    found = f'{name} realm="{realm}"'
    if name == "Basic":
        # RFC 7617 section 2.1.
        found += ', charset="UTF-8"'
    if name in {"Bearer", "DPoP"}:
        found += f', error="{error}"' if error else ""
        sayable = " ".join(scope for scope in scopes if SCOPE.fullmatch(scope))
        found += f', scope="{sayable}"' if sayable else ""
    return found.encode("ascii")


def authentication_scheme(scheme: Scheme) -> str:
    """The name of the authentication scheme by which a security scheme is asked for."""
    if scheme.type == "apiKey":
        return API_KEY
    if scheme.type != "http":
        return "Bearer"
    if NAME.fullmatch(scheme.scheme) is None:
        return API_KEY
    return SPELLINGS.get(scheme.scheme, scheme.scheme)
