"""Structured events: how every layer writes one line, and loses it rather than the request."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from threading import RLock
from typing import TYPE_CHECKING, Any, Literal, TextIO

from garrison.line_writer import LineWriter, writer
from garrison.rendering import encode_line, escape_texts, printable, render_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import BinaryIO

__all__ = ["EventLog", "Format", "Lines", "event_log", "lines_to", "printable"]

Format = Literal["json", "console"]


class EventLog:
    """A logger that can fail without the request failing, and that never waits for who reads it.

    An event is a name and fields. What cannot be written, such as one for a closed stream or for a reader
    that has stalled for long, is counted in `EventLog.dropped` and otherwise forgotten.

    Args:
        lines: takes what the last processor made of an event.
        processors: structlog's, one after the other; the last gives bytes.
        context: fields that go with every event.
    """

    dropped = 0

    def __init__(
        self, lines: LineWriter | Lines, processors: Sequence[Any], context: Mapping[str, Any]
    ) -> None:
        self._lines = lines
        self._processors = processors
        self._context = context

    def bind(self, **fields: object) -> EventLog:
        """The same logger with more fields that go with every event.

        Args:
            fields: by name.
        """
        return EventLog(self._lines, self._processors, {**self._context, **fields})

    def emit(self, level: str, event: str, fields: dict[str, Any]) -> None:
        """Write one event.

        Args:
            level: `info`, `warning` or `error`.
            event: the event's name, constant for its kind.
            fields: what is known about it; what was bound to the logger goes with it.
        """
        self.write(level, {"timestamp": datetime.now(UTC), "level": level, "event": event, **fields})

    def write(self, level: str, line: Any) -> None:
        """Write one event that is whole already, without another copy of it.

        Args:
            level: `info`, `warning` or `error`.
            line: the event with `timestamp`, `level` and `event` before its fields.
        """
        if self._context:
            line |= self._context
        try:
            # What structlog's own proxy does, without its three copies of the fields.
            for process in self._processors:
                line = process(self._lines, level, line)
            taken = self._lines.write(line)
        except Exception:  # noqa: BLE001 - telemetry fails open, whatever it was
            taken = False
        if not taken:
            EventLog.dropped += 1

    @property
    def waits(self) -> bool:
        """Whether there are events that nobody has read yet and that are only in memory."""
        return self._lines.waits

    def flush(self, seconds: float) -> None:
        """Write what waits, as far as its reader takes it in time.

        Args:
            seconds: how long to wait at most.
        """
        self._lines.flush(seconds)


def event_log(form: Format = "json", stream: TextIO | None = None) -> EventLog:
    """A logger for events, with a pipeline of its own: structlog's global configuration stays as it is.

    Args:
        form: `json` for one JSON object a line, `console` for people.
        stream: where to write; standard output unless given.
    """
    target = sys.stdout if stream is None else stream
    processors: list[Any] = [render_json]
    if form == "console":
        # structlog imports rich where that is installed, and JSON has no use for either.
        from structlog.dev import ConsoleRenderer  # noqa: PLC0415 - as above

        from garrison.console_lines import condense, write_time  # noqa: PLC0415 - for lines of this form only

        processors = [
            write_time,
            condense,
            escape_texts,
            # With repr(), because a client's escape sequences must not reach a terminal.
            ConsoleRenderer(
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
