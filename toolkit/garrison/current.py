"""The request that the running code works for, for log lines that are written far from any scope."""

from __future__ import annotations

import logging
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace

from garrison.own_secrets import own_secrets
from garrison.structlog_keys import UNBOUND, structlog_keys

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from garrison.asgi import Scope
    from garrison.context import RequestContext
    from garrison.redaction import Redactor


class Current:
    """What belongs to the running code: a request and what is known of it.

    Args:
        context: of the request.
        scope: of the request.

    Attributes:
        secrets: what a layer or a log has found out that nobody may see of it; None until somebody looked.
    """

    __slots__ = ("context", "scope", "secrets")

    def __init__(self, context: RequestContext, scope: Scope) -> None:
        self.context = context
        self.scope = scope
        self.secrets: list[str] | None = None


_current: Final[ContextVar[Current | None]] = ContextVar("garrison_request", default=None)

Bound = tuple["Token[Any]", "Token[Any]"]
Entered = tuple["Token[Current | None]", "Token[Any] | None", "Bound | None"]


def current_request() -> RequestContext | None:
    """The facts of the request that this code works for; None outside of any.

    It is there in handlers, in the tasks they start, and in the threads of sync endpoints and of
    `asyncio.to_thread`. `loop.run_in_executor` hands nothing to its threads: pass it
    `contextvars.copy_context().run` and the function.
    """
    found = _current.get()
    return None if found is None else found.context


def secrets_of_request(redactor: Redactor) -> list[str]:
    """What the request brought that nobody may see, for lines that quote it without its name.

    Args:
        redactor: the policy that a process has for its lines.
    """
    found = _current.get()
    if found is None:
        return []
    if found.secrets is None:
        found.secrets = own_secrets(found.scope, found.context.path, redactor)
    return found.secrets


def enter_request(context: RequestContext, scope: Scope) -> Entered:
    """Make a request the current one, here and for structlog's `merge_contextvars`.

    Args:
        context: of the request, with its id.
        scope: of the request.

    Returns:
        What `leave_request` takes.
    """
    request, keys = _current.set(Current(context, scope)), structlog_keys()
    if keys is None:
        return request, None, None
    request_id = keys.request_id.set(context.request_id)
    if request.old_value is Token.MISSING or request.old_value is None:
        return request, request_id, None
    # The trace of the request around this one is not its own.
    return request, request_id, (keys.trace_id.set(UNBOUND), keys.span_id.set(UNBOUND))


def enter_trace(context: RequestContext) -> Bound | None:
    """Give structlog's `merge_contextvars` the ids of the request's span, beside the id of the request.

    Args:
        context: of the request, with the ids.

    Returns:
        What `leave_trace` takes; None where the request is not the current one, so that nobody cleans up, or
        where nobody uses structlog.
    """
    found = _current.get()
    if found is None or found.context is not context or context.trace_id is None:
        return None
    keys = structlog_keys()
    return None if keys is None else (keys.trace_id.set(context.trace_id), keys.span_id.set(context.span_id))


def leave_trace(bound: Bound) -> None:
    """Take the ids of a span back.

    Args:
        bound: what `enter_trace` gave.
    """
    trace_id, span_id = bound
    try:
        trace_id.var.reset(trace_id)
        span_id.var.reset(span_id)
    except ValueError:
        return  # in another context, as in `leave_request`


def leave_request(context: RequestContext, entered: Entered) -> None:
    """Make the request that was there before the current one again, or none.

    A server may start a request in the context of an earlier one of the same connection, because asyncio
    keeps the context in which a socket's callback was made. Nobody gets the id of that one back.

    Args:
        context: of the request that is over.
        entered: what `enter_request` gave.
    """
    context.over = True
    request, request_id, bound = entered
    before = request.old_value
    try:
        _current.reset(request)
        if request_id is not None:
            request_id.var.reset(request_id)
    except ValueError:
        # A coroutine that nobody awaits any longer is closed wherever the collector runs, which is
        # another context; in its own nothing runs any more.
        return
    if bound is not None:
        leave_trace(bound)
    if before is not Token.MISSING and before is not None and before.context.over:
        _current.set(None)
        keys = structlog_keys()
        for variable in () if keys is None else (keys.request_id, keys.trace_id, keys.span_id):
            variable.set(UNBOUND)


def request_fields() -> dict[str, str]:
    """What joins a log line to its request: `request_id`, `trace_id` and `span_id`, as far as they are known.

    The span is the innermost that is current, as OpenTelemetry has it for log records, and otherwise that
    of the request.
    """
    fields = {}
    context = current_request()
    if context is not None and context.request_id is not None:
        fields["request_id"] = context.request_id
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        fields["trace_id"] = trace.format_trace_id(span.trace_id)
        fields["span_id"] = trace.format_span_id(span.span_id)
    elif context is not None and context.trace_id is not None and context.span_id is not None:
        fields["trace_id"], fields["span_id"] = context.trace_id, context.span_id
    return fields


def add_request_fields(
    _logger: object, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A structlog processor: the ids of the request and its span, where the event has none of its own.

    Those of the request's span, which `merge_contextvars` gives, make way for the innermost one's.
    """
    context = current_request()
    for name, value in request_fields().items():
        if event.get(name) in (None, getattr(context, name, None)):
            event[name] = value
    return event


class RequestFilter(logging.Filter):
    """Gives stdlib log records `request_id`, `trace_id` and `span_id`, for formats that name them.

    Put it on a handler, because the filters of a logger do not see the records of loggers below it.

    Args:
        missing: what stands for an id where there is none.
    """

    def __init__(self, missing: str = "-") -> None:
        super().__init__()
        self._nothing = dict.fromkeys(("request_id", "trace_id", "span_id"), missing)

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the ids that the record does not have, and let it pass."""
        for name, value in {**self._nothing, **request_fields()}.items():
            record.__dict__.setdefault(name, value)
        return True
