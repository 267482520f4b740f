"""Who is counted, beyond the address: made-up keys gain nothing, and no value is kept or told."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.authentication import SimpleUser

from garrison import RateLimit, RateLimitMiddleware, SettingsError
from garrison.limiting.who import hash_key, hashed
from garrison.units import Secret
from tests.toolkit.driver import call, exchange, replies_with
from tests.toolkit.middleware.limited import Limited, asked
from tests.toolkit.middleware.shop import HERE
from tests.toolkit.ratelimit.servers import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.toolkit.driver import Reply

KEYED: Final = "10/minute; 3/minute by header:x-api-key"
SECRET: Final = Secret("sixteen letters, and some more")
CANARY: Final = "hunter2-canary"
SHARED: Final[dict[str, Any]] = {"storage": "valkey://127.0.0.1:1"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A Valkey for all tests of this module."""
    with Server() as found:
        yield found


def keyed(name: str) -> dict[str, Any]:
    """A request with an API key."""
    return {"headers": {"x-api-key": name}}


@pytest.mark.parametrize("field", ["limits", "messages"])
@pytest.mark.parametrize(
    "limits",
    [
        "1000/hour by header:x-api-key",
        "/api/*: 1000/hour by header:x-api-key",
        "GET|POST /api/*: 1000/hour by header:X-Api-Key; 5/minute",
        "1000/hour by address+header:x-device",
        "1000/hour by principal+header:x-device",
        f"1000/hour by {HERE}:tenant+header:x-device",
        f"{HERE}:quotas by header:x-api-key",
        f"1000/hour by header:x-api-key; {HERE}:quotas by address",
        "POST /a: 5/minute; GET /a: 1000/hour by header:x-api-key",
    ],
)
def test_a_header_counts_only_beside_the_address(field: str, limits: str) -> None:
    """Whoever trusts a key alone is told that keys can be made up, and what to write in its place."""
    with pytest.raises(SettingsError, match=rf"^RateLimit\.{field}: .* make up any value") as error:
        RateLimit(**{field: limits})  # type: ignore[arg-type]
    (advice,) = re.findall(r"such as '([^']+)'", str(error.value))
    RateLimit(**{field: advice})


def test_made_up_keys_give_no_more_than_the_address_has() -> None:
    """A stranger with a fresh key for each request is served as often as without any."""
    limited = Limited(limits=KEYED)
    assert limited.served(keyed(f"junk {number}") for number in range(50)) == 10
    assert Limited(limits=KEYED).served({} for _ in range(50)) == 10


def test_clients_behind_one_address_have_a_quota_for_each_key() -> None:
    """Two programs in one office each have what their keys have, as far as the office's address goes."""
    limited = Limited(limits=KEYED)
    assert limited.statuses(5, **keyed("a")) == [200] * 3 + [429] * 2
    assert limited.statuses(5, **keyed("b")) == [200] * 3 + [429] * 2
    assert limited.get(**keyed("a")).json["violated-policies"] == ["3-per-minute-by-x-api-key"]
    # What the keys were refused is not taken from the address.
    assert limited.statuses(6) == [200] * 4 + [429] * 2
    assert limited.get(**keyed("new")).json["violated-policies"] == ["10-per-minute"]


def test_a_key_is_the_same_client_everywhere() -> None:
    """Who changes its address keeps what its key has used."""
    limited = Limited(limits=KEYED)
    requests = [keyed("a") | {"client": f"192.0.2.{number}"} for number in range(9)]
    assert limited.served(requests) == 3


@pytest.mark.parametrize("headers", [{}, {"x-api-key": ""}, {"x-other": "a"}])
def test_who_sends_no_key_is_counted_by_address(headers: dict[str, str]) -> None:
    """Without the header, or with an empty one, there is the quota of the address and nothing else."""
    limited = Limited(limits=KEYED)
    assert limited.statuses(12, headers=headers) == [200] * 10 + [429] * 2
    assert limited.get(headers=headers).header("ratelimit-policy") == '"10-per-minute";q=10;w=60'


def lines(limited: Limited, *values: bytes) -> Reply:
    """A request whose key is in so many lines."""
    scope = asked()
    scope["headers"] = [(b"x-api-key", value) for value in values]
    return call(limited.layer, scope)


