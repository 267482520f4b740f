"""Structured events: one line each, whatever is in them, and never at the cost of a request."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from garrison.events import EventLog, event_log


def lines_of(fields: dict[str, Any], form: Any = "json") -> list[str]:
    """The lines that one event makes on a stream of bytes."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="utf-8")
    event_log(form, stream).emit("info", "test.event", fields)
    stream.flush()
    text = raw.getvalue().decode()
    assert text.endswith("\n")
    return text.split("\n")[:-1]


def test_an_event_is_a_json_object_with_time_level_and_name() -> None:
    """The time is RFC 3339 in UTC and close to now."""
    (line,) = lines_of({"a": 1})
    event = json.loads(line)
    assert abs((datetime.now(UTC) - datetime.fromisoformat(event.pop("timestamp"))).total_seconds()) < 60
    assert event == {"a": 1, "level": "info", "event": "test.event"}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("\ud800x", "\\ud800x"),
        (2**64, str(2**64)),
        (2**53, None),
        (b"\xff", "b'\\xff'"),
        (float("nan"), None),
        (None, None),
        ("line\nbreak\u2028", "line\nbreak\u2028"),
        (object, "<class 'object'>"),
    ],
)
def test_any_value_can_be_written(value: object, shown: str | None) -> None:
    """Surrogates, huge integers, bytes and objects are written in some honest form."""
    (line,) = lines_of({"value": value})
    if shown is not None:
        assert orjson.loads(line)["value"] == shown


@given(
    st.dictionaries(
        st.text(st.characters()), st.text(st.characters()) | st.integers() | st.binary(), max_size=4
    )
)
def test_any_fields_are_one_line(fields: dict[str, Any]) -> None:
    """No text breaks the line or its JSON."""
    for name in ("timestamp", "event", "level"):
        fields.pop(name, None)
    (line,) = lines_of(fields)
    assert orjson.loads(line)["event"] == "test.event"


def test_a_stream_of_text_is_written_too() -> None:
    """A StringIO, as some programs put in place of standard output, gets the same line."""
    stream = io.StringIO()
    event_log("json", stream).emit("error", "test.event", {"a": "ä"})
    assert orjson.loads(stream.getvalue())["a"] == "ä"


def test_the_console_form_is_for_people() -> None:
    """Time, level, name and fields stand in one line without colours where nobody watches."""
    (line,) = lines_of({"url.path": "/a b\x1b[2J"}, "console")
    for part in ("info", "test.event", "url.path='/a b\\x1b[2J'"):
        assert part in line
    assert "\x1b" not in line


def test_what_is_bound_goes_with_every_event() -> None:
    """A bound logger is structlog's, and its fields are in each line."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="utf-8")
    log = event_log("json", stream)
    bound = log.bind(service="shop")
    assert isinstance(bound, EventLog)
    bound.emit("info", "test.event", {})
    assert orjson.loads(raw.getvalue())["service"] == "shop"


class Unwritable(io.StringIO):
    """A stream whose disk is full."""

    def write(self, _text: str) -> int:
        """Fail as a disk does."""
        raise OSError(28, "No space left on device")


def test_a_lost_event_is_counted() -> None:
    """What cannot be written is dropped, counted and otherwise forgotten."""
    before = EventLog.dropped
    event_log("json", Unwritable()).emit("info", "test.event", {})
    assert EventLog.dropped == before + 1


def test_nothing_global_changes() -> None:
    """Importing Garrison and making a logger leaves structlog and logging as they were."""
    event_log("console", io.StringIO())
    assert not structlog.is_configured()
    code = (
        "import logging, garrison, structlog; from opentelemetry import trace;"
        "assert not logging.getLogger().handlers and not structlog.is_configured();"
        "assert type(trace.get_tracer_provider()).__name__ == 'ProxyTracerProvider'"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert result.returncode == 0, result.stderr
