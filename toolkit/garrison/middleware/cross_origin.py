"""Tells browsers who may read, and refuses what other sites make a user's browser do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Final, Literal

from garrison.asgi import header, headers_without, send_reply
from garrison.context import enter
from garrison.events import EventLog, event_log
from garrison.forwarding.forwarded import hosts_in
from garrison.headers.cors_preflight import preflight_method
from garrison.headers.vary import with_vary
from garrison.origins.guard import READ, SAFE, Guard, is_ambient
from garrison.origins.origin import Origins, is_listable
from garrison.origins.reports import Reports
from garrison.problems import Problem, reject
from garrison.rules import NotationError, is_unambiguous, parse_paths, routed_path
from garrison.security_events import CORS
from garrison.settings import Problem as SettingProblem
from garrison.settings import SettingsError, validate
from garrison.units import Duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send
    from garrison.context import RequestContext
    from garrison.headers.cors import Cors

# RFC 9110 section 5.6.2; `*` is a token too, but the name of no header.
NAME: Final = re.compile(r"(?!\*$)[A-Za-z0-9!#$%&'*+.^_`|~-]+")
METHOD: Final = re.compile(r"[A-Z][A-Z-]*")
AN_ORIGIN: Final = (
    "as browsers send them: scheme, host in lower case, a port that is not the usual one, no path; or such as"
    " `https://*.shop.example`"
)

EXEMPT: Final = "POST /saml/acs; /payments/*"

WRITING: Final = Problem(
    status=403, detail="Another site sent this request in a user's name, and its origin may not."
)
READING: Final = Problem(status=403, detail="Another site may not load this.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossOrigin:
    """Who may read from other origins (CORS), and who may act there in a user's name (the guard).

    The guard judges unsafe requests and WebSocket handshakes that carry what browsers add by themselves: a
    cookie, Basic, Digest or Negotiate credentials, a client certificate. One that another site caused is a
    403 unless its origin is in `posting`. What browsers send only after a preflight is left to CORS, and a
    client that is no browser passes.

    Attributes:
        allowed: origins that may read, such as `https://app.example`; `https://*.shop.example` for all that
            are one label below, and not for `https://shop.example` itself; `*` for everybody, without
            credentials. Empty: no CORS header is added, and preflights go to the app, which may have rules of
            its own.
        credentials: whether those origins read with the user's cookies.
        methods: those that pages of these origins may use.
        headers: request headers that their scripts may set beyond what every script may, such as
            `Authorization`.
        expose: reply headers that their scripts may read beyond what every script may.
        max_age: how long browsers keep the answer to a preflight.
        posting: origins that may send unsafe requests and open WebSockets in a user's name, written like
            those in `allowed`. Whoever reads may not act unless it is listed here too.
        strict: whether other hosts of the same site, such as `blog.shop.example` beside `shop.example`, are
            other sites.
        always: whether the guard judges preflighted requests too, for an app whose own CORS is not trusted.
        exempt: requests that are never judged, such as `POST /saml/acs; /payments/*`: single sign-on with
            `form_post` and returns from payments are sent by other sites.
        isolation: whether other sites are refused what they load as part of their own pages, such as images
            and scripts; links and frames still work.
        mode: of guard and isolation: `report` logs what they would refuse, `enforce` refuses it, and `auto`
            enforces once any of these settings is set.
    """

    allowed: tuple[str, ...] = ()
    credentials: bool = False
    methods: tuple[str, ...] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    headers: tuple[str, ...] = ()
    expose: tuple[str, ...] = ("Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-ID")
    max_age: Duration = 600.0
    posting: tuple[str, ...] = ()
    strict: bool = False
    always: bool = False
    exempt: str = ""
    isolation: bool = False
    mode: Literal["auto", "report", "enforce"] = "auto"

    def __post_init__(self) -> None:
        everybody = "*" in self.allowed
        validate(
            self,
            ("allowed", all(map(is_listable, set(self.allowed) - {"*"})), f"`*`, or origins {AN_ORIGIN}"),
            # Every site could read what belongs to the user.
            (
                "credentials",
                not (everybody and self.credentials),
                "off, or origins instead of `*` in allowed",
            ),
            ("methods", all(map(METHOD.fullmatch, self.methods)), "methods in capital letters"),
            ("headers", all(map(NAME.fullmatch, self.headers)), "names of headers, not `*`"),
            ("expose", all(map(NAME.fullmatch, self.expose)), "names of headers, not `*`"),
            ("max_age", self.max_age >= 0, "at least 0s"),
            ("posting", all(map(is_listable, self.posting)), f"origins {AN_ORIGIN}"),
        )
        try:
            parse_paths(self.exempt, EXEMPT)
        except NotationError as error:
            raise SettingsError([SettingProblem(name="CrossOrigin.exempt", expected=str(error))]) from None

    @property
    def enforces(self) -> bool:
        """Whether the guard refuses, and does not only report."""
        return self.mode == "enforce" or (self.mode == "auto" and self != CrossOrigin())


class CrossOriginMiddleware:
    """Answers preflights, adds the CORS headers to every reply below, and guards the app.

    Args:
        app: the app below.
        settings: the section.
        log: where the event `cross_origin_refusal` goes; standard output as JSON unless given.
        clock: seconds that never go back; the event is written once an hour for an origin and a path.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: CrossOrigin = CrossOrigin(),
        *,
        log: EventLog | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.app = app
        self._cors = cors_of(settings) if settings.allowed else None
        self._guard = Guard(settings.posting, strict=settings.strict, always=settings.always)
        self._exempt = parse_paths(settings.exempt, EXEMPT)
        self._isolation = settings.isolation
        self._enforces = settings.enforces
        self._reads = self._isolation or self._cors is not None
        by_origin = [b"Origin"] if self._cors is not None else []
        by_site = [b"Sec-Fetch-Dest", b"Sec-Fetch-Mode", b"Sec-Fetch-Site"]
        self._vary = by_origin + (by_site if self._isolation and self._enforces else [])
        self._reports = Reports(log or event_log(), clock, enforced=self._enforces)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and `websocket`; `lifespan` and scopes of an unknown type pass through."""
        kind = scope["type"]
        if kind not in {"http", "websocket"} or (
            kind == "http" and not self._reads and scope["method"] in SAFE
        ):
            await self.app(scope, receive, send)
            return
        scope, context = enter(scope)
        if not context.mount("cross_origin", self):
            await self.app(scope, receive, send)
            return

        lines = {name: value for name, value in scope["headers"] if name in READ}
        if kind == "http" and self._vary:
            if self._cors is not None and preflight_method(scope) is not None:
                await self._answer_preflight(self._cors, scope, receive, send, context)
                return
            send = self._with_policy(lines.get(b"origin"), send)
        problem = self._judge(scope, context, lines)
        if problem is not None:
            context.note(CORS)
            self._reports.tell(context, lines, problem.detail, unsafe=problem is WRITING)
            if self._enforces:
                await reject(scope, receive, send, context, "cross_origin", problem)
                return
        await self.app(scope, receive, send)

    def _judge(self, scope: Scope, context: RequestContext, lines: dict[bytes, bytes]) -> Problem | None:
        """What is wrong with the request, unless it is exempt."""
        is_handshake = scope["type"] == "websocket"
        if is_handshake or context.method not in SAFE:
            if not (is_ambient(lines) or has_certificate(scope)):
                return None
            method = None if is_handshake else context.method
            secure = scope.get("scheme") in {"https", "wss"}
            if not self._guard.forbids(lines, method, hosts_of(lines, context), secure=secure):
                return None
            problem = WRITING
        elif self._isolation and self._guard.isolates(lines):
            problem = READING
        else:
            return None
        if self._exempt:
            path = routed_path(scope)
            listed = any(rule.applies(context.method, path) for rule in self._exempt)
            # Browsers follow `..` themselves, but not `..%2F`, which the app may follow out of the path.
            if listed and is_unambiguous(path):
                return None
        return problem

    async def _answer_preflight(
        self, cors: Cors, scope: Scope, receive: Receive, send: Send, context: RequestContext
    ) -> None:
        status, headers, text = cors.preflight(scope)
        if status < 400:
            headers.append((b"content-type", b"text/plain; charset=utf-8"))
            await send_reply(scope, receive, send, status, headers, text.encode("latin-1"))
            return
        asked = {
            "origin": header(scope["headers"], b"origin") or b"",
            "method": header(scope["headers"], b"access-control-request-method") or b"",
            "headers": header(scope["headers"], b"access-control-request-headers") or b"",
        }
        context.note(CORS)
        self._reports.tell_preflight(context, text, asked)
        problem = Problem(status=status, detail=f"{text}.")
        await reject(scope, receive, send, context, "cross_origin", problem, headers)

    def _with_policy(self, origin: bytes | None, send: Send) -> Send:
        """A `send` that adds Vary for everybody, and the CORS headers for an origin that may read."""
        cors, vary = self._cors, self._vary
        grants = [] if cors is None or origin is None else cors.grants(origin)

        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.get("headers", ())
                if grants and cors is not None:
                    headers = [*headers_without(headers, cors.names), *grants]
                message = {**message, "headers": with_vary(headers, vary)}
            await send(message)

        return send_with_policy


def cors_of(settings: CrossOrigin) -> Cors:
    """The CORS side of a section."""
    # Starlette's replies take long to import, and only who lets others read needs them.
    from garrison.headers.cors import Cors  # noqa: PLC0415 - for the reason above

    listed = Origins(settings.allowed)
    return Cors(
        listed.exact,
        listed.pattern,
        credentials=settings.credentials,
        methods=settings.methods,
        headers=settings.headers,
        expose=settings.expose,
        max_age=settings.max_age,
    )


def has_certificate(scope: Scope) -> bool:
    """Whether the client has shown a certificate (ASGI, TLS extension)."""
    tls = (scope.get("extensions") or {}).get("tls") or {}
    return bool(tls.get("client_cert_name") or tls.get("client_cert_chain"))


def hosts_of(lines: dict[bytes, bytes], context: RequestContext) -> list[bytes]:
    """Names that the request may be for: its Host, and from a trusted proxy what the Host was before.

    Each proxy of a chain may have added one. Any of them will do, since no page can make a browser send
    these headers without a preflight, and of the two families only the chosen one has come through.
    """
    hosts = [lines.get(b"host", b"")]
    if context.trusted:
        hosts += lines.get(b"x-forwarded-host", b"").split(b",")
        hosts += hosts_in(lines.get(b"forwarded", b""))
    return hosts
