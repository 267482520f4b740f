"""Every line of the shop's settings: what it is for is open in the shop as it comes, and closed hardened."""

from __future__ import annotations

import json
import os
import re
import select
import socket
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from garrison import csp_hash
from garrison.env_file import read_env_file
from tests.integration.conftest import PATIENT
from tests.integration.shop import (
    GUARD,
    SETTINGS,
    SHOP,
    Customer,
    Site,
    customer,
    environment,
    hardened,
)
from tests.integration.shop_holes import HOLES
from tests.toolkit.server.conftest import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PROOF = os.environ.get("PROOF") == "1"
# What takes as long as its setting says is shown with settings that take no time.
HASTY = {
    "GARRISON_TIMEOUTS_HANDLER": "300ms",
    "GARRISON_TIMEOUTS_BODY_GRACE": "300ms",
    "GARRISON_SERVER_HEADER_TIMEOUT": "300ms",
    "GARRISON_TIMEOUTS_WEBSOCKET_IDLE": "300ms",
}
# What the tests below are about, each by itself.
BY_THEMSELVES = {"OVERLOAD_LIMIT", "HEALTH_CHECKS", *(name.removeprefix("GARRISON_") for name in HASTY)}


def wire(site: Site, *lines: str) -> socket.socket:
    """A connection on which these lines were sent, from an address of its own."""
    address = f"127.{1 + os.urandom(1)[0] % 250}.{os.urandom(1)[0]}.{1 + os.urandom(1)[0] % 250}"
    made = socket.create_connection(("127.0.0.1", site.port), timeout=GUARD, source_address=(address, 0))
    made.sendall("\r\n".join([lines[0], "Host: shop.example", *lines[1:]]).encode())
    return made


@contextmanager
def left_behind(site: Site) -> Iterator[tuple[int, str]]:
    """An order that nobody packs, as where a process was killed, and the token of its customer."""
    name = f"l{os.urandom(4).hex()}"

    def done(query: str, *values: object) -> Any:
        with closing(sqlite3.connect(site.data / "shop.db", timeout=GUARD)) as database, database:
            return database.execute(query, values).fetchone()

    done("insert into accounts values (?, '')", name)
    (number,) = done("insert into orders (account, status) values (?, 'placed') returning number", name)
    claims = {"sub": name, "exp": datetime.now(UTC) + timedelta(hours=1)}
    try:
        yield number, jwt.encode(claims, environment(site.data)["SHOP_SECRET"], algorithm="HS256")
    finally:
        # Who still waits for it would go on asking the database.
        done("update orders set status = 'packed' where number = ?", number)


def come(connection: socket.socket, end: bytes) -> bytes:
    """What comes until these bytes do, or the end."""
    found = b""
    while end not in found and (more := connection.recv(65_536)):
        found += more
    return found


