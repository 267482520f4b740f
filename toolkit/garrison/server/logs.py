"""The standard library's logging in the format of the events, for the process that serves."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import orjson
import structlog

from garrison.events import printable

if TYPE_CHECKING:
    from garrison.events import Format


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
    # uvicorn writes an access line whenever that logger reaches a handler; the access log has it already.
    logging.getLogger("uvicorn.access").propagate = False


def _render_json(_logger: Any, _name: str, event: Any) -> str:
    return orjson.dumps({key: printable(value) for key, value in event.items()}).decode()
