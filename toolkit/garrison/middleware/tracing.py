"""Makes one server span and one duration measurement a request, by OpenTelemetry's conventions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from time import perf_counter, time_ns
from typing import TYPE_CHECKING, Final, Literal

from opentelemetry.context import attach, detach, get_current

from garrison.asgi import header
from garrison.context import enter
from garrison.conventions import METHODS, METHODS_VARIABLE, Attribute
from garrison.redaction import Redaction, Redactor
from garrison.rules import NotationError, exact_paths, parse_paths, routed_path
from garrison.settings import foreign, validate
from garrison.tracing.instruments import Metric
from garrison.tracing.neighbours import look_around, step_aside
from garrison.tracing.record import Record
from garrison.tracing.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from garrison.asgi import ASGIApp, Receive, Scope, Send

EXAMPLE: Final = "/livez; GET /metrics; /internal/*"

# RFC 9110 section 5.6.2.
TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracing:
    """The server span and the request metrics; both silent without an OpenTelemetry SDK.

    Attributes:
        continue_: whose `traceparent` becomes the span's parent, and whose baggage is taken over: that of
            `trusted` proxies or of anybody (`always`). A stranger's trace becomes a link on a new root, and
            its baggage is dropped.
        exclude: paths without span and metrics, such as `/livez; GET /metrics; /internal/*`. A path is
            matched whole; `*` at its end stands for anything. The probes of the health layer are left out
            wherever they are.
        methods: the methods that spans and metrics name; every other is `_OTHER`. Those of
            `OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS`, or else of the conventions, unless given.
        request_headers: request headers that become attributes of the span, with sensitive values masked.
        response_headers: response headers that become attributes of the span, with sensitive values masked.
        attributes: attributes of the span that the conventions leave to be asked for.
        metrics: metrics beside the duration that the conventions leave to be asked for.
    """

    continue_: Literal["trusted", "always"] = "trusted"
    exclude: str = "/livez; /readyz; /startupz"
    methods: tuple[str, ...] = ()
    request_headers: tuple[str, ...] = ()
    response_headers: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    metrics: tuple[Metric, ...] = ()

    def __post_init__(self) -> None:
        validate(self)
        try:
            parse_paths(self.exclude, EXAMPLE)
        except NotationError as error:
            validate(self, ("exclude", False, error.expected))
        tokens = {
            "methods": "methods, parted by commas",
            "request_headers": "header names, parted by commas",
            "response_headers": "header names, parted by commas",
        }
        validate(
            self,
            *((name, all(map(TOKEN.fullmatch, getattr(self, name))), text) for name, text in tokens.items()),
        )


class TracingMiddleware:
    """Spans the time from the request to the last byte of its reply.

    What a sampler, a processor or a reader raises is counted in `TracingMiddleware.dropped`, and the request
    goes on.

    Args:
        app: the app below.
        settings: the section.
        redaction: what is masked in what a span quotes.
        probes: paths where a GET asks the process for its health, which are left out too.
        tracer_provider: the global one unless given.
        meter_provider: the global one unless given.
        clock: seconds that never go back, for the duration of spans and metrics.
        now: nanoseconds since 1970, for the begin of spans.
    """

    dropped = 0

    def __init__(
        self,
        app: ASGIApp,
        settings: Tracing = Tracing(),
        *,
        redaction: Redaction = Redaction(),
        probes: Iterable[str] = (),
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        clock: Callable[[], float] = perf_counter,
        now: Callable[[], int] = time_ns,
    ) -> None:
        self.app = app
        self._clock = clock
        self._always = settings.continue_ == "always"
        asked = "; ".join(f"GET {path}" for path in probes)
        self._excluded = (*parse_paths(settings.exclude, EXAMPLE), *parse_paths(asked, EXAMPLE))
        self._exact = exact_paths(self._excluded)
        known = [name.strip() for name in (foreign(METHODS_VARIABLE) or "").split(",")]
        self._recorder = Recorder(
            Redactor(redaction),
            tracer_provider=tracer_provider,
            meter_provider=meter_provider,
            methods=frozenset(settings.methods or filter(None, known)) or frozenset(METHODS),
            always=self._always,
            metrics=frozenset(settings.metrics),
            attributes=frozenset(settings.attributes),
            request_headers=settings.request_headers,
            response_headers=settings.response_headers,
            clock=clock,
            now=now,
            drop=_drop,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and `websocket`; `lifespan` and scopes of an unknown type pass through."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        scope, context = enter(scope)
        if not context.mount("tracing", self):
            await self.app(scope, receive, send)
            return

        started = self._clock()
        # Without an SDK the trace of a caller is still of use to the log, and nothing else is.
        if not self._recorder.is_heard(started) and not (
            (context.trusted or self._always) and header(scope["headers"], b"traceparent")
        ):
            await self.app(scope, receive, send)
            return
        if self._excluded and self._excludes(scope, context.method):
            await self._pass_unseen(scope, receive, send)
            return
        outer, around = look_around()
        record = Record(self._recorder, scope, context, receive, send, started, outer)
        token = record.begin(around)
        try:
            await self.app(scope, record.receive, record.send)
        except BaseException as error:
            context.exception = context.exception or error
            raise
        finally:
            record.close(token)

    def _excludes(self, scope: Scope, method: str) -> bool:
        path = routed_path(scope)
        if self._exact is not None and path not in self._exact:
            return False
        return any(rule.applies(method, path) for rule in self._excluded)

    async def _pass_unseen(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the app answer, and no instrumentation further in make up for the span."""
        token = attach(step_aside(scope, get_current()))
        try:
            await self.app(scope, receive, send)
        finally:
            detach(token)


def _drop() -> None:
    TracingMiddleware.dropped += 1
