"""Quotas that processes share, and what is said when their storage does not answer."""

from __future__ import annotations

import asyncio
import io
import sys
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from garrison import RateLimit, RateLimitMiddleware, Settings, SettingsError, harden
from garrison.events import event_log
from garrison.settings import load
from tests.ports import free_port
from tests.toolkit.driver import exchange, http_scope, replies_with
from tests.toolkit.ratelimit.servers import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send
    from garrison.ratelimit.resilient import OnError
    from tests.toolkit.driver import Reply


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A Valkey for all tests of this module."""
    with Server() as found:
        yield found


async def lives(app: ASGIApp) -> tuple[asyncio.Queue[Message], asyncio.Task[None], list[Message]]:
    """Begin the app's lifespan."""
    told: asyncio.Queue[Message] = asyncio.Queue()
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    task = asyncio.ensure_future(app({"type": "lifespan", "asgi": {"version": "3.0"}}, told.get, send))
    await told.put({"type": "lifespan.startup"})
    return told, task, sent


async def ends(told: asyncio.Queue[Message], task: asyncio.Task[None]) -> None:
    """End the app's lifespan."""
    await told.put({"type": "lifespan.shutdown"})
    await task


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Says nothing with status 200, and takes part in the lifespan."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await replies_with()(scope, receive, send)


def limited(url: str, on_error: OnError = "memory", workers: int = 1, **fields: Any) -> RateLimitMiddleware:
    """An app with a quota of five a minute in this storage, whose events nobody reads."""
    settings = RateLimit(limits="5/minute", storage=url, on_storage_error=on_error, **fields)
    log = event_log("json", io.StringIO())
    return RateLimitMiddleware(app, settings, workers=workers, log=log, random=lambda: 0.0)


def statuses(count: int, *apps: RateLimitMiddleware) -> list[Reply]:
    """The replies to so many requests of one client, to the apps in turn, in one event loop."""

    async def ask() -> list[Reply]:
        alive = [await lives(one) for one in apps]
        replies = [await exchange(apps[number % len(apps)], http_scope()) for number in range(count)]
        for told, task, _ in alive:
            await ends(told, task)
        return replies

    return asyncio.run(ask())


def test_two_processes_share_a_quota(server: Server) -> None:
    """Whichever of two workers is asked, a client gets five in all, and each says truthfully what is left."""
    server.call("FLUSHALL")
    alone = [reply.status for reply in statuses(8, limited("memory://"), limited("memory://"))]
    assert alone == [200] * 8
    replies = statuses(8, limited(server.url), limited(server.url))
    assert [reply.status for reply in replies] == [200] * 5 + [429] * 3
    assert [(reply.header("ratelimit") or "").partition(";t=")[0] for reply in replies[:2]] == [
        '"5-per-minute";r=4', '"5-per-minute";r=3',
    ]  # fmt: skip
    assert int(replies[5].header("retry-after") or 0) in range(1, 13)


@pytest.mark.parametrize("algorithm", ["token-bucket", "sliding-window", "fixed-window"])
def test_every_algorithm_is_there_for_shared_counts(server: Server, algorithm: str) -> None:
    """The server counts as the memory of a process does."""
    server.call("FLUSHALL")
    replies = statuses(7, limited(server.url, algorithm=algorithm))
    assert [reply.status for reply in replies] == [200] * 5 + [429] * 2


def test_the_storage_is_closed_with_the_app(server: Server) -> None:
    """After the lifespan no connection is left open, and the lifespan's own messages are as ever."""
    before = server.connections()

    async def live() -> tuple[int, list[Message]]:
        layer = limited(server.url)
        told, task, sent = await lives(layer)
        await exchange(layer, http_scope())
        during = server.connections()
        await ends(told, task)
        return during, sent

    during, sent = asyncio.run(live())
    assert during > before
    assert server.connections() == before
    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


@pytest.mark.parametrize(
    ("on_error", "workers", "expected"),
    [("memory", 1, [200] * 5 + [429]), ("memory", 2, [200] * 2 + [429] * 4), ("open", 1, [200] * 6),
     ("closed", 1, [503] * 6)],
)  # fmt: skip
def test_a_storage_that_is_gone(on_error: OnError, workers: int, expected: list[int]) -> None:
    """Each process counts its part, or everybody passes, or nobody does; as the setting says."""
    replies = statuses(6, limited(f"valkey://127.0.0.1:{free_port()}", on_error, workers))
    assert [reply.status for reply in replies] == expected


