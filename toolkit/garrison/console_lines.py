"""Events for people: what says something first and on one row of a terminal; the JSON form has everything."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.rendering import Event

# What whoever sits before the terminal knows, or does not look for there.
LEFT_OUT: Final = (
    "http.request.body.size",
    "http.response.body.size",
    "http.route",
    "time_to_first_byte",
    "user_agent.original",
)
# RFC 6455 section 7.4.1: a normal closure.
CLOSED_WELL: Final = 1000
LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})

# A frame as the module traceback writes it; those of a group stand behind a margin of bars.
FRAME: Final = re.compile(r'(?P<margin>[ |]*)File "(?P<file>[^"]+)", line \d+')
INSTALLED: Final = re.compile(r"/(?:site|dist)-packages/([^/]+)")
OWN_PACKAGE: Final = f"{Path(__file__).parent.as_posix()}/"
STANDARD_LIBRARY: Final = f"{Path(os.__file__).parent.as_posix()}/"


def write_time(_logger: object, _name: str, event: Event) -> Event:
    """A structlog processor: the time of day in UTC, as whoever watches knows the day."""
    event["timestamp"] = f"{event['timestamp'].time().isoformat('milliseconds')}Z"
    return event


def condense(_logger: object, _name: str, event: Event) -> Event:
    """A structlog processor: the request, its answer and its id as one phrase, and less of the rest.

    A traceback says the type and the message of its exception, so that the fields need not. It loses what
    frameworks did before they came to the app.
    """
    trace = event.get("exception.stacktrace")
    if trace is not None:
        event["exception.stacktrace"] = without_frameworks(str(trace))
        event.pop("exception.message", None)
        event.pop("error.type", None)
    event.pop("span_id", None)
    if event.get("trace_id") == event.get("request_id"):
        event.pop("trace_id", None)
    if "http.request.method" in event and "url.path" in event:
        event["event"] = " ".join(_phrase(event))
    return event


def _phrase(event: Event) -> Iterator[str]:
    """What happened, as people say it; its fields are gone afterwards."""
    name, request_id = event.get("event"), event.pop("request_id", None)
    ended = name == "http.request"
    if not ended:
        yield str(name)
    method = event.pop("http.request.method")
    protocol = event.pop("network.protocol.name", None)
    yield "WebSocket" if protocol == "websocket" else _word(method)
    query = event.pop("url.query", None)
    yield _word(event.pop("url.path") if query is None else f"{event.pop('url.path')}?{query}")
    if ended:
        status = event.pop("http.response.status_code", None)
        yield "-" if status is None else str(status)
        yield _duration(event.pop("http.server.request.duration", None))
        if event.get("outcome") == "completed":
            del event["outcome"]
        if event.get("client.address") in LOOPBACK:
            del event["client.address"]
        if event.get("close_code") == CLOSED_WELL:
            del event["close_code"]
        for field in LEFT_OUT:
            event.pop(field, None)
    if request_id is not None:
        yield str(request_id)


def _word(value: object) -> str:
    """A text as one word: with blanks in it, what a client sends could be taken for what follows."""
    text = str(value)
    return text if text.isprintable() and " " not in text else repr(text)


def _duration(seconds: Any) -> str:
    if not isinstance(seconds, int | float):
        return "-"
    if seconds >= 1:
        return f"{seconds:.1f}s"
    return f"{seconds * 1000:.0f}ms" if seconds >= 0.001 else f"{seconds * 1000:.1g}ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """One frame of a traceback.

    Attributes:
        margin: what stands in front of it.
        package: whose code it is; None for that of the app.
        lines: as they were.
    """

    margin: str
    package: str | None
    lines: list[str]


def without_frameworks(trace: str) -> str:
    """A traceback in which installed packages are named, and not shown, that lead to a frame of the app.

    What the app has called, and a traceback without a frame of the app, stays whole.

    Args:
        trace: as the module traceback writes it, of chains and groups too.
    """
    kept: list[str] = []
    frames: list[_Frame] = []
    for line in trace.split("\n"):
        if match := FRAME.match(line):
            frames.append(_Frame(margin=match["margin"], package=_package(match["file"]), lines=[line]))
        elif frames and line.startswith((f"{frames[-1].margin}  ", f"{frames[-1].margin}[Previous line ")):
            frames[-1].lines.append(line)
        else:
            kept += _condensed(frames)
            kept.append(line)
            frames = []
    kept += _condensed(frames)
    return "\n".join(kept)


def _condensed(frames: list[_Frame]) -> Iterator[str]:
    last = max((number for number, frame in enumerate(frames) if frame.package is None), default=0)
    for foreign, group in groupby(frames[:last], lambda frame: frame.package is not None):
        run = list(group)
        if foreign and len(run) > 1:
            packages = ", ".join(dict.fromkeys(str(frame.package) for frame in run))
            yield f"{run[0].margin}[{len(run)} frames of {packages} left out]"
        else:
            yield from (line for frame in run for line in frame.lines)
    yield from (line for frame in frames[last:] for line in frame.lines)


def _package(file: str) -> str | None:
    """Whose code a file holds: that of an installed package, of Garrison, of Python, or the app's."""
    path = file.replace("\\", "/")
    if installed := INSTALLED.search(path):
        return installed[1].removesuffix(".py")
    if path.startswith(OWN_PACKAGE):
        return "garrison"
    return "Python" if path.startswith((STANDARD_LIBRARY, "<frozen ")) else None
