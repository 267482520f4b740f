"""Bounds on the head of a request: its method, its URL and its header lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.bounding.framing import LINES
from garrison.bounding.url import flaw_in_path, flaw_in_url
from garrison.headers.cors_preflight import preflight_method
from garrison.short_body import unread

if TYPE_CHECKING:
    from garrison.asgi import Headers, Scope
    from garrison.middleware.request_limits import RequestLimits
    from garrison.short_body import Refusal

# CONNECT is for proxies, and TRACE and TRACK send the client's own credentials back to scripts
# (RFC 9110 sections 9.3.6 and 9.3.8; OWASP ASVS 5.0 V13.4.4).
REFUSED: Final = frozenset({"CONNECT", "TRACE", "TRACK"})
USUAL: Final = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")

# The lines that are looked at here, and those that are about the body.
READ: Final = LINES | {b"host", b"cookie"}


class HeadBounds:
    """What the head of a request may be like; every refusal is ready before there is a request.

    Args:
        bounds: the section, or what a rule makes of it.
    """

    def __init__(self, bounds: RequestLimits) -> None:
        self._methods = frozenset(bounds.methods)
        self._max_url = bounds.max_url
        self._max_segments = bounds.max_path_segments
        self._max_parameters = bounds.max_query_parameters
        self._max_headers = bounds.max_headers
        self._max_header_bytes = bounds.max_header_bytes
        cookies = bounds.max_cookie_bytes
        self._max_cookie_bytes = bounds.max_header_bytes if cookies is None else cookies
        self._is_bounded = bounds.url != "any"
        self._is_strict = bounds.url == "strict"
        allow = (b"allow", ", ".join(bounds.methods or USUAL).encode("ascii"))
        self._not_served = unread(405, "This method is not served here.", [allow])
        self._long_url = unread(414, f"The URL is longer than {bounds.max_url} bytes.")
        self._deep_path = unread(414, f"The path has more than {bounds.max_path_segments} segments.")
        self._many_parameters = unread(400, f"The query has more than {self._max_parameters} parameters.")
        self._many_lines = unread(431, f"There are more than {bounds.max_headers} header lines.")
        self._long_lines = unread(431, f"The headers are longer than {bounds.max_header_bytes} bytes.")
        self._long_cookies = unread(431, f"The cookies are longer than {self._max_cookie_bytes} bytes.")
        self._hosts = unread(400, "The request has not exactly one Host header.")

    def refusal(self, scope: Scope, method: str, lines: Headers) -> Refusal | None:
        """Why this request is refused before its body, if it is.

        Args:
            scope: of type `http` or `websocket`.
            method: of the request.
            lines: takes the header lines that are about the body.
        """
        if method in REFUSED or (self._methods and not self._serves(scope, method)):
            return self._not_served
        query: bytes = scope.get("query_string", b"")
        path: str = scope["path"]
        raw: bytes = scope.get("raw_path") or b""
        size = len(raw or path)
        # What is shorter than a count cannot exceed it, and most URLs are: this is on every request's way.
        if size + len(query) > self._max_url:
            return self._long_url
        if len(query) >= self._max_parameters and query.count(b"&") >= self._max_parameters:
            return self._many_parameters
        if size > self._max_segments and path.count("/") > self._max_segments:
            return self._deep_path
        if (
            b"%" in raw or "/." in path or not path.isprintable() or not raw.isascii() or self._is_strict
        ) and self._is_bounded:
            flaw = flaw_in_path(path, raw) or (flaw_in_url(path, raw, query) if self._is_strict else None)
            if flaw is not None:
                return unread(400, flaw)
        return self._in_lines(scope, lines)

    def _serves(self, scope: Scope, method: str) -> bool:
        if method == "OPTIONS" and method not in self._methods:
            method = preflight_method(scope) or method
        return method in self._methods

    def _in_lines(self, scope: Scope, lines: Headers) -> Refusal | None:
        headers: Headers = scope["headers"]
        if len(headers) > self._max_headers:
            return self._many_lines
        size = hosts = cookies = 0
        for line in headers:
            name, value = line
            size += len(name) + len(value)
            if name in READ:
                if name == b"host":
                    hosts += 1
                elif name == b"cookie":
                    cookies += len(value)
                else:
                    lines.append(line)
        if size > self._max_header_bytes:
            return self._long_lines
        # Not every server's parser sees to it, and a request for two hosts is for whichever one asks.
        if hosts != 1 and (hosts or scope.get("http_version") == "1.1"):
            return self._hosts
        if cookies > self._max_cookie_bytes:
            return self._long_cookies
        return None
