"""`garrison run` while it serves: what clients see, and what it writes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from garrison import Settings
from tests.toolkit.ratelimit.servers import Server
from tests.toolkit.server.conftest import GARRISON, Running, environment, running, wait_for
from tests.toolkit.server.wire import ask, connected

if TYPE_CHECKING:
    from pathlib import Path


def test_the_app_is_served_hardened(shop: Running) -> None:
    """The app's own reply arrives with the headers of the layers, and its lifespan has run."""
    reply = ask(shop.port)
    assert (reply.status, reply.json["started"]) == (200, True)
    assert reply["x-content-type-options"] == "nosniff"
    assert len(reply["x-request-id"]) == 32
    assert "content-security-policy" in reply


@pytest.mark.parametrize("path", ["/", "/nothing-here", "/boom"])
def test_no_reply_names_the_server(shop: Running, path: str) -> None:
    """No Server header goes out, whoever made the reply."""
    reply = ask(shop.port, path)
    assert "server" not in reply
    assert b"uvicorn" not in reply.body


def test_forwarded_headers_count_from_this_machine_only(shop: Running) -> None:
    """A proxy on 127.0.0.1 is believed, as uvicorn's users expect, and another address is not."""
    headers = ("X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https")
    believed = ask(shop.port, "/", *headers)
    assert (believed.json["client"], believed.json["scheme"]) == ("203.0.113.9", "https")
    assert "strict-transport-security" in believed
    stranger = ask(shop.port, "/", *headers, source="127.0.0.9")
    assert (stranger.json["client"], stranger.json["scheme"]) == ("127.0.0.9", "http")
    assert "strict-transport-security" not in stranger


def test_one_event_a_request_on_stdout(shop: Running) -> None:
    """Each request is one access event with its id, and nothing else is on standard output."""
    before = shop.settled()
    ids = [ask(shop.port, path)["x-request-id"] for path in ("/?token=hunter2", "/nothing-here", "/")]
    events = shop.events_after(before, 3)
    assert [event["request_id"] for event in events] == ids
    assert [event["event"] for event in events] == ["http.request"] * 3
    assert [event["http.response.status_code"] for event in events] == [200, 404, 200]
    assert "hunter2" not in shop.stdout
    assert not [record for record in shop.records if record["logger"] == "uvicorn.access"]


def test_an_exception_is_logged_once(shop: Running) -> None:
    """One failure is one traceback, without the password, under the id that the client was given."""
    before, errors_before = shop.settled(), len(shop.records)
    reply = ask(shop.port, "/boom")
    assert (reply.status, reply["content-type"]) == (500, "application/problem+json")
    failure, access = shop.events_after(before, 2)
    assert (failure["event"], access["event"]) == ("unhandled_exception", "http.request")
    assert failure["request_id"] == access["request_id"] == reply.json["request_id"] == reply["x-request-id"]
    assert failure["exception.stacktrace"].count("Traceback (most recent call last)") == 1
    assert "hunter2" not in shop.stdout + shop.stderr
    assert len(shop.records) == errors_before


def test_what_an_app_logs_is_json_on_stderr(shop: Running) -> None:
    """Log records keep their extra fields, and warnings are records too."""
    ask(shop.port, "/says")
    sold, old = shop.records[-2:]
    assert (sold["event"], sold["logger"], sold["level"]) == ("sold 3", "shop", "warning")
    assert sold["article"] == "tea"
    assert "UserWarning: old tea" in old["event"]
    assert not [record for record in shop.records if "color_message" in record]


