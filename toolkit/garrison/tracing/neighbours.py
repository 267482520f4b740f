"""Other instrumentations of the same request, outside and inside, so that it has one server span."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from opentelemetry import context as contexts
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, get_current_span, set_span_in_context

if TYPE_CHECKING:
    from garrison.asgi import Scope

# Where the OpenTelemetry middlewares that come with FastAPI and Starlette note that they are at work; one
# that finds its note steps aside.
FASTAPI: Final = "fastapi.telemetry"
STARLETTE: Final = "starlette.opentelemetry"

# What every instrumentation of OpenTelemetry's own asks before it makes a span. The API names it in private,
# and the instrumentations import it all the same.
HTTP_SUPPRESSED: Final[str] = getattr(
    contexts, "_SUPPRESS_HTTP_INSTRUMENTATION_KEY", "suppress_http_instrumentation"
)
ASGI_INSTRUMENTATION: Final = "opentelemetry.instrumentation.asgi"


class _ForServers:
    """The answer to whether HTTP instrumentations are suppressed: servers' are, clients' are not.

    One value of the context is for both. What tells them apart is who asks: the middleware of the ASGI
    instrumentation, which those of FastAPI, Starlette and Litestar are made of, two calls up.
    """

    __slots__ = ()

    def __bool__(self) -> bool:
        asker = sys._getframe(2)  # noqa: SLF001 - there is no public way to see one's caller
        return asker.f_globals.get("__name__") == ASGI_INSTRUMENTATION


FOR_SERVERS: Final = _ForServers()
ALONE: Final = Context({HTTP_SUPPRESSED: FOR_SERVERS})

# Under which name a context holds its span.
(_SPAN,) = set_span_in_context(INVALID_SPAN, Context())


def look_around() -> tuple[Span | None, Context]:
    """The server span that another instrumentation has begun for this request, and what is around this one.

    A server that begins the next request of a connection while it ends the one before hands on that one's
    context. Nothing of it belongs to this request.

    Returns:
        The span further out, or None; and the context that a new span is made in.
    """
    around = contexts.get_current()
    if not around:
        return None, around
    span = get_current_span(around)
    if span is INVALID_SPAN:
        return None, around
    kind = getattr(span, "kind", None)
    if not span.is_recording() and (kind is not None or around.get(HTTP_SUPPRESSED) is FOR_SERVERS):
        return None, Context()
    identity = span.get_span_context()
    # One that is not sampled has no kind, and nobody but a server begins a trace around an app.
    is_server = kind is SpanKind.SERVER or kind is None
    return span if is_server and identity.is_valid and not identity.is_remote else None, around


def step_aside(scope: Scope, around: Context) -> Context:
    """The context in which, and a scope with which, no server instrumentation further in makes a span.

    Args:
        scope: of the request, which is written to.
        around: what the context is to be besides.
    """
    scope.setdefault(FASTAPI, None)
    scope.setdefault(STARLETTE, True)
    return contexts.set_value(HTTP_SUPPRESSED, FOR_SERVERS, around) if around else ALONE


def with_span(span: Span, around: Context) -> Context:
    """The same as `set_span_in_context`, which copies the context once more.

    Args:
        span: what is to be the current one.
        around: what the context is to be besides.
    """
    return Context({**around, _SPAN: span})
