"""Bounds the raw request: method, URL, headers, body bytes as they arrive, and the depth of JSON."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from garrison.asgi import content_length, header
from garrison.context import RequestContext, enter
from garrison.counted_body import CountedBody
from garrison.headers.cors_preflight import preflight_method
from garrison.json_bounds import flaw_in, is_deeper
from garrison.problems import Problem, reject
from garrison.settings import validate
from garrison.units import Size

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Headers, Message, Receive, Rest, Scope, Send

# CONNECT is for proxies, and TRACE and TRACK send the client's own credentials back to scripts
# (RFC 9110 sections 9.3.6 and 9.3.8; OWASP ASVS 5.0 V13.4.4).
REFUSED: Final = frozenset({"CONNECT", "TRACE", "TRACK"})
USUAL: Final = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
METHOD: Final = re.compile(r"[A-Z][A-Z-]*")
FORM: Final = b"application/x-www-form-urlencoded"
NOT_UTF8: Final = Problem(status=400, detail="The JSON is not valid UTF-8.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLimits:
    """How large a request may be, and with which methods.

    Refused with a 400 in any case: a request with both Content-Length and Transfer-Encoding, about whose
    end proxies and servers disagree (RFC 9112 section 6.1), and an HTTP/1.1 request without exactly one Host
    (section 3.2).

    Attributes:
        methods: those that are served, such as `GET,HEAD,POST`, and the CORS preflights that ask for them;
            another one is a 405. Empty: all but TRACE, TRACK and CONNECT, which are never served.
        max_body: bytes of a JSON or form body, counted as they arrive; more is a 413.
        max_upload: the same for every other body, multipart and octet-stream among them; off for any size.
        max_url: bytes of path and query together; more is a 414.
        max_query_parameters: how many parameters a query may have; more is a 400.
        max_headers: how many header lines; more is a 431.
        max_header_bytes: bytes of their names and values together; more is a 431.
        max_json_depth: how deep JSON may be nested; deeper is a 400.
        json: `bounded` refuses JSON that is too deep or not UTF-8, with a 400; `strict` also what no sender
            means: broken JSON, NaN and Infinity, numbers that no double holds, a name twice in one object,
            lone surrogates.
    """

    methods: tuple[str, ...] = ()
    max_body: Size = 10_000_000
    max_upload: Size | None = None
    max_url: Size = 16 * 1024
    max_query_parameters: int = 1000
    max_headers: int = 128
    max_header_bytes: Size = 32 * 1024
    max_json_depth: int = 64
    json: Literal["bounded", "strict"] = "bounded"

    def __post_init__(self) -> None:
        validate(self)
        validate(
            self,
            (
                "methods",
                all(METHOD.fullmatch(name) and name not in REFUSED for name in self.methods),
                "methods in capital letters, without TRACE, TRACK and CONNECT",
            ),
            ("max_url", self.max_url >= 1, "at least 1 byte"),
            ("max_query_parameters", self.max_query_parameters >= 1, "at least 1"),
            ("max_headers", self.max_headers >= 1, "at least 1"),
            ("max_header_bytes", self.max_header_bytes >= 1, "at least 1 byte"),
            ("max_json_depth", self.max_json_depth >= 1, "at least 1"),
        )


class RequestLimitsMiddleware:
    """Refuses a request as soon as it is known to be out of bounds.

    JSON is read to its end before the app is called, up to `max_body`, and handed over as it came. Every
    other body streams through and is counted.

    Args:
        app: the app below.
        settings: the section.
    """

    def __init__(self, app: ASGIApp, settings: RequestLimits = RequestLimits()) -> None:
        self.app = app
        self._settings = settings
        self._methods = frozenset(settings.methods)
        self._allow: Headers = [(b"allow", ", ".join(settings.methods or USUAL).encode("ascii"))]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and `websocket`; `lifespan` and scopes of an unknown type pass through."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        scope, context = enter(scope)
        if not context.mount("request_limits", self):
            await self.app(scope, receive, send)
            return

        problem, allow = self._head(scope, context)
        if problem is None and scope["type"] == "http" and has_body(scope):
            await self._with_body(scope, receive, send, context)
            return
        if problem is not None:
            await reject(scope, receive, send, context, "request_limits", problem, allow)
            return
        await self.app(scope, receive, send)

    def _head(self, scope: Scope, context: RequestContext) -> tuple[Problem | None, Headers | None]:
        """What is wrong before the body, and the header lines that go with it."""
        bounds = self._settings
        method = context.method
        if self._methods and method == "OPTIONS" and method not in self._methods:
            method = preflight_method(scope) or method
        if method in REFUSED or (self._methods and method not in self._methods):
            return Problem(status=405, detail="This method is not served here."), self._allow
        query = scope.get("query_string", b"")
        if len(scope.get("raw_path") or scope["path"]) + len(query) > bounds.max_url:
            return Problem(status=414, detail=f"The URL is longer than {bounds.max_url} bytes."), None
        if query.count(b"&") >= bounds.max_query_parameters:
            detail = f"The query has more than {bounds.max_query_parameters} parameters."
            return Problem(status=400, detail=detail), None
        headers = scope["headers"]
        if len(headers) > bounds.max_headers:
            return Problem(status=431, detail=f"There are more than {bounds.max_headers} header lines."), None
        size = hosts = 0
        for name, value in headers:
            size += len(name) + len(value)
            if name == b"host":
                hosts += 1
        if size > bounds.max_header_bytes:
            detail = f"The headers are longer than {bounds.max_header_bytes} bytes."
            return Problem(status=431, detail=detail), None
        # Not every server's parser sees to it, and a request for two hosts is for whichever one asks.
        if hosts > 1 or (hosts == 0 and scope.get("http_version") == "1.1"):
            return Problem(status=400, detail="The request has not exactly one Host header."), None
        return None, None

    async def _with_body(self, scope: Scope, receive: Receive, send: Send, context: RequestContext) -> None:
        media_type = media_type_of(scope)
        is_json = media_type == b"application/json" or media_type.endswith(b"+json")
        limit = self._settings.max_body if is_json or media_type == FORM else self._settings.max_upload
        declared = header(scope["headers"], b"content-length")
        length = None if declared is None else content_length(declared)
        if declared is not None and (length is None or is_chunked(scope)):
            problem = Problem(status=400, detail="The length of the body is not certain.")
            await reject(scope, receive, send, context, "request_limits", problem)
            return
        if limit is not None and length is not None and length > limit:
            await reject(scope, receive, send, context, "request_limits", too_large(limit))
            return
        if is_json:
            await self._with_json(scope, receive, send, context)
            return
        if limit is None:
            await self.app(scope, receive, send)
            return
        counted = CountedBody(receive, send, limit)
        try:
            await self.app(scope, counted.receive, counted.send)
        except Exception:
            # What an app makes of a body that is cut short is not its failure.
            if not counted.exceeded or counted.started:
                raise
        if counted.exceeded and not counted.started:
            problem = too_large(limit)
            await reject(scope, receive, send, context, "request_limits", problem, rest="abandoned")

    async def _with_json(self, scope: Scope, receive: Receive, send: Send, context: RequestContext) -> None:
        limit = self._settings.max_body
        messages: list[Message] = []
        size = 0
        more = True
        while more:
            message = await receive()
            messages.append(message)
            if message["type"] != "http.request":
                break
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
            if size > limit:
                problem = too_large(limit)
                rest: Rest = "abandoned" if more else "read"
                await reject(scope, receive, send, context, "request_limits", problem, rest=rest)
                return
        if not more and header(scope["headers"], b"content-encoding") is None:
            body = b"".join([message.get("body", b"") for message in messages])
            broken = self._broken(body)
            if broken is not None:
                await reject(scope, receive, send, context, "request_limits", broken, rest="read")
                return
        messages.reverse()

        async def receive_again() -> Message:
            return messages.pop() if messages else await receive()

        await self.app(scope, receive_again, send)

    def _broken(self, body: bytes) -> Problem | None:
        depth = self._settings.max_json_depth
        # No JSON text holds a NUL (RFC 8259 section 7), and every UTF-16 one does, which parsers guess: in
        # its quotes whole brackets can hide from the count.
        if b"\0" in body:
            return NOT_UTF8
        if is_deeper(body, depth):
            return Problem(status=400, detail=f"The JSON is nested deeper than {depth} levels.")
        try:
            body.decode("utf-8")
        except UnicodeDecodeError:
            return NOT_UTF8
        flaw = flaw_in(body) if self._settings.json == "strict" and body else None
        return None if flaw is None else Problem(status=400, detail=flaw)


def too_large(limit: int) -> Problem:
    """The 413 for a body over its limit."""
    return Problem(status=413, detail=f"The body is longer than {limit} bytes.")


def has_body(scope: Scope) -> bool:
    """Whether there may be a body: HTTP/1.x announces it (RFC 9112 section 6), later versions need not."""
    if scope.get("http_version", "1.1") >= "2":
        return True
    for name, value in scope["headers"]:
        if name == b"transfer-encoding" or (name == b"content-length" and value != b"0"):
            return True
    return False


def is_chunked(scope: Scope) -> bool:
    """Whether the request has a Transfer-Encoding; HTTP/1.1 knows no other use for it than chunks."""
    return header(scope["headers"], b"transfer-encoding") is not None


def media_type_of(scope: Scope) -> bytes:
    """The media type in lower case without its parameters; empty where none is given."""
    value = header(scope["headers"], b"content-type") or b""
    return value.partition(b";")[0].strip().lower()
