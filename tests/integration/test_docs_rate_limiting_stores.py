"""What the guide to rate limiting promises of storages: their events, metrics, commands and differences."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from garrison import RateLimit, RateLimitMiddleware, Settings, SettingsError, harden
from garrison.cli import main
from garrison.limiting.metrics import OUTCOMES
from garrison.preflight import examine
from garrison.ratelimit.memory import MemoryStore
from garrison.ratelimit.quota import parse_quotas
from garrison.settings import load
from tests.integration.documents import EXAMPLES, blocks, commands
from tests.integration.lifespan import alive, plain
from tests.integration.quotas_guide import (
    PAGE,
    ask,
    documents,
    emitted,
    environ_of,
    policy,
    served,
    settings_of,
)
from tests.ports import free_port
from tests.toolkit.driver import call, exchange, http_scope, replies_with
from tests.toolkit.ratelimit.servers import Server

if TYPE_CHECKING:
    from pathlib import Path

    from garrison.asgi import ASGIApp

TIME = re.compile(r"\b(\d+m)?\d+[ms]\b")


@pytest.fixture(autouse=True)
def quotas_example(monkeypatch: pytest.MonkeyPatch) -> None:
    """Callables are found where the example is."""
    monkeypatch.syspath_prepend(str(EXAMPLES / "quotas"))


def test_workers_share_a_storage(tmp_path: Path) -> None:
    """Two processes' worth of layers take from one quota; without a secret, hashes are refused."""
    with Server() as valkey:
        shared = {"GARRISON_RATE_LIMIT_STORAGE": valkey.url, "GARRISON_RATE_LIMIT_DEADLINE": "2s"}
        settings = settings_of(tmp_path, "valkey://10.0.2.5:6379/0", **shared)
        assert settings.server.workers == 4
        told = [served(harden(plain, settings), 3)[-1].header("ratelimit") or "" for _ in range(2)]
    assert '"1000-per-hour";r=994' in told[-1]
    listed = {**environ_of(tmp_path, "by header:x-api-key"), **shared}
    (error,) = [each for each in examine(load(Settings, environ=listed).value) if each.level == "error"]
    assert error.variable == "GARRISON_SECRET"


@pytest.mark.parametrize(
    ("choice", "found"),
    [("memory", (200, True)), ("open", (200, False)), ("closed", (503, False))],
)
def test_what_is_decided_without_the_server(tmp_path: Path, choice: str, found: tuple[int, bool]) -> None:
    """Each choice does what its row says, and only `memory` still tells clients where they stand."""
    settings = settings_of(
        tmp_path,
        "valkey://10.0.2.5:6379/0",
        GARRISON_RATE_LIMIT_STORAGE=f"valkey://127.0.0.1:{free_port()}",
        GARRISON_RATE_LIMIT_ON_STORAGE_ERROR=choice,
    )
    app = harden(replies_with(), settings)
    reply = ask(app)
    assert (reply.status, bool(policy(reply))) == found
    assert (reply.header("retry-after") is not None) == (reply.status == 503)
    if choice == "memory":
        # A quarter of twenty, for one of four workers.
        assert 429 in [ask(app).status for _ in range(12)]


