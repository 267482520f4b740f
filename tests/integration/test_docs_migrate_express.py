"""The guide for those who come from Express: its server and the app in its place, side by side."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from garrison import harden
from tests.integration.documents import ROOT
from tests.integration.migration_guide import found, made, settings_beside
from tests.missing import do_without
from tests.ports import free_port
from tests.toolkit.driver import Reply, call, http_scope
from tests.toolkit.server.conftest import wait_for
from tests.toolkit.server.wire import Connection, connected
from tests.toolkit.server.wire import Reply as WireReply

if TYPE_CHECKING:
    from collections.abc import Iterator

PEERS = ROOT / "build" / "peers"
ORIGIN = (b"origin", b"https://app.example")


@dataclass(frozen=True)
class Express:
    """The server of the page, and where it logs."""

    port: int
    log: Path

    def ask(self, method: str, path: str, body: bytes = b"") -> WireReply:
        """One request of a script of the allowed origin."""
        with connected(self.port) as connection:
            lines = [f"{method} {path} HTTP/1.1", "Host: shop.example", "Origin: https://app.example"]
            if body:
                lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
            connection.send(*lines, body=body)
            return connection.reply()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What pino has written."""
        text = self.log.read_text(encoding="utf-8").rpartition("\n")[0]
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


@pytest.fixture
def express(tmp_path: Path) -> Iterator[Express]:
    """`node server.js`, as the page has it."""
    modules = PEERS / "node_modules"
    if shutil.which("node") is None or not modules.exists():
        do_without(
            f"node or {PEERS.relative_to(ROOT)} is missing: `make test` fills it where npm is installed"
        )
    (block,) = found("Express", "js")
    server, log, port = tmp_path / "server.js", tmp_path / "log", free_port()
    server.write_text(block.text, encoding="utf-8")
    kept = {name: text for name, text in os.environ.items() if name != "NODE_ENV"}
    with log.open("wb") as stream:
        process = subprocess.Popen(
            ["node", str(server)],
            env={**kept, "PORT": str(port), "NODE_PATH": str(modules)},
            stdout=stream,
            stderr=stream,
        )

    def listens() -> bool:
        assert process.poll() is None, log.read_text(encoding="utf-8")
        try:
            Connection(port).close()
        except OSError:
            return False
        return True

    try:
        wait_for(listens)
        yield Express(port, log)
    finally:
        process.kill()
        process.wait(40)


def test_express(express: Express, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both take what fits and refuse what does not, too much and too often, and the origin may read it."""
    app = harden(made(found("Express", "python")[0])["app"], settings_beside("Express", tmp_path))

    def mine(method: str, path: str, body: bytes = b"") -> Reply:
        sent = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        return call(app, http_scope(path, method=method, headers=[ORIGIN, *(sent if body else ())]), body)

    asked: list[tuple[str, str, bytes]] = [
        ("POST", "/items", b'{"name": "cup"}'),
        ("POST", "/items", b'{"name": ""}'),
        ("POST", "/items", b'{"name": "%s"}' % (b"x" * 110_000)),
        ("GET", "/boom", b""),
        ("GET", "/items", b""),
    ]
    old = [express.ask(*one) for one in asked]
    new = [mine(*one) for one in asked]
    assert [reply.status for reply in old] == [201, 400, 413, 500, 429]
    assert [reply.status for reply in new] == [201, 422, 413, 500, 429]
    assert json.loads(old[0].body) == new[0].json == {"name": "cup"}
    for theirs, ours in zip(old, new, strict=True):
        assert theirs["x-content-type-options"] == ours.header("x-content-type-options") == "nosniff"
        assert theirs["access-control-allow-origin"] == "https://app.example"
        assert ours.header("access-control-allow-origin") == "https://app.example"
        assert "x-powered-by" not in theirs
    assert int(old[4]["retry-after"]) > 0
    assert int(new[4].header("retry-after") or 0) > 0
    # What is different: the stack, and the ids that join a reply to its log.
    assert b"server.js" in old[3].body
    assert b"no database" not in new[3].body
    wait_for(lambda: {line["req"]["id"] for line in express.lines} == set(range(1, len(asked) + 1)))
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    logged = [event["request_id"] for event in events if event["event"] == "http.request"]
    assert logged == [reply.header("x-request-id") for reply in new]