def test_a_header_that_comes_twice_is_whatever_an_app_reads() -> None:
    """Apps take the first line, the last one or all of them (RFC 9110 section 5.3); each of these counts."""
    limited = Limited(limits="9/minute; 1/minute by header:x-api-key")
    assert lines(limited, b"a", b"", b"b").status == 200
    for values in ((b"a",), (b"b",), (b"a,,b",), (b"b", b"c"), (b"a", b"c")):
        assert lines(limited, *values).status == 429
    assert lines(limited, b"c", b"c").status == 200
    assert lines(limited, b"", b"").status == 200


def test_junk_beside_a_key_that_is_valid_gains_nothing() -> None:
    """Whoever adds another line for each request is served no more often than the key has quota."""
    limited = Limited(limits="99/minute; 3/minute by header:x-api-key")
    junk = [b"junk %d" % number for number in range(10)]
    assert sum(lines(limited, b"key", one).status == 200 for one in junk) == 3
    limited = Limited(limits="99/minute; 3/minute by header:x-api-key")
    assert sum(lines(limited, one, b"key").status == 200 for one in junk) == 3


def test_an_identity_of_several_parts() -> None:
    """Each device at each address has a quota; a device elsewhere, or another one here, has its own."""
    limited = Limited(limits="9/minute; 1/minute by address+header:x-device")
    device: dict[str, Any] = {"headers": {"x-device": "a"}}
    other: dict[str, Any] = {"headers": {"x-device": "b"}}
    assert limited.statuses(2, **device) == [200, 429]
    assert limited.statuses(2, **other) == [200, 429]
    assert limited.statuses(2, client="192.0.2.2", **device) == [200, 429]
    assert limited.statuses(3) == [200] * 3


LETTERS: Final = st.characters(min_codepoint=1, max_codepoint=255)
TEXT: Final = st.text(LETTERS, min_size=1, max_size=4) | st.sampled_from(
    ["a b", "a", "b", "a+b", "a b+c", "c", "b c", "+", " ", ":", "192.0.2.1"]
)


@given(st.tuples(TEXT, TEXT), st.tuples(TEXT, TEXT))
def test_different_parts_never_meet(one: tuple[str, str], other: tuple[str, str]) -> None:
    """However the values are cut, joined or swapped, two clients are one only if all parts are the same."""
    limited = Limited(limits="9/minute; 1/minute by header:x-a+header:x-b")
    pairs: list[dict[str, Any]] = [
        {"headers": {"x-a": first, "x-b": second}} for first, second in (one, other)
    ]
    assert limited.served(pairs) == (1 if one == other else 2)


@given(TEXT, TEXT)
def test_names_of_peers_never_meet(one: str, other: str) -> None:
    """A server may call its peers anything; each is one word of a key, with whatever stands around it."""
    limited = Limited(
        limits="2/minute as x; 1/minute as y by address+header:x-a; 1/minute as z by header:x-a"
    )
    for client, value in ((one, other), (other, one)):
        limited.get(client=client, headers={"x-a": value})
    assert all(len(key.split(" ")) == (2 if key.startswith("x") else 3) for key in limited.keys)
    own = {key for key in limited.keys if key.startswith("x:")}
    assert len(own) == (1 if one == other else 2)


def everybody_is_counted(storage: str = "memory://") -> RateLimit:
    """Quotas by everything that can be a secret, and everything that could tell of it switched on."""
    return RateLimit(
        limits="9/minute; 8/minute by header:x-api-key; 2/minute by address+header:x-api-key;"
        f" 7/minute by principal; 6/minute by {HERE}:tenant_soon; {HERE}:quotas by {HERE}:tenant_soon",
        penalty=600.0,
        penalty_after=1,
        partition_key=True,
        headers="both",
        storage=storage,
        deadline=2.0,
    )


def told(reply: Reply) -> str:
    """Everything that a client is told."""
    return repr(reply.headers) + reply.body.decode()


class Somebody:
    is_authenticated = True
    identity = f"alice {CANARY}"