class TestBodies:
    """What becomes of a connection when a body was not read."""

    def test_a_big_upload_is_refused_before_it_is_sent(self, shop: Running) -> None:
        """A declared length over the bound is a 413 at once, and the connection ends."""
        with connected(shop.port) as connection:
            connection.send(
                "POST /read HTTP/1.1",
                "Host: shop.example",
                "Content-Type: application/json",
                "Content-Length: 50000000",
                body=b"[" * 1000,
            )
            reply = connection.reply()
            assert (reply.status, reply["connection"]) == (413, "close")
            assert reply["cache-control"] == "no-store"
            assert connection.is_closed()

    def test_expect_is_refused_without_an_invitation(self, shop: Running) -> None:
        """A client that asks first gets its 413 and no `100 Continue`."""
        with connected(shop.port) as connection:
            connection.send(
                "POST /read HTTP/1.1",
                "Host: shop.example",
                "Content-Type: application/json",
                "Content-Length: 50000000",
                "Expect: 100-continue",
            )
            reply = connection.reply()
            assert (reply.status, reply["connection"]) == (413, "close")
            assert connection.is_closed()

    def test_expect_within_bounds_is_invited(self, shop: Running) -> None:
        """A body that is welcome is invited and read."""
        with connected(shop.port) as connection:
            connection.send(
                "POST /read HTTP/1.1",
                "Host: shop.example",
                "Content-Type: application/json",
                "Content-Length: 2",
                "Expect: 100-continue",
            )
            assert connection.line().startswith(b"HTTP/1.1 100 ")
            assert connection.line() == b"\r\n"
            connection.socket.sendall(b"[]")
            assert connection.reply().body == b"2"

    def test_chunks_are_counted(self, shop: Running) -> None:
        """Without a declared length the bytes count as they come, and the rest is not waited for."""
        with connected(shop.port) as connection:
            connection.send(
                "POST /read HTTP/1.1",
                "Host: shop.example",
                "Content-Type: application/json",
                "Transfer-Encoding: chunked",
                body=b"98bd90\r\n" + b"1" * 10_010_000 + b"\r\n",
            )
            reply = connection.reply()
            assert (reply.status, reply["connection"]) == (413, "close")
            assert connection.is_closed()

    @pytest.mark.parametrize("path", ["/ignore", "/read"])
    def test_a_small_body_leaves_the_connection_usable(self, shop: Running, path: str) -> None:
        """A small body that nobody wanted does not end up in the next request."""
        with connected(shop.port) as connection:
            connection.send(
                f"POST {path} HTTP/1.1",
                "Host: shop.example",
                "Content-Type: text/plain",
                "Content-Length: 1000",
                body=b"GET /boom HTTP/1.1\r\n".ljust(1000),
            )
            assert connection.reply().status in {200, 403}
            connection.send("GET / HTTP/1.1", "Host: shop.example")
            assert connection.reply().json["started"] is True

    def test_a_refusal_with_a_small_body_leaves_the_connection_usable(self, shop: Running) -> None:
        """A refused request with little left to read is drained, so that the next one is answered."""
        with connected(shop.port) as connection:
            connection.send(
                f"POST /read?{'x' * 20_000} HTTP/1.1",
                "Host: shop.example",
                "Content-Length: 1000",
                body=b"GET /boom HTTP/1.1\r\n".ljust(1000),
            )
            reply = connection.reply()
            assert (reply.status, "connection" in reply) == (414, False)
            connection.send("GET / HTTP/1.1", "Host: shop.example")
            assert connection.reply().json["started"] is True


def test_settings_come_from_the_environment(tmp_path: Path) -> None:
    """FORWARDED_ALLOW_IPS is honoured, an env file is read, a factory is called, and SIGINT ends it well."""
    env_file = tmp_path / "env"
    env_file.write_text('GARRISON_RATE_LIMIT_LIMITS="2/hour"\nGARRISON_SERVER_TARGET=nowhere:app\n', "utf-8")
    with running(
        tmp_path, "--factory", "--env-file", str(env_file),
        FORWARDED_ALLOW_IPS="127.0.0.9", GARRISON_SERVER_TARGET="shop:make_app",
    ) as up:  # fmt: skip
        proxied = ask(up.port, "/", "X-Forwarded-For: 203.0.113.9", source="127.0.0.9")
        assert proxied.json["client"] == "203.0.113.9"
        assert ask(up.port, "/", "X-Forwarded-For: 203.0.113.9").json["client"] == "127.0.0.1"
        assert proxied["ratelimit-policy"].startswith('"2-per-hour"')
        assert up.stop(signal.SIGINT) == 0
        assert "Traceback" not in up.stderr
        assert all(isinstance(record["event"], str) for record in up.records)
        assert up.left() == {}


@pytest.mark.parametrize("ctrl_c", [False, True])
def test_workers_serve_and_stop(tmp_path: Path, ctrl_c: bool) -> None:
    """Several processes serve one port, whoever asked for them; SIGTERM or Ctrl-C ends them all."""
    name = tmp_path / "target"
    name.write_text("shop:app", "utf-8")
    words = ("shop:make_app", "--factory", "--workers", "2") if ctrl_c else ()
    count = "" if ctrl_c else "2"
    with running(tmp_path, *words, GARRISON_SERVER_TARGET_FILE=str(name), WEB_CONCURRENCY=count) as up:
        wait_for(lambda: up.stderr.count("Application startup complete") == 2)
        assert ask(up.port).status == 200
        assert "server" not in ask(up.port)
        assert ask(up.port, "/boom").status == 500
        wait_for(lambda: len(up.events) == 4)
        assert [event["event"] for event in up.events].count("http.request") == 3
        if ctrl_c:
            # A terminal sends it to every process of the command.
            os.killpg(up.process.pid, signal.SIGINT)
            assert up.process.wait(10) == 0
        else:
            assert up.stop() == 0
        wait_for(lambda: up.left() == {})
        assert len(up.records) > 4
        assert "Traceback" not in up.stderr