def test_the_events_of_a_server_that_freezes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After three failures one event says that it is not asked, another one that it answers again."""

    async def freeze(app: ASGIApp, valkey: Server) -> None:
        async with alive(app):
            assert (await exchange(app, http_scope())).status == 200
            os.kill(valkey.pid, signal.SIGSTOP)
            for _ in range(3):
                assert (await exchange(app, http_scope())).status == 200
            os.kill(valkey.pid, signal.SIGCONT)
            async with asyncio.timeout(10):
                while '"answering"' not in "".join(said):
                    await asyncio.sleep(0.05)
                    await exchange(app, http_scope("/other"))
                    said.append(capsys.readouterr().out)

    said: list[str] = []
    with Server() as valkey:
        settings = settings_of(
            tmp_path, "valkey://10.0.2.5:6379/0", GARRISON_RATE_LIMIT_STORAGE=valkey.url
        )  # fmt: skip
        asyncio.run(freeze(harden(plain, settings), valkey))
    assert emitted("".join(said), "rate_limit_store") == documents("event", "rate_limit_store")


def test_the_metrics_of_the_table() -> None:
    """Every metric is in the table with its unit, and every outcome in the rows of those that have some."""
    rows = {
        row[0]: row
        for row in re.findall(
            r"^\| `(garrison\.[\w.]+)` \| `(\S+)` \| (.*) \|$", PAGE.read_text(), re.MULTILINE
        )
    }
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    storage = f"valkey://127.0.0.1:{free_port()}"
    section = RateLimit(limits="1/minute", storage=storage)
    call(RateLimitMiddleware(replies_with(), section, meter_provider=provider))
    data = reader.get_metrics_data()
    assert data is not None
    metrics = data.resource_metrics[0].scope_metrics[0].metrics
    provider.shutdown()
    assert {metric.name: metric.unit for metric in metrics} == {name: row[1] for name, row in rows.items()}
    for outcome in OUTCOMES:
        assert f"`{outcome}`" in rows["garrison.rate_limit.requests"][2]
    for outcome in ("answered", "failed"):
        assert f"`{outcome}`" in rows["garrison.rate_limit.store.duration"][2]


def test_an_operator_looks_and_forgives(tmp_path: Path) -> None:
    """`garrison limits` prints what the guide shows of a client that is blocked, and knows tenants too."""
    shown = [
        command
        for block in blocks(PAGE, "console")
        for command in commands(block)
        if command.words[:2] == ("garrison", "limits")
    ]
    with Server() as valkey:
        environ = {
            **environ_of(tmp_path, "GARRISON_RATE_LIMIT_PENALTY=10m"),
            "GARRISON_RATE_LIMIT_STORAGE": valkey.url,
            "GARRISON_RATE_LIMIT_DEADLINE": "2s",
        }
        settings = load(Settings, environ=environ).value
        assert served(harden(plain, settings), 16, "/orders", "POST")[-1].status == 429
        for command in shown:
            done = CliRunner().invoke(main, command.words[1:], prog_name="garrison", env=environ)
            wanted = command.output.replace("valkey://10.0.2.5:6379/0", valkey.url)
            assert TIME.sub("T", done.stdout).strip() == TIME.sub("T", wanted).strip()
        assert served(harden(plain, settings), 1, "/orders", "POST")[0].status == 200
        environ |= environ_of(tmp_path, "plans:quotas by plans:tenant") | {
            "GARRISON_SECRET": "a secret of a test"
        }
        words = ["limits", "show", "plans:tenant=acme"]
        assert "50000-per-day" in CliRunner().invoke(main, words, prog_name="garrison", env=environ).stdout


def test_what_storages_of_limits_lack() -> None:
    """The columns of the table: no token bucket, no refunds, and penalties with a fixed window only."""
    section = RateLimit(limits="9/minute", storage="memcached://127.0.0.1:11211", algorithm="fixed-window")
    assert replace(section, penalty=60.0).penalty == 60
    assert replace(section, algorithm="sliding-window").is_shared
    with pytest.raises(SettingsError, match="sliding-window, fixed-window"):
        replace(section, algorithm="token-bucket")
    with pytest.raises(SettingsError, match="cannot be given back"):
        replace(section, refunds="POST /login: 2xx")
    with pytest.raises(SettingsError, match="to block clients"):
        replace(section, algorithm="sliding-window", penalty=60.0)


@pytest.mark.parametrize(
    ("algorithm", "burst", "around_an_end"),
    [("token-bucket", 60, 62), ("sliding-window", 60, 61), ("fixed-window", 60, 120)],
)
def test_how_much_passes(algorithm: Any, burst: int, around_an_end: int) -> None:
    """The most that a quota of 60 a minute lets pass at once, and in the two seconds around an end."""
    now = 0.0

    async def passed(*times: float) -> int:
        """After one request that begins a window, how many of 70 at each of these times."""
        nonlocal now
        now = 100.0
        store = MemoryStore(clock=lambda: now)
        quotas = parse_quotas("60/minute", algorithm)
        await store.acquire("a", quotas)
        found = 0
        for after in times:
            now = 100.0 + after
            found += sum([(await store.acquire("a", quotas)).allowed for _ in range(70)])
        return found

    assert asyncio.run(passed(0.0)) == burst - 1
    assert abs(asyncio.run(passed(59.0, 61.0)) - around_an_end) <= 2
