"""Secrets in twelve places and some more, an app that is careless with each, and none of them outside."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.integration.collector import collecting
from tests.masking import JWT
from tests.toolkit.server import conftest
from tests.toolkit.server.conftest import environment, running, wait_for
from tests.toolkit.server.wire import Reply, connected

if TYPE_CHECKING:
    from collections.abc import Iterator

SITES: Final = Path(__file__).parent / "sites"
INSTRUMENT: Final = str(Path(sys.executable).with_name("opentelemetry-instrument"))
SERVER: Final = Span.SPAN_KIND_SERVER
LOGS_TOO: Final = {
    "OTEL_LOGS_EXPORTER": "otlp",
    "OTEL_BLRP_SCHEDULE_DELAY": "50",
    "OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED": "true",
}
BROWSER: Final = "Accept: text/html"


def canary(place: str) -> str:
    """A secret that names where it was planted, and that has no shape by which it could be found."""
    return f"canary{place}flies"


class Planted(NamedTuple):
    """One place, and the request that puts the secret there."""

    place: str
    line: str
    headers: tuple[str, ...] = ()
    body: bytes = b""
    status: int = 500


PLACES: Final = (
    Planted("authorization", "GET /headers", (f"Authorization: Custom {canary('authorization')}",)),
    Planted("cookie", "GET /headers", (f"Cookie: theme=dark; session={canary('cookie')}",)),
    Planted("apikey", "GET /headers", (f"X-API-Key: {canary('apikey')}",)),
    Planted("query", f"GET /query?page=2&token={canary('query')}"),
    Planted("path", f"GET /reset/{canary('path')}"),
    Planted(
        "json", "POST /json", ("Content-Type: application/json",),
        json.dumps({"user": {"password": canary("json")}}).encode(),
    ),
    Planted(
        "form", "POST /form", ("Content-Type: application/x-www-form-urlencoded",),
        f"name=ann&password={canary('form')}".encode(),
    ),
    Planted("jwt", "GET /token"),
    Planted("local", "GET /local"),
    Planted("url", "GET /url", status=504),
    Planted("sent", "GET /debug"),
    Planted(
        "echo", "POST /accounts", ("Content-Type: application/json",),
        json.dumps({"password": canary("echo")}).encode(), 422,
    ),
)  # fmt: skip
# Places that are harder to see: within values, in what hangs on an exception, in replies that are not plain.
HARDER: Final = (
    Planted("nested", f"GET /fine?next=%252Fcallback%253Fcode%253D{canary('nested')}", status=200),
    Planted("semicolon", f"GET /fine?page=2;code={canary('semicolon')}", status=200),
    Planted("list", f"GET /fine?code[]={canary('list')}", status=200),
    Planted("many", f"GET /fine?{'page=2&' * 200}code={canary('many')}", status=200),
    Planted("slashes", f"GET /reset//{canary('slashes')}", status=404),
    Planted(
        "part", "POST /raw", ("Content-Type: multipart/form-data; boundary=xyz",),
        b'--xyz\r\nContent-Disposition: form-data; name="new_password1"\r\n\r\n'
        + canary("part").encode() + b"\r\n--xyz--\r\n",
    ),
    Planted("group", f"GET /group?token={canary('group')}"),
    Planted("cut", f"GET /long?token={canary('cut')}"),
    Planted("logged", "GET /logged", (f"X-API-Key: {canary('logged')}",), status=200),
    Planted("outgoing", "GET /outgoing", status=200),
    Planted("parts", "GET /parts"),
    Planted("packed", "GET /packed"),
    Planted("late", "GET /late"),
    Planted(
        "websocket", f"GET /nowhere?token={canary('websocket')}",
        ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), status=403,
    ),
)  # fmt: skip
EVERYWHERE: Final = (*PLACES, *HARDER)
NAMED: Final = tuple(canary(planted.place) for planted in EVERYWHERE if planted.place != "jwt")
SECRETS: Final = (*NAMED, JWT, canary("bearer"))
# An API client and a browser ask for each.
ASKED: Final = 2 * len(EVERYWHERE)


class Seen(NamedTuple):
    """Everything that the outside saw."""

    replies: dict[str, list[Reply]]
    stdout: str
    stderr: str
    spans: str
    metrics: str


# What the app has of its own that nobody may see.
OWN: Final = {
    "CANARY_JWT": JWT,
    "CANARY_BEARER": canary("bearer"),
    "CANARY_LOCAL": canary("local"),
    "CANARY_URL": f"postgresql://shop:{canary('url')}@db.example/shop",
    "CANARY_SENT": canary("sent"),
    "CANARY_OUTGOING": canary("outgoing"),
    "CANARY_PARTS": canary("parts"),
    "CANARY_PACKED": canary("packed"),
    "CANARY_LATE": canary("late"),
}
SETTINGS: Final = {
    **OWN,
    "GARRISON_REDACTION_PATHS": "/reset/{code}",
    "GARRISON_TRACING_REQUEST_HEADERS": "authorization,cookie,x-api-key,content-type",
}


def ask_for_all(port: int) -> dict[str, list[Reply]]:
    """What an API client and a browser get in each place."""
    replies: dict[str, list[Reply]] = {}
    for planted in EVERYWHERE:
        for accept in ("Accept: */*", BROWSER):
            with connected(port) as connection:
                length = (f"Content-Length: {len(planted.body)}",) if planted.body else ()
                connection.send(
                    f"{planted.line} HTTP/1.1", "Host: shop.example", accept, *planted.headers, *length,
                    body=planted.body,
                )  # fmt: skip
                replies.setdefault(planted.place, []).append(connection.reply())
    return replies


@pytest.fixture(scope="module", params=["written", "exported"])
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """The careless app under `garrison run`, with an SDK of its own or one that exports to a collector."""
    looking = {"written": seen_in_files, "exported": seen_by_a_collector}[request.param]
    with looking(tmp_path_factory.mktemp("canary")) as found:
        yield found


@contextmanager
def seen_in_files(folder: Path) -> Iterator[Seen]:
    """What comes out of an app that writes its spans and metrics down."""
    spans, points = folder / "spans", folder / "metrics"
    files = {"CANARY_SPANS": str(spans), "CANARY_METRICS": str(points)}
    with running(folder, "canary_site:app", directory=SITES, **SETTINGS, **files) as up:
        replies = ask_for_all(up.port)
        wait_for(lambda: up.stdout.count('"http.request"') == ASKED)
        wait_for(lambda: spans.read_text("utf-8").count('"kind": "SpanKind.SERVER"') == ASKED)
        wait_for(lambda: "http.server.request.duration" in points.read_text("utf-8"))
        time.sleep(0.3)
        yield Seen(replies, up.stdout, up.stderr, spans.read_text("utf-8"), points.read_text("utf-8"))


@contextmanager
def seen_by_a_collector(folder: Path) -> Iterator[Seen]:
    """What OpenTelemetry's own instrumentations and exporters send of traces, metrics and logs."""
    with collecting() as collector, pytest.MonkeyPatch.context() as patch:
        patch.setattr(conftest, "GARRISON", (INSTRUMENT, *conftest.GARRISON))
        environ = {**SETTINGS, **collector.environ, **LOGS_TOO}
        with running(folder, "canary_site:app", directory=SITES, **environ) as up:
            replies = ask_for_all(up.port)
            wait_for(lambda: up.stdout.count('"http.request"') == ASKED)
            wait_for(lambda: sum(span.kind == SERVER for _, span in collector.spans) == ASKED)
            wait_for(lambda: ("garrison", "http.server.request.duration") in collector.metrics)
            wait_for(lambda: any("no answer" in record.body.string_value for record in collector.records))
            everything = collector.everything.decode("latin-1")
            traces = " ".join(span.trace_id.hex() for _, span in collector.spans)
            yield Seen(replies, up.stdout, up.stderr, everything + traces, "")


