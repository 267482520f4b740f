"""One site of each framework behind `garrison run`: what a browser and an API client meet on the wire."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.toolkit.server.conftest import Running, running, wait_for
from tests.toolkit.server.wire import ask, connected

if TYPE_CHECKING:
    from collections.abc import Iterator

SITES = Path(__file__).parent / "sites"
TRACEBACK = "Traceback (most recent call last)"


@pytest.fixture(scope="module", params=["starlette", "fastapi", "litestar", "bare"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The site of one framework, with nothing set."""
    with running(tmp_path_factory.mktemp(request.param), f"{request.param}_site:app", directory=SITES) as up:
        yield up


@pytest.mark.parametrize(
    ("path", "status"), [("/items/7", 200), ("/page", 200), ("/nowhere", 404), ("/boom", 500)]
)
def test_replies_are_hardened(site: Running, path: str, status: int) -> None:
    """Whoever made the reply, it has the policy and an id, and no banner."""
    reply = ask(site.port, path)
    assert reply.status == status
    assert reply["x-content-type-options"] == "nosniff"
    assert len(reply["x-request-id"]) == 32
    assert "content-security-policy" in reply
    assert "server" not in reply


def test_a_method_that_is_not_there(site: Running) -> None:
    """The framework's own 405 arrives, hardened, and the connection goes on."""
    with connected(site.port) as connection:
        connection.send("POST /items/7 HTTP/1.1", "Host: shop.example", "Content-Length: 0")
        reply = connection.reply()
        assert (reply.status, reply["x-content-type-options"]) == (405, "nosniff")
        connection.send("GET /items/7 HTTP/1.1", "Host: shop.example")
        assert connection.reply().json == {"item": 7}


def test_an_exception_is_one_traceback(site: Running) -> None:
    """On both streams together a failure is one traceback, under the id of the reply."""
    before = (site.stdout + site.stderr).count(TRACEBACK)
    reply = ask(site.port, "/boom")
    identity = reply.json["request_id"]
    assert b"kaboom" not in reply.body
    wait_for(lambda: site.stdout.count(identity) == 2)
    events = [event["event"] for event in site.events if event["request_id"] == identity]
    assert sorted(events) == ["http.request", "unhandled_exception"]
    assert (site.stdout + site.stderr).count(TRACEBACK) == before + 1


def test_streams_stay_streams(site: Running) -> None:
    """The first event arrives before the second exists, over a real connection."""
    with connected(site.port) as connection:
        connection.send("GET /stream HTTP/1.1", "Host: shop.example")
        while (line := connection.line()) != b"data: first\n":
            assert line
        assert ask(site.port, "/open").body == b"open"
        while (line := connection.line()) != b"data: second\n":
            assert line


def test_background_tasks_run(site: Running) -> None:
    """What runs behind a reply has run, and the state of the lifespan is everybody's."""
    assert ask(site.port, "/later").body == b"soon"
    wait_for(lambda: ask(site.port, "/done").body == b'["task"]')


def test_websockets(site: Running) -> None:
    """A WebSocket echoes, a refused one is a 403, both have an id, and the server adds no line of its own."""
    with connect(f"ws://127.0.0.1:{site.port}/echo?token=swordfish") as websocket:
        assert websocket.response is not None
        assert len(websocket.response.headers["x-request-id"]) == 32
        websocket.send("hello")
        assert websocket.recv(timeout=5) == "hello"
    with pytest.raises(InvalidStatus) as caught:
        connect(f"ws://127.0.0.1:{site.port}/deny").close()
    denied = caught.value.response
    assert denied.status_code == 403
    assert denied.headers["x-content-type-options"] == "nosniff"
    wait_for(lambda: denied.headers["x-request-id"] in site.stdout)
    assert "swordfish" not in site.stdout + site.stderr
    assert "ASGI callable" not in site.stderr


def test_an_app_that_hardens_itself_is_hardened_once(tmp_path: Path) -> None:
    """`harden()` inside `garrison run` steps aside: one event, one count, one id, and one warning."""
    with running(
        tmp_path, "starlette_site:make_hardened", "--factory", directory=SITES,
        GARRISON_RATE_LIMIT_LIMITS="10/hour",
    ) as up:  # fmt: skip
        replies = [ask(up.port, "/items/7") for _ in range(3)]
        assert [reply["ratelimit"].partition(";t=")[0] for reply in replies] == [
            f'"10-per-hour";r={remaining}' for remaining in (9, 8, 7)
        ]
        events = up.events_after(0, 3)
        assert [event["request_id"] for event in events] == [reply["x-request-id"] for reply in replies]
        names = [name for name, _ in replies[0].lines]
        assert len(names) == len(set(names))
        warned = [record["event"] for record in up.records if "mounted twice" in record["event"]]
        assert len(warned) == 1
