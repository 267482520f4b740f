"""What an app logs through structlog, where the app has not configured it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NoReturn

import structlog

from garrison.server.app_lines import exception_of

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from garrison.server.app_lines import AppLines


def configure_structlog(lines: AppLines) -> None:
    """Send structlog's events where the log records go, until the app configures it.

    Loggers are not kept after their first use, so that those of an app that configures structlog later
    follow.

    Args:
        lines: where they go.
    """
    if structlog.is_configured():
        return

    def write(logger: _Name, level: str, event: MutableMapping[str, Any]) -> NoReturn:
        error = exception_of(event.pop("exc_info", None))
        stack = event.pop("stack", None)
        if stack is not None:
            event["code.stacktrace"] = stack
        lines.write(level, str(event.pop("event", "")), event, logger=logger.name, error=error)
        raise structlog.DropEvent

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.StackInfoRenderer(),
            write,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=_Name,
        cache_logger_on_first_use=False,
    )


class _Name:
    """What structlog wraps: the last processor writes, so that a name is all there is to it.

    Args:
        name: of the logger, as `structlog.get_logger` was given it.
    """

    def __init__(self, name: object = None, *_: object) -> None:
        self.name = None if name is None else str(name)
