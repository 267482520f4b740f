"""Logins: guessing and stuffing end, the owner gets in, and nobody learns who has an account."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import Depends, FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from garrison import Attempt, Limit, LoginLimit, RateLimit, RateLimitMiddleware, SettingsError
from garrison.context import RequestContext
from garrison.limiting.counting import Telling
from garrison.limiting.fields import Fields
from garrison.limiting.login_account import spelled_alike
from garrison.ratelimit.memory import MemoryStore
from garrison.ratelimit.quota import Part, parse_quotas
from garrison.ratelimit.resilient import ResilientStore
from garrison.ratelimit.valkey import ValkeyStore
from tests.ports import free_port
from tests.toolkit.driver import Reply, call, exchange, http_scope, run
from tests.toolkit.ratelimit.servers import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from garrison.asgi import ASGIApp
    from garrison.limiting.fields import Style
    from garrison.ratelimit.quota import Algorithm, Store

HOME = "198.51.100.7"
HOUR = 3600.0
DAY = 86_400.0


class Clock:
    """Seconds that go on when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Site:
    """An app with a login, on a clock of its own."""

    def __init__(self, store: Store | None = None, **options: Any) -> None:
        self.clock = Clock()
        self.attempts: list[Attempt] = []
        self.passwords = {"ann": "hunter2", "bob": "swordfish"}
        self.store = MemoryStore(clock=self.clock) if store is None else store
        self.limit = LoginLimit(store=self.store, secret="s" * 32, **options)
        self.app = Starlette(routes=[Route("/login", self.login, methods=["POST"])])

    async def login(self, request: Request) -> JSONResponse:
        """Lets in who knows the password."""
        attempt = await self.limit(request)
        self.attempts.append(attempt)
        body = await request.json()
        if self.passwords.get(body.get("username")) != body.get("password"):
            return JSONResponse({"detail": "wrong name or password"}, 401)
        await attempt.succeeded()
        return JSONResponse({"welcome": body["username"]})

    def ask(self, username: str | None, password: str = "wrong", address: str = "192.0.2.1") -> Reply:
        """One attempt."""
        body = {"password": password} if username is None else {"username": username, "password": password}
        return post(self.app, body, address)

    def status(self, username: str | None, password: str = "wrong", address: str = "192.0.2.1") -> int:
        """What one attempt is answered."""
        return self.ask(username, password, address).status

    def statuses(self, count: int, username: str, password: str = "wrong", address: str = HOME) -> list[int]:
        """What some attempts are answered."""
        return [self.status(username, password, address) for _ in range(count)]


def post(app: ASGIApp, body: dict[str, Any], address: str = "192.0.2.1", path: str = "/login") -> Reply:
    """One attempt as JSON."""
    headers = [(b"content-type", b"application/json")]
    scope = http_scope(path, method="POST", headers=headers, client=(address, 1))
    return call(app, scope, json.dumps(body).encode())


def keys(store: Store) -> list[str]:
    """What is kept in memory."""
    assert isinstance(store, MemoryStore)
    tables = [*store._tables.values(), *store.apart._tables.values()]
    return [key for table in tables for shard in table.shards.values() for key in shard]


def bot(number: int) -> str:
    """One of many addresses."""
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


def test_guessing_from_one_address_ends() -> None:
    """The sixth wrong password of a minute is not looked at, and the reply says when the next one is."""
    site = Site()
    assert site.statuses(6, "ann") == [401] * 5 + [429]
    reply = site.ask("ann", address=HOME)
    site.clock.now += float(reply.header("retry-after") or 0)
    assert site.status("ann", address=HOME) == 401


def test_guessing_goes_slower_by_the_hour() -> None:
    """Who keeps guessing at one account from one address has 30 guesses an hour, and not 300."""
    site = Site(stuffing="1000/hour")
    site.status("ann", "hunter2", HOME)
    served = 0
    for _ in range(4 * 60):
        site.clock.now += 60
        served += site.statuses(5, "ann").count(401)
    assert served <= 30 + 4 * 30


