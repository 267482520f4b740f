"""The standard library's logging in the format of the events, for the process that serves."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import TYPE_CHECKING, Any, Final

import orjson
import structlog

from garrison.events import printable

if TYPE_CHECKING:
    from garrison.events import Format


# How uvicorn's own lines about a WebSocket begin (uvicorn, protocols/websockets).
ABOUT_WEBSOCKETS: Final = ('%s - "WebSocket %s"', "ASGI callable returned without completing handshake")


def configure_logging(form: Format) -> None:
    """Send every stdlib log record to standard error, as one JSON object a line or for people.

    Standard output is left to the access log.

    Args:
        form: `json` or `console`.
    """
    renderer: Any = (
        _render_json if form == "json" else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            _without_colours,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            renderer,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # On the logger, because an app may put handlers of its own in place of ours.
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    # Warnings would be plain text between the lines.
    logging.captureWarnings(capture=True)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a record of the server says something that the access log does not say better.

    It has every request that was cut off when the grace of a stop was over, and every WebSocket, without
    the credentials that a query may hold. A handshake that was answered with a whole reply is no mistake
    of the app, whatever uvicorn's sans-I/O protocol thinks of it.
    """
    error = record.exc_info[1] if record.exc_info else None
    return not (isinstance(error, asyncio.CancelledError) or str(record.msg).startswith(ABOUT_WEBSOCKETS))


def _without_colours(_logger: Any, _name: str, event: Any) -> Any:
    """A structlog processor: drops uvicorn's second version of its messages, with terminal colours."""
    event.pop("color_message", None)
    return event


def _render_json(_logger: Any, _name: str, event: Any) -> str:
    return orjson.dumps({key: printable(value) for key, value in event.items()}).decode()
