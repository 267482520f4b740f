"""Hostile exchanges through each layer that observes, alone and all together: nobody notices but the log."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
from typing import TYPE_CHECKING, Any, Final, get_args

import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from garrison import (
    AccessLogMiddleware,
    ErrorsMiddleware,
    RequestId,
    RequestIdMiddleware,
    Settings,
    Tracing,
    TracingMiddleware,
    harden,
)
from garrison.asgi import accepts_denial
from garrison.bounding.counted_body import BodyRefusedError
from garrison.conventions import Attribute
from garrison.events import EventLog, event_log
from garrison.headers.banners import BANNERS
from garrison.rendering import UNSAFE
from garrison.tracing.instruments import Metric
from tests.integration.hostile_exchanges import case
from tests.integration.hostile_play import Played, Player
from tests.toolkit.contract.subjects import sink

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Message
    from tests.integration.hostile_exchanges import Case

# For each subject; in parts, so that none takes long on a busy machine.
PARTS: Final = 10 if os.environ.get("PROOF") == "1" else 1
COUNT: Final = 10_000 if os.environ.get("PROOF") == "1" else 600
EVERYTHING: Final = Tracing(
    continue_="always",
    request_headers=("user-agent", "x-request-id", "cookie", "host"),
    response_headers=("content-type", "x-a", "location"),
    attributes=get_args(Attribute),
    metrics=get_args(Metric),
    exclude="",
)

# What the layers add to a reply, or take off it.
OWN_BANNERS: Final = frozenset(name.encode() for name in BANNERS)
OWN_LINES: Final[dict[str, frozenset[bytes]]] = {
    "RequestIdMiddleware": frozenset({b"x-request-id"}),
    "ErrorsMiddleware": OWN_BANNERS,
    "harden": OWN_BANNERS
    | {
        b"cache-control", b"content-security-policy", b"content-security-policy-report-only",
        b"cross-origin-embedder-policy", b"cross-origin-opener-policy", b"cross-origin-resource-policy",
        b"origin-agent-cluster", b"permissions-policy", b"referrer-policy", b"set-cookie",
        b"strict-transport-security", b"vary", b"x-content-type-options", b"x-frame-options",
        b"x-permitted-cross-domain-policies", b"x-request-id",
    },
}  # fmt: skip
TRANSPARENT: Final = ("RequestIdMiddleware", "TracingMiddleware", "AccessLogMiddleware")
ANSWERING: Final = ("ErrorsMiddleware", "harden")
REQUESTS: Final = ("http", "websocket")


class Subject:
    """A layer or the stack, with everything that it writes.

    Args:
        name: of the class, or `harden`.
        patch: sets the SDK of the process, which the stack takes, for the time of a test.

    Attributes:
        compared: how many exchanges had to be the same as without it.
        answered: how many failures of the app it has answered for.
    """

    def __init__(self, name: str, patch: pytest.MonkeyPatch) -> None:
        self.name = name
        self.player = Player()
        self.compared = self.answered = 0
        self._stream = sink()
        self._spans = InMemorySpanExporter()
        self._tracers = TracerProvider()
        self._tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        patch.setattr(trace, "_TRACER_PROVIDER", self._tracers)
        self.app = self._built()

    def _built(self) -> ASGIApp:
        log = event_log("json", self._stream)
        match self.name:
            case "RequestIdMiddleware":
                return RequestIdMiddleware(self.player, RequestId(accept="always"))
            case "TracingMiddleware":
                meters = MeterProvider([InMemoryMetricReader()])
                return TracingMiddleware(self.player, EVERYTHING, meter_provider=meters)
            case "AccessLogMiddleware":
                return AccessLogMiddleware(self.player, log=log)
            case "ErrorsMiddleware":
                return ErrorsMiddleware(self.player, log=log)
        with contextlib.redirect_stdout(self._stream):
            return harden(self.player, Settings())

    def events(self) -> list[dict[str, Any]]:
        """What it has logged since it was asked last, when every line is what a line may be."""
        buffer = self._stream.buffer
        assert isinstance(buffer, io.BytesIO)
        text = buffer.getvalue().decode()
        buffer.seek(0)
        buffer.truncate()
        assert text == "" or text.endswith("\n")
        lines = text.split("\n")[:-1]
        for line in lines:
            assert min(line) >= " "
            assert not UNSAFE.search(line)
        return [json.loads(line, parse_constant=_refuse) for line in lines]

    def ended_spans(self) -> int:
        """How many spans have ended since it was asked last, when an exporter can send them all."""
        spans = self._spans.get_finished_spans()
        self._spans.clear()
        encode_spans(spans).SerializeToString()
        return len(spans)


def _refuse(constant: str) -> None:
    raise AssertionError(constant)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", [*TRANSPARENT, *ANSWERING])
def test_nothing_hostile_is_noticed_but_by_the_log(
    name: str, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No layer raises or changes a reply that it need not, and each request is one valid event and span."""
    subject = Subject(name, monkeypatch)
    dropped = EventLog.dropped, TracingMiddleware.dropped

    async def main() -> None:
        for number in range(part * COUNT, (part + 1) * COUNT):
            hostile = case(number)
            bare = await subject.player.play(subject.player, hostile)
            played = await subject.player.play(subject.app, hostile)
            try:
                judge(subject, hostile, bare, played)
            except AssertionError as error:
                error.add_note(f"{hostile}\n{bare}\n{played}")
                raise

    asyncio.run(main())
    assert (EventLog.dropped, TracingMiddleware.dropped) == dropped
    assert subject.compared > COUNT // 5
    assert subject.answered > COUNT // 50 or name in TRANSPARENT


