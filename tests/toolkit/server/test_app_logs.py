"""What an app logs under `garrison run`: in one format, once, joined to its request, without secrets."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.toolkit.server.conftest import APPS, GARRISON, Running, environment, running, wait_for
from tests.toolkit.server.wire import ask

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Where the app logs an exception, with the standard library or with structlog, and lets it go on.
LOGS, TELLS = "/logs-and-raises", "/tells-and-raises"
TRACEPARENT = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture(scope="module")
def talks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The app that has configured nothing."""
    with running(tmp_path_factory.mktemp("talks"), "talks:app") as up:
        yield up


def lines_of(up: Running, request_id: str) -> list[dict[str, Any]]:
    """The log records of one request, when it is over and its own event is written."""
    wait_for(lambda: request_id in up.stdout)
    return [record for record in up.records if record.get("request_id") == request_id]


def test_every_line_is_joined_to_its_request(talks: Running) -> None:
    """Lines of stdlib loggers and of structlog have one format, the id of the reply, and no secret."""
    request_id = ask(talks.port, "/sells")["x-request-id"]
    sold, stored = lines_of(talks, request_id)
    assert {**sold, "timestamp": ""} == {
        "timestamp": "", "level": "info", "event": "sold tea", "logger": "shop",
        "request_id": request_id, "price": 3, "password": "[redacted]",
    }  # fmt: skip
    assert {**stored, "timestamp": ""} == {
        "timestamp": "", "level": "info", "event": "stored", "logger": "shop.events",
        "request_id": request_id, "article": "tea", "dsn": "postgresql://[redacted]@db/shop",
        "headers": {"Cookie": "[redacted]", "Accept": "*/*"},
    }  # fmt: skip
    (threaded,) = lines_of(talks, ask(talks.port, "/thread")["x-request-id"])
    assert threaded["event"] == "sold in a thread"


def test_what_is_logged_beside_requests_has_no_id(talks: Running) -> None:
    """The app's startup and the server's own lines belong to no request."""
    ask(talks.port, "/sells")
    own = {"opened", "Waiting for application startup."}
    beside = [record for record in talks.records if record["event"] in own]
    assert len(beside) == 2
    assert not [record for record in beside if "request_id" in record]


def test_an_exception_has_one_traceback_and_no_locals(talks: Running) -> None:
    """Logged twice, it is shown once; the failure of a thread is a line, too, and none has the password."""
    lines = lines_of(talks, ask(talks.port, "/fails")["x-request-id"])
    assert [line["event"] for line in lines] == ["handled", "also handled", "unraisable_exception"]
    assert [line["error.type"] for line in lines] == ["RuntimeError", "RuntimeError", "LookupError"]
    assert lines[0]["exception.stacktrace"].count("Traceback (most recent call last)") == 1
    assert "exception.stacktrace" not in lines[1]
    (thread,) = [record for record in talks.records if record["event"] == "thread_failed"]
    assert (thread["error.type"], thread["thread.name"]) == ("LookupError", "stock")
    assert "Traceback" in thread["exception.stacktrace"]
    assert "hunter2" not in talks.stderr


@pytest.mark.parametrize("path", ["/raises", "/logs-and-raises"])
def test_an_exception_that_goes_on_has_one_traceback(talks: Running, path: str) -> None:
    """Whether the app logs what it raises or not, one traceback is in all that is written."""
    reply = ask(talks.port, path)
    lines = lines_of(talks, reply["x-request-id"])
    wait_for(lambda: talks.stdout.count(reply["x-request-id"]) == 2)
    failure = next(event for event in talks.events if event["request_id"] == reply["x-request-id"])
    assert (reply.status, failure["event"]) == (500, "unhandled_exception")
    tracebacks = [line for line in [failure, *lines] if "Traceback" in str(line)]
    assert len(tracebacks) == 1
    assert "hunter2" not in talks.stdout + talks.stderr


def test_no_line_breaks_or_forges_another(talks: Running) -> None:
    """Control characters, surrogates, huge texts, wrong arguments and names of ours stay within a line."""
    request_id = ask(talks.port, "/forges")["x-request-id"]
    long, wrong, names, warning = lines_of(talks, request_id)
    assert long["event"].startswith('name\r\n{"event": "forged"}')
    assert len(long["event"]) < 10_000
    assert (wrong["event"], wrong["log.arguments"]) == ("%d items", ["three"])
    assert (names["event"], names["level"], names["request_id"]) == ("level", "info", request_id)
    forged = {"extra.level": "forged", "extra.timestamp": 1, "extra.request_id": "forged"}
    assert names == {**names, **forged}
    assert "UserWarning: old tea" in warning["event"]
    assert not {"\x1b", "\x9b", "\r"} & set(talks.stderr)
    assert "--- Logging error ---" not in talks.stderr


