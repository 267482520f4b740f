"""Clients that go on after refusals are blocked for longer, and nobody else is."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any, Final

import orjson
import pytest
from starlette.authentication import SimpleUser

from garrison import RateLimit, RateLimitMiddleware, SettingsError
from garrison.events import event_log
from tests.toolkit.driver import exchange, replies_with
from tests.toolkit.middleware.limited import CLIENT, Limited, asked
from tests.toolkit.middleware.shop import HERE
from tests.toolkit.ratelimit.servers import Server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from tests.toolkit.driver import Reply

PENALTY: Final[dict[str, Any]] = {"penalty": 600.0, "penalty_after": 3}
ABNORMAL: Final = "https://iana.org/assignments/http-problem-types#abnormal-usage-detected"
EXCEEDED: Final = "https://iana.org/assignments/http-problem-types#quota-exceeded"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A Valkey for all tests of this module."""
    with Server() as found:
        yield found


def kinds(replies: list[Reply]) -> list[str]:
    """Served, refused or blocked."""
    words = {EXCEEDED: "refused", ABNORMAL: "blocked"}
    return ["served" if reply.status == 200 else words[reply.json["type"]] for reply in replies]


def hammer(limited: Limited, count: int, **more: Any) -> list[str]:
    """What becomes of so many requests without a pause."""
    return kinds([limited.get(**more) for _ in range(count)])


def test_who_goes_on_after_refusals_is_blocked() -> None:
    """Without the setting a client has its next unit in time; with it a hammering one has to wait longer."""
    mild, strict = Limited(limits="2/minute"), Limited(limits="2/minute", **PENALTY)
    assert hammer(mild, 8) == ["served"] * 2 + ["refused"] * 6
    assert hammer(strict, 8) == ["served"] * 2 + ["refused"] * 3 + ["blocked"] * 3
    for limited, kind in ((mild, "served"), (strict, "blocked")):
        limited.now += 60
        assert hammer(limited, 1) == [kind]


def test_a_blocked_client_is_told_for_how_long() -> None:
    """Retry-After is that of the block; where the client stands with its quotas is another matter."""
    limited = Limited(limits="2/minute; 9/hour", **PENALTY)
    hammer(limited, 6)
    limited.now += 100.5
    reply = limited.get()
    assert (reply.status, reply.header("retry-after")) == (429, "500")
    assert reply.json["violated-policies"] == ["2-per-minute", "9-per-hour"]
    assert reply.header("ratelimit") is None
    assert reply.header("cache-control") == "no-store"


def retries(replies: list[Reply]) -> list[int]:
    """What Retry-After says, in turn."""
    return [int(reply.header("retry-after") or 0) for reply in replies]


def test_a_short_block_does_not_shorten_the_wait() -> None:
    """Where the quota takes longer than the block, Retry-After says for how long, before, in and after it."""
    limited = Limited(limits="5/hour", penalty=4.0, penalty_after=2)
    limited.statuses(5)
    assert retries([limited.get() for _ in range(4)]) == [720] * 4
    assert hammer(limited, 1) == ["blocked"]
    limited.now += 5
    assert retries([limited.get()]) == [715]
    limited.now += 715
    assert hammer(limited, 1) == ["served"]


def test_a_short_block_is_remembered_with_the_whole_wait(server: Server) -> None:
    """A worker that answers by itself says the same of it as the server, for each cost, and asks seldom."""
    server.call("FLUSHALL")
    found: list[Reply] = []
    calls: list[int] = []

    async def ask(layer: RateLimitMiddleware, other: RateLimitMiddleware) -> None:
        for _ in range(8):
            await exchange(layer, asked())
        server.call("CONFIG", "RESETSTAT")
        found.extend([await exchange(layer, asked()) for _ in range(50)])
        found.extend([await exchange(other, asked()) for _ in range(50)])
        calls.append(server.calls("evalsha"))
        found.append(await exchange(other, asked("/dear")))

    fields: dict[str, Any] = {"limits": "5/hour", "costs": "/dear: 2", "penalty": 9.0, "penalty_after": 2}
    in_turn(ask, *(layered(server.url, **fields) for _ in range(2)))
    assert set(kinds(found)) == {"blocked"}
    assert set(retries(found[:-1])) <= {719, 720}
    assert retries(found[-1:])[0] in {1439, 1440}
    assert calls[0] <= 4


def test_a_block_ends_by_itself() -> None:
    """Who waits for what Retry-After says is served, and the next block takes as many refusals again."""
    limited = Limited(limits="2/minute", **PENALTY)
    hammer(limited, 6)
    limited.now += 599
    assert hammer(limited, 20) == ["blocked"] * 20
    limited.now += 1
    assert hammer(limited, 6) == ["served"] * 2 + ["refused"] * 3 + ["blocked"]


