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
from garrison.server.record_handler import RecordHandler, shows
from garrison.server.structlog_lines import configure_structlog

if TYPE_CHECKING:
    from garrison.events import Format
    from garrison.redaction import Redaction

# How uvicorn's own lines about a WebSocket begin (uvicorn, protocols/websockets).
ABOUT_WEBSOCKETS: Final = ('%s - "WebSocket %s"', "ASGI callable returned without completing handshake")

_log = logging.getLogger("garrison")


def configure_logging(form: Format, redaction: Redaction) -> None:
    """Send whatever is logged to standard error, as one JSON object a line or for people.

    Standard output is left to the events of the layers. An app that configures logging itself, when it
    is imported or when it starts, has its way: with handlers on the root logger all lines are its own,
    and a line that a handler on another logger shows is not shown twice.

    Args:
        form: `json` or `console`.
        redaction: what is masked.
    """
    lines = AppLines(event_log(form, sys.stderr), Redactor(redaction))
    root = logging.getLogger()
    # Handlers that export or collect records, such as OpenTelemetry's, were put there by whoever started us.
    kept = [one for one in root.handlers if not shows(one) and not isinstance(one, RecordHandler)]
    root.handlers[:] = [*kept, RecordHandler(lines)]
    root.setLevel(logging.INFO)
    # On the logger, because an app may put handlers of its own in place of ours.
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    # Warnings and the failures of threads would be plain text between the lines.
    logging.captureWarnings(capture=True)
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _log_thread_failure
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = _log_unraisable
    configure_structlog(lines)


def keep_speaking() -> None:
    """Switch our loggers and the server's on again, after an app has configured logging.

    `logging.config.dictConfig` silences every logger that it does not name, unless it is told not to.
    """
    for name in ("garrison", "uvicorn", "uvicorn.error", "uvicorn.asgi", "asyncio", "py.warnings"):
        logging.getLogger(name).disabled = False


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a record of the server says something that the access log does not say better.

    It has every request that was cut off when the grace of a stop was over, and every WebSocket, without
    the credentials that a query may hold. A handshake that was answered with a whole reply is no mistake
    of the app, whatever uvicorn's sans-I/O protocol thinks of it.
    """
    error = record.exc_info[1] if record.exc_info else None
    return not (isinstance(error, asyncio.CancelledError) or str(record.msg).startswith(ABOUT_WEBSOCKETS))


def _log_thread_failure(failure: threading.ExceptHookArgs) -> None:
    if not isinstance(failure.exc_value, SystemExit):
        name = failure.thread.name if failure.thread else "unknown"
        _log.error("thread_failed", exc_info=failure.exc_value, extra={"thread.name": name})


def _log_unraisable(failure: sys.UnraisableHookArgs) -> None:
    reason = failure.err_msg or "exception ignored"
    _log.error("unraisable_exception", exc_info=failure.exc_value, extra={"reason": reason})