def judge(subject: Subject, hostile: Case, bare: Played, played: Played) -> None:
    """Hold one exchange against the same one without the subject."""
    is_request = hostile.scope["type"] in REQUESTS
    asked = [event for event in subject.events() if event["event"] == "http.request"]
    if subject.name in {"AccessLogMiddleware", "harden"}:
        assert len(asked) == is_request
    if subject.name in {"TracingMiddleware", "harden"}:
        assert subject.ended_spans() == is_request
    # A body that is refused while the app reads it ends the app with an exception that goes no further.
    assert all(isinstance(error, BodyRefusedError) for error in played.strange)
    assert played.error is None or any(played.error is one for one in played.allowed)
    if is_request and subject.name in ANSWERING:
        # Not even that the client is gone comes out, unless a layer further out was about to refuse.
        assert not isinstance(played.error, Exception) or any("rejected_by" in event for event in asked)
        subject.answered += is_answered(bare, played)
    sent = expected(subject, hostile, bare.sent)
    if is_comparable(subject, hostile, bare, asked, denied=sent is not bare.sent):
        subject.compared += 1
        assert type(played.error) is type(bare.error)
        assert played.received == bare.received
        assert shown(subject, played.sent) == shown(subject, sent)


def is_comparable(
    subject: Subject, hostile: Case, bare: Played, asked: list[dict[str, Any]], *, denied: bool
) -> bool:
    """Whether there is nothing that a layer would have to reject, replace, or count otherwise."""
    broken = hostile.torn is not None or hostile.cut is not None
    if subject.name in TRANSPARENT:
        # A denial is two messages, so that the connection breaks elsewhere.
        return not (broken and denied)
    if hostile.scope["type"] not in REQUESTS:
        return True
    if broken or hostile.leaks or bare.raised or any(step.kind == "caught" for step in hostile.steps):
        return False
    return not asked or (hostile.whole and "rejected_by" not in asked[0])


def is_answered(bare: Played, played: Played) -> bool:
    """Whether an app that failed was answered for, with a whole problem that says nothing of the failure."""
    if not isinstance(played.raised, Exception) or played.sent == bare.sent or len(played.sent) < 2:
        return False
    start, body = played.sent[-2:]
    if (b"content-type", b"application/problem+json") not in start.get("headers", ()):
        return False
    assert start["status"] >= 400
    assert b"hunter2" not in body["body"]
    assert not body.get("more_body", False)
    return True


def expected(subject: Subject, hostile: Case, sent: list[Message]) -> list[Message]:
    """What the bare app sent, with a close before the accept as the denial that it is."""
    denies = subject.name in {"RequestIdMiddleware", "harden"} and hostile.scope["type"] == "websocket"
    if not (denies and accepts_denial(hostile.scope) and sent and sent[0]["type"] == "websocket.close"):
        return sent
    return [
        {"type": "websocket.http.response.start", "status": 403, "headers": [(b"content-length", b"0")]},
        {"type": "websocket.http.response.body", "body": b""},
        *sent[1:],
    ]


def shown(subject: Subject, sent: list[Message]) -> list[Message]:
    """Messages without the header lines that the layers add and take off."""
    own = OWN_LINES.get(subject.name, frozenset())
    return [
        {**message, "headers": [line for line in message.get("headers", ()) if line[0].lower() not in own]}
        for message in sent
    ]
