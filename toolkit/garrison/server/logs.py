"""Takes over what a serving process logs: through the standard library, structlog, warnings and threads."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from typing import TYPE_CHECKING, Final

from garrison.events import event_log
from garrison.redaction import Redactor
from garrison.server.app_lines import AppLines
from garrison.server.exported import export_masked
from garrison.server.record_handler import RecordHandler, Witness
from garrison.server.structlog_lines import configure_structlog, witness_structlog
from garrison.server.watched import drop_framework_handlers, last_loggers, note_listeners, shows

if TYPE_CHECKING:
    from garrison.events import Format
    from garrison.redaction import Redaction

# How uvicorn's own lines begin about what the access log says with the id of the request: WebSockets
# (uvicorn, protocols/websockets), and replies without an end (uvicorn, protocols/http); and what
# `connection.refused` says of a request that could not be parsed.
SAID_BETTER: Final = (
    '%s - "WebSocket %s"',
    "ASGI callable returned without",
    "connection open",
    "connection closed",
    "connection rejected",
    "Invalid HTTP request received.",
)

_log = logging.getLogger("garrison")

# What this process writes the records with, and from which level on; of the last configuration.
_ours: list[tuple[RecordHandler, int]] = []


def configure_logging(form: Format, redaction: Redaction, level: str = "info") -> None:
    """Send whatever is logged to standard error, as one JSON object a line or for people.

    Standard output is left to the events of the layers. An app that configures logging itself, when it
    is imported or when it starts, has its way: with handlers on the root logger all lines are its own,
    and a line that a handler on another logger shows is not shown twice.

    Args:
        form: `json` or `console`.
        redaction: what is masked.
        level: such as `info`; what is below it is left out, but of loggers that have a level of their own.
    """
    lines = AppLines(event_log(form, sys.stderr), Redactor(redaction))
    root = logging.getLogger()
    # Handlers that export or collect records, such as OpenTelemetry's, were put there by whoever started us.
    kept = [one for one in root.handlers if not shows(one) and not isinstance(one, RecordHandler | Witness)]
    for one in kept:
        export_masked(one, lines)
    handler = RecordHandler(lines)
    root.handlers[:] = [*kept, handler]
    root.setLevel(level.upper())
    _ours[:] = [(handler, root.level)]
    note_listeners()
    # On the logger, because an app may put handlers of its own in place of ours.
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    # Warnings and the failures of threads would be plain text between the lines.
    logging.captureWarnings(capture=True)
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _log_thread_failure
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = _log_unraisable
    configure_structlog(lines, root.level)


def keep_speaking() -> None:
    """Set right what an app has done to logging that it does not mean, when it may have configured it.

    `logging.config.dictConfig` silences every logger that it does not name, unless it is told not to: ours
    and the server's are switched on again. What a framework sets up by itself gives way to ours. And what
    the app's own configuration shows of an exception is noted, so that its traceback is there once.
    """
    for name in ("garrison", "uvicorn", "uvicorn.error", "uvicorn.asgi", "asyncio", "py.warnings"):
        logging.getLogger(name).disabled = False
    root = logging.getLogger()
    dropped = drop_framework_handlers()
    for handler, level in _ours:
        if dropped and handler not in root.handlers:
            root.addHandler(handler)
            # The framework's own level, too, unless the app has said another.
            root.setLevel(level if root.level == logging.INFO else root.level)
    for logger in last_loggers():
        others = [one for one in logger.handlers if not isinstance(one, Witness)]
        logger.handlers[:] = [*others, Witness()]
    witness_structlog()


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a record of the server says something that the access log does not say better.

    It has every request that was cut off when the grace of a stop was over, every reply without an end, and
    every WebSocket, without the credentials that a query may hold. A handshake that was answered with a
    whole reply is no mistake of the app, whatever uvicorn's sans-I/O protocol thinks of it.
    """
    error = record.exc_info[1] if record.exc_info else None
    return not (isinstance(error, asyncio.CancelledError) or str(record.msg).startswith(SAID_BETTER))


def _log_thread_failure(failure: threading.ExceptHookArgs) -> None:
    if not isinstance(failure.exc_value, SystemExit):
        name = failure.thread.name if failure.thread else "unknown"
        _log.error("thread_failed", exc_info=failure.exc_value, extra={"thread.name": name})


def _log_unraisable(failure: sys.UnraisableHookArgs) -> None:
    reason = failure.err_msg or "exception ignored"
    _log.error("unraisable_exception", exc_info=failure.exc_value, extra={"reason": reason})
