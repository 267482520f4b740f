"""Events for people: the request first, and tracebacks that begin where the app does."""

from __future__ import annotations

import asyncio
import os
import re
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Route

import garrison
from garrison.console_lines import condense, without_frameworks
from garrison.events import EventLog, event_log
from tests.toolkit.contract.subjects import sink
from tests.toolkit.driver import call, http_scope

if TYPE_CHECKING:
    from starlette.requests import Request

ENDED: Final = {"event": "http.request", "http.request.method": "GET", "url.path": "/"}
PACKAGES: Final = "/venv/lib/python3.11/site-packages"


def frame(file: str, code: str = "await app()") -> list[str]:
    """Two lines of a traceback."""
    return [f'  File "{file}", line 7, in call', f"    {code}"]


def trace(*files: str, end: str = "ValueError: x") -> str:
    """A traceback through these files."""
    lines = [line for file in files for line in frame(file)]
    return "\n".join(["Traceback (most recent call last):", *lines, end])


@pytest.mark.parametrize(
    ("files", "kept", "left_out"),
    [
        ((f"{PACKAGES}/a/x.py", f"{PACKAGES}/b/y.py", "/srv/app.py"), ("/srv/app.py",), "2 frames of a, b"),
        (("/srv/app.py", f"{PACKAGES}/a/x.py", f"{PACKAGES}/a/y.py"), None, ""),
        ((f"{PACKAGES}/a/x.py", f"{PACKAGES}/b/y.py"), None, ""),
        ((f"{PACKAGES}/a/x.py", "/srv/app.py"), None, ""),
        (
            (f"{Path(garrison.__file__).parent}/asgi.py", os.__file__, "/srv/app.py", f"{PACKAGES}/a/x.py"),
            ("/srv/app.py", f"{PACKAGES}/a/x.py"),
            "2 frames of garrison, Python",
        ),
        (
            (r"C:\venv\Lib\site-packages\a\x.py", r"C:\venv\Lib\site-packages\b.py", r"C:\app.py"),
            (r"C:\app.py",),
            "2 frames of a, b",
        ),
    ],
)
def test_frames_of_frameworks_before_the_app_are_named(
    files: tuple[str, ...], kept: tuple[str, ...] | None, left_out: str
) -> None:
    """What the app has called stays, and so does a traceback in which there is no frame of an app."""
    if kept is None:
        assert without_frameworks(trace(*files)) == trace(*files)
        return
    head, *rest = trace(*kept).split("\n")
    assert without_frameworks(trace(*files)) == "\n".join([head, f"  [{left_out} left out]", *rest])


def test_each_traceback_of_a_chain_is_one() -> None:
    """The cause and what came of it begin each with the app."""
    one = trace(f"{PACKAGES}/a/x.py", f"{PACKAGES}/a/y.py", "/srv/app.py")
    found = without_frameworks(f"{one}\n\nThe above exception was the direct cause\n\n{one}")
    assert found.count("[2 frames of a left out]") == 2
    assert found.count("/srv/app.py") == found.count("ValueError: x") == 2


def test_what_a_message_quotes_is_no_frame_of_it() -> None:
    """Lines behind the exception's own are its message, whatever they look like."""
    text = trace("/srv/app.py", end="ValueError: first\n    second\nthird")
    assert without_frameworks(text) == text


def test_a_group_of_a_real_task_group() -> None:
    """The bars of a group stay, and the frame of the app is in them."""

    async def fails() -> None:
        raise ValueError("in group")

    async def work() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fails())

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(work())
    text = "".join(traceback.format_exception(caught.value))
    found = without_frameworks(text)
    assert "in work" in found
    assert "  | ExceptionGroup: unhandled errors" in found
    assert "    | ValueError: in group" in found
    assert "  | " in next(line for line in found.splitlines() if "frames of" in line)


def test_a_failure_is_told_with_its_request_and_its_type_once() -> None:
    """The traceback below says what was raised; without one the line does."""
    facts: dict[str, Any] = {
        "error.type": "ValueError", "exception.message": "x", "http.request.method": "GET", "url.path": "/",
        "request_id": "1f", "trace_id": "1f", "span_id": "2",
    }  # fmt: skip
    event = {"event": "unhandled_exception", **facts, "exception.stacktrace": trace("/srv/app.py")}
    assert condense(None, "", event) == {
        "event": "unhandled_exception GET / 1f",
        "exception.stacktrace": trace("/srv/app.py"),
    }
    again = condense(None, "", {"event": "unhandled_exception", **facts, "trace_id": "3"})
    assert again == {
        "event": "unhandled_exception GET / 1f",
        "error.type": "ValueError",
        "exception.message": "x",
        "trace_id": "3",
    }


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0ms"), (0.00042, "0.4ms"), (0.0016, "2ms"), (0.25, "250ms"), (1.26, "1.3s"), ("odd", "-")],
)
def test_durations_are_short(seconds: object, said: str) -> None:
    """Nobody reads microseconds off a terminal."""
    event = {**ENDED, "http.server.request.duration": seconds}
    assert condense(None, "", event)["event"] == f"GET / - {said}"


@pytest.mark.parametrize(("code", "more"), [(1000, {}), (1006, {"close_code": 1006})])
def test_a_websocket_is_called_one(code: int, more: dict[str, Any]) -> None:
    """Its handshake is a GET, which says nothing, and so does a normal closure."""
    event = {
        **ENDED,
        "close_code": code,
        "network.protocol.name": "websocket",
        "http.response.status_code": 101,
    }
    assert condense(None, "", event) == {"event": "WebSocket / 101 -", **more}


VALUES: Final = st.none() | st.text() | st.floats() | st.integers() | st.lists(st.text(), max_size=2)
NAMES: Final = st.sampled_from([
    "http.request.method", "url.path", "url.query", "http.response.status_code", "exception.stacktrace",
    "http.server.request.duration", "network.protocol.name", "request_id", "outcome", "client.address",
])  # fmt: skip


@given(st.dictionaries(NAMES, VALUES), st.sampled_from(["http.request", "sold"]))
def test_whatever_the_fields_are_the_line_is_written(fields: dict[str, Any], name: str) -> None:
    """An app may log anything under these names; no line is lost, and what stands below one is set in."""
    stream, before = sink(), EventLog.dropped
    event_log("console", stream).emit("info", name, fields)
    assert EventLog.dropped == before
    stream.seek(0)
    assert [line[:4].strip() == "" for line in stream.read().splitlines()].count(False) == 1


def test_a_real_failure_begins_with_the_app() -> None:
    """Of what Starlette did before it came to the handler, its name is left."""

    async def fails(request: Request) -> None:
        raise LookupError("x")

    stream = sink()
    app: Any = Starlette(routes=[Route("/a", fails)])
    call(garrison.ErrorsMiddleware(app, log=event_log("console", stream)), http_scope("/a"))
    stream.seek(0)
    first, head, left_out, own, *_, last = stream.read().splitlines()
    assert "[error] unhandled_exception GET /a " in first
    assert head == "    Traceback (most recent call last):"
    assert re.fullmatch(r"      \[\d+ frames of starlette left out\]", left_out)
    assert __file__ in own
    assert last == "    LookupError: x"
