"""What others record of exceptions on the span of a request, without what nobody may see."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Status, StatusCode

from garrison.failure_log import LONGEST_MESSAGE, LONGEST_STACKTRACE
from garrison.own_secrets import own_secrets, without
from garrison.shortening import shortened

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Span
    from opentelemetry.util.types import Attributes

    from garrison.asgi import Scope
    from garrison.context import RequestContext
    from garrison.redaction import Redactor


def add_masked(
    span: Span,
    scope: Scope,
    context: RequestContext,
    redactor: Redactor,
    event: tuple[str, Attributes, int | None],
) -> None:
    """Add an event to a span, masked: `record_exception` makes one of every exception and its traceback.

    Args:
        span: one that records.
        scope: of the request.
        context: of the request.
        redactor: the policy.
        event: its name, attributes and time.
    """
    name, attributes, timestamp = event
    if attributes:
        masked = _masking(scope, context, redactor)
        attributes = {
            key: shortened(value, LONGEST_STACKTRACE, masked) if isinstance(value, str) else value
            for key, value in attributes.items()
        }
    type(span).add_event(span, name, attributes, timestamp)


def set_masked(
    span: Span,
    scope: Scope,
    context: RequestContext,
    redactor: Redactor,
    status: tuple[Status | StatusCode, str | None],
) -> None:
    """Set the status of a span; what somebody says of it is masked.

    What they say of an exception that is on its way out is left to how the request ends, for it may mean
    a 409.

    Args:
        span: one that records.
        scope: of the request.
        context: of the request.
        redactor: the policy.
        status: the status or its code, and what is said of it.
    """
    code, description = status
    if isinstance(code, Status):
        description = code.description
        code = code.status_code
    if description is not None:
        if _is_of_exception(description):
            return
        description = shortened(description, LONGEST_MESSAGE, _masking(scope, context, redactor))
    type(span).set_status(span, code, description)


def _masking(scope: Scope, context: RequestContext, redactor: Redactor) -> Callable[[str], str]:
    secrets = own_secrets(scope, context.path, redactor)
    return lambda text: redactor.text(without(text, secrets))


def _is_of_exception(description: str) -> bool:
    """Whether it is what OpenTelemetry's instrumentations say of the exception that is being handled."""
    error = sys.exc_info()[1]
    return error is not None and description.startswith(f"{type(error).__name__}: ")


def forget_events(span: Span) -> None:
    """Give a span its own way back, so that it is gone as soon as nobody has it any more.

    Args:
        span: one that has ended.
    """
    own: Any = span
    try:
        # Not by way of `vars`, which has CPython make a dict of its own for every span.
        del own.add_event, own.set_status
    except AttributeError:
        return
