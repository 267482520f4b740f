"""Events as lines: whatever is in one, it stays one line, and no reader takes a part of it for another."""

from __future__ import annotations

import io
import json
import re
from typing import Any, Final

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.events import EventLog, event_log
from garrison.rendering import LONGEST_LINE, render_json
from tests.toolkit.contract.subjects import logged, sink

FORGED: Final = '\r\n{"event": "forged"}\r\x0b\x0c\x1c\x85\u2028\u2029{"event": "forged"}'

# ESC and CSI in both of its forms, OSC, and marks that turn the order of what follows.
TERMINAL: Final = "\x1b[2J\x1b]0;title\x07\x9b31m\u202egnp.exe\u2066"


def written(form: Any, fields: dict[Any, Any], event: str = "test.event") -> bytes:
    """What one event writes."""
    stream = sink()
    before = EventLog.dropped
    event_log(form, stream).emit("info", event, fields)
    assert EventLog.dropped == before
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue()


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("text", [FORGED, TERMINAL, "\udcff\ud800", "a" * 500_000, "\x00" * 50_000])
def test_a_text_cannot_make_a_line_of_its_own(form: str, text: str) -> None:
    """Line ends of every kind, escape sequences, surrogates and huge texts leave one bounded line."""
    line = written(form, {"user_agent.original": text, "url.path": text}).decode()
    assert len(line.splitlines()) == 1
    assert line.endswith("\n")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", line)
    assert len(line.encode()) <= LONGEST_LINE + 1


@pytest.mark.parametrize("form", ["json", "console"])
def test_an_event_name_cannot_either(form: str) -> None:
    """What an app logs as its message may hold anything."""
    line = written(form, {}, FORGED + TERMINAL).decode()
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line
    assert "\x9b" not in line


def test_what_is_escaped_is_still_there() -> None:
    """A reader of JSON gets the text as it was."""
    event = orjson.loads(written("json", {"text": FORGED + TERMINAL}))
    assert event["text"] == FORGED + TERMINAL


def test_a_stack_trace_for_people_forges_no_line() -> None:
    """It stands below its line, and each of its own lines is set in."""
    trace = "Traceback\nValueError: x\n2026-01-01T00:00:00Z [info] forged\r\x1b[2K\n"
    first, *rest = written("console", {"exception.stacktrace": trace}).decode().splitlines()
    assert "test.event" in first
    assert [line[:4] for line in rest] == ["    "] * 3
    assert "\x1b" not in "".join(rest)


class Sulky:
    """An object that says nothing of itself."""

    def __repr__(self) -> str:
        raise RuntimeError


def circle() -> list[Any]:
    """A list that holds itself."""
    found: list[Any] = []
    found.append(found)
    return found


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2**70, str(2**70)),
        (-(2**70), str(-(2**70))),
        pytest.param(10**5000, "<int>", id="too-long"),
        ({1: "a", None: "b", ("c",): "d"}, {"1": "a", "None": "b", "('c',)": "d"}),
        ({"a": {"\ud800": [b"\xff", 2**64]}}, {"a": {"\\ud800": ["b'\\xff'", str(2**64)]}}),
        (Sulky(), "<Sulky>"),
        ([Sulky()], ["<Sulky>"]),
        (float("inf"), None),
        ((1, 2), [1, 2]),
        ({b"key": 1}, {"b'key'": 1}),
    ],
)
def test_any_value_is_written_in_some_form(value: object, expected: object) -> None:
    """Neither huge integers nor bytes, odd keys or objects that fail make an event disappear."""
    assert orjson.loads(written("json", {"value": value, "next": 1})) | {"timestamp": ""} == {
        "timestamp": "", "level": "info", "event": "test.event", "value": expected, "next": 1,
    }  # fmt: skip


def test_a_value_without_an_end_is_written() -> None:
    """What holds itself is followed a little."""
    assert orjson.loads(written("json", {"value": circle()}))["event"] == "test.event"


def test_odd_names_are_written() -> None:
    """A name that is no text becomes one."""
    assert orjson.loads(written("json", {7: 1, b"b": 2}))["7"] == 1


def test_a_line_is_bounded() -> None:
    """Long texts are cut and say how much is missing; an event of too many fields keeps its name."""
    event = orjson.loads(written("json", {"text": "a" * 100_000, "short": "b"}))
    assert event["text"].startswith("a" * 4096 + "[")
    assert event["text"].endswith("characters left out]")
    assert event["short"] == "b"
    lists = {f"field{number}": ["x" * 300] * 100 for number in range(100)}
    line = written("json", lists)
    assert len(line) <= LONGEST_LINE
    assert orjson.loads(line)["event"] == "test.event"


VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters()) | st.integers() | st.none(), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.text(st.characters()), VALUES, max_size=4))
def test_whatever_the_values_are_there_is_one_line_of_json(fields: dict[str, Any]) -> None:
    """Rendering raises for nothing, and what comes out is JSON in UTF-8."""
    line = render_json(None, "info", {**fields, "event": "test.event"})
    assert json.loads(line)["event"] == "test.event"
    assert len(line.decode().splitlines()) == 1


@given(st.text(st.characters()), st.text(st.characters()))
def test_whatever_the_texts_are_there_is_one_line_for_people(name: str, text: str) -> None:
    """The console form is as strict."""
    line = written("console", {"text": text}, name).decode()
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line


def test_the_lines_of_a_stream_are_its_own() -> None:
    """Two logs in memory do not share anything."""
    first, second = sink(), sink()
    event_log("json", first).emit("info", "a", {})
    event_log("json", second).emit("info", "b", {})
    assert [len(logged(stream)) for stream in (first, second)] == [1, 1]