def test_a_trace_is_in_every_line(tmp_path: Path) -> None:
    """With an SDK, a line has the ids of the span that it was written in, and of the caller's trace."""
    with running(tmp_path, "talks:app", TALKS="traced") as up:
        reply = ask(up.port, "/span", TRACEPARENT)
        (line,) = lines_of(up, reply["x-request-id"])
        assert (line["trace_id"], line["span_id"]) == (TRACEPARENT[16:48], reply.body.decode())
        assert not [name for name in line if name.startswith("extra.")]
        # Its request had no id of its own.
        assert reply["x-request-id"] == TRACEPARENT[16:48]
        (event,) = [event for event in up.events_after(0, 1) if event["trace_id"] == line["trace_id"]]
        assert event["span_id"] != line["span_id"]


def test_the_console_form_is_one_line_each(tmp_path: Path) -> None:
    """In development lines are text, redacted and escaped all the same."""
    with running(tmp_path, "talks:app", GARRISON_PROFILE="development") as up:
        ask(up.port, "/sells")
        ask(up.port, "/forges")
        wait_for(lambda: "old tea" in up.stderr)
        assert "hunter2" not in up.stderr
        assert not {"\x1b", "\x9b", "\r"} & set(up.stderr)
        assert not [line for line in up.stderr.splitlines() if line.startswith("{")]


class TestOwnConfiguration:
    """An app that configures its logging has its way, and no line is there twice.

    What it has shown of an exception our event does not show again.
    """

    def run(self, logs: Path, mode: str, raising: str = "") -> tuple[Running, str]:
        """The streams of an app after a request, and the id of that; then one that raises, shown once."""
        with running(logs, "talks:app", TALKS=mode) as up:
            request_id = ask(up.port, "/sells")["x-request-id"]
            wait_for(lambda: request_id in up.stdout)
            if raising:
                assert ask(up.port, raising).status == 500
                wait_for(lambda: up.stdout.count('"event":"http.request"') == 2)
            assert up.stop() == 0
        found = up.stdout + up.stderr
        assert found.count("Traceback (most recent call last)") == bool(raising)
        assert found.count('"event":"unhandled_exception"') == bool(raising)
        return up, request_id

    def test_on_a_logger(self, tmp_path: Path) -> None:
        """Its own handler writes its lines, ours all others; `dictConfig` does not silence the server."""
        up, _ = self.run(tmp_path, "logger", LOGS)
        assert up.stderr.count("sold tea") == 1
        assert "own INFO shop sold tea\n" in up.stderr
        (stored,) = [json.loads(line) for line in up.stderr.splitlines() if "stored" in line]
        assert stored["article"] == "tea"
        assert up.stderr.count("Application startup complete") == 1
        assert up.stderr.count("listening on http://") == 1

    @pytest.mark.parametrize("mode", ["root", "late"])
    def test_on_the_root_logger(self, tmp_path: Path, mode: str) -> None:
        """Then all lines are its own, those of the server too; also where it comes in the startup."""
        up, _ = self.run(tmp_path, mode, LOGS)
        assert up.stderr.count("sold tea") == 1
        assert "own INFO shop sold tea\n" in up.stderr
        assert up.stderr.count("Application startup complete") == 1
        assert "own INFO uvicorn.error Application startup complete" in up.stderr

    def test_a_handler_beside_ours(self, tmp_path: Path) -> None:
        """What the app's own handler shows is not shown twice."""
        up, _ = self.run(tmp_path, "handler", LOGS)
        assert up.stderr.count("sold tea") == 1
        assert "\nsold tea\n" in up.stderr

    @pytest.mark.parametrize("mode", ["structlog", "processors"])
    def test_structlog(self, tmp_path: Path, mode: str) -> None:
        """Its own processors write its events, with our id by `merge_contextvars`; they may be all it has."""
        up, request_id = self.run(tmp_path, mode, TELLS)
        (stored,) = [event for event in up.events if event["event"] == "stored"]
        assert (stored["request_id"], "timestamp" in stored) == (request_id, False)
        assert "stored" not in up.stderr
        assert up.stderr.count("sold tea") == 1

    def test_structlog_rendering_for_the_standard_library(self, tmp_path: Path) -> None:
        """An event that comes as rendered JSON is no JSON within JSON, and is redacted like all others."""
        up, request_id = self.run(tmp_path, "recipe")
        (stored,) = [record for record in up.records if record["event"] == "stored"]
        assert (stored["logger"], stored["article"]) == ("shop.events", "tea")
        assert stored["request_id"] == request_id
        assert "hunter2" not in up.stderr + up.stdout

    def test_a_queue(self, tmp_path: Path) -> None:
        """A handler behind a queue shows a line as well as one without."""
        up, _ = self.run(tmp_path, "queue", LOGS)
        assert up.stderr.count("sold tea") == 1
        assert "\nsold tea\n" in up.stderr
        assert up.stderr.count('"event":"stored"') == 1

    @pytest.mark.parametrize(("mode", "raising"), [("apart", LOGS), ("structlog for people", TELLS)])
    def test_what_shows_exceptions_in_a_form_of_its_own(
        self, tmp_path: Path, mode: str, raising: str
    ) -> None:
        """A handler that takes all there is, or text for people: they need no second traceback either."""
        self.run(tmp_path, mode, raising)


