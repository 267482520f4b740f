"""What becomes of requests when `garrison run` is told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.toolkit.server.callers import call_until_refused
from tests.toolkit.server.conftest import Running, running, wait_for
from tests.toolkit.server.wire import ask, connected

if TYPE_CHECKING:
    from pathlib import Path


def wait_for_workers(up: Running, count: int) -> None:
    """Wait until so many processes have started."""
    wait_for(lambda: up.stderr.count("Application startup complete") >= count)


@pytest.mark.parametrize("workers", [1, 2])
def test_nothing_accepted_is_lost(tmp_path: Path, workers: int) -> None:
    """Clients that never pause get every reply, are told that their connection ends, and then are refused."""
    with running(tmp_path, "waits:app", "--workers", str(workers), GARRISON_SERVER_DRAIN_DELAY="300ms") as up:
        wait_for_workers(up, workers)
        stop = asyncio.run(call_until_refused(up.port, 32, 0.2, up.process.terminate))
        assert up.process.wait(10) == 0
        assert up.left() == {}
    assert stop["lost"] == 0
    assert stop["refused"] == 32
    assert stop["closed"] >= 32
    assert set(stop) == {"200", "closed", "refused"}


def test_work_goes_on_until_the_delay_is_over(tmp_path: Path) -> None:
    """Readiness is refused at once, and everybody else is served as before for the whole delay."""
    with running(tmp_path, "waits:app", GARRISON_SERVER_DRAIN_DELAY="600ms") as up:
        assert ask(up.port, "/readyz").status == 200
        told = time.monotonic()
        up.process.terminate()
        wait_for(lambda: ask(up.port, "/readyz").status == 503)
        replies = []
        while time.monotonic() < told + 0.5:
            reply = ask(up.port)
            # One that comes later may be of the time after the delay.
            if time.monotonic() < told + 0.6:
                replies.append((reply.status, "connection" in reply))
            time.sleep(0.05)
        assert set(replies) == {(200, False)}
        assert up.process.wait(10) == 0


def test_a_drain_that_a_file_has_begun_ends_with_the_signal(tmp_path: Path) -> None:
    """A hook may have been first: the server ends when it is told to, and waits for no second delay."""
    file = tmp_path / "drain"
    with running(
        tmp_path, "waits:app", GARRISON_HEALTH_DRAIN_FILE=str(file), GARRISON_SERVER_DRAIN_DELAY="1s"
    ) as up:
        assert ask(up.port, "/readyz").status == 200
        file.touch()
        wait_for(lambda: ask(up.port, "/readyz").status == 503)
        assert up.stop() == 0
        told = [record["event"] for record in (*up.events, *up.records)]
        assert told.count("draining") == 1


def test_a_request_under_way_gets_the_grace(tmp_path: Path) -> None:
    """A reply that takes longer than the delay arrives whole, and says that the connection ends."""
    with (
        running(tmp_path, "waits:app", GARRISON_SERVER_DRAIN_DELAY="100ms") as up,
        ThreadPoolExecutor() as pool,
    ):
        slow = pool.submit(ask, up.port, "/?seconds=1")
        wait_for(lambda: ask(up.port).status == 200)
        time.sleep(0.1)
        up.process.terminate()
        reply = slow.result()
        assert (reply.status, reply["connection"]) == (200, "close")
        assert up.process.wait(10) == 0
        assert {"draining", "ending"} <= {record["event"] for record in up.records}


def test_a_kept_connection_has_a_last_reply(tmp_path: Path) -> None:
    """A client that was idle when the end began is answered once more, and told that the connection ends."""
    with running(tmp_path, "waits:app") as up, connected(up.port) as connection:
        connection.send("GET / HTTP/1.1", "Host: shop.example")
        assert "connection" not in connection.reply()
        up.process.terminate()
        wait_for(lambda: "ending" in up.stderr)
        time.sleep(0.4)
        connection.send("GET / HTTP/1.1", "Host: shop.example")
        reply = connection.reply()
        assert (reply.status, reply["connection"]) == (200, "close")
        assert connection.is_closed()
        assert up.process.wait(10) == 0


def test_idle_connections_do_not_hold_up_the_end(tmp_path: Path) -> None:
    """Who asks nothing more is waited for as long as a connection is kept, and Ctrl-C does not wait."""
    for number, keep_alive, waits in ((signal.SIGTERM, 2, True), (signal.SIGINT, 12, False)):
        with (
            running(tmp_path, "waits:app", GARRISON_SERVER_KEEP_ALIVE=f"{keep_alive}s") as up,
            connected(up.port) as connection,
            connected(up.port),
        ):
            connection.send("GET / HTTP/1.1", "Host: shop.example")
            connection.reply()
            begin = time.monotonic()
            assert up.stop(number) == 0
            # Of the time that the connections are kept for, a second may be over already.
            assert (time.monotonic() - begin > keep_alive - 1) is waits, number


def test_ctrl_c_waits_for_no_balancer(tmp_path: Path) -> None:
    """SIGINT skips the delay, also while it runs, and still finishes what is under way."""
    with (
        running(tmp_path, "waits:app", GARRISON_SERVER_DRAIN_DELAY="20s") as up,
        ThreadPoolExecutor() as pool,
    ):
        slow = pool.submit(ask, up.port, "/?seconds=0.7")
        time.sleep(0.2)
        begin = time.monotonic()
        up.process.terminate()
        time.sleep(0.2)
        assert up.stop(signal.SIGINT) == 0
        assert time.monotonic() - begin < 19, "it has waited for the delay"
        assert slow.result().status == 200


def test_a_second_ctrl_c_waits_for_nothing(tmp_path: Path) -> None:
    """Whoever insists does not wait for requests either."""
    with running(tmp_path, "waits:app") as up, connected(up.port) as connection:
        connection.send("GET /?seconds=15 HTTP/1.1", "Host: shop.example")
        time.sleep(0.2)
        begin = time.monotonic()
        up.process.send_signal(signal.SIGINT)
        wait_for(lambda: "ending" in up.stderr)
        assert up.stop(signal.SIGINT) == 0
        assert time.monotonic() - begin < 14, "it has waited for the request"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_thread_does_not_hold_up_the_end(tmp_path: Path, workers: str) -> None:
    """What cannot be cancelled is left behind soon after the grace, and said to be."""
    with (
        running(
            tmp_path,
            *("gated:app", "--workers", workers),
            GARRISON_SERVER_DRAIN_DELAY="0s",
            GARRISON_SERVER_GRACE="1s",
            SHOP_AWAY=str(tmp_path / "away"),
        ) as up,
        connected(up.port) as connection,
    ):
        connection.send("GET /sleeps?seconds=30 HTTP/1.1", "Host: shop.example")
        wait_for(lambda: ask(up.port).status == 200)
        assert up.stop() == 0
        assert connection.reply().status == 503
        left = next(record for record in up.records if record["event"] == "threads_left")
        assert left["threads"]
        assert [event["url.path"] for event in up.events].count("/sleeps") == 1
        wait_for(lambda: not up.left())


class TestWorkers:
    """Several processes."""

    def test_one_that_cannot_be_replaced_is_tried_again(self, tmp_path: Path) -> None:
        """While the database is away the others go on serving, and afterwards all are there again."""
        away = tmp_path / "away"
        with running(tmp_path, "gated:app", "--workers", "2", SHOP_AWAY=str(away)) as up:
            wait_for_workers(up, 2)
            away.touch()
            victim = int(ask(up.port).body)
            os.kill(victim, signal.SIGKILL)
            wait_for(lambda: up.stderr.count("worker_not_started") >= 2)
            assert int(ask(up.port).body) != victim
            away.unlink()
            wait_for_workers(up, 3)
            assert up.stop() == 0
            wait_for(lambda: not up.left())

    def test_they_end_with_their_parent(self, tmp_path: Path) -> None:
        """Nothing is left of a server whose parent was killed."""
        with running(tmp_path, "waits:app", "--workers", "2") as up:
            wait_for_workers(up, 2)
            up.process.kill()
            up.process.wait(10)
            wait_for(lambda: not up.left())

    def test_one_that_dies_is_replaced(self, tmp_path: Path) -> None:
        """Somebody serves in the place of a worker that was killed."""
        with running(tmp_path, "waits:app", "--workers", "2") as up:
            wait_for_workers(up, 2)
            victim = int(ask(up.port).body)
            os.kill(victim, signal.SIGKILL)
            wait_for_workers(up, 3)
            died = next(record for record in up.records if record["event"] == "worker_died")
            assert (died["process.pid"], died["exit_code"]) == (victim, -signal.SIGKILL)
            assert up.stop() == 0
            wait_for(lambda: not up.left())

    def test_they_are_replaced_one_by_one(self, tmp_path: Path) -> None:
        """SIGHUP brings new processes, and no client notices."""
        with running(tmp_path, "waits:app", "--workers", "2", GARRISON_SERVER_KEEP_ALIVE="1s") as up:
            wait_for_workers(up, 2)
            before = {int(ask(up.port).body) for _ in range(40)}
            up.process.send_signal(signal.SIGHUP)
            seen: set[int] = set()

            def are_new() -> bool:
                seen.clear()
                seen.update(int(ask(up.port).body) for _ in range(20))
                return len(seen) == 2 and not seen & before

            wait_for(are_new)
            wait_for(lambda: up.stderr.count("Finished server process") == 2)
            assert up.stop() == 0
            wait_for(lambda: not up.left())


class TestUnixSocket:
    """A path in place of host and port."""

    def test_it_is_served_and_gone_afterwards(self, tmp_path: Path) -> None:
        """Clients are served without an address, and the path is free again."""
        path = tmp_path / "shop.sock"
        up = Running(("shop:app", "--unix-socket", str(path)), {}, tmp_path)
        try:
            wait_for(lambda: f"listening on unix:{path} for shop:app" in up.stderr)
            with socket.socket(socket.AF_UNIX) as caller:
                caller.connect(str(path))
                caller.sendall(b"GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n")
                found = b"".join(iter(lambda: caller.recv(65536), b""))
            assert found.startswith(b"HTTP/1.1 200 ")
            assert b'"client":null' in found
            assert up.stop() == 0
            assert not path.exists()
        finally:
            up.clean()

    def test_what_is_left_over_is_replaced(self, tmp_path: Path) -> None:
        """A path whose server has died is taken over; one that is listened on is not, nor is a file."""
        path = tmp_path / "shop.sock"
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(path))
        up = Running(("shop:app", "--unix-socket", str(path), "--workers", "2"), {}, tmp_path)
        try:
            wait_for_workers(up, 2)
            again = Running(("shop:app", "--unix-socket", str(path)), {}, tmp_path / "..")
            assert again.process.wait(10) == 3
            line = next(line for line in again.stderr.splitlines() if not line.startswith("{"))
            assert line.startswith(f"garrison: cannot listen on {path}: Address already in use. ")
            assert up.stop() == 0
            assert not path.exists()
        finally:
            up.clean()
