"""What instrumentations record of exceptions on the span of a request, without what nobody may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from garrison.failure_log import LONGEST_STACKTRACE
from garrison.own_secrets import own_secrets, without
from garrison.shortening import shortened

if TYPE_CHECKING:
    from opentelemetry.trace import Span
    from opentelemetry.util.types import Attributes

    from garrison.asgi import Scope
    from garrison.context import RequestContext
    from garrison.redaction import Redactor


def mask_events(span: Span, scope: Scope, context: RequestContext, redactor: Redactor) -> None:
    """Have the events of a span masked: `record_exception` makes one of every exception and its traceback.

    The span is not wrapped, because those who look for the current one ask for its class.

    Args:
        span: one that records.
        scope: of the request.
        context: of the request.
        redactor: the policy.
    """
    add_event = span.add_event

    def add_masked(name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        if attributes:
            secrets = own_secrets(scope, context.path, redactor)

            def masked(text: str) -> str:
                return redactor.text(without(text, secrets))

            attributes = {
                key: shortened(value, LONGEST_STACKTRACE, masked) if isinstance(value, str) else value
                for key, value in attributes.items()
            }
        add_event(name, attributes, timestamp)

    own: Any = span
    own.add_event = add_masked


def forget_events(span: Span) -> None:
    """Give a span its own way back, so that it is gone as soon as nobody has it any more.

    Args:
        span: one that has ended.
    """
    own: Any = span
    try:
        # Not by way of `vars`, which has CPython make a dict of its own for every span.
        del own.add_event
    except AttributeError:
        return
