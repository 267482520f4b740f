"""Writes each failure of the app down once, with its traceback, and without what nobody may see."""

from __future__ import annotations

import re
import traceback
from typing import TYPE_CHECKING, Any, Final

from garrison.context import new_id
from garrison.conventions import error_type
from garrison.leaks import INFLATED, decoded
from garrison.own_secrets import own_secrets, without
from garrison.shortening import beginning, shortened

if TYPE_CHECKING:
    from garrison.asgi import Scope
    from garrison.context import RequestContext
    from garrison.events import EventLog
    from garrison.held_reply import Held
    from garrison.redaction import Redactor

# An exception may quote the whole request, and looking through its text takes time in proportion.
LONGEST_TEXT: Final = 1024
LONGEST_MESSAGE: Final = 4 * 1024
LONGEST_STACKTRACE: Final = 32 * 1024

# A frame of a Python traceback without its source line, which may hold values; also where it stands in HTML.
PLACE: Final = re.compile(
    r"File (?:\"|&quot;|&#34;)([^\"&<>\n]{1,256})(?:\"|&quot;|&#34;), line (\d{1,7}), in ([\w.]{1,128})"
)
LONGEST_SEARCHED: Final = 256 * 1024
MOST_PLACES: Final = 30


class FailureLog:
    """Where failures are written.

    Args:
        redactor: what is masked.
        log: where the events `unhandled_exception` and `reply_replaced` go.
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
        self._emit("unhandled_exception", scope, context, {}, error)

    def write_replaced(self, held: Held, reason: str, error: BaseException | None, *, in_full: bool) -> None:
        """Write down the error reply that a client did not get, unless the exception behind it has been.

        Args:
            held: the reply.
            reason: why it did not leave.
            error: what it answers, if that is known.
            in_full: whether what it said is written, masked. It leaked, and masks do not know every secret;
                otherwise there is no more of it than the places in the code that it names.
        """
        scope, context = held.scope, held.context
        if context.exception is not None and context.exception is error:
            return
        text = decoded(held.headers, held.body, INFLATED).decode("utf-8", "replace")
        fields: dict[str, Any] = {
            "http.response.status_code": held.status,
            "reason": reason,
        }
        if in_full:
            fields["body"] = self._masked(scope, context, text, LONGEST_MESSAGE)
        elif error is None and (places := _places(text)):
            fields["code.places"] = places
        self._emit("reply_replaced", scope, context, fields, error)

    def _emit(
        self,
        event: str,
        scope: Scope,
        context: RequestContext,
        fields: dict[str, Any],
        error: BaseException | None,
    ) -> None:
        if error is not None:
            fields["error.type"] = error_type(error)
            fields["exception.message"] = self._masked(scope, context, message_of(error), LONGEST_MESSAGE)
            if context.logged is not error:
                fields["exception.stacktrace"] = self.stacktrace(scope, context, error)
        fields["http.request.method"] = context.method[:LONGEST_TEXT]
        fields["url.path"] = beginning(context.path, LONGEST_TEXT, self._redactor.path)
        fields["request_id"] = identify(context)
        if context.trace_id is not None:
            fields["trace_id"], fields["span_id"] = context.trace_id, context.span_id
        self._log.emit("error", event, fields)

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


def _places(text: str) -> list[str]:
    """Where in the code a traceback in a text leads, outermost first."""
    found = PLACE.findall(text[-LONGEST_SEARCHED:])
    return [f"{file}:{line} in {function}" for file, line, function in found[-MOST_PLACES:]]
