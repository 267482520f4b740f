"""Which handlers of the standard library put a line before whoever watches this process."""

from __future__ import annotations

import logging
import sys
from functools import wraps
from logging.handlers import QueueHandler, QueueListener
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Iterator

# How Litestar formats where nobody has said how (litestar, logging/config.py), through a queue of its own.
LITESTAR: Final = "%(levelname)s - %(asctime)s - %(name)s - %(module)s - %(message)s"

_listeners: Final[WeakSet[QueueListener]] = WeakSet()


def note_listeners() -> None:
    """Remember from now on what stands behind the queue of each `QueueHandler`, which does not know."""
    start = QueueListener.start
    if hasattr(start, "__wrapped__"):
        return

    @wraps(start)
    def start_and_note(self: QueueListener) -> None:
        _listeners.add(self)
        start(self)

    QueueListener.start = start_and_note  # type: ignore[method-assign]


def shows(handler: logging.Handler) -> bool:
    """Whether a handler writes to whoever watches this process, by itself or behind a queue."""
    if isinstance(handler, QueueHandler):
        return any(shows(one) for one in _behind(handler))
    # Rich's handler keeps its stream in a console.
    stream = getattr(handler, "stream", None) or getattr(getattr(handler, "console", None), "file", None)
    watched = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    return stream is not None and any(stream is one for one in watched)


def is_shown(record: logging.LogRecord) -> bool:
    """Whether a handler of the app shows a record, on its way up from the logger that it was given to.

    Its filters are asked once more: those that Django starts out with refuse everything in production.
    """
    found: Any = logging.root.manager.loggerDict.get(record.name, logging.root)
    logger: logging.Logger | None = found if isinstance(found, logging.Logger) else logging.root
    while logger is not None:
        if any(record.levelno >= one.level and shows(one) and one.filter(record) for one in logger.handlers):
            return True
        logger = logger.parent if logger.propagate else None
    return False


def drop_framework_handlers() -> bool:
    """Take away the handlers that a framework has made for an app that says nothing of logging.

    Litestar does, for the root logger and for its own.

    Returns:
        Whether the root logger had one.
    """
    changed = set()
    for logger in _loggers():
        kept = [one for one in logger.handlers if not _is_of_litestar(one)]
        if len(kept) < len(logger.handlers):
            changed.add(logger)
            logger.handlers[:] = kept
            logger.propagate = logger.propagate or not kept
    return logging.root in changed


def last_loggers() -> list[logging.Logger]:
    """The loggers whose handlers nobody comes after: the root logger, and those that do not propagate."""
    return [one for one in _loggers() if one is logging.root or (one.handlers and not one.propagate)]


def _loggers() -> list[logging.Logger]:
    named = logging.root.manager.loggerDict.values()
    return [logging.root, *(one for one in named if isinstance(one, logging.Logger))]


def _is_of_litestar(handler: logging.Handler) -> bool:
    listener = getattr(handler, "listener", None)
    if type(listener).__module__ != "litestar.logging.standard":
        return False
    behind = list(_behind(handler))
    formatters = [one.formatter for one in (handler, *behind) if one.formatter is not None]
    return all(type(one) is logging.StreamHandler for one in behind) and {
        getattr(one, "_fmt", None) for one in formatters
    } == {LITESTAR}


def _behind(handler: Any) -> Iterator[logging.Handler]:
    listeners = {one for one in _listeners if one.queue is handler.queue}
    if isinstance(getattr(handler, "listener", None), QueueListener):
        listeners.add(handler.listener)  # as dictConfig makes them since Python 3.12, and Litestar
    for listener in listeners:
        yield from listener.handlers