def test_workers_share_a_quota_at_a_server(tmp_path: Path) -> None:
    """Two processes that count at one Valkey let exactly the quota pass, whoever of them is asked."""
    words = ("shop:app", "--workers", "2")
    with (
        Server() as valkey,
        running(
            tmp_path,
            *words,
            GARRISON_RATE_LIMIT_LIMITS="20/hour",
            GARRISON_RATE_LIMIT_STORAGE=valkey.url,
            GARRISON_RATE_LIMIT_ALGORITHM="fixed-window",
            GARRISON_RATE_LIMIT_DEADLINE="5s",
        ) as up,
    ):
        wait_for(lambda: up.stderr.count("Application startup complete") == 2)
        with ThreadPoolExecutor(10) as pool:
            found = list(pool.map(lambda _: ask(up.port).status, range(60)))
        assert up.stop() == 0
        wait_for(lambda: up.left() == {})
        assert "Traceback" not in up.stderr
    assert (found.count(200), found.count(429)) == (20, 40)


def test_ipv6_is_served(tmp_path: Path) -> None:
    """An IPv6 address is listened on, and told as a URL has it."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    up = Running(("shop:app", "--host", "::1", "--port", "0"), {}, tmp_path)
    try:
        wait_for(lambda: "listening on http://[::1]:" in up.stderr)
        assert up.stop() == 0
    finally:
        up.clean()


def test_a_stop_does_not_wait_for_ever(tmp_path: Path) -> None:
    """A request that does not end is cut off after the grace that is set, quietly, with exit status 0."""
    with running(tmp_path, "waits:app", GARRISON_SERVER_GRACE="1s") as up, connected(up.port) as connection:
        connection.send("GET /?seconds=60 HTTP/1.1", "Host: shop.example")
        # Whoever comes later has an answer, so that the first request was seen; nothing is logged of it.
        assert ask(up.port, "/livez").status == 200
        begin = time.monotonic()
        assert up.stop() == 0
        # Nor for as long as it would without the setting.
        assert 0.9 < time.monotonic() - begin < Settings().server.grace
        assert "Traceback" not in up.stderr
        assert ("grace_over", 1) in [(record["event"], record.get("requests")) for record in up.records]
        (event,) = up.events
        assert (event["url.path"], event["rejected_by"], connection.reply().status) == ("/", "overload", 503)
        assert up.left() == {}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda one: one.name)
def test_signals_before_anything_is_served(tmp_path: Path, number: signal.Signals) -> None:
    """Stopped while the app is still imported, the command ends before it is, without a word of Python."""
    (tmp_path / "slow.py").write_text(
        "import sys, time\n"
        "print('importing', file=sys.stderr, flush=True)\n"
        "time.sleep(40)\n"
        "print('imported', file=sys.stderr, flush=True)\n",
        "utf-8",
    )
    process = subprocess.Popen(
        [*GARRISON, "run", "slow:app", "--port", "0"], cwd=tmp_path, text=True,
        stderr=subprocess.PIPE, env=environment({}),
    )  # fmt: skip
    assert process.stderr is not None
    try:
        assert process.stderr.readline() == "importing\n"
        process.send_signal(number)
        # Up to the end of the process.
        assert process.stderr.read() == ""
        assert process.wait() == 0
    finally:
        process.kill()
        process.communicate()


def test_the_console_form_is_for_people(tmp_path: Path) -> None:
    """In development the log on both streams is text, and the exception is in it once."""
    with running(tmp_path, "shop:app", GARRISON_PROFILE="development") as up:
        ask(up.port, "/boom")
        wait_for(lambda: "] GET /boom 500 " in up.stdout)
        assert up.stdout.count("Traceback (most recent call last)") == 1
        assert not up.stdout.startswith("{")
        assert "listening on http://127.0.0.1:" in up.stderr
        assert not up.stderr.startswith("{")


def test_replies_on_a_kept_connection_do_not_wait_for_acknowledgements(shop: Running) -> None:
    """Small replies on one connection come at once, and not each 40 ms later as with Nagle's algorithm."""
    took = []
    with connected(shop.port) as connection:
        for _ in range(40):
            started = time.monotonic()
            connection.send("GET / HTTP/1.1", "Host: shop.example")
            assert connection.reply().status == 200
            took.append(time.monotonic() - started)
    # The first are acknowledged at once in any case; of the others all would wait, however fast the machine.
    assert min(took[20:]) < 0.04


@pytest.mark.parametrize("workers", ["1", "2"])
def test_that_it_listens_is_said_when_it_does(tmp_path: Path, workers: str) -> None:
    """Whoever waits for the line finds the app started."""
    gate = tmp_path / "gate"
    up = Running(("late:app", "--port", "0", "--workers", workers), {"SHOP_MAY_START": str(gate)}, tmp_path)
    try:
        wait_for(lambda: "Waiting for application startup" in up.stderr)
        assert "listening on" not in up.stderr
        gate.touch()
        up.wait_until_up()
        assert up.stop() == 0
        assert up.stderr.count("listening on") == 1
    finally:
        up.clean()
