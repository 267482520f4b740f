"""How routes count: as the layer above, unless they say, and as the storage can."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import Depends, FastAPI

from garrison import Limit, LoginLimit, RateLimit, RateLimitMiddleware, SettingsError
from garrison.ratelimit.limits_store import LimitsStore
from garrison.ratelimit.memory import MemoryStore
from garrison.ratelimit.resilient import ResilientStore
from garrison.units import Secret
from tests.toolkit.driver import Reply, exchange, http_scope

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp
    from garrison.ratelimit.quota import Algorithm, Store

# A storage of the package `limits`, which has no token buckets, without a server.
STORAGE = "async+memory://"
WINDOWS: tuple[Algorithm, ...] = ("fixed-window", "sliding-window")


def site(limit: Limit | LoginLimit) -> FastAPI:
    """An app with one limited page."""
    app = FastAPI()
    app.add_api_route("/", lambda: None, dependencies=[Depends(limit)], methods=["POST"])
    return app


def asked(app: ASGIApp, count: int = 1) -> list[Reply]:
    """Several POSTs of a login, in one loop, to which this storage belongs."""
    scope = http_scope(method="POST", headers=[(b"content-type", b"application/json")])

    async def main() -> list[Reply]:
        return [await exchange(app, dict(scope), b'{"username": "ann"}') for _ in range(count)]

    return asyncio.run(main())


def statuses(app: ASGIApp, count: int) -> list[int]:
    """What several requests are answered."""
    return [reply.status for reply in asked(app, count)]


@pytest.mark.parametrize("algorithm", WINDOWS)
@pytest.mark.parametrize("make", [Limit, lambda text: LoginLimit(attempts=text)], ids=["limit", "login"])
def test_a_limit_counts_as_the_layer_above(make: Any, algorithm: Algorithm) -> None:
    """On a storage that has no token buckets a limit needs no word about that."""
    layer = RateLimit(storage=STORAGE, algorithm=algorithm)
    app = RateLimitMiddleware(site(make("2/minute")), layer, secret=Secret("s" * 32))
    assert statuses(app, 3) == [200, 200, 429]


def test_quotas_of_a_callable_count_as_the_layer_above() -> None:
    """What a tenant may do is counted as the storage can, too."""
    layer = RateLimit(storage=STORAGE, algorithm="fixed-window")
    app = RateLimitMiddleware(site(Limit(lambda _: "2/minute")), layer)
    assert statuses(app, 3) == [200, 200, 429]


@pytest.mark.parametrize(("own", "seconds"), [(None, "60"), ("token-bucket", "30")])
def test_the_layer_is_asked_where_nothing_is_said(own: Algorithm | None, seconds: str) -> None:
    """In memory a limit may count in another way than its layer, and does where it is told to."""
    app = RateLimitMiddleware(site(Limit("2/minute", algorithm=own)), RateLimit(algorithm="fixed-window"))
    assert asked(app)[0].header("ratelimit") == f'"2-per-minute";r=1;t={seconds}'


@pytest.mark.parametrize("make", [Limit, lambda _, **more: LoginLimit(**more)], ids=["limit", "login"])
def test_an_algorithm_that_the_storage_lacks_is_one_clear_error(make: Any) -> None:
    """It is said by its name and with what would do."""
    layer = RateLimit(storage=STORAGE, algorithm="fixed-window")
    limit = make("2/minute", algorithm="token-bucket")
    app = RateLimitMiddleware(site(limit), layer, secret=Secret("s" * 32))
    with pytest.raises(SettingsError) as caught:
        asked(app)
    assert str(caught.value) == (
        f"{type(limit).__name__}.algorithm: expected fixed-window, as everything on this storage is counted,"
        " or nothing, found 'token-bucket'."
    )


@pytest.mark.parametrize("wrapped", [False, True])
def test_the_algorithm_of_a_store_that_is_given(*, wrapped: bool) -> None:
    """A store that has one algorithm is counted with that, and another one is refused at start."""
    store: Store = LimitsStore(STORAGE, "fixed-window")
    if wrapped:
        store = ResilientStore(store, MemoryStore())
    assert statuses(site(Limit("2/minute", store=store)), 3) == [200, 200, 429]
    with pytest.raises(SettingsError, match="expected fixed-window"):
        Limit("2/minute", store=store, algorithm="token-bucket")
    with pytest.raises(SettingsError, match="expected fixed-window"):
        LoginLimit(store=store, algorithm="sliding-window", secret="s" * 32)
