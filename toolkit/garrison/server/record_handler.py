"""The standard library's log records as lines of the one format."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, Final

import orjson

from garrison.server.app_lines import exception_of

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
        if self._is_shown(record):
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
            error=exception_of(record.exc_info),
        )

    def _is_shown(self, record: logging.LogRecord) -> bool:
        found: Any = logging.root.manager.loggerDict.get(record.name, logging.root)
        logger: logging.Logger | None = found if isinstance(found, logging.Logger) else logging.root
        while logger is not None:
            for handler in logger.handlers:
                if handler is not self and record.levelno >= handler.level and shows(handler):
                    return True
            logger = logger.parent
        return False


def shows(handler: logging.Handler) -> bool:
    """Whether a handler writes to whoever watches this process."""
    # Rich's handler keeps its stream in a console.
    stream = getattr(handler, "stream", None) or getattr(getattr(handler, "console", None), "file", None)
    watched = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    return stream is not None and any(stream is one for one in watched)


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