def test_a_success_costs_nothing() -> None:
    """Whoever knows the password can log in as often as he likes, from many places."""
    site = Site()
    assert [site.status("ann", "hunter2", bot(number // 10)) for number in range(600)] == [200] * 600


def test_a_success_that_is_not_told_counts() -> None:
    """A handler that forgets `succeeded()` limits successes too."""
    limit = LoginLimit(store=MemoryStore(), secret="s" * 32)

    async def login(request: Request) -> JSONResponse:
        await limit(request)
        return JSONResponse({})

    app = Starlette(routes=[Route("/login", login, methods=["POST"])])
    assert [post(app, {"username": "ann"}).status for _ in range(6)] == [200] * 5 + [429]


def test_success_is_told_once() -> None:
    """A second `succeeded()` gives nothing back that another attempt took."""
    site = Site()
    site.statuses(4, "ann")
    site.status("ann", "hunter2", HOME)
    attempt = site.attempts[-1]
    run(attempt.succeeded())
    assert site.statuses(2, "ann") == [401, 429]


def test_a_botnet_gets_nearly_nothing() -> None:
    """Many addresses that guess at one account for hours have what was promised, and no more."""
    site = Site()
    hours, bots, served = 8, 150, 0
    for _ in range(hours):
        for number in range(bots):
            served += site.statuses(2, "ann", address=bot(number)).count(401)
        site.clock.now += HOUR
    failures, each = 50 + 50 * hours, bots * (hours + 1)
    assert bots * hours <= served <= failures + each
    # Without the failures of the account it would be the attempts of every address.
    assert served < bots * hours * 2


def test_an_attack_does_not_keep_the_owner_out() -> None:
    """In the middle of it the owner gets in at home and from a new device, again and again."""
    site = Site()
    assert site.status("ann", "hunter2", HOME) == 200
    for number in range(300):
        site.status("ann", address=bot(number))
    assert site.attempts[-1].under_attack
    for number in range(300, 320):
        assert site.status("ann", "hunter2", HOME) == 200
        assert site.status("ann", "hunter2", f"203.0.113.{number % 5}") == 200
        site.statuses(3, "ann", address=bot(number))
    # At home a slip of the finger is forgiven; a new device has one try.
    assert site.statuses(4, "ann") == [401] * 4
    assert site.attempts[-1].remembered
    assert [site.status("ann", address="203.0.113.99") for _ in range(2)] == [401, 429]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 2), st.sampled_from([0.0, 1.0, 61.0, 1000.0])),
        max_size=150,
    ),
    st.sampled_from(["token-bucket", "sliding-window", "fixed-window"]),
)
def test_no_stranger_locks_the_owner_out(steps: list[tuple[int, int, float]], algorithm: Algorithm) -> None:
    """Whatever others do elsewhere, in whichever spelling, at any time: the right password is looked at."""
    site = Site(algorithm=algorithm, failures="5/hour")
    assert site.status("ann", "hunter2", HOME) == 200
    for number, spelling, later in steps:
        site.clock.now += later
        site.status(("ann", "ANN", "ánn")[spelling], address=bot(number))
        assert site.status("ann", "hunter2", HOME) == 200
    assert site.status("ann", "hunter2", "203.0.113.1") == 200


def test_stuffing_ends() -> None:
    """One address that tries one password in many accounts is stopped, with names that exist or not."""
    site = Site()
    found = [site.status(f"user{number}", address="192.0.2.66") for number in range(30)]
    assert found == [401] * 20 + [429] * 10
    assert site.status("ann", "hunter2", "192.0.2.66") == 429
    assert site.status("ann", "hunter2", HOME) == 200


def test_stuffing_ends_in_accounts_that_others_attack() -> None:
    """An address has no more tries where every account it tries is under attack already."""
    site = Site(failures="1/hour")
    for number in range(30):
        site.status(f"user{number}", address=bot(number))
    found = [site.status(f"user{number}", address="192.0.2.66") for number in range(30)]
    assert found == [401] * 20 + [429] * 10


def test_people_behind_one_address_go_on_where_they_are_known() -> None:
    """Where one of them stuffs, the others still get in to the accounts that know the address."""
    site = Site()
    site.status("bob", "swordfish", HOME)
    for number in range(30):
        site.status(f"user{number}", address=HOME)
    assert site.status("bob", "swordfish", HOME) == 200
    assert site.status("ann", "hunter2", HOME) == 429


@pytest.mark.parametrize("algorithm", ["token-bucket", "sliding-window", "fixed-window"])
def test_an_address_is_known_for_thirty_days(algorithm: Algorithm) -> None:
    """It is forgotten then, unless there was another login in between."""
    for pause, remembered in ((29 * DAY, True), (31 * DAY, False)):
        site = Site(algorithm=algorithm)
        site.status("ann", "hunter2", HOME)
        for _ in range(3):
            site.clock.now += pause
            site.status("ann", "hunter2", HOME)
            assert site.attempts[-1].remembered is remembered


