"""Bounds the raw request: method, URL, headers, body bytes as they arrive, and the depth of JSON."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from garrison.bounding.bounds import BoundsByPath, rules_of
from garrison.bounding.counted_body import CountedBody
from garrison.bounding.framing import framing_of, has_body
from garrison.bounding.head import REFUSED
from garrison.bounding.held_body import HeldBody
from garrison.buffer_budget import USUAL, BufferBudget
from garrison.context import enter
from garrison.problems import reject
from garrison.security_events import INPUT_FAIL
from garrison.settings import validate
from garrison.short_body import Refusal
from garrison.units import Size

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Headers, Receive, Scope, Send
    from garrison.bounding.body import BodyBounds
    from garrison.bounding.framing import Framing

METHOD: Final = re.compile(r"[A-Z][A-Z-]*")
# RFC 6838 section 4.2, and ranges as in RFC 9110 section 12.5.1.
MEDIA_RANGE: Final = re.compile(r"[A-Za-z0-9][\w!#$&^.+-]*/(?:\*|[A-Za-z0-9][\w!#$&^.+-]*)", re.ASCII)
CODING: Final = re.compile(r"[A-Za-z0-9-]+")

# Of these, zero would let nothing through.
AT_LEAST_ONE: Final = (
    "max_url", "max_path_segments", "max_query_parameters", "max_headers", "max_header_bytes", "max_parts",
    "max_part_header", "max_json_depth",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLimits:
    """How large a request may be, with which methods, and of which kind.

    Refused with a 400 in any case: a request with both Content-Length and Transfer-Encoding, about whose
    end proxies and servers disagree (RFC 9112 section 6.1), or with two Content-Types; an HTTP/1.1 request
    without exactly one Host (section 3.2); and a multipart body with two boundaries, or with one that is
    not spelled clearly. One without any passes: no parser finds parts in it.

    Attributes:
        methods: those that are served, such as `GET,HEAD,POST`, and the CORS preflights that ask for them;
            another one is a 405. Empty: all but TRACE, TRACK and CONNECT, which are never served.
        max_body: bytes of a JSON or form body, counted as they arrive, and again as they are inflated if they
            are in gzip or deflate; more is a 413.
        max_upload: the same for every other body, multipart and octet-stream among them; off for any size.
        max_buffered: bytes of bodies that all requests of a process hold in memory together, to be judged
            before the app gets them, here and by the contract; more is a 503.
        max_url: bytes of path and query together; more is a 414.
        max_path_segments: how many slashes a path may have; more is a 414.
        max_query_parameters: how many parameters a query may have; more is a 400.
        url: `bounded` refuses control characters, per cent signs that begin no escape, what is not UTF-8 and
            dot segments in the path, with a 400. `strict` also refuses what readers take in two ways: empty
            segments, semicolons, backslashes, `%2F`, `%5C` and `%25` in the path; and in the query control
            characters, per cent signs that begin no escape and what is not UTF-8. `any` refuses nothing.
        max_headers: how many header lines; more is a 431.
        max_header_bytes: bytes of their names and values together; more is a 431.
        max_cookie_bytes: bytes of all cookies; more is a 431. Off: those of the header lines.
        length_required: whether a body needs a Content-Length; without one it is a 411.
        content_types: media types that a body may have, such as `application/json,image/*`; another one, or
            none, is a 415. Empty: any.
        content_encodings: codings that a body may be in, such as `gzip`; another one is a 415. `identity`
            takes only bodies that are in none. Empty: any. A body in any coding is judged as it was sent, and
            in gzip or deflate also as it is inflated, if there is a bound on its size; `br` and `zstd` are
            not undone.
        max_parts: how many fields and files a multipart body may have; more is a 413.
        max_part_header: bytes of the header lines of one part; more is a 413.
        max_field: bytes of one field of a multipart body; more is a 413. Off for any size.
        max_file: bytes of one file of a multipart body, counted as they arrive; more is a 413. Off for any
            size.
        max_json_depth: how deep JSON may be nested; deeper is a 400. It counts for text, forms and bodies
            without a media type too if they begin like JSON.
        json: `bounded` refuses JSON that is too deep or not UTF-8, with a 400; `strict` also what no sender
            means: broken JSON, NaN and Infinity, numbers that no double holds, a name twice in one object,
            lone surrogates; and, with a 415, JSON in a coding that cannot be looked into.
        rules: what is different on some paths: `POST /upload: max_upload=2GB,
            content_types=multipart/form-data; /api/*: max_body=64KB, json=strict`. Items of a list are joined
            by `|`. The first rule that fits a request counts. Where different rules fit the ways in which a
            path such as `//upload` can be read, it is a 400.
    """

    methods: tuple[str, ...] = ()
    max_body: Size = 10_000_000
    max_upload: Size | None = None
    max_buffered: Size = USUAL
    max_url: Size = 16 * 1024
    max_path_segments: int = 256
    max_query_parameters: int = 1000
    url: Literal["any", "bounded", "strict"] = "bounded"
    max_headers: int = 128
    max_header_bytes: Size = 32 * 1024
    max_cookie_bytes: Size | None = None
    length_required: bool = False
    content_types: tuple[str, ...] = ()
    content_encodings: tuple[str, ...] = ()
    max_parts: int = 2000
    max_part_header: Size = 8 * 1024
    max_field: Size | None = None
    max_file: Size | None = None
    max_json_depth: int = 64
    json: Literal["bounded", "strict"] = "bounded"
    rules: str = ""

    def __post_init__(self) -> None:
        validate(self)
        validate(
            self,
            (
                "methods",
                all(METHOD.fullmatch(name) and name not in REFUSED for name in self.methods),
                "methods in capital letters, without TRACE, TRACK and CONNECT",
            ),
            (
                "content_types",
                all(map(MEDIA_RANGE.fullmatch, self.content_types)),
                "media types without parameters such as application/json or image/*",
            ),
            (
                "content_encodings",
                all(map(CODING.fullmatch, self.content_encodings)),
                "content codings such as gzip, or identity",
            ),
            ("max_buffered", self.max_buffered >= self.max_body, "at least max_body"),
            *((name, getattr(self, name) >= 1, "at least 1") for name in AT_LEAST_ONE),
        )
        rules_of(self)


class RequestLimitsMiddleware:
    """Refuses a request as soon as it is known to be out of bounds.

    JSON is read to its end, up to `max_body`, as soon as the app asks for it, and handed over as it came.
    Every other body streams through and is counted. Of a body that the app never asks for nothing is read.

    Args:
        app: the app below.
        settings: the section.
        budget: what all requests may hold in memory, where other layers hold some of it too.
    """

    def __init__(
        self, app: ASGIApp, settings: RequestLimits = RequestLimits(), *, budget: BufferBudget | None = None
    ) -> None:
        self.app = app
        self._budget = BufferBudget(settings.max_buffered) if budget is None else budget
        self._bounds = BoundsByPath(settings)
        self._usual = None if self._bounds.differ else self._bounds.usual

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and `websocket`; `lifespan` and scopes of an unknown type pass through."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        scope, context = enter(scope)
        if not context.mount("request_limits", self):
            await self.app(scope, receive, send)
            return

        lines: Headers = []
        bounds = self._bounds.of(scope, context) if self._usual is None else self._usual
        refusal = bounds.refusal(scope, context.method, lines)
        if refusal is None:
            # Most requests have no line about a body, and without one HTTP/1.x has no body.
            framing = framing_of(lines) if lines or scope.get("http_version", "1.1") >= "2" else None
            if framing is None or scope["type"] == "websocket" or not has_body(scope, framing):
                await self.app(scope, receive, send)
                return
            refusal = bounds.body.refusal(framing)
            if refusal is None:
                take = self._held if framing.is_json else self._streamed
                refusal = await take(scope, receive, send, bounds.body, framing)
        if refusal is not None:
            problem, headers, rest = refusal.problem, refusal.headers, refusal.rest
            # A 503 is about our own room, and who leaves in the middle of a body attacks nobody.
            if problem.status < 500 and not context.gone:
                context.note(INPUT_FAIL)
            await reject(scope, receive, send, context, "request_limits", problem, headers, rest)

    async def _streamed(
        self, scope: Scope, receive: Receive, send: Send, bounds: BodyBounds, framing: Framing
    ) -> Refusal | None:
        """Call the app with a body that is judged while the app reads it."""
        judge, limit = bounds.judge(framing), bounds.limit(framing)
        if isinstance(judge, Refusal):
            return judge
        if limit is None and judge is None:
            await self.app(scope, receive, send)
            return None
        counted = CountedBody(receive, send, limit, judge)
        try:
            await self.app(scope, counted.receive, counted.send)
        except Exception:
            # What an app makes of a body that is cut short is not its failure.
            if counted.refusal is None:
                raise
        return counted.refusal

    async def _held(
        self, scope: Scope, receive: Receive, send: Send, bounds: BodyBounds, framing: Framing
    ) -> Refusal | None:
        """Call the app with a body that is judged as a whole once the app asks for it."""
        share = self._budget.share()
        held = HeldBody(receive, send, bounds.max_body, share, partial(bounds.broken_json, framing))
        try:
            await self.app(scope, held.receive, held.send)
        except Exception:
            # What an app makes of a body that is withheld is not its failure.
            if held.refusal is None:
                raise
        finally:
            share.release()
        return held.refusal
