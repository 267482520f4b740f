"""Whether a request that another site may have caused is to be refused, from its header lines alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.origins.origin import Origins, is_own

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# RFC 9110 section 9.2.1, and QUERY, which is safe too.
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "QUERY", "TRACE"})

# Fetch, "CORS-safelisted method"; GET and HEAD are safe, so that POST is what is left to guard.
SIMPLE_METHODS: Final = frozenset({"GET", "HEAD", "POST"})

# Fetch, "CORS-safelisted request-header", the content types; a body without a type goes too, and the
# audits of links (HTML, "hyperlink auditing") are sent as text/ping without asking anybody.
SIMPLE_TYPES: Final = frozenset(
    {b"", b"application/x-www-form-urlencoded", b"multipart/form-data", b"text/plain", b"text/ping"}
)

# Headers that scripts set and neither browsers nor proxies add. Not every unknown header can prove a
# preflight: proxies add some to whatever passes, forged forms among it.
SCRIPTED: Final = frozenset({b"hx-request", b"x-csrf-token", b"x-csrftoken", b"x-xsrf-token"})

# Old Android WebViews add X-Requested-With to every navigation, with the name of their app in it.
REQUESTED_WITH: Final = b"x-requested-with"
BY_SCRIPT: Final = b"XMLHttpRequest"

# What browsers add by themselves once they know the user (RFC 7617, 7616, 4559). A Bearer token is
# added by a script, which no other site has.
AMBIENT_SCHEMES: Final = frozenset({b"basic", b"digest", b"negotiate", b"ntlm"})

# Fetch Metadata, section 2.4. Whoever sends another value is no browser that we know.
OWN: Final = frozenset({b"same-origin", b"none"})
OTHER: Final = frozenset({b"same-site", b"cross-site"})

# HTML elements that navigate like a page and can be read like an image.
EMBEDDED: Final = frozenset({b"embed", b"object"})

# Every header line that a judgement needs.
READ: Final = SCRIPTED | {
    b"authorization",
    b"content-type",
    b"cookie",
    b"forwarded",
    b"host",
    b"origin",
    b"sec-fetch-dest",
    b"sec-fetch-mode",
    b"sec-fetch-site",
    b"x-forwarded-host",
    REQUESTED_WITH,
}


class Guard:
    """Tells what a site asks of itself from what another site makes a user's browser ask.

    Args:
        posting: origins whose unsafe requests are welcome, patterns among them.
        strict: whether other hosts of the same site are other sites.
        always: whether requests are judged for which browsers have asked in a preflight, too.
    """

    __slots__ = ("_always", "_posting", "_strict")

    def __init__(self, posting: Iterable[str], *, strict: bool, always: bool) -> None:
        self._posting = Origins(posting)
        self._strict = strict
        self._always = always

    def forbids(
        self, lines: Mapping[bytes, bytes], method: str | None, hosts: Iterable[bytes], *, secure: bool
    ) -> bool:
        """Whether another site causes this request, and may not.

        Args:
            lines: the header lines that are in `READ`, of a request with ambient credentials.
            method: of a request that is not safe; None for a WebSocket handshake.
            hosts: names with or without port that the request may be for.
            secure: whether the request is known to have come over https.
        """
        site = lines.get(b"sec-fetch-site")
        if site in OWN or (site == b"same-site" and not self._strict):
            return False
        line = lines.get(b"origin")
        origin = None if line is None else line.decode("latin-1")
        if origin is not None and origin in self._posting:
            return False
        if site not in OTHER:
            # Over plain http browsers send no Sec-Fetch-Site, and Chromium none on any handshake.
            if origin is None:
                return False
            if is_own(origin, [host.decode("latin-1") for host in hosts], secure=secure):
                return False
        return self._always or method is None or not is_preflighted(lines, method)

    def isolates(self, lines: Mapping[bytes, bytes]) -> bool:
        """Whether another site loads this as a part of its own page, without asking (no-cors).

        Args:
            lines: the header lines that are in `READ`, of a request with a safe method.
        """
        site = lines.get(b"sec-fetch-site")
        if site != b"cross-site" and not (site == b"same-site" and self._strict):
            return False
        return lines.get(b"sec-fetch-mode") == b"no-cors" or lines.get(b"sec-fetch-dest") in EMBEDDED


def is_ambient(lines: Mapping[bytes, bytes]) -> bool:
    """Whether the request carries credentials that browsers add by themselves, certificates apart."""
    if b"cookie" in lines:
        return True
    scheme = lines.get(b"authorization", b"").lstrip().partition(b" ")[0]
    return scheme.lower() in AMBIENT_SCHEMES


def is_preflighted(lines: Mapping[bytes, bytes], method: str) -> bool:
    """Whether no browser sends such a request to another origin before a preflight has allowed it.

    Args:
        lines: the header lines that are in `READ`.
        method: as the client sent it.
    """
    # The other modes never ask: forms navigate, and beacons, pings and reports are no-cors.
    if lines.get(b"sec-fetch-mode", b"cors") != b"cors":
        return False
    if method not in SIMPLE_METHODS:
        return True
    media_type = lines.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if media_type not in SIMPLE_TYPES:
        return True
    return lines.get(REQUESTED_WITH) == BY_SCRIPT or not SCRIPTED.isdisjoint(lines)
