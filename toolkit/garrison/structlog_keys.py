"""The ids of a request as keys of structlog's context, for those who log through structlog."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from contextvars import ContextVar

# structlog's own word for a key that is not bound.
UNBOUND: Final = ...

# The one of this process, once there is one.
_shared: Final[list[StructlogKeys]] = []


class StructlogKeys:
    """The variables behind three keys of structlog's context.

    Setting one directly is what `bind_contextvars` does, for a fifth of the time.
    """

    __slots__ = ("request_id", "span_id", "trace_id")

    def __init__(self) -> None:
        # Somebody else has imported it by now.
        from structlog.contextvars import bind_contextvars, reset_contextvars  # noqa: PLC0415 - as above

        tokens = bind_contextvars(request_id="", trace_id="", span_id="")
        reset_contextvars(**tokens)
        self.request_id: ContextVar[Any] = tokens["request_id"].var
        self.trace_id: ContextVar[Any] = tokens["trace_id"].var
        self.span_id: ContextVar[Any] = tokens["span_id"].var


def structlog_keys() -> StructlogKeys | None:
    """The variables of this process; None as long as nobody has imported structlog.

    An app without it has nothing that would read them, and importing it takes long where rich is installed,
    because structlog imports that for lines on terminals. An app that imports it late, when it works for a
    request already, has the keys from the next request on.
    """
    # The part that is needed, because a module that a thread still imports would be waited for.
    if not _shared and "structlog.contextvars" in sys.modules:
        _shared.append(StructlogKeys())
    return _shared[0] if _shared else None
