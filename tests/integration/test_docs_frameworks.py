"""The guides to the frameworks: each example under the `garrison run` of its page, alike in what matters."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.integration.documents import Command, blocks
from tests.integration.frameworks_guide import CHANGING, SHOPS, Shop
from tests.toolkit.server.conftest import GARRISON, Running, environment, running, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

LOGINS = 3
HARDENED = "http://127.0.0.1:8000"
JSON = {"Content-Type": "application/json"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=B"}
PICTURE = (
    b'--B\r\nContent-Disposition: form-data; name="picture"; filename="tea.png"\r\n'
    b"Content-Type: image/png\r\n\r\n12345\r\n--B--\r\n"
)
# What takes ten seconds each runs whole where there is time; these families are what all else stands on.
SAMPLE = () if os.environ.get("PROOF") == "1" else ("--select", "H,C,E,M")
# Against hanging only.
SECONDS = 55 if SAMPLE else 400


@dataclass(frozen=True)
class Served:
    """The app of one framework, behind `garrison run`."""

    shop: Shop
    up: Running

    def ask(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """One request on a connection of its own."""
        # An address of its own, whose quota no audit uses up.
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.up.port, timeout=40, source_address=("127.0.0.9", 0)
        )
        try:
            connection.request(method, path, body or None, headers)
            reply = connection.getresponse()
            return reply, reply.read()
        finally:
            connection.close()

    def event(self, request_id: str) -> dict[str, Any]:
        """The event of one request, which is written when its reply is out."""

        def found() -> list[dict[str, Any]]:
            events = [one for one in self.up.events if one["event"] == "http.request"]
            return [one for one in events if one["request_id"] == request_id]

        wait_for(found)
        (event,) = found()
        return event


@pytest.fixture(scope="module", params=SHOPS)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The command of the page, with a quota on logins."""
    shop = SHOPS[request.param]
    (command,) = shop.commands("garrison", "run")
    words = [word.replace("8000", "0") for word in command.words[2:]]
    quota = f"POST /login: {LOGINS}/hour"
    with running(
        tmp_path_factory.mktemp(shop.name), *words, directory=shop.folder,
        GARRISON_RATE_LIMIT_LIMITS=quota, **command.environ,
    ) as up:  # fmt: skip
        yield Served(shop, up)


@pytest.mark.parametrize(
    ("path", "status"), [("/", 200), ("/items/1", 200), ("/items/99", 404), ("/nowhere", 404), ("/boom", 500)]
)
def test_every_reply_has_its_headers(path: str, status: int, served: Served) -> None:
    """Pages, documents, the framework's own 404 and failures have policy and id alike, and no banner."""
    reply, _ = served.ask("GET", path)
    assert reply.status == status
    assert reply.headers.get_all("x-content-type-options") == ["nosniff"]
    assert len(reply.headers["x-request-id"]) == 32
    assert "server" not in reply.headers
    # A 404 of BlackSheep's without a body is of no type, and needs no policy.
    if reply.headers["content-type"]:
        assert len(reply.headers.get_all("content-security-policy") or ()) == 1


def test_a_failure_is_a_problem_with_nothing_internal(served: Served) -> None:
    """The client gets the document of the page, the log one traceback under its id, nobody the password."""
    reply, body = served.ask("GET", "/boom")
    problem = json.loads(body)
    assert reply.headers["content-type"] == "application/problem+json"
    assert {key: value for key, value in problem.items() if key not in CHANGING} == served.shop.shown(
        "Internal Server Error"
    )
    assert problem["request_id"] == reply.headers["x-request-id"]
    served.event(problem["request_id"])

    def traced() -> int:
        written = served.up.events + served.up.records
        ids = [one["request_id"] for one in written if "Traceback" in one.get("exception.stacktrace", "")]
        return ids.count(problem["request_id"])

    wait_for(traced)
    assert traced() == 1
    assert "hunter2" not in body.decode() + served.up.stdout + served.up.stderr


def test_the_log_has_the_route_and_the_line_of_the_handler(served: Served) -> None:
    """Both are as the page shows them, under the id of the reply; odd names of headers change nothing."""
    reply, body = served.ask("GET", "/items/1", x_odd="1")
    assert json.loads(body) == {"number": 1, "name": "tea"}
    request_id = reply.headers["x-request-id"]
    assert served.event(request_id).items() >= served.shop.shown("http.request").items()

    def lines() -> list[dict[str, Any]]:
        return [one for one in served.up.records if one.get("request_id") == request_id]

    wait_for(lines)
    (line,) = lines()
    assert line.items() >= served.shop.shown("item 1 is looked at").items()
    nowhere, _ = served.ask("GET", "/nowhere")
    assert "http.route" not in served.event(nowhere.headers["x-request-id"])