def secret_request() -> dict[str, Any]:
    """A request all of whose identities are secrets."""
    return {
        "headers": {"x-api-key": f"key {CANARY}"},
        "query": f"tenant={CANARY}".encode(),
        "user": Somebody(),
    }


def test_no_value_is_kept_or_told_in_clear() -> None:
    """Neither the keys of the store nor the log nor a reply shows an API key, a user or a tenant."""
    settings = everybody_is_counted()
    fields = {
        name: getattr(settings, name) for name in ("limits", "penalty", "penalty_after", "partition_key")
    }
    limited = Limited(secret=SECRET, **fields)
    replies = [limited.get(**secret_request()) for _ in range(6)]
    assert [reply.status for reply in replies] == [200] * 2 + [429] * 4
    assert "hunter2" not in "".join(map(told, replies)) + limited.logged + "".join(limited.keys)
    # There was something to tell: an event of a block, and a key for each identity, the tenant and the block.
    (event,) = limited.events
    assert event["event"] == "rate_limit_block"
    assert len(limited.keys) == 7
    assert "pk=" in told(replies[0])


def test_no_value_is_at_the_server_in_clear(server: Server) -> None:
    """Who can read the Valkey learns nothing that a client could be asked for."""
    server.call("FLUSHALL")
    layer = RateLimitMiddleware(replies_with(), everybody_is_counted(server.url), secret=SECRET)

    async def ask() -> list[int]:
        found = [(await exchange(layer, asked(**secret_request()))).status for _ in range(6)]
        await layer._store.aclose()
        return found

    assert asyncio.run(ask()) == [200] * 2 + [429] * 4
    keys = server.call("KEYS", "*")
    assert len(keys) == 7
    assert b"hunter2" not in b"".join(keys) + b"".join(server.call("DUMP", key) for key in keys)


def test_one_value_in_two_places_has_two_hashes() -> None:
    """Who reads the keys cannot tell that a client sends the same value as its key and as its user."""
    limited = Limited(
        limits="9/minute; 9/minute by header:x-a; 9/minute by header:x-b; 9/minute by principal"
    )
    limited.get(headers={"x-a": "alice", "x-b": "alice"}, user=SimpleUser("alice"))
    assert len({key.rpartition(" ")[2] for key in limited.keys}) == 4


def test_processes_with_one_secret_make_the_same_keys() -> None:
    """A worker finds what another one has counted, and nobody does who has another secret."""
    one = Limited(limits=KEYED, secret=SECRET)
    one.get(**keyed("a"))
    code = (
        "from garrison.limiting.who import hash_key, hashed; from garrison.units import Secret;"
        f"print(hashed(hash_key(Secret({SECRET.reveal()!r})), 'header:x-api-key', 'a'))"
    )
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert other.stdout.strip() in " ".join(one.keys)
    assert hashed(hash_key(Secret("another secret text")), "header:x-api-key", "a") not in " ".join(one.keys)
    # Without any, each process has one of its own.
    assert hashed(hash_key(None), "x", "a") != hashed(hash_key(None), "x", "a")


@pytest.mark.parametrize(
    "fields",
    [
        {"limits": "5/minute; 5/minute by header:x-api-key"},
        {"limits": "5/minute by principal"},
        {"limits": f"5/minute by {HERE}:tenant"},
        {"limits": f"{HERE}:quotas by {HERE}:tenant"},
        {"messages": "5/minute by principal"},
        {"limits": "5/minute", "partition_key": True},
    ],
)
def test_shared_hashes_need_a_secret(fields: dict[str, Any]) -> None:
    """Processes that would make different hashes do not start, and say how a secret is made."""
    with pytest.raises(SettingsError, match=r"^GARRISON_SECRET: .*openssl rand -hex 32"):
        RateLimitMiddleware(replies_with(), RateLimit(**fields, **SHARED))
    RateLimitMiddleware(replies_with(), RateLimit(**fields, **SHARED), secret=SECRET)
    RateLimitMiddleware(replies_with(), RateLimit(**fields))


def test_addresses_need_no_secret() -> None:
    """A shared storage that counts by address starts without more."""
    RateLimitMiddleware(replies_with(), RateLimit(limits="5/minute", messages="5/minute", **SHARED))