def test_a_storage_that_is_gone_is_no_quota_that_is_used_up() -> None:
    """The 503 is a problem of the server: it asks to come again, and says nothing of quotas."""
    (reply,) = statuses(1, limited(f"valkey://127.0.0.1:{free_port()}", "closed"))
    assert reply.header("content-type") == "application/problem+json"
    assert reply.json["type"].endswith("#temporary-reduced-capacity")
    assert reply.all("retry-after") == ["1"]
    assert reply.all("ratelimit") == reply.all("ratelimit-policy") == []
    (passed,) = statuses(1, limited(f"valkey://127.0.0.1:{free_port()}", "open"))
    assert passed.all("ratelimit") == []


def test_a_storage_that_fails_is_one_event() -> None:
    """Whoever is on call learns from the log which storage does not answer, without its password."""
    stream = io.StringIO()
    settings = RateLimit(limits="5/minute", storage=f"valkey://:hunter2@127.0.0.1:{free_port()}")
    layer = RateLimitMiddleware(app, settings, log=event_log("json", stream))
    statuses(20, layer)
    (event,) = map(orjson.loads, stream.getvalue().splitlines())
    assert (event["event"], event["state"], event["on_error"]) == ("rate_limit_store", "failing", "memory")
    assert "hunter2" not in stream.getvalue()


@pytest.mark.parametrize(
    ("fields", "variable", "expected"),
    [
        ({"STORAGE": "valkey//cache"}, "STORAGE", "memory://, a URL such as valkey://host:6379/0"),
        ({"STORAGE": "valkey://cache:port"}, "STORAGE", "a URL such as valkey://host:6379/0"),
        ({"STORAGE": "valkey://:hunter2@cache:6379?tls=1"}, "STORAGE", "one of the options"),
        ({"STORAGE": "carrier-pigeon://x"}, "STORAGE", "an async storage of the limits package"),
        ({"STORAGE": "memcached://127.0.0.1:1"}, "ALGORITHM", "algorithms that memcached has: "),
        ({"STORAGE": "valky://cache"}, "STORAGE", "found 'valky://cache'. Did you mean valkey://?"),
        ({"STORAGE": "memcache://cache"}, "STORAGE", "Did you mean memcached://?"),
        ({"DEADLINE": "0s"}, "DEADLINE", "more than 0s"),
        ({"DEADLINE": "1m"}, "DEADLINE", "at most 10s"),
        ({"ON_STORAGE_ERROR": "opened"}, "ON_STORAGE_ERROR", "Did you mean open?"),
    ],
)
def test_a_storage_that_cannot_be_used_fails_at_start(
    fields: dict[str, str], variable: str, expected: str
) -> None:
    """A wrong URL, option or algorithm is one line that names the variable, and shows no password."""
    environ = {f"GARRISON_RATE_LIMIT_{name}": value for name, value in fields.items()}
    with pytest.raises(SettingsError) as error:
        load(Settings, environ=environ)
    message = str(error.value)
    assert message.startswith(f"GARRISON_RATE_LIMIT_{variable}: ")
    assert expected in message
    assert "hunter2" not in message
    assert "async+" not in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("algorithm", "fields", "wrong"),
    [
        ("fixed-window", {"limits": "5/minute; 9/3 months"}, "limits"),
        ("fixed-window", {"limits": "5/minute", "messages": "/ws: 9/60 days"}, "messages"),
        ("fixed-window", {"limits": "5/minute", "penalty": 3e6}, "penalty"),
        ("sliding-window", {"limits": "/a: 9/20 days"}, "limits"),
    ],
)
def test_a_quota_that_memcached_would_forget_fails_at_start(
    algorithm: str, fields: dict[str, Any], wrong: str
) -> None:
    """What it cannot keep for so long is told before the first request, with how long that is."""
    most = 30 if algorithm == "fixed-window" else 15
    with pytest.raises(SettingsError, match=rf"^RateLimit\.{wrong}: expected at most {most} days, .*, found"):
        RateLimit(storage="memcached://127.0.0.1:1", algorithm=algorithm, **fields)  # type: ignore[arg-type]
    RateLimit(storage="memcached://127.0.0.1:1", algorithm="fixed-window", limits="9/20 days")


def test_a_missing_client_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever names a Valkey server without the extra is told the command."""
    monkeypatch.setitem(sys.modules, "valkey", None)
    with pytest.raises(SettingsError, match=r"pip install 'garrison\[valkey\]'"):
        RateLimit(storage="valkey://cache:6379/0")


def test_the_whole_stack_shares_its_counts(server: Server) -> None:
    """`harden()` with a storage in its settings counts there, behind every other layer."""
    server.call("FLUSHALL")
    settings = Settings(rate_limit=RateLimit(limits="1/hour", storage=server.url), access_log=None)

    async def ask() -> list[int]:
        one, other = harden(app, settings), harden(app, settings)
        alive = [await lives(stack) for stack in (one, other)]
        found = [(await exchange(stack, http_scope())).status for stack in (one, other)]
        for told, task, _ in alive:
            await ends(told, task)
        return found

    assert asyncio.run(ask()) == [200, 429]
