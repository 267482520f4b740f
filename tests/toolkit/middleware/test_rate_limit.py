"""Rate limits over HTTP: who counts as one client, and what a refused one is told."""

from __future__ import annotations

import re
from ipaddress import ip_network
from random import Random
from typing import TYPE_CHECKING, Final

import pytest

from garrison import Proxy, RateLimit, RateLimitMiddleware, SettingsError
from garrison.middleware.proxy import ProxyMiddleware
from garrison.ratelimit.memory import MemoryStore
from tests.toolkit.driver import accepts, call, handshake, http_scope, replies_with, websocket_scope

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Receive, Scope, Send
    from garrison.ratelimit.quota import Algorithm
    from tests.toolkit.driver import Reply

ITEM: Final = r'"[\x20-\x7e]+";r=\d+;t=\d+'
POLICY: Final = r'"[\x20-\x7e]+";q=[1-9]\d*;w=[1-9]\d*'


class Limited:
    """A limited app, and a clock that the test moves."""

    def __init__(
        self, limits: str, app: ASGIApp | None = None, *, algorithm: Algorithm = "token-bucket"
    ) -> None:
        self.now = 1000.0
        store = MemoryStore(clock=lambda: self.now)
        settings = RateLimit(limits=limits, algorithm=algorithm)
        # Without what clients are told to wait longer than they must, which would hide a lie.
        self.app = RateLimitMiddleware(app or replies_with(), settings, store=store, random=lambda: 0.0)

    def get(self, path: str = "/", *, method: str = "GET", client: str | None = "192.0.2.1") -> Reply:
        """One request of a client."""
        peer = None if client is None else (client, 40000)
        return call(self.app, http_scope(path, method=method, client=peer))

    def statuses(self, count: int, path: str = "/", client: str | None = "192.0.2.1") -> list[int]:
        """What so many requests get."""
        return [self.get(path, client=client).status for _ in range(count)]


def test_a_bare_app_serves_a_flood_and_a_limited_one_its_quota() -> None:
    """Without the layer all of ten requests are served; with it three, and the rest get a 429."""
    assert [call(replies_with()).status for _ in range(10)] == [200] * 10
    assert Limited("3/minute").statuses(10) == [200] * 3 + [429] * 7


@pytest.mark.parametrize(
    ("algorithm", "waits", "after_half"),
    [("token-bucket", "30", [200, 429]), ("fixed-window", "60", [429]), ("sliding-window", "90", [429])],
)
def test_the_algorithm_is_chosen(algorithm: Algorithm, waits: str, after_half: list[int]) -> None:
    """A bucket gives back one by one, a window at its end, and a sliding one weighs in what was before."""
    limited = Limited("2/minute", algorithm=algorithm)
    assert limited.statuses(2) == [200, 200]
    refused = limited.get()
    assert (refused.status, refused.header("retry-after")) == (429, waits)
    limited.now += 30
    assert limited.statuses(len(after_half)) == after_half
    limited.now += float(waits)
    assert limited.get().status == 200


def test_an_unknown_algorithm_names_those_that_there_are() -> None:
    """A misspelt algorithm is an error when the app starts."""
    with pytest.raises(SettingsError, match="token-bucket, sliding-window, fixed-window"):
        RateLimit(algorithm="leaky-bucket")  # type: ignore[arg-type]


def test_a_quota_that_is_not_set_limits_nothing() -> None:
    """The layer without limits serves everything and says nothing about quotas."""
    app = RateLimitMiddleware(replies_with())
    replies = [call(app) for _ in range(20)]
    assert {reply.status for reply in replies} == {200}
    assert replies[0].headers == [(b"content-type", b"text/plain")]


def test_the_app_never_sees_what_is_refused() -> None:
    """A refused request costs the app nothing."""
    served = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        served.append(scope)
        await replies_with()(scope, receive, send)

    assert Limited("2/minute", app).statuses(5) == [200, 200, 429, 429, 429]
    assert len(served) == 2


def test_an_obedient_client_is_admitted() -> None:
    """Who waits for the seconds of Retry-After gets in; who comes a second before does not."""
    limited = Limited("2/minute; 3/hour")
    limited.statuses(2)
    refused = limited.get()
    assert refused.header("retry-after") == "30"
    limited.now += 29
    assert limited.get().status == 429
    limited.now += 1
    assert limited.get().status == 200
    hour = limited.get().header("retry-after")
    assert hour == "1170"
    limited.now += float(hour)
    assert limited.get().status == 200


@pytest.mark.parametrize(
    ("limits", "least", "most"),
    [("1/minute", 60, 65), ("1/hour", 3600, 3605), ("1/10 seconds", 10, 11), ("1/second", 1, 1)],
)
def test_clients_that_were_refused_together_do_not_come_back_together(
    limits: str, least: int, most: int
) -> None:
    """Retry-After is never earlier than the truth, and later by a tenth or five seconds at most."""
    chance = Random(4)  # noqa: S311 - no secret
    store = MemoryStore(clock=lambda: 1000.0)
    app = RateLimitMiddleware(replies_with(), RateLimit(limits=limits), store=store, random=chance.random)
    waits = {int(call(app).header("retry-after") or 0) for _ in range(200)} - {0}
    assert waits == set(range(least, most + 1))


