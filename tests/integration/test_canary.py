"""Secrets in twelve places, an app that is careless with each, and not one of them anywhere outside."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from tests.masking import JWT
from tests.toolkit.server.conftest import running, wait_for
from tests.toolkit.server.wire import Reply, connected

if TYPE_CHECKING:
    from collections.abc import Iterator

SITES: Final = Path(__file__).parent / "sites"
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
SECRETS: Final = (*(canary(planted.place) for planted in PLACES), JWT, canary("bearer"))


class Seen(NamedTuple):
    """Everything that the outside saw."""

    replies: dict[str, list[Reply]]
    stdout: str
    stderr: str
    spans: str
    metrics: str


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """The careless app under `garrison run`, asked by an API client and by a browser."""
    folder = tmp_path_factory.mktemp("canary")
    spans, points = folder / "spans", folder / "metrics"
    with running(
        folder, "canary_site:app", directory=SITES,
        CANARY_SPANS=str(spans), CANARY_METRICS=str(points), CANARY_JWT=JWT, CANARY_BEARER=canary("bearer"),
        CANARY_LOCAL=canary("local"), CANARY_URL=f"postgresql://shop:{canary('url')}@db.example/shop",
        CANARY_SENT=canary("sent"), GARRISON_REDACTION_PATHS="/reset/{code}",
        GARRISON_TRACING_REQUEST_HEADERS="authorization,cookie,x-api-key,content-type",
    ) as up:  # fmt: skip
        replies: dict[str, list[Reply]] = {}
        for planted in PLACES:
            for accept in ("Accept: */*", BROWSER):
                with connected(up.port) as connection:
                    length = (f"Content-Length: {len(planted.body)}",) if planted.body else ()
                    connection.send(
                        f"{planted.line} HTTP/1.1", "Host: shop.example", accept, *planted.headers, *length,
                        body=planted.body,
                    )  # fmt: skip
                    replies.setdefault(planted.place, []).append(connection.reply())
        wait_for(lambda: up.stdout.count('"http.request"') == 2 * len(PLACES))
        wait_for(lambda: spans.read_text("utf-8").count('"kind": "SpanKind.SERVER"') == 2 * len(PLACES))
        wait_for(lambda: "http.server.request.duration" in points.read_text("utf-8"))
        time.sleep(0.3)
        yield Seen(replies, up.stdout, up.stderr, spans.read_text("utf-8"), points.read_text("utf-8"))


@pytest.mark.parametrize("planted", PLACES, ids=lambda planted: planted.place)
def test_nothing_leaks(seen: Seen, planted: Planted) -> None:
    """The secret is in no reply, log line, span or measurement, and what was asked is known all the same."""
    secret = canary(planted.place)
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
