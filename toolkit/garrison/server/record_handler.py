"""The standard library's log records as lines of the one format."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import orjson

from garrison.bounding import counted_body
from garrison.contracting import fed_body
from garrison.server.app_lines import exception_of, note_traceback
from garrison.server.watched import is_shown

if TYPE_CHECKING:
    from garrison.server.app_lines import AppLines

# What every record has; `color_message`, uvicorn's second version of its messages for terminals; and what
# OpenTelemetry's logging instrumentation adds, which the ids of the line say already.
ATTRIBUTES: Final = frozenset(vars(logging.makeLogRecord({}))) | {
    "asctime",
    "color_message",
    "message",
    "otelServiceName",
    "otelSpanID",
    "otelTraceID",
    "otelTraceSampled",
    "taskName",
}

REFUSALS: Final = (counted_body.BodyRefusedError, fed_body.BodyRefusedError)


class RecordHandler(logging.Handler):
    """Writes the records that no other handler shows to whoever watches this process.

    An app may have handlers of its own on some of its loggers; a line that one of them puts on standard
    output or standard error would be there twice.

    Args:
        lines: where they go.
    """

    def __init__(self, lines: AppLines) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        error = exception_of(record.exc_info)
        # What ends an app that reads a refused body on is no failure; the access log has the refusal.
        if isinstance(error, REFUSALS) or is_shown(record):
            return
        fields = {str(name): value for name, value in vars(record).items() if name not in ATTRIBUTES}
        event = _message(record, fields)
        if record.stack_info:
            fields["code.stacktrace"] = record.stack_info
        self._lines.write(
            record.levelname.lower(),
            event,
            fields,
            logger=record.name,
            error=error,
        )


class Witness(logging.Handler):
    """Takes note of the exceptions whose traceback the app's own handlers have shown, and writes nothing.

    It comes behind them: formatters leave the text of a traceback on the record.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Look at one record."""
        if record.exc_text and is_shown(record):
            note_traceback(exception_of(record.exc_info))


def _message(record: logging.LogRecord, fields: dict[str, object]) -> str:
    """The text of a record; the fields get what is in it beside a text."""
    try:
        text = record.getMessage()
    except Exception:  # noqa: BLE001 - the standard library would write a traceback with the arguments
        fields["log.arguments"] = record.args
        text = str(record.msg)
    # Whoever renders JSON by himself, as structlog's users do, means an event and not a text.
    if text.startswith("{") and text.endswith("}"):
        try:
            document = orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
        text = str(document.pop("event", document.pop("message", "")))
        fields.update(document)
    return text
