"""The figures of being observed in `make bench`: what they are of, and how they are judged."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING

import orjson
import pytest

from loadtests.bench.measure import PATH, Variant, Wire, cost, request_scope
from loadtests.bench.names import BARE
from loadtests.bench.observability_apps import (
    ASKED,
    BARE_FASTAPI,
    BOTH,
    CORRELATION_ID,
    ERRORS,
    ID_AND_LOG,
    OTEL_FASTAPI,
    SPAN,
    SPAN_TOO,
    STRUCTLOG,
    app,
    fastapi_app,
    variants,
)
from loadtests.bench.observability_costs import ROUTES
from loadtests.bench.observability_table import Report, document, targets, text
from loadtests.bench.worker import environment

if TYPE_CHECKING:
    from starlette.types import Message

# Peers warn about each other's versions, which is no matter of ours.
pytestmark = [pytest.mark.timeout(120), pytest.mark.filterwarnings("ignore")]

EVERYWHERE = {
    BARE: [16.0, 32.0],
    ID_AND_LOG: [34.0, 68.0],
    SPAN: [46.0, 92.0],
    SPAN_TOO: [64.0, 128.0],
    BARE_FASTAPI: [40.0, 80.0],
    OTEL_FASTAPI: [1e4, 2e4],
}
REPORT = Report(
    groups={
        "no SDK": {"10": {**EVERYWHERE, ERRORS: [16.5, 32.5]}},
        "traces": {"10": EVERYWHERE},
        "traces and histogram": {"10": EVERYWHERE},
    }
)


def reply_of(variant: Variant) -> dict[bytes, bytes]:
    """The headers of a reply."""
    replies: list[Message] = []

    async def send(message: Message) -> None:
        replies.append(message)

    wire = Wire()
    wire.begin()
    asyncio.run(variant.app(request_scope(), wire.receive, send))  # type: ignore[arg-type]
    return {name.lower(): value for name, value in replies[0]["headers"]}


def test_whoever_writes_lines_is_measured_writing_them() -> None:
    """A peer that was mounted wrongly would look cheap: each that logs writes its one line."""
    stream = io.BytesIO()
    with io.TextIOWrapper(stream) as log:
        found = {variant.name: variant for variant in variants("no SDK", 10, log)}
        for name, path in ((ID_AND_LOG, "url.path"), (STRUCTLOG, "path"), (BOTH, "path")):
            stream.seek(0)
            stream.truncate()
            headers = reply_of(found[name])
            line = orjson.loads(stream.getvalue())
            assert line[path] == PATH
            assert line["request_id"] == (headers.get(b"x-request-id", b"").decode() or None)
        assert b"x-request-id" in reply_of(found[CORRELATION_ID])


@pytest.mark.parametrize("routes", ROUTES)
def test_every_variant_serves_the_last_of_many_routes(routes: int) -> None:
    """Whoever looks for the route finds it behind all of the others, and everybody replies with 200."""
    for framework in (app(routes), fastapi_app(routes, {})):
        assert len(framework.routes) == routes
        assert getattr(framework.routes[-1], "path", None) == ASKED
    with io.TextIOWrapper(io.BytesIO()) as log, asyncio.Runner() as runner:
        for variant in variants("no SDK", routes, log):
            runner.run(cost(variant, 2, lambda: None))


def test_a_layer_is_compared_with_the_bare_app_of_the_same_round() -> None:
    """Each has its own limit, and the speed of the machine is taken out."""
    found = {target.text: (target.found, target.scaled, target.met) for target in targets(REPORT)}
    assert found == {
        "µs, id and log, 10 routes": (27.0, 9.0, False),
        "µs, errors, 10 routes": (0.5, 0.1875, True),
        "µs, span, no SDK, 10 routes": (45.0, 15.0, False),
        "µs, span, 10 routes": (45.0, 15.0, False),
        "µs, span and histogram, 10 routes": (45.0, 15.0, False),
    }


def test_what_observes_fastapi_is_compared_with_fastapi() -> None:
    """What FastAPI costs by itself is not put down to its observer."""
    added = document(REPORT)["added"]["traces"]["10"]
    assert added == {ID_AND_LOG: 27.0, SPAN: 45.0, SPAN_TOO: 45.0, OTEL_FASTAPI: 14_940.0}
    assert any("+14,940" in line for line in text(REPORT))


def test_what_this_shell_sets_for_opentelemetry_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `OTEL_SDK_DISABLED` every SDK would be free."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    monkeypatch.setenv("HOME", "/home")
    assert "OTEL_SDK_DISABLED" not in environment()
    assert environment()["HOME"] == "/home"