def test_a_refusal_says_which_quotas_are_spent() -> None:
    """The 429 is a problem document with the registered type, and is never cached."""
    limited = Limited("1/second; 5/minute")
    limited.get()
    refused = limited.get()
    assert refused.header("content-type") == "application/problem+json"
    assert refused.header("cache-control") == "no-store"
    document = refused.json
    assert document["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert (document["status"], document["violated-policies"]) == (429, ["1-per-second"])


def test_every_reply_tells_where_the_client_stands() -> None:
    """Policy and standing are in the grammar of the draft, one item for each quota."""
    limited = Limited("2/second; 100/hour")
    for expected in (("r=1;t=1", "r=99;t=36"), ("r=0;t=1", "r=98;t=36"), ("r=0;t=1", "r=98;t=36")):
        reply = limited.get()
        standing, policy = reply.header("ratelimit") or "", reply.header("ratelimit-policy") or ""
        assert re.fullmatch(f"{ITEM}, {ITEM}", standing)
        assert re.fullmatch(f"{POLICY}, {POLICY}", policy)
        assert tuple(item.partition(";")[2] for item in standing.split(", ")) == expected
    assert policy == '"2-per-second";q=2;w=1, "100-per-hour";q=100;w=3600'


def test_rules_go_by_method_and_path() -> None:
    """A login has its own small quota, other paths the general one, and neither eats the other."""
    limited = Limited("POST /login: 1/minute; /api/*: 2/minute; 4/minute")
    assert [limited.get("/login", method="POST").status for _ in range(3)] == [200, 429, 429]
    assert limited.statuses(3, "/api/a") == [200, 200, 429]
    assert limited.statuses(1, "/api/b") == [429]
    assert limited.statuses(5, "/login") == [200] * 4 + [429]


def test_a_path_without_a_rule_is_not_limited() -> None:
    """Where only the login has a quota, everything else goes by without a word."""
    limited = Limited("POST /login: 1/minute")
    assert limited.statuses(5, "/") == [200] * 5
    assert limited.get("/").header("ratelimit") is None


def test_a_prefix_in_front_of_the_app_does_not_change_the_rule() -> None:
    """Rules match the path that the router sees, whether or not the server counts `root_path` in."""
    for path in ("/login", "/shop/login"):
        limited = Limited("/login: 1/minute")
        scopes = [http_scope(path, root_path="/shop") for _ in range(2)]
        assert [call(limited.app, scope).status for scope in scopes] == [200, 429]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("64:ff9b::192.0.2.1", "64:ff9b::192.0.2.2", False),
        ("64:ff9b::192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        (None, None, True),
    ],
)
def test_who_counts_as_one_client(one: str | None, other: str | None, *, same: bool) -> None:
    """An IPv6 client cannot escape within its own /64, and IPv4 inside IPv6 is IPv4."""
    limited = Limited("1/minute")
    assert limited.statuses(1, client=one) == [200]
    assert limited.statuses(1, client=other) == [429 if same else 200]


def test_clients_behind_a_trusted_proxy_have_quotas_of_their_own() -> None:
    """Two clients behind one proxy do not share a quota, and a stranger cannot take a client's place."""
    limited = Limited("1/minute")
    app = ProxyMiddleware(limited.app, Proxy(trusted=(ip_network("10.0.0.0/8"),)))

    def status(peer: str, claimed: str) -> int:
        headers = [(b"x-forwarded-for", claimed.encode())]
        return call(app, http_scope(headers=headers, client=(peer, 1))).status

    assert [status("10.0.0.1", f"192.0.2.{number}") for number in (1, 2, 1)] == [200, 200, 429]
    assert [status("203.0.113.9", f"192.0.2.{number}") for number in (7, 8)] == [200, 429]


def test_a_websocket_handshake_counts() -> None:
    """A handshake over the quota is denied with the same reply, and closed where servers cannot do that."""
    limited = Limited("1/minute", accepts)
    assert handshake(limited.app).sent[0]["type"] == "websocket.accept"
    denied = handshake(limited.app).reply
    assert (denied.status, denied.header("retry-after")) == (429, "60")
    closed = handshake(limited.app, websocket_scope(denial=False)).sent
    assert [(message["type"], message["code"]) for message in closed] == [("websocket.close", 1008)]


ASKING: Final = ((b"origin", b"https://app.example"), (b"access-control-request-method", b"POST"))