def test_without_layers_each_place_leaks(tmp_path: Path) -> None:
    """Under plain uvicorn each of the secrets is in a reply or a log line: the app is as bad as it says."""
    log = tmp_path / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "canary_site:app", "--port", "0"],
            cwd=SITES, env=environment(OWN), stdout=stream, stderr=stream,
        )  # fmt: skip
    try:
        wait_for(lambda: re.search(r"running on http://127\.0\.0\.1:(\d+)", log.read_text("utf-8")))
        replies = ask_for_all(int(re.findall(r"127\.0\.0\.1:(\d+)", log.read_text("utf-8"))[0]))
    finally:
        process.terminate()
        process.wait(10)
    bodies = b"".join(reply.body for both in replies.values() for reply in both)
    text = log.read_text("utf-8") + bodies.decode("latin-1")
    assert [secret for secret in SECRETS if secret not in text] == []


@pytest.mark.parametrize("planted", EVERYWHERE, ids=lambda planted: planted.place)
def test_nothing_leaks(seen: Seen, planted: Planted) -> None:
    """The secret is in no reply, log line, span or measurement, and what was asked is known all the same."""
    secret = JWT if planted.place == "jwt" else canary(planted.place)
    for reply in seen.replies[planted.place]:
        assert reply.status == planted.status
        assert secret.encode() not in reply.body
        assert secret not in str(reply.lines)
    for stream in (seen.stdout, seen.stderr, seen.spans, seen.metrics):
        assert secret not in stream, [line for line in stream.splitlines() if secret in line]


@pytest.mark.parametrize("secret", SECRETS)
def test_no_part_of_it_leaks(seen: Seen, secret: str) -> None:
    """Not even half of a secret is anywhere."""
    half = secret[len(secret) // 3 :]
    assert half not in f"{seen.stdout}{seen.stderr}{seen.spans}{seen.metrics}"


def test_the_app_was_careless(seen: Seen) -> None:
    """Every failure was logged with its words around the mask, so that the test looks at something."""
    events = [json.loads(line) for line in seen.stdout.splitlines()]
    failures = [event for event in events if event["event"] == "unhandled_exception"]
    said = " ".join(event["exception.message"] for event in failures)
    for words in (
        "nobody is [redacted]", "no such token as [redacted]", "no such code as [redacted]", "bad document",
        "bad form", "upstream said no to [redacted]", "postgresql://[redacted]@db",
    ):  # fmt: skip
        assert words in said
    assert {event["error.type"] for event in failures} >= {"RuntimeError", "PermissionError", "TimeoutError"}


def test_one_id_joins_reply_log_and_span(seen: Seen) -> None:
    """Whoever has the id of an error finds its event, its traceback and its span."""
    reply = seen.replies["local"][0]
    identity = reply.json["request_id"]
    assert reply["x-request-id"] == identity
    events = [json.loads(line) for line in seen.stdout.splitlines() if identity in line]
    assert {event["event"] for event in events} >= {"unhandled_exception", "http.request"}
    (trace,) = {event["trace_id"] for event in events if "trace_id" in event}
    assert trace in seen.spans
    page = seen.replies["local"][1]
    assert page["content-type"] == "text/html; charset=utf-8"
    assert page["x-request-id"].encode() in page.body


def test_a_validation_error_says_what_is_wrong(seen: Seen) -> None:
    """Without its echo, FastAPI's reply still names the missing field."""
    (error,) = seen.replies["echo"][0].json["detail"]
    assert (error["type"], error["loc"]) == ("missing", ["body", "name"])
    assert "input" not in error