def test_others_are_not_blocked() -> None:
    """Another address, and the same one at another target, go on as ever."""
    limited = Limited(limits="POST /login: 1/minute; /x: 2/minute", **PENALTY)
    assert hammer(limited, 6, path="/login", method="POST")[-1] == "blocked"
    assert hammer(limited, 2, path="/login", method="POST", client="192.0.2.2") == ["served", "refused"]
    assert hammer(limited, 2, path="/x") == ["served"] * 2


def test_targets_with_the_same_quota_are_guarded_alike() -> None:
    """Each of two paths that have equal quotas leads to a block, in either order."""
    limited = Limited(limits="/a: 1/minute; /b: 1/minute", **PENALTY)
    for path in ("/a", "/b"):
        assert hammer(limited, 6, path=path) == ["served"] + ["refused"] * 3 + ["blocked"] * 2


@pytest.mark.parametrize("limits", ["1/second", "100/minute", "2/10 seconds"])
@pytest.mark.parametrize("algorithm", ["token-bucket", "fixed-window", "sliding-window"])
def test_who_obeys_is_never_blocked(limits: str, algorithm: str) -> None:
    """A client that waits as long as it is told is refused often by a small quota, and never blocked."""
    limited = Limited(limits=limits, algorithm=algorithm, penalty=600.0, penalty_after=1)
    found = []
    for _ in range(300):
        reply = limited.get()
        found += kinds([reply])
        limited.now += float(reply.header("retry-after") or 0)
    assert set(found) == {"served", "refused"}


def test_one_event_tells_of_a_block() -> None:
    """Whoever reads the log finds out who was blocked and for how long, once."""
    limited = Limited(limits="2/minute", **PENALTY)
    hammer(limited, 50)
    (event,) = limited.events
    assert (event["event"], event["level"], event["seconds"]) == ("rate_limit_block", "warning", 600)
    assert CLIENT in event["key"]
    outcomes = limited.layer._limiter.outcomes
    assert (outcomes.allowed, outcomes.refused, outcomes.blocked) == (2, 3, 45)


@pytest.mark.parametrize(
    ("limits", "victim"),
    [
        ("99/minute; 1/minute by header:x-api-key", {"headers": {"x-api-key": "a"}}),
        ("1/minute by principal", {"user": SimpleUser("alice")}),
        (f"1/minute by {HERE}:tenant", {}),
        (f"99/minute; {HERE}:quotas by {HERE}:tenant", {"headers": {"host": "free.shop.example"}}),
    ],
)
def test_a_stranger_cannot_have_somebody_else_blocked(limits: str, victim: dict[str, Any]) -> None:
    """What others can use up in somebody's name leads to refusals, and never to a block."""
    limited = Limited(limits=limits, **PENALTY)
    assert hammer(limited, 30, client="203.0.113.9", **victim)[1:] == ["refused"] * 29
    limited.now += 60
    assert hammer(limited, 1, **victim) == ["served"]


def test_a_stranger_is_blocked_for_itself_alone() -> None:
    """By address and key together the one who hammers is blocked, and the key elsewhere is not."""
    limited = Limited(limits="99/minute; 1/minute by address+header:x-api-key", **PENALTY)
    key: dict[str, Any] = {"headers": {"x-api-key": "a"}}
    assert hammer(limited, 6, client="203.0.113.9", **key)[-1] == "blocked"
    assert hammer(limited, 1, **key) == ["served"]
    assert hammer(limited, 1, client="203.0.113.9") == ["served"]


def test_made_up_keys_do_not_save_from_a_block() -> None:
    """A client whose address is blocked stays so whatever else it says, and its tenant is not asked for."""
    limited = Limited(limits=f"1/minute; 1/minute by header:x-api-key; {HERE}:fails by header:x-t", **PENALTY)
    for number in range(10):
        found = hammer(limited, 1, headers={"x-api-key": f"junk {number}"})
    assert found == ["blocked"]
    assert hammer(limited, 1, headers={"x-t": "anything"}) == ["blocked"]


def layered(url: str, stream: io.StringIO | None = None, **fields: Any) -> RateLimitMiddleware:
    """The layer of one worker on a shared server."""
    section = RateLimit(**{"limits": "2/minute", **PENALTY, "storage": url, "deadline": 2.0, **fields})
    log = event_log("json", stream or io.StringIO())
    return RateLimitMiddleware(replies_with(), section, log=log, random=lambda: 0.0)