def without(names: tuple[str, ...], folder: Path) -> Path:
    """The settings with some of their lines left out."""
    lines = SETTINGS.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.partition("=")[0] not in {f"GARRISON_{name}" for name in names}]
    file = folder / "some.env"
    file.write_text("\n".join(kept) + "\n", encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def hasty_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The shop with its settings, but for the times, which are short."""
    with hardened(tmp_path_factory.mktemp("hasty"), **HASTY) as up:
        yield up


@pytest.mark.parametrize(
    ("is_open", "lines"), HOLES.items(), ids=lambda given: getattr(given, "__name__", "")
)
def test_a_line_closes_a_hole(
    is_open: Callable[[Customer], bool],
    lines: tuple[str, ...],
    open_shop: Site,
    closed_shop: Site,
    tmp_path: Path,
) -> None:
    """It is open in the shop as it comes, closed with all settings, and open with all but these lines."""
    with customer(open_shop) as visitor:
        assert is_open(visitor)
    with customer(closed_shop) as visitor:
        assert not is_open(visitor)
    if PROOF:
        with hardened(tmp_path, without(lines, tmp_path), **PATIENT) as site, customer(site) as visitor:
            assert is_open(visitor)


def answer_to(site: Site, path: str) -> bytes:
    """The status of a reply, to somebody new."""
    with wire(site, f"GET {path} HTTP/1.1", "Connection: close", "", "") as connection:
        return come(connection, b"\r\n").split()[1]


def test_more_than_can_be_done_is_refused(open_shop: Site, closed_shop: Site) -> None:
    """Of forty who wait for an order thirty-two are let wait, and whoever else asks is told to come back."""
    with ExitStack() as stack:
        for site, answer in ((open_shop, b"200"), (closed_shop, b"503")):
            number, token = stack.enter_context(left_behind(site))
            lines = (f"GET /api/orders/{number}/packed HTTP/1.1", f"Cookie: session={token}", "", "")
            waiting = [stack.enter_context(wire(site, *lines)) for _ in range(40)]
            if site is closed_shop:
                wait_for(lambda: len(select.select(waiting, [], [], 0)[0]) == 8)  # noqa: B023 - called at once
                replies = [one.recv(200) for one in select.select(waiting, [], [], 0)[0]]
                assert all(reply.startswith(b"HTTP/1.1 503 ") for reply in replies)
            assert answer_to(site, "/api/products") == answer
    wait_for(lambda: answer_to(closed_shop, "/api/products") == b"200")


HANDSHAKE = (
    "GET /ws/orders HTTP/1.1",
    "Cookie: session={token}",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "",
    "",
)
JSON = ("Content-Type: application/json", "Content-Length: 9", "", "{")


@pytest.mark.parametrize(
    ("begun", "end"),
    [
        (("GET /api/orders/{number}/packed HTTP/1.1", "Cookie: session={token}", "", ""), b"HTTP/1.1 504 "),
        (("POST /api/login HTTP/1.1", *JSON), b"HTTP/1.1 408 "),
        (("GET / HTTP/1.1", "X-Slow: "), b"HTTP/1.1 408 "),
        (HANDSHAKE, b"\x88"),
    ],
    ids=["handler", "body", "head", "websocket"],
)
def test_nobody_waits_for_ever(begun: tuple[str, ...], end: bytes, open_shop: Site, hasty_shop: Site) -> None:
    """What the hardened shop has ended the other one still waits for, and was asked first."""

    @contextmanager
    def asked(site: Site) -> Iterator[socket.socket]:
        with left_behind(site) as (number, token):
            lines = [line.replace("{number}", str(number)).replace("{token}", token) for line in begun]
            with wire(site, *lines) as made:
                yield made

    def is_ended() -> bool:
        # On a busy machine it may be ended for another reason before, such as a head that comes late.
        with asked(hasty_shop) as hasty:
            return end in come(hasty, end)

    with asked(open_shop) as patient:
        wait_for(is_ended)
        # Of a WebSocket the handshake has come.
        found = patient.recv(65_536) if select.select([patient], [], [], 0)[0] else b""
        assert not found or (found.startswith(b"HTTP/1.1 101 ") and end not in found)


def test_a_shop_without_its_database_gets_no_requests(open_shop: Site, closed_shop: Site) -> None:
    """Readiness follows the database, which nobody can ask the shop about as it comes."""
    path, aside = closed_shop.data / "shop.db", closed_shop.data / "aside.db"

    assert answer_to(open_shop, "/readyz") == b"404"
    wait_for(lambda: answer_to(closed_shop, "/readyz") == b"200")
    path.rename(aside)
    wait_for(lambda: answer_to(closed_shop, "/readyz") == b"503")
    aside.rename(path)
    wait_for(lambda: answer_to(closed_shop, "/readyz") == b"200")


def test_whoever_knows_the_password_may_sign_in_often(closed_shop: Site) -> None:
    """A login that succeeds costs nothing of the quota of those that fail."""
    with customer(closed_shop) as visitor:
        assert [visitor.login().status_code for _ in range(8)] == [200] * 8


def test_the_policy_names_what_is_in_the_pages(closed_shop: Site) -> None:
    """By the hashes of their scripts and styles, as the comment in the file says they are made."""
    with customer(closed_shop) as visitor:
        policy = visitor.http.get("/").headers["content-security-policy"]
    parts = [
        text
        for page in (SHOP / "shop" / "html").glob("*.html")
        for _, text in re.findall(r"<(script|style)>(.*?)</\1>", page.read_text(encoding="utf-8"), re.DOTALL)
    ]
    assert len(parts) == 4
    assert {csp_hash(text) for text in parts} == set(re.findall(r"'sha256-[^']+'", policy))


def test_every_line_is_shown() -> None:
    """None stands in the file of which no test here shows what it does."""
    shown = {f"GARRISON_{name}" for names in (*HOLES.values(), BY_THEMSELVES) for name in names}
    assert shown == set(read_env_file(SETTINGS))


def test_a_shell_reads_the_same_file() -> None:
    """`. ./shop.env` has the values that `--env-file` has, so that any command can be given them."""
    names = read_env_file(SETTINGS)
    script = 'set -a; . ./shop.env; exec "$0" -c "import json, os; print(json.dumps(dict(os.environ)))"'
    done = subprocess.run(
        ["sh", "-c", script, sys.executable], cwd=SHOP, capture_output=True, check=True, timeout=GUARD
    )
    assert {name: json.loads(done.stdout).get(name) for name in names} == names
