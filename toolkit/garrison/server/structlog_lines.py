"""What an app logs through structlog: as lines of ours, until the app has configured it."""

from __future__ import annotations

import logging
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from garrison.server.app_lines import exception_of, note_traceback
from garrison.server.when_imported import when_imported

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from garrison.server.app_lines import AppLines


def configure_structlog(lines: AppLines, level: int = logging.INFO) -> None:
    """Send structlog's events where the log records go, until the app configures it.

    That is done when the app imports structlog: whoever does not use it need not wait for it. Loggers are
    not kept after their first use, so that those of an app that configures structlog later follow.

    Args:
        lines: where they go.
        level: what is below it is not written.
    """
    when_imported("structlog", partial(_configure, lines, level))


def _configure(lines: AppLines, level: int) -> None:
    import structlog  # noqa: PLC0415 - the app has done so

    if structlog.is_configured():
        return

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.StackInfoRenderer(),
            _Write(lines),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_Name,
        cache_logger_on_first_use=False,
    )


def witness_structlog() -> None:
    """Take note of the tracebacks that an app's own configuration of structlog shows, and change nothing."""
    if "structlog" not in sys.modules:
        return
    import structlog  # noqa: PLC0415 - the app has done so

    processors = structlog.get_config()["processors"]
    if not isinstance(processors, list):
        return
    if processors and not any(isinstance(one, _Write | _Witness) for one in processors):
        # In place, for the loggers that have been made already.
        processors.insert(-1, _Witness(writes=isinstance(processors[-1], structlog.dev.ConsoleRenderer)))


class _Write:
    """Our last structlog processor.

    Args:
        lines: where events go.
    """

    def __init__(self, lines: AppLines) -> None:
        self._lines = lines

    def __call__(self, logger: object, level: str, event: MutableMapping[str, Any]) -> NoReturn:
        import structlog  # noqa: PLC0415 - the app has done so

        error = exception_of(event.pop("exc_info", None))
        stack = event.pop("stack", None)
        if stack is not None:
            event["code.stacktrace"] = stack
        name = getattr(logger, "name", None)
        self._lines.write(level, str(event.pop("event", "")), event, logger=name, error=error)
        raise structlog.DropEvent


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

    An app may configure processors and nothing else. Then this is what its last one writes with: to standard
    output, as without us.

    Args:
        name: of the logger, as `structlog.get_logger` was given it.
    """

    def __init__(self, name: object = None, *_: object) -> None:
        self.name = None if name is None else str(name)

    def __getattr__(self, method: str) -> object:
        """Any method for a level, as of structlog's own default."""
        if method.startswith("_"):
            raise AttributeError(method)
        import structlog  # noqa: PLC0415 - the app has done so

        return getattr(structlog.PrintLogger(), method)
