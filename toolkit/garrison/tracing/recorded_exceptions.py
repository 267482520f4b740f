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


def mask_events(span: Span, scope: Scope, context: RequestContext, redactor: Redactor) -> None:
    """Have the events of a span masked: `record_exception` makes one of every exception and its traceback.

    Its status, too: what somebody says of it is masked. What they say of an exception that is on its way out
    is left to how the request ends, for it may mean a 409.

    The span is not wrapped, because those who look for the current one ask for its class.

    Args:
        span: one that records.
        scope: of the request.
        context: of the request.
        redactor: the policy.
    """
    add_event, set_status = span.add_event, span.set_status

    def add_masked(name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        if attributes:
            masked = _masking(scope, context, redactor)
            attributes = {
                key: shortened(value, LONGEST_STACKTRACE, masked) if isinstance(value, str) else value
                for key, value in attributes.items()
            }
        add_event(name, attributes, timestamp)

    def set_masked(status: Status | StatusCode, description: str | None = None) -> None:
        if isinstance(status, Status):
            description = status.description
            status = status.status_code
        if description is not None:
            if _is_of_exception(description):
                return
            description = shortened(description, LONGEST_MESSAGE, _masking(scope, context, redactor))
        set_status(status, description)

    own: Any = span
    own.add_event, own.set_status = add_masked, set_masked


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
