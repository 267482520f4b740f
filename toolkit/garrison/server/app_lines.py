"""Turns what an app logs into events: joined to its request, redacted, bounded."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import date, time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from garrison.conventions import error_type
from garrison.current import current_request, request_fields, secrets_of_request
from garrison.events import EventLog
from garrison.failure_log import (
    LONGEST_MESSAGE,
    LONGEST_STACKTRACE,
    message_of,
    traceback_of,
)
from garrison.own_secrets import without
from garrison.shortening import shortened
from garrison.token_shapes import MASK

if TYPE_CHECKING:
    from garrison.redaction import Redactor

# What the app gives under these names would contradict the line itself; it is kept under another.
OWN: Final = frozenset({"timestamp", "level", "event", "logger", "request_id", "trace_id", "span_id"})

# A value may be a whole document; what is deeper or longer than this is no field of a line.
DEEPEST: Final = 4
MOST_ITEMS: Final = 100
LONGEST_NAME: Final = 256

# The names of fields are few, and looking at one costs more than the rest of its field.
NAMES: Final = 512


class AppLines:
    """Writes the lines that an app, its libraries and the server log beside the events of the layers.

    Args:
        log: where they go.
        redactor: what is masked in texts, fields and tracebacks.
    """

    def __init__(self, log: EventLog, redactor: Redactor) -> None:
        self._log = log
        self._redactor = redactor
        self._hides = lru_cache(NAMES)(self._is_hidden)

    def write(
        self,
        level: str,
        event: str,
        fields: Mapping[str, object],
        *,
        logger: str | None = None,
        error: BaseException | None = None,
    ) -> None:
        """Write one line; whatever goes wrong, the app goes on.

        Args:
            level: such as `info`.
            event: the message.
            fields: what else is known about it.
            logger: the name of the logger.
            error: the exception that it is about.
        """
        line: dict[str, Any] = {} if logger is None else {"logger": logger}
        try:
            line |= request_fields()
            context = current_request()
            for name, value in fields.items():
                masked = self._field(name, value, DEEPEST)
                if name not in OWN:
                    line[name] = masked
                elif masked not in (line.get(name), getattr(context, name, None)):
                    line[f"extra.{name}"] = masked
            if error is not None:
                line |= self._exception(error)
            text = self._text(event.rstrip("\n"), LONGEST_MESSAGE)
        except Exception:  # noqa: BLE001 - telemetry fails open, whatever an app's objects do
            EventLog.dropped += 1
            return
        self._log.emit(level, text, line)

    def masked(
        self, event: str, fields: Mapping[str, object], error: BaseException | None
    ) -> tuple[str, dict[str, object]]:
        """A message and its fields for somebody else's format, with every traceback, as OpenTelemetry has it.

        Args:
            event: the message.
            fields: what else is known about it.
            error: the exception that it is about.
        """
        found = {name: self._field(name, value, DEEPEST) for name, value in fields.items()}
        if error is not None:
            found["exception.type"] = error_type(error)
            found["exception.message"] = self._text(message_of(error), LONGEST_MESSAGE)
            found["exception.stacktrace"] = self._text(traceback_of(error), LONGEST_STACKTRACE)
        return self._text(event, LONGEST_MESSAGE), found

    def _exception(self, error: BaseException) -> dict[str, str]:
        found = {
            "error.type": error_type(error),
            "exception.message": self._text(message_of(error), LONGEST_MESSAGE),
        }
        context = current_request()
        # One traceback for each exception: the errors layer writes that of what nobody has handled.
        if context is None or (context.exception is not error and context.logged is not error):
            found["exception.stacktrace"] = self._text(traceback_of(error), LONGEST_STACKTRACE)
            if context is not None:
                context.logged = error
        return found

    def _field(self, name: str, value: object, depth: int) -> object:
        try:
            return self._masked(name, value, depth)
        except Exception:  # noqa: BLE001 - one object's failure is not the line's
            return f"<{type(value).__qualname__}>"

    def _masked(self, name: str, value: object, depth: int) -> object:
        if value is not None and self._hides(name):
            return MASK
        if value is None or isinstance(value, bool | int | float | date | time):
            return value
        if isinstance(value, str):
            return self._text(value, LONGEST_MESSAGE)
        if isinstance(value, Mapping) and depth:
            items = [(_name(key), item) for key, item in list(value.items())[:MOST_ITEMS]]
            return {self._text(key, LONGEST_NAME): self._field(key, item, depth - 1) for key, item in items}
        if _is_pair(value) and self._hides(_name(value[0])):  # as raw headers and forms are
            return [self._field("", value[0], depth - 1), MASK]
        if isinstance(value, list | tuple | set | frozenset) and depth:
            return [self._field("", item, depth - 1) for item in list(value)[:MOST_ITEMS]]
        return self._text(repr(value), LONGEST_MESSAGE)

    def _is_hidden(self, name: str) -> bool:
        # Apps log headers as fields, too.
        return self._redactor.is_secret(name) or self._redactor.hides_header(name.encode("utf-8", "replace"))

    def _text(self, text: str, longest: int) -> str:
        secrets = secrets_of_request(self._redactor)
        return shortened(text, longest, lambda part: self._redactor.text(without(part, secrets)))


def _name(key: object) -> str:
    return key.decode("latin-1") if isinstance(key, bytes) else str(key)


def _is_pair(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, list | tuple) and len(value) == 2 and isinstance(value[0], str | bytes)


def note_traceback(error: BaseException | None) -> None:
    """Take note that the app has shown the traceback of an exception by itself, in its own form.

    Args:
        error: the exception, if there is one.
    """
    context = current_request()
    if context is not None and error is not None:
        context.logged = error


def exception_of(exc_info: object) -> BaseException | None:
    """The exception that `exc_info` means, in any of the ways in which loggers take it."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        found = exc_info[1] if len(exc_info) > 1 else None
        return found if isinstance(found, BaseException) else None
    return sys.exc_info()[1] if exc_info else None