def test_another_spelling_is_another_account_to_be_known_to() -> None:
    """Who registers a name that looks like the owner's is not known to the owner's account."""
    site = Site()
    for name in ("ánn", "Ann", " ann"):
        site.passwords[name] = "mine"
        assert site.status(name, "mine", "192.0.2.66") == 200
        assert site.status("ann", "wrong", "192.0.2.66") == 401
        assert not site.attempts[-1].remembered


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("ann", "ANN"),
        ("ann", " ann"),
        ("ann", "Ann\t"),
        ("ann", "ánn"),
        ("ann", "a\u0301nn"),
        ("ann", "\uff41nn"),
        ("ann", "a\u200bnn"),
        ("ann", "a\x00nn"),
        ("ann", " " * 5000 + "ann"),
        ("bob", "bøb"),
        ("mike", "m\u0131ke"),
        ("mike", "M\u0130KE"),
    ],
)
def test_spellings_share_their_quotas(name: str, variant: str) -> None:
    """Another spelling of a name, as some database finds it, is no way around what is used up."""
    site = Site()
    assert site.statuses(3, name) + site.statuses(3, variant) == [401] * 5 + [429]


def test_long_names_are_cut() -> None:
    """A name of megabytes takes no time, and names that differ far behind count as one."""
    assert spelled_alike("x" * 5_000_000) == "x" * 1024
    site = Site()
    assert site.statuses(3, "x" * 2000) + site.statuses(3, "x" * 2001) == [401] * 5 + [429]


