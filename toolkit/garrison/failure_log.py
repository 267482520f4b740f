"""Writes each failure of the app down once, with its traceback, and without what nobody may see."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any, Final

from garrison.context import new_id
from garrison.conventions import error_type
from garrison.own_secrets import own_secrets, without
from garrison.shortening import beginning, shortened

if TYPE_CHECKING:
    from garrison.asgi import Scope
    from garrison.context import RequestContext
    from garrison.events import EventLog
    from garrison.redaction import Redactor

# An exception may quote the whole request, and looking through its text takes time in proportion.
LONGEST_TEXT: Final = 1024
LONGEST_MESSAGE: Final = 4 * 1024
LONGEST_STACKTRACE: Final = 32 * 1024


class FailureLog:
    """Where failures are written.

    Args:
        redactor: what is masked.
        log: where the event `unhandled_exception` goes.
    """

    def __init__(self, redactor: Redactor, log: EventLog) -> None:
        self._redactor = redactor
        self._log = log

    def write(self, scope: Scope, context: RequestContext, error: BaseException) -> None:
        """Write one failure, and note it for the layers above.

        A traceback that a log line of the app has shown already is not written again.

        Args:
            scope: of the request.
            context: of the request.
            error: what failed.
        """
        context.exception = error
        fields: dict[str, Any] = {
            "error.type": error_type(error),
            "exception.message": self._masked(scope, context, message_of(error), LONGEST_MESSAGE),
        }
        if context.logged is not error:
            fields["exception.stacktrace"] = self.stacktrace(scope, context, error)
        fields["http.request.method"] = context.method[:LONGEST_TEXT]
        fields["url.path"] = beginning(context.path, LONGEST_TEXT, self._redactor.path)
        fields["request_id"] = identify(context)
        if context.trace_id is not None:
            fields["trace_id"], fields["span_id"] = context.trace_id, context.span_id
        self._log.emit("error", "unhandled_exception", fields)

    def stacktrace(self, scope: Scope, context: RequestContext, error: BaseException) -> str:
        """The traceback of an exception as text, masked, and without local variables.

        Args:
            scope: of the request.
            context: of the request.
            error: the exception.
        """
        return self._masked(scope, context, traceback_of(error), LONGEST_STACKTRACE)

    def _masked(self, scope: Scope, context: RequestContext, text: str, longest: int) -> str:
        secrets = own_secrets(scope, context.path, self._redactor)
        return shortened(text, longest, lambda part: self._redactor.text(without(part, secrets)))


def message_of(error: BaseException) -> str:
    """What an exception says; nothing where its own `__str__` fails."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - one failure must not hide the other
        return ""


def traceback_of(error: BaseException) -> str:
    """The traceback of an exception; only where it was raised, where it cannot be asked for more."""
    # Without local variables: they hold what no policy can know.
    try:
        return "".join(traceback.format_exception(error))
    except Exception:  # noqa: BLE001 - an app's class may fail in whatever it is asked
        return "".join([*traceback.format_tb(error.__traceback__), type(error).__qualname__, "\n"])


def identify(context: RequestContext) -> str:
    """The request's id; one is made where no layer above did, so that reply and log can be joined."""
    if context.request_id is None:
        context.request_id = new_id()
    return context.request_id
