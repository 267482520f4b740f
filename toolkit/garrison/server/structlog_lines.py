"""What an app logs through structlog: as lines of ours, until the app has configured it."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import structlog

from garrison.server.app_lines import exception_of, note_traceback

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from garrison.server.app_lines import AppLines


def configure_structlog(lines: AppLines, level: int = logging.INFO) -> None:
    """Send structlog's events where the log records go, until the app configures it.

    Loggers are not kept after their first use, so that those of an app that configures structlog later
    follow.

    Args:
        lines: where they go.
        level: what is below it is not written.
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
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_Name,
        cache_logger_on_first_use=False,
    )


def witness_structlog() -> None:
    """Take note of the tracebacks that an app's own configuration of structlog shows, and change nothing."""
    configuration = structlog.get_config()
    processors = configuration["processors"]
    if configuration["logger_factory"] is _Name or not isinstance(processors, list):
        return
    if processors and not any(isinstance(one, _Witness) for one in processors):
        # In place, for the loggers that have been made already.
        processors.insert(-1, _Witness(writes=isinstance(processors[-1], structlog.dev.ConsoleRenderer)))


class _Witness:
    """A structlog processor before the last: it sees a traceback that has become text, or is about to.

    Args:
        writes: whether the last one writes the traceback of an exception by itself.
    """

    def __init__(self, *, writes: bool) -> None:
        self._writes = writes

    def __call__(
        self, _logger: object, _name: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        if event.get("exception"):
            note_traceback(sys.exc_info()[1])
        elif self._writes:
            note_traceback(exception_of(event.get("exc_info")))
        return event


class _Name:
    """What structlog wraps: the last processor writes, so that a name is all there is to it.

    Args:
        name: of the logger, as `structlog.get_logger` was given it.
    """

    def __init__(self, name: object = None, *_: object) -> None:
        self.name = None if name is None else str(name)
