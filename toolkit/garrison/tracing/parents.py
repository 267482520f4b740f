"""Whose child a request's span is: a trusted caller's, nobody's, or that of the span around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import Link, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from garrison.asgi import header

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from garrison.asgi import Scope

TRACEPARENT: Final = b"traceparent"
TRACE_CONTEXT: Final = TraceContextTextMapPropagator()

Lines = dict[str, list[str]]


class _Lines(Getter[Lines]):
    """Header lines by name; several lines of one header are one list (RFC 9110 section 5.3)."""

    def get(self, carrier: Lines, key: str) -> list[str] | None:
        values = carrier.get(key.lower())
        return None if values is None else [",".join(values)]

    def keys(self, carrier: Lines) -> list[str]:
        return list(carrier)


LINES: Final = _Lines()


def parent_of(scope: Scope, around: Context, *, trusted: bool) -> tuple[Context, list[Link]]:
    """The context of a request's span, with the parent and the baggage in it, and what it links to.

    Of a trusted caller everything counts that the process's propagators understand. A stranger's trace
    is only linked to, and what else it sent along, such as baggage, is not even read.

    Args:
        scope: of the request.
        around: the context that the request came in.
        trusted: whether the caller's word counts.
    """
    if trusted:
        # Importing it reads the process's configuration, which is not to happen with garrison's import.
        from opentelemetry import propagate  # noqa: PLC0415

        return propagate.extract(_lines(scope), around, LINES), []
    if header(scope["headers"], TRACEPARENT) is None:
        return around, []
    remote = get_current_span(TRACE_CONTEXT.extract(_lines(scope), getter=LINES)).get_span_context()
    return around, [Link(remote)] if remote.is_valid else []


def _lines(scope: Scope) -> Lines:
    lines: Lines = {}
    for name, value in scope["headers"]:
        lines.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    return lines
