"""Every row of the conventions' tables for HTTP servers, on every framework, with a real SDK."""

from __future__ import annotations

import contextlib
from collections import deque
from typing import TYPE_CHECKING, Any

import pytest

from garrison.middleware.tracing import TracingMiddleware
from tests.toolkit.driver import Wire, request_messages, run
from tests.toolkit.middleware.conventions import (
    APPS,
    BODY,
    METRICS,
    OPT_IN,
    SPAN,
    Row,
    situations,
)
from tests.toolkit.middleware.traced import Traced

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Message, Scope


def play(app: ASGIApp, scope: Scope) -> None:
    """Hand a request to an app, whatever it makes of it."""

    async def main() -> None:
        incoming: list[Message] = request_messages(BODY)
        if scope["type"] == "websocket":
            incoming = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}]
        wire = Wire(deque(incoming))
        with contextlib.suppress(LookupError):
            await app(scope, wire.receive, wire.send)

    run(main())


def holds(row: Row, framework: str, traced: Traced) -> bool:
    """Whether what was recorded says what the row asks for."""
    expected = row.expected[framework] if isinstance(row.expected, dict) else row.expected
    if row.signal == "span":
        found: list[Any] = [span.attributes for span in traced.spans]
    else:
        found = [point.attributes for point in traced.measured(row.signal)]
    return len(found) == 1 and (found[0] or {}).get(row.attribute) == expected


def named(row: Row) -> str:
    """How a row is called."""
    return f"{row.signal}-{row.attribute}-{row.situation}"


CASES = [
    pytest.param(framework, row, id=f"{framework}-{named(row)}")
    for framework in APPS
    for row in [*SPAN, *METRICS]
]


@pytest.mark.parametrize(("framework", "row"), CASES)
def test_each_row_of_the_tables_is_kept(framework: str, row: Row) -> None:
    """What the conventions ask for is there, on every framework, and what they do not is not."""
    traced = Traced(APPS[framework](), OPT_IN)
    play(traced.app, situations()[row.situation])
    assert holds(row, framework, traced)


@pytest.mark.parametrize("row", [*SPAN, *METRICS], ids=named)
def test_each_row_fails_where_nothing_is_recorded(row: Row) -> None:
    """No row is kept by a layer that does nothing."""
    traced = Traced(APPS["bare"](), OPT_IN)
    layer = traced.app
    assert isinstance(layer, TracingMiddleware)
    play(layer.app, situations()[row.situation])
    assert not holds(row, "bare", traced)


@pytest.mark.parametrize("row", [row for row in SPAN if row.level == "Opt-In"], ids=named)
def test_what_must_be_asked_for_is_not_there_unasked(row: Row) -> None:
    """An attribute of the level Opt-In, and no opt-in metric, comes with the default settings."""
    traced = Traced(APPS["bare"]())
    play(traced.app, situations()[row.situation])
    assert row.attribute not in (traced.span.attributes or {})
    assert set(traced.metrics) == {"http.server.request.duration"}
