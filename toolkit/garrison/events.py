"""Structured events: how every layer writes one line, and loses it rather than the request."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from threading import RLock
from typing import TYPE_CHECKING, Any, Literal, TextIO

import structlog

from garrison.console_lines import condense, write_time
from garrison.line_writer import LineWriter, writer
from garrison.rendering import encode_line, escape_texts, printable, render_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

__all__ = ["EventLog", "Format", "Lines", "event_log", "lines_to", "printable"]

Format = Literal["json", "console"]


class EventLog(structlog.BoundLoggerBase):
    """A structlog logger that can fail without the request failing, and that never waits for who reads it.

    An event is a name and fields. What cannot be written, such as one for a closed stream or for a reader
    that has stalled for long, is counted in `EventLog.dropped` and otherwise forgotten.
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
            taken = self._logger.write(line)
        except Exception:  # noqa: BLE001 - telemetry fails open, whatever it was
            taken = False
        if not taken:
            EventLog.dropped += 1

    @property
    def waits(self) -> bool:
        """Whether there are events that nobody has read yet and that are only in memory."""
        return bool(self._logger.waits)

    def flush(self, seconds: float) -> None:
        """Write what waits, as far as its reader takes it in time.

        Args:
            seconds: how long to wait at most.
        """
        self._logger.flush(seconds)


def event_log(form: Format = "json", stream: TextIO | None = None) -> EventLog:
    """A logger for events, with a pipeline of its own: structlog's global configuration stays as it is.

    Args:
        form: `json` for one JSON object a line, `console` for people.
        stream: where to write; standard output unless given.
    """
    target = sys.stdout if stream is None else stream
    processors: list[Any] = [render_json]
    if form == "console":
        processors = [
            write_time,
            condense,
            escape_texts,
            # With repr(), because a client's escape sequences must not reach a terminal.
            structlog.dev.ConsoleRenderer(
                colors=target.isatty(), sort_keys=False, repr_native_str=True, pad_event_to=0, pad_level=False
            ),
            encode_line,
        ]
    return EventLog(lines_to(target, processors), processors, {})


class Lines:
    """Lines to a stream in memory, or to anything else that has no descriptor.

    Args:
        stream: where to write.
    """

    waits = False

    def __init__(self, stream: TextIO) -> None:
        self._binary: BinaryIO | None = getattr(stream, "buffer", None)
        self._text = stream
        self._lock = RLock()

    def write(self, line: bytes) -> bool:
        """Write a line with its end.

        Args:
            line: in UTF-8.
        """
        with self._lock:
            if self._binary is not None:
                self._binary.write(line)
                self._binary.flush()
            else:
                self._text.write(line.decode())
                self._text.flush()
        return True

    def flush(self, seconds: float) -> None:
        """Do nothing: every line is out."""


def lines_to(stream: TextIO, processors: Iterable[Any]) -> LineWriter | Lines:
    """What takes lines for a stream; one that never waits where there could be a reader who stalls.

    Args:
        stream: what is behind it stays open as long as somebody writes there, even when it is closed.
        processors: what makes a line of an event, for the event `log_lines_dropped`.
    """

    def loss(count: int) -> bytes:
        line: Any = {"timestamp": datetime.now(UTC), "level": "error", "event": "log_lines_dropped"}
        line["dropped"] = count
        for process in processors:
            line = process(None, "error", line)
        return bytes(line)

    try:
        return writer(stream.fileno(), loss)
    except (OSError, ValueError, AttributeError):
        return Lines(stream)
