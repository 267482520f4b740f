"""`garrison run` takes a body in before it gives a thread of a WSGI app to the request."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.toolkit.server.conftest import Running, running, wait_for
from tests.toolkit.server.wire import Connection, Reply, ask, connected

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "Host: shop.example"
STREAM = "Content-Type: application/octet-stream"
# Too large for memory, with lines and without an end of line at its end.
LARGE = b"".join(b"%d: a line of no meaning\n" % number for number in range(40_000)) + b"the end"
SHORT = b"two\nlines"

linux = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks into /proc")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that is not there; once it is, `/held` goes on."""
    return tmp_path_factory.mktemp("release") / "go-on"


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory, release: Path) -> Iterator[Running]:
    """The app with one thread, for bodies of up to 4 MB; whose client leaves is cancelled."""
    with running(
        tmp_path_factory.mktemp("one"),
        "uploads:app",
        RELEASE=str(release),
        GARRISON_SERVER_CANCEL_ON_DISCONNECT="on",
        GARRISON_SERVER_WSGI_THREADS="1",
        GARRISON_REQUEST_LIMITS_MAX_UPLOAD="4MB",
    ) as up:
        yield up


@pytest.fixture(scope="module")
def poor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The app where no file can be written, and where nobody may be silent for long."""
    with running(
        tmp_path_factory.mktemp("poor"),
        "uploads:app",
        NO_TEMPORARY_FILES="1",
        GARRISON_TIMEOUTS_BODY_GRACE="300ms",
    ) as up:
        yield up


def post(
    connection: Connection, path: str, body: bytes, *lines: str, length: int | None = None
) -> Connection:
    """Send a request of so many bytes, or of as many as there are."""
    size = len(body) if length is None else length
    connection.send(f"POST {path} HTTP/1.1", HOST, STREAM, f"Content-Length: {size}", *lines, body=body)
    return connection


def chunked(body: bytes, size: int = 100_000) -> bytes:
    """A body in chunks of so many bytes."""
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in [*chunks, b""])


def got(reply: Reply) -> str:
    """What the app found in a body."""
    assert reply.status == 200, reply
    return str(reply.json["body"])


def digest(body: bytes) -> str:
    """What the app should have found."""
    return hashlib.sha256(body).hexdigest()


def calls(up: Running, path: str) -> int:
    """How often the app was called."""
    return up.stderr.count(f"called: {path}\n")


def event_of(up: Running, path: str) -> dict[str, Any]:
    """The event of the only request for a path, which may be behind what its client sees."""
    wait_for(lambda: any(event.get("url.path") == path for event in up.events))
    (event,) = [event for event in up.events if event.get("url.path") == path]
    return event


def files(up: Running) -> int:
    """How many files without a name the server has open."""
    folder = Path(f"/proc/{up.process.pid}/fd")
    found = 0
    for entry in folder.iterdir():
        try:
            found += str(entry.readlink()).endswith("(deleted)")
        except OSError:
            continue
    return found


def test_slow_bodies_hold_up_nobody(one: Running) -> None:
    """With one thread, and three who have not sent everything, the next is answered, and then those three."""
    with ExitStack() as stack:
        slow = [stack.enter_context(connected(one.port)) for _ in range(3)]
        for connection in slow:
            post(connection, "/late", LARGE[:-7], length=len(LARGE))
        assert ask(one.port).status == 200
        assert calls(one, "/late") == 0
        for connection in slow:
            connection.socket.sendall(LARGE[-7:])
        assert [got(connection.reply()) for connection in slow] == [digest(LARGE)] * 3


@pytest.mark.parametrize("body", [SHORT, LARGE], ids=["in memory", "in a file"])
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_bodies_arrive_whole(body: bytes, framing: str, one: Running) -> None:
    """However it was sent and wherever it was kept, an app reads all of it, and knows how long it is."""
    with connected(one.port) as connection:
        if framing == "length":
            post(connection, "/", body)
        else:
            line = "Transfer-Encoding: chunked"
            connection.send("POST / HTTP/1.1", HOST, STREAM, line, body=chunked(body))
        reply = connection.reply()
    assert got(reply) == digest(body)
    assert reply.json["length"] == str(len(body))
    assert (reply.json["coding"], reply.json["terminated"]) == (None, True)


def test_a_request_without_a_body_has_none(one: Running) -> None:
    """It is at its end at once, and its length is not told."""
    reply = ask(one.port)
    assert got(reply) == digest(b"")
    assert reply.json["length"] is None


def test_requests_behind_a_body_are_answered(one: Running) -> None:
    """Read or unread, large or small: what follows on the same connection gets its own reply."""
    with connected(one.port) as connection:
        for path, body in (("/unread", LARGE), ("/unread", SHORT), ("/", LARGE), ("/", SHORT)):
            post(connection, path, body)
        connection.send("GET / HTTP/1.1", HOST)
        found = [got(connection.reply()) for _ in range(5)]
    assert found == ["", "", digest(LARGE), digest(SHORT), digest(b"")]


def test_who_asks_before_sending_is_told_to(one: Running) -> None:
    """A client that expects 100 gets it, and then its reply."""
    with connected(one.port) as connection:
        post(connection, "/", b"", "Expect: 100-continue", length=len(LARGE))
        assert connection.line().startswith(b"HTTP/1.1 100 ")
        assert connection.line() == b"\r\n"
        connection.socket.sendall(LARGE)
        assert got(connection.reply()) == digest(LARGE)


def test_what_is_too_large_never_reaches_the_app(one: Running) -> None:
    """The bound on bodies counts what comes, also once it is in a file."""
    line = "Transfer-Encoding: chunked"
    with connected(one.port) as connection:
        connection.send("POST /large HTTP/1.1", HOST, STREAM, line, body=chunked(b"x" * 4_100_000))
        assert connection.reply().status == 413
    assert calls(one, "/large") == 0


@linux
@pytest.mark.parametrize("sent", [b"abc", LARGE], ids=["in memory", "in a file"])
def test_who_leaves_before_the_end_never_reaches_the_app(sent: bytes, one: Running) -> None:
    """The log has one who left, and nothing is kept of what came."""
    path = f"/left-after-{len(sent)}"
    with connected(one.port) as connection:
        post(connection, path, sent, length=len(sent) + 1)
        wait_for(lambda: files(one) == (sent == LARGE))
    event = event_of(one, path)
    assert (event["outcome"], event["http.response.status_code"]) == ("client_gone", 499)
    assert calls(one, path) == 0
    wait_for(lambda: files(one) == 0)


def test_who_sends_too_slowly_is_told(poor: Running) -> None:
    """A body that stops gets its 408 without a thread."""
    with connected(poor.port) as connection:
        post(connection, "/stops", b"abc", length=10)
        assert connection.reply().status == 408
    assert calls(poor, "/stops") == 0


def test_without_a_place_for_files_only_large_bodies_are_refused(poor: Running) -> None:
    """They get a 503 and the operator one line with what to do; all others are served."""
    for _ in range(2):
        with connected(poor.port) as connection:
            post(connection, "/", LARGE)
            reply = connection.reply()
            assert (reply.status, reply["retry-after"]) == (503, "1")
            assert "no room" in reply.json["detail"]
    with connected(poor.port) as connection:
        assert got(post(connection, "/", LARGE[:500_000]).reply()) == digest(LARGE[:500_000])
    poor.settled()
    refused = [event for event in poor.events if event.get("rejected_by") == "server"]
    assert [event["http.response.status_code"] for event in refused] == [503, 503]
    wait_for(lambda: "body_not_kept" in poor.stderr)
    (line,) = [line for line in poor.stderr.splitlines() if "body_not_kept" in line]
    assert "/nonexistent/tmp" in line
    assert "TMPDIR" in line


@linux
def test_a_request_that_is_cancelled_keeps_its_file_as_long_as_its_thread(
    one: Running, release: Path
) -> None:
    """Whose client has left reads on what it was given, and then the file is gone."""
    with connected(one.port) as connection:
        post(connection, "/held", LARGE[:-7], length=len(LARGE))
        wait_for(lambda: files(one) == 1)
        connection.socket.sendall(LARGE[-7:])
        wait_for(lambda: calls(one, "/held") == 1)
    assert event_of(one, "/held")["http.response.status_code"] == 499
    assert files(one) == 1
    release.touch()
    wait_for(lambda: f"read whole: {digest(LARGE)}" in one.stderr)
    wait_for(lambda: files(one) == 0)