def in_turn(ask: Callable[..., Awaitable[None]], *layers: RateLimitMiddleware) -> None:
    """Run something in one loop, and let go of the server at its end."""

    async def main() -> None:
        await ask(*layers)
        for layer in layers:
            await layer._store.aclose()

    asyncio.run(main())


def test_workers_share_a_block(server: Server) -> None:
    """A client that one worker has blocked is blocked by the others, at once, and told the same."""
    server.call("FLUSHALL")
    stream = io.StringIO()
    found: list[Reply] = []

    async def ask(one: RateLimitMiddleware, other: RateLimitMiddleware) -> None:
        found.extend([await exchange(one, asked()) for _ in range(6)])
        found.append(await exchange(other, asked()))
        found.append(await exchange(other, asked(client="192.0.2.2")))

    in_turn(ask, layered(server.url, stream), layered(server.url, stream))
    assert kinds(found) == ["served"] * 2 + ["refused"] * 3 + ["blocked"] * 2 + ["served"]
    assert int(found[-2].header("retry-after") or 0) in {599, 600}
    assert [orjson.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["rate_limit_block"]


@pytest.mark.parametrize("costs", ["", f"/*: {HERE}:cost"])
def test_a_blocked_client_costs_no_round_trips(server: Server, costs: str) -> None:
    """A flood of a blocked client is answered from what the worker remembers, whatever its requests cost."""
    server.call("FLUSHALL")
    found: list[str] = []
    calls: list[int] = []

    async def ask(layer: RateLimitMiddleware) -> None:
        async def flood(count: int) -> None:
            for number in range(count):
                scope = asked(query=b"things=%d" % (number % 2 + 1))
                found.extend(kinds([await exchange(layer, scope)]))

        await flood(10)
        server.call("CONFIG", "RESETSTAT")
        # Less than the second after which the server is asked again.
        await flood(100)
        calls.append(server.calls("evalsha"))

    in_turn(ask, layered(server.url, costs=costs))
    assert found[-100:] == ["blocked"] * 100
    assert calls[0] <= 1


def test_a_worker_remembers_the_block_of_another_one(server: Server) -> None:
    """Once it has heard of it, it answers a flood of that client by itself."""
    server.call("FLUSHALL")
    calls: list[int] = []

    async def ask(one: RateLimitMiddleware, other: RateLimitMiddleware) -> None:
        for _ in range(6):
            await exchange(one, asked())
        await exchange(other, asked())
        server.call("CONFIG", "RESETSTAT")
        assert kinds([await exchange(other, asked()) for _ in range(100)]) == ["blocked"] * 100
        calls.append(server.calls("evalsha"))

    in_turn(ask, layered(server.url), layered(server.url))
    assert calls[0] <= 1


def test_a_refused_client_costs_few_round_trips(server: Server) -> None:
    """A refusal is remembered too, so that a flood within a quota's wait does not reach the server."""
    server.call("FLUSHALL")
    calls: list[int] = []

    async def ask(layer: RateLimitMiddleware) -> None:
        for _ in range(3):
            await exchange(layer, asked())
        server.call("CONFIG", "RESETSTAT")
        assert [(await exchange(layer, asked())).status for _ in range(100)] == [429] * 100
        calls.append(server.calls("evalsha"))

    in_turn(ask, layered(server.url, penalty=None))
    assert calls[0] <= 1


def test_a_storage_that_cannot_block_fails_at_start() -> None:
    """Storages that count everything in another way than a block are an error that names what fits."""
    with pytest.raises(SettingsError, match=r"^RateLimit\.penalty: .*fixed-window.*memory"):
        RateLimit(storage="async+memory://", algorithm="sliding-window", penalty=60.0)
    RateLimit(storage="async+memory://", algorithm="fixed-window", penalty=60.0)


def test_a_storage_of_limits_blocks_too() -> None:
    """With an algorithm that it has, any storage of the package `limits` keeps a block."""
    found: list[str] = []

    async def ask(layer: RateLimitMiddleware) -> None:
        found.extend(kinds([await exchange(layer, asked()) for _ in range(7)]))

    in_turn(ask, layered("async+memory://", algorithm="fixed-window"))
    assert found == ["served"] * 2 + ["refused"] * 3 + ["blocked"] * 2


@pytest.mark.parametrize("fields", [{"penalty": 0.5}, {"penalty": 0.0}, {"penalty_after": 0}])
def test_a_penalty_that_makes_no_sense_fails_at_start(fields: dict[str, Any]) -> None:
    """A block shorter than a second, or after no refusal at all, is refused."""
    with pytest.raises(SettingsError, match=r"^RateLimit\.penalty.*at least 1"):
        RateLimit(**fields)
