"""Structured events: how every layer writes one line, and loses it rather than the request."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TextIO

import orjson
import structlog

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import BinaryIO

Format = Literal["json", "console"]


class EventLog(structlog.BoundLoggerBase):
    """A structlog logger that can fail without the request failing.

    An event is a name and fields. What cannot be written, such as a closed stream or a value that
    no renderer takes, is counted in `EventLog.dropped` and otherwise forgotten.
    """

    dropped = 0

    def emit(self, level: str, event: str, fields: dict[str, Any]) -> None:
        """Write one event.

        Args:
            level: `info`, `warning` or `error`.
            event: the event's name, constant for its kind.
            fields: what is known about it; what was bound to the logger goes with it.
        """
        line: Any = {"timestamp": datetime.now(UTC), "level": level, "event": event, **fields}
        if self._context:
            line |= self._context
        try:
            # What structlog's own proxy does, without its three copies of the fields.
            for process in self._processors:
                line = process(self._logger, level, line)
            self._logger.msg(line)
        except Exception:  # noqa: BLE001 - telemetry fails open, whatever it was
            EventLog.dropped += 1


def event_log(form: Format = "json", stream: TextIO | None = None) -> EventLog:
    """A logger for events, with a pipeline of its own: structlog's global configuration stays as it is.

    Args:
        form: `json` for one JSON object a line, `console` for people.
        stream: where to write; standard output unless given.
    """
    target = sys.stdout if stream is None else stream
    logger: structlog.BytesLogger | structlog.PrintLogger
    processors: list[Any]
    if form == "json":
        binary: BinaryIO | None = getattr(target, "buffer", None)
        logger = structlog.BytesLogger(binary) if binary is not None else structlog.PrintLogger(target)
        processors = [render_json if binary is not None else render_json_text]
    else:
        logger = structlog.PrintLogger(target)
        processors = [
            write_timestamp,
            open_stacktrace,
            # With repr(), because a client's escape sequences must not reach a terminal.
            structlog.dev.ConsoleRenderer(colors=target.isatty(), sort_keys=False, repr_native_str=True),
        ]
    return EventLog(logger, processors, {})


def write_timestamp(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: the time as RFC 3339 has it, which orjson writes by itself."""
    event["timestamp"] = event["timestamp"].isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event


def open_stacktrace(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: a stack trace below the line, for people, with control characters escaped."""
    text = event.pop("exception.stacktrace", None)
    if text is not None:
        event["exception"] = "".join(
            letter if letter.isprintable() or letter in "\n\t" else repr(letter)[1:-1] for letter in text
        )
    return event


def render_json(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> bytes:
    """A structlog processor: the event as one line of JSON, whatever its values are."""
    try:
        return orjson.dumps(event, default=repr, option=orjson.OPT_UTC_Z)
    except (TypeError, ValueError):
        safe = {printable(str(key)): printable(value) for key, value in event.items()}
        return orjson.dumps(safe, option=orjson.OPT_UTC_Z)


def render_json_text(logger: Any, name: str, event: MutableMapping[str, Any]) -> str:
    """`render_json` for a stream that takes text only."""
    return render_json(logger, name, event).decode()


def printable(value: object) -> object:
    """A value that any JSON renderer takes: surrogates escaped, large integers and objects as text."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if value is None or isinstance(value, bool | float | datetime):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    return repr(value).encode("utf-8", "backslashreplace").decode()