def test_what_the_app_does_it_still_does(served: Served) -> None:
    """Items are listed and added, what does not fit is refused as before, uploads arrive, streams flow."""
    assert json.loads(served.ask("GET", "/items")[1])[0] == {"number": 1, "name": "tea"}
    reply, body = served.ask("POST", "/items", b'{"name": "cup"}', **JSON)
    assert (reply.status, json.loads(body)["name"]) == (201, "cup")
    for unfit in (b'{"name": ""}', b"[]", b'{"title": "cup"}'):
        assert 400 <= served.ask("POST", "/items", unfit, **JSON)[0].status < 423
    reply, _ = served.ask("POST", "/items", b'{"name": ""}', **JSON)
    assert (reply.status, reply.headers["x-content-type-options"]) == (served.shop.invalid, "nosniff")
    reply, body = served.ask("POST", "/upload", PICTURE, **MULTIPART)
    assert (reply.status, json.loads(body)) == (200, {"size": 5})
    reply, body = served.ask("GET", "/stream")
    assert (reply.headers["content-type"].split(";")[0], body) == (
        "text/event-stream",
        b"data: 0\n\ndata: 1\n\ndata: 2\n\n",
    )
    assert reply.headers["content-length"] is None


def test_the_quota_of_a_path_and_the_cookie_of_a_login(served: Served) -> None:
    """A session is out of reach for scripts; one login too many is refused, other paths are not counted."""
    replies = [served.ask("POST", "/login")[0] for _ in range(LOGINS + 1)]
    assert [reply.status for reply in replies] == [204] * LOGINS + [429]
    assert replies[-1].headers["content-type"] == "application/problem+json"
    for reply in replies[:LOGINS]:
        (cookie,) = reply.headers.get_all("set-cookie") or [""]
        assert cookie.startswith("session=")
        assert cookie.lower().count("httponly") == 1
    assert served.ask("GET", "/")[0].status == 200


def test_websockets(served: Served) -> None:
    """A WebSocket echoes, with an id on its handshake; a framework without them refuses as the page says."""
    address = f"ws://127.0.0.1:{served.up.port}/echo"
    if served.shop.socket != 101:
        with pytest.raises(InvalidStatus) as caught:
            connect(address, open_timeout=40).close()
        assert caught.value.response.status_code == served.shop.socket
        assert len(caught.value.response.headers["x-request-id"]) == 32
        return
    with connect(address, open_timeout=40) as websocket:
        assert websocket.response is not None
        assert len(websocket.response.headers["x-request-id"]) == 32
        websocket.send("hello")
        assert websocket.recv(timeout=40) == "hello"


def test_the_app_starts_once(served: Served) -> None:
    """However it learns of the start, it has opened by the first reply, and once."""
    served.ask("GET", "/")
    assert [one["event"] for one in served.up.records].count("the shop opens") == 1


BOUNDS = ("--config", "off", "--start-timeout", "50", "--timeout", str(SECONDS))


def audit(command: Command, shop: Shop, *more: str) -> subprocess.CompletedProcess[str]:
    """A `garrison check` of a page, as its reader runs it."""
    return subprocess.run(
        [*GARRISON, "check", *BOUNDS, *SAMPLE, *more, *command.words[2:]],
        cwd=shop.folder,
        env=environment(command.environ),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_the_hardened_app_passes_its_audit(served: Served) -> None:
    """The command of the page finds nothing in it that fails a build."""
    (command,) = (one for one in served.shop.commands("garrison", "check") if HARDENED in one.words)
    words = tuple(word.replace("8000", str(served.up.port)) for word in command.words)
    done = audit(Command(environ={}, words=words, output=""), served.shop)
    assert done.returncode == 0, done.stdout + done.stderr


# Each in turn takes a second or two; one that is imported and one that another server starts stand for all.
BARE = tuple(SHOPS) if SAMPLE == () else ("quart", "flask")


@pytest.mark.parametrize("name", BARE)
def test_the_bare_app_shows_its_holes(name: str) -> None:
    """The other command of the page fails, and names what the page names."""
    shop = SHOPS[name]
    (command,) = (one for one in shop.commands("garrison", "check") if HARDENED not in one.words)
    alone = ("--in-process",) if SAMPLE and "--" not in command.words else ()
    done = audit(command, shop, *alone)
    assert done.returncode == 1, done.stdout + done.stderr
    failed = {line.split()[0] for line in done.stdout.splitlines() if " medium, " in line}
    assert {"H1", "H2"} <= failed, done.stdout


@pytest.mark.parametrize("shop", SHOPS.values(), ids=SHOPS)
def test_the_page_shows_the_example(shop: Shop) -> None:
    """What a page has of the app, and of the one line, stands there word for word."""
    lines = {line.split("  #")[0].rstrip() for line in shop.source.splitlines()}
    shown = [block for block in blocks(shop.page, "python") if "import" not in block.text]
    # The one line that puts everything on, and what tells the route where the framework does not.
    assert len(shown) == ("hardened" in shop.source) + ("path_template" in shop.source)
    for block in shown:
        for line in block.text.splitlines():
            assert line in lines, (block.name, line)
