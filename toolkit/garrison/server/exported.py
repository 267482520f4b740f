"""Masks what handlers see that send log records elsewhere, such as OpenTelemetry's to a collector."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from garrison.server.app_lines import exception_of

if TYPE_CHECKING:
    from garrison.server.app_lines import AppLines

ATTRIBUTES: Final = frozenset(vars(logging.makeLogRecord({})))


def export_masked(handler: logging.Handler, lines: AppLines) -> None:
    """Hand a handler masked copies of records from now on; other handlers see the records as they are.

    The handler is not wrapped, because whoever put it there looks for it by its class.

    Args:
        handler: one that is not ours.
        lines: knows what to mask.
    """
    if "handle" in vars(handler):
        return
    handle = handler.handle

    def handle_masked(record: logging.LogRecord) -> bool:
        try:
            copy = _masked(record, lines)
        except Exception:  # noqa: BLE001 - telemetry fails open, and never with what was not masked
            return False
        return bool(handle(copy))

    own: Any = handler
    own.handle = handle_masked


def _masked(record: logging.LogRecord, lines: AppLines) -> logging.LogRecord:
    """A record with the message, the exception and the extra fields masked; the rest is as it was."""
    fields: dict[str, object] = {
        name: value for name, value in vars(record).items() if name not in ATTRIBUTES
    }
    if record.stack_info:
        fields["code.stacktrace"] = record.stack_info
    try:
        text = record.getMessage()
    except Exception:  # noqa: BLE001 - the standard library would write a traceback with the arguments
        text = str(record.msg)
    text, masked = lines.masked(text, fields, exception_of(record.exc_info))
    own = {name: value for name, value in vars(record).items() if name in ATTRIBUTES}
    nothing = {"msg": text, "args": None, "exc_info": None, "exc_text": None, "stack_info": None}
    return logging.makeLogRecord({**own, **masked, **nothing})