class TestLitestar:
    """What Litestar sets up for an app that says nothing of logging gives way."""

    def test_its_lines_have_our_form(self, tmp_path: Path) -> None:
        """JSON with the id of the request, redacted; with several workers, too, and one traceback at most."""
        with running(tmp_path, "stars:app", "--workers", "2") as up:
            request_id = ask(up.port, "/sells")["x-request-id"]
            (line,) = lines_of(up, request_id)
            assert (line["event"], line["logger"]) == ("sold at postgresql://[redacted]@db/shop", "stars")
            failed = ask(up.port, "/raises")["x-request-id"]
            (uncaught,) = lines_of(up, failed)
            assert uncaught["logger"] == "litestar"
            found = up.stdout + up.stderr
        assert found.count("Traceback (most recent call last)") == 1
        assert "hunter2" not in found

    def test_what_the_app_says_stays(self, tmp_path: Path) -> None:
        """A format of its own is the app's own configuration."""
        with running(tmp_path, "stars:app", STARS="own") as up:
            ask(up.port, "/sells")
            wait_for(lambda: "own INFO stars sold" in up.stderr)
            assert up.stop() == 0
        assert up.stderr.count("sold at") == 1


def test_the_level_is_a_setting(tmp_path: Path) -> None:
    """Lines of stdlib and structlog come from that level on."""
    with running(tmp_path, "talks:app", GARRISON_SERVER_LOG_LEVEL="debug") as up:
        request_id = ask(up.port, "/whispers")["x-request-id"]
        said = [line["event"] for line in lines_of(up, request_id) if line["logger"] != "asyncio"]
    both = ["debug of stdlib", "debug of structlog", "info of stdlib", "info of structlog"]
    assert said == [*both, "done"]


def test_lines_of_two_workers_do_not_mix(tmp_path: Path) -> None:
    """With a slow reader of one pipe, long lines of two processes stay whole."""
    process = subprocess.Popen(
        [*GARRISON, "run", "talks:app", "--workers", "2", "--port", "0"],
        cwd=APPS, env=environment({}), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    found = bytearray()
    assert process.stderr is not None
    descriptor = process.stderr.fileno()

    def read_slowly() -> None:
        while piece := os.read(descriptor, 3000):
            found.extend(piece)
            time.sleep(0.0005)

    reader = threading.Thread(target=read_slowly)
    reader.start()
    try:
        wait_for(lambda: found.count(b"Application startup complete") == 2 and b"listening on" in found)
        port = int(bytes(found).split(b"listening on http://127.0.0.1:")[1].split()[0])
        with ThreadPoolExecutor(8) as pool:
            workers = set(pool.map(lambda _: ask(port, "/long").body, range(100)))
        assert len(workers) == 2
    finally:
        process.terminate()
        assert process.wait(20) == 0
        reader.join(20)
        process.stderr.close()
    lines = [json.loads(line) for line in found.splitlines()]
    texts = [line["text"] for line in lines if line["event"] in {"long", "short"}]
    assert len(texts) == 200
    assert all(len(set(text.partition("\n")[0])) == 1 for text in texts)