def asked(limited: Limited, count: int, *lines: tuple[bytes, bytes], path: str = "/") -> list[Reply]:
    """What so many OPTIONS requests get, which are preflights unless other lines are given."""
    scope = http_scope(path, method="OPTIONS", headers=lines or ASKING)
    return [call(limited.app, scope) for _ in range(count)]


def test_a_preflight_is_not_counted() -> None:
    """A page that has to ask before each request keeps its whole quota, and is told nothing of it."""
    limited = Limited("2/minute")
    replies = asked(limited, 5)
    assert {reply.status for reply in replies} == {200}
    assert replies[0].header("ratelimit") is None
    assert limited.statuses(3) == [200, 200, 429]
    assert asked(limited, 1)[0].status == 200


def test_a_flood_of_preflights_ends() -> None:
    """Anybody can make a request look like one, so that ten times the quota is the most that gets in."""
    limited = Limited("2/minute")
    replies = asked(limited, 30)
    assert [reply.status for reply in replies] == [200] * 20 + [429] * 10
    assert replies[-1].json["violated-policies"] == ["preflights-10x-2-per-minute"]
    assert replies[-1].header("retry-after") == "3"
    assert limited.statuses(2) == [200, 200]


def test_preflights_are_bounded_where_nothing_counts_addresses() -> None:
    """Ten times the first quotas hold for each address where a target counts somebody else only."""
    tenant = "tests.toolkit.middleware.shop:tenant"
    limited = Limited(f"2/minute by address+{tenant}; 1/hour by {tenant}")
    replies = asked(limited, 30)
    assert [reply.status for reply in replies] == [200] * 20 + [429] * 10
    assert replies[-1].json["violated-policies"] == ["preflights-10x-2-per-minute-by-address-tenant"]


def test_quotas_of_one_name_and_other_numbers_are_others() -> None:
    """Two layers that share a store and call their quotas alike do not shorten or fill each other's."""
    store = MemoryStore()
    layers = [
        RateLimitMiddleware(replies_with(), RateLimit(limits=limits), store=store)
        for limits in ("1/second as burst", "2/hour as burst")
    ]
    assert [call(layer).status for layer in (*layers, *layers, layers[1])] == [200, 200, 429, 200, 429]
    keys = [key for table in store._tables.values() for shard in table.shards.values() for key in shard]
    assert len(set(keys)) == 2


def test_a_preflight_belongs_to_what_it_asks_for() -> None:
    """Each target has preflights of its own, and a rule for OPTIONS holds whatever somebody asks for."""
    limited = Limited("POST /login: 1/minute; PUT|OPTIONS /files: 1/minute")
    assert [reply.status for reply in asked(limited, 11, path="/login")] == [200] * 10 + [429]
    odd = (ASKING[0], (b"access-control-request-method", b"ODD"))
    assert [reply.status for reply in asked(limited, 11, *odd, path="/files")] == [200] * 10 + [429]
    assert {reply.status for reply in asked(limited, 30, *odd, path="/login")} == {200}


@pytest.mark.parametrize("line", ASKING)
def test_options_that_is_no_preflight_counts(line: tuple[bytes, bytes]) -> None:
    """Both an origin and a method that is asked for make a preflight."""
    assert [reply.status for reply in asked(Limited("1/minute"), 2, line)] == [200, 429]


def test_two_layers_may_share_a_store() -> None:
    """A stricter quota on one route stands beside the general one, with the same memory behind both."""
    store = MemoryStore()
    inner = RateLimitMiddleware(replies_with(), RateLimit(limits="1/hour; 9/day"), store=store)
    outer = RateLimitMiddleware(inner, RateLimit(limits="3/minute"), store=store)
    assert [call(outer).status for _ in range(4)] == [200, 429, 429, 429]
    assert call(outer).json["violated-policies"] == ["3-per-minute"]


def test_the_same_layer_twice_counts_once() -> None:
    """An app that hardens itself below another hardening keeps its whole quota."""
    settings, store = RateLimit(limits="4/hour"), MemoryStore()
    inner = RateLimitMiddleware(replies_with(), settings, store=store)
    app = RateLimitMiddleware(inner, settings, store=store)
    replies = [call(app) for _ in range(5)]
    assert [reply.status for reply in replies] == [200] * 4 + [429]
    assert replies[0].header("ratelimit") == '"4-per-hour";r=3;t=900'


@pytest.mark.parametrize(
    ("limits", "found"),
    [
        ("many", "many"),
        ("5/minute by moon", "by moon"),
        ("/a /b: 5/minute", "/a /b: 5/minute"),
        ("POST /x:5/minute", "POST /x:5/minute"),
        ("100/minute; 10/minut", "10/minut"),
    ],
)
def test_a_quota_that_makes_no_sense_fails_at_start(limits: str, found: str) -> None:
    """A wrong notation is an error when the app starts, with the one part that does not fit."""
    with pytest.raises(SettingsError, match=rf", found '{re.escape(found)}'\.$"):
        RateLimit(limits=limits)