def test_nobody_learns_who_has_an_account() -> None:
    """Replies about a name that exists and one that does not are the same, in every line."""
    existing, missing = Site(), Site()
    existing.status("ann", "hunter2", HOME)
    for number in range(300):
        one = existing.ask("ann", address=bot(number // 4))
        other = missing.ask("nobody", address=bot(number // 4))
        one_lines, other_lines = (
            [line for line in reply.headers if line[0] != b"retry-after"] for reply in (one, other)
        )
        assert (one.status, one_lines, one.body) == (other.status, other_lines, other.body)
    assert existing.attempts[-1].under_attack
    assert missing.attempts[-1].under_attack


@pytest.mark.parametrize("headers", ["standard", "legacy"])
def test_a_success_is_told_as_one_that_cost_nothing(headers: Style) -> None:
    """The reply to a right password says that everything is left, since it has been given back."""
    app = RateLimitMiddleware(
        fastapi(LoginLimit()),
        RateLimit(limits="100/minute", headers=headers),
        store=MemoryStore(clock=Clock()),
    )
    reply = [post(app, {"username": "ann"}, "192.0.2.1", path) for path in ("/fails", "/fails", "/")][-1]
    if headers == "legacy":
        assert reply.all("x-ratelimit-remaining") == ["3"]
    else:
        told = '"5-per-minute";r=3;t=12, "30-per-hour";r=28;t=120'
        assert reply.all("ratelimit") == ['"100-per-minute";r=97;t=1', told]


def test_a_success_is_told_in_plain_fastapi() -> None:
    """Without a layer FastAPI's own replies say it, too."""
    told = '"5-per-minute";r=5;t=0, "30-per-hour";r=30;t=0'
    assert post(fastapi(LoginLimit()), {"username": "ann"}, path="/").all("ratelimit") == [told]


def test_two_limits_of_a_route_are_told_apart() -> None:
    """What a success gives back is told of the login, and not of another limit that said the same."""
    app = RateLimitMiddleware(fastapi(LoginLimit(attempts="5/minute"), Limit("5/minute")))
    reply = post(app, {"username": "ann"}, path="/")
    assert reply.all("ratelimit") == ['"5-per-minute";r=4;t=12', '"5-per-minute";r=5;t=0']


def fastapi(limit: LoginLimit, *others: Limit) -> FastAPI:
    """A login that lets everybody in, and one that lets in nobody."""
    limited = Depends(limit)
    app = FastAPI()

    @app.post("/", dependencies=list(map(Depends, others)))
    async def succeeds(attempt: Attempt = limited) -> None:
        await attempt.succeeded()

    @app.post("/fails", dependencies=[limited])
    async def fails() -> None: ...

    return app


@pytest.mark.parametrize("name", ["someone", None])
def test_a_refusal_tells_of_the_quota_that_refuses(name: str | None) -> None:
    """Who has no more tries in all accounts together is not told of what is left for one of them alone."""
    site = Site(attempts="100/minute", failures="100/hour")
    for number in range(20):
        site.status(f"user{number}", address=HOME)
    reply = site.ask(name, address=HOME)
    assert reply.status == 429
    policies = '"100-per-minute";q=100;w=60, "20-per-hour-by-address";q=20;w=3600'
    assert reply.header("ratelimit-policy") == policies
    assert reply.header("ratelimit") == '"100-per-minute";r=100;t=0, "20-per-hour-by-address";r=0;t=180'


def test_clients_are_not_told_what_others_do() -> None:
    """What is told is the client's own quota, and not how many failures an account has had."""
    store = MemoryStore()
    limit = LoginLimit()

    async def login(request: Request) -> JSONResponse:
        await limit(request)
        return JSONResponse({})

    app = RateLimitMiddleware(Starlette(routes=[Route("/login", login, methods=["POST"])]), store=store)
    outcomes = app._limiter.outcomes
    for number in range(49):
        reply = post(app, {"username": "ann"}, bot(number))
        assert reply.header("ratelimit") == '"5-per-minute";r=4;t=12, "30-per-hour";r=29;t=120'
    post(app, {"username": "ann"}, bot(50))
    assert post(app, {"username": "ann"}, bot(51)).header("ratelimit-policy") == (
        '"1-per-hour-new-address";q=1;w=3600'
    )
    assert (outcomes.allowed, outcomes.refused) == (51, 0)


def test_a_request_without_a_name_is_counted_by_address() -> None:
    """Whoever leaves the name out has the attempts of one account."""
    site = Site()
    assert [site.status(None) for _ in range(6)] == [401] * 5 + [429]
    assert site.status(None, address=HOME) == 401


def test_two_logins_on_one_store_know_their_addresses_both() -> None:
    """An owner who is known at one of two routes gets in at the other: each has a limit, and they share."""
    web = Site()
    for name in ("login", "admin"):
        api = Site(web.store, name=name)
        for site in (web, api, web, api):
            assert site.status("ann", "hunter2", HOME) == 200
        assert (web.attempts[-1].remembered, api.attempts[-1].remembered) == (True, True)


def test_a_second_limit_sees_an_attack_too() -> None:
    """Where strangers have used up the failures of an account, the owner gets in at every route."""
    web = Site(stuffing="1000/hour", failures="10/hour")
    api = Site(web.store, stuffing="1000/hour", failures="10/hour")
    for number in range(20):
        web.status("ann", "wrong", bot(number))
    assert api.status("ann", "hunter2", HOME) == 200
    assert api.attempts[-1].under_attack


def test_successes_do_not_fill_the_store() -> None:
    """Somebody with one account and many addresses, or spellings, has 20 of them remembered in a day."""
    site = Site()
    for number in range(100):
        variant = " " * number + "ann"
        site.passwords[variant] = "hunter2"
        assert site.status("ann", "hunter2", bot(number)) == 200
        assert site.status(variant, "hunter2", HOME) == 200
    assert sum(" known " in key for key in keys(site.store)) == 20
    site.clock.now += DAY
    for number in range(100):
        assert site.status("ann", "hunter2", bot(number)) == 200
    assert sum(" known " in key for key in keys(site.store)) == 40


def test_known_addresses_take_no_room_from_counts() -> None:
    """However many addresses are remembered for a month, a new client has a count of its own."""
    clock = Clock()
    site = Site(MemoryStore(clock=clock, bound=50))
    for number in range(60):
        name = f"user{number}"
        site.passwords[name] = "right"
        assert site.status(name, "right", bot(number)) == 200
        clock.now += 1
    found = [site.statuses(5, f"guest{number}", address=f"192.0.2.{number}") for number in range(2)]
    assert found == [[401] * 5] * 2


def test_what_was_not_taken_is_not_given_back() -> None:
    """A success gives nothing to anybody where a store that is gone let it in, and took nothing."""
    url = f"valkey://127.0.0.1:{free_port()}"
    site = Site(ResilientStore(ValkeyStore(url), MemoryStore(), on_error="open"))
    assert site.status("ann", "wrong", HOME) == 401
    assert site.attempts[-1]._taken == ()


def test_names_are_not_in_the_store() -> None:
    """Keys have hashes of names, and the addresses that are counted."""
    site = Site()
    site.status("ann", "hunter2", HOME)
    found = keys(site.store)
    assert len(found) == 5
    for key in found:
        assert key.startswith("login ")
        assert "ann" not in key


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A real Valkey."""
    with Server() as found:
        yield found


def test_workers_share_everything_on_valkey(server: Server) -> None:
    """Two processes with one Valkey count one attack, and know the owner's address both."""

    async def main() -> None:
        stores = [ValkeyStore(server.url) for _ in range(2)]
        sites = [Site(store, failures="10/hour") for store in stores]

        async def ask(site: Site, password: str, address: str) -> int:
            body = json.dumps({"username": "ann", "password": password}).encode()
            headers = [(b"content-type", b"application/json")]
            scope = http_scope("/login", method="POST", headers=headers, client=(address, 1))
            return (await exchange(site.app, scope, body)).status

        try:
            assert await ask(sites[0], "hunter2", HOME) == 200
            tasks = [ask(sites[number % 2], "wrong", bot(number // 4)) for number in range(200)]
            served = (await asyncio.gather(*tasks)).count(401)
            assert 10 + 48 <= served <= 11 + 50
            assert await ask(sites[1], "hunter2", HOME) == 200
            assert sites[1].attempts[-1].remembered
            assert await ask(sites[1], "hunter2", "203.0.113.1") == 200
            assert sites[1].attempts[-1].under_attack
            assert server.immortal() == []
        finally:
            await asyncio.gather(*(store.aclose() for store in stores))

    run(main())


def test_an_attempt_takes_few_trips(server: Server) -> None:
    """A stranger's attempt is one round trip, and one where the address is known, or under attack, is two."""

    async def main() -> None:
        store = ValkeyStore(server.url)
        site = Site(store, failures="1/hour", name="trips")
        site.passwords["cyd"] = "right"

        async def trips(username: str, password: str = "wrong") -> int:
            server.call("CONFIG", "RESETSTAT")
            body = json.dumps({"username": username, "password": password}).encode()
            scope = http_scope("/login", method="POST", headers=[(b"content-type", b"application/json")])
            await exchange(site.app, scope, body)
            return server.calls("evalsha")

        try:
            await trips("eve")
            assert [await trips("dan"), await trips("dan")] == [1, 2]
            await trips("cyd", "right")
            assert await trips("cyd") == 2
        finally:
            await store.aclose()

    run(main())


def test_a_store_that_is_gone_fails_no_login() -> None:
    """A success that the store no longer takes is a success; the next attempt is answered 503."""
    gone = ValkeyStore(f"valkey://127.0.0.1:{free_port()}")
    site = Site(ResilientStore(gone, MemoryStore(), on_error="closed", deadline=1.0))
    reply = site.ask("ann", "hunter2")
    assert (reply.status, reply.header("retry-after")) == (503, "1")
    part = Part("ann", parse_quotas("5/minute"))
    telling = Telling(RequestContext(http_scope()), None, Fields())
    attempt = Attempt(
        site.store,
        (part,),
        (part,),
        places=site.store,
        telling=telling,
        remembered=False,
        under_attack=False,
    )
    run(attempt.succeeded())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"attempts": "many"}, "LoginLimit.attempts: expected a quota"),
        ({"failures": "0/hour"}, "LoginLimit.failures: expected a quota"),
        ({"under_attack": ""}, "LoginLimit.under_attack: expected a quota"),
        ({"stuffing": "5"}, "LoginLimit.stuffing: expected a quota"),
        ({"remember": 0}, "LoginLimit.remember: expected at least 60 seconds"),
        ({"remember": "30d"}, "LoginLimit.remember: expected at least 60 seconds"),
        ({"name": ""}, "LoginLimit.name: expected 1 to 64 letters"),
        ({"name": None}, "LoginLimit.name: expected 1 to 64 letters"),
        ({"account": ""}, "LoginLimit.account: expected the name of a field such as 'username'"),
        ({"account": None}, "LoginLimit.account: expected the name of a field such as 'username'"),
        ({"attempts": 5}, "LoginLimit.attempts: expected quotas as a text such as '5/minute; 100/hour'"),
        ({"secret": 5}, "LoginLimit.secret: expected a text, or None, found 'int'"),
    ],
)
def test_wrong_arguments_are_refused_at_start(arguments: dict[str, Any], expected: str) -> None:
    """What cannot be used is said where the limit is made, with what would do."""
    with pytest.raises(SettingsError) as caught:
        LoginLimit(**arguments)
    assert str(caught.value).startswith(expected)
