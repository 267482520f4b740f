"""What others record of exceptions on the span of a request, without what nobody may see."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

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

# What holds for each span that is under way; a span that held it itself would take part in a cycle.
_policies: Final[dict[int, tuple[Scope, RequestContext, Redactor]]] = {}


def mask_events(span: Span, scope: Scope, context: RequestContext, redactor: Redactor) -> None:
    """Have the events of a span masked: `record_exception` makes one of every exception and its traceback.

    Its status, too: what somebody says of it is masked. What they say of an exception that is on its way out
    is left to how the request ends, for it may mean a 409.

    The span gets a subclass of its class, which costs a tenth of methods of its own, and is not wrapped,
    because those who look for the current one ask for its class.

    Args:
        span: one that records, of a class without slots, as the SDK's is.
        scope: of the request.
        context: of the request.
        redactor: the policy.
    """
    own: Any = span
    own.__class__ = _masked(type(span))
    _policies[id(span)] = scope, context, redactor


@lru_cache(maxsize=16)
def _masked(base: type[Span]) -> type[Span]:
    """The subclass whose spans mask what they are told."""

    def add_event(self: Span, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        if attributes:
            masked = _masking(self)
            attributes = {
                key: shortened(value, LONGEST_STACKTRACE, masked) if isinstance(value, str) else value
                for key, value in attributes.items()
            }
        base.add_event(self, name, attributes, timestamp)

    def set_status(self: Span, status: Status | StatusCode, description: str | None = None) -> None:
        if isinstance(status, Status):
            description = status.description
            status = status.status_code
        if description is not None:
            if _is_of_exception(description):
                return
            description = shortened(description, LONGEST_MESSAGE, _masking(self))
        base.set_status(self, status, description)

    # Without slots of its own it has the same layout, so that a span can change its class.
    members = {"__slots__": (), "add_event": add_event, "set_status": set_status}
    return type(base.__name__, (base,), {**members, "__module__": base.__module__})


def _masking(span: Span) -> Callable[[str], str]:
    scope, context, redactor = _policies[id(span)]
    secrets = own_secrets(scope, context.path, redactor)
    return lambda text: redactor.text(without(text, secrets))


def _is_of_exception(description: str) -> bool:
    """Whether it is what OpenTelemetry's instrumentations say of the exception that is being handled."""
    error = sys.exc_info()[1]
    return error is not None and description.startswith(f"{type(error).__name__}: ")


def forget_events(span: Span) -> None:
    """Give a span its class back, and let go of its request.

    Args:
        span: one that has ended.
    """
    if _policies.pop(id(span), None) is not None:
        own: Any = span
        own.__class__ = type(span).__mro__[1]
