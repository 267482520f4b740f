"""Somebody who cannot log in any more can be let in again, and nobody else with him."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from garrison import Attempt, LoginLimit, RateLimitMiddleware
from garrison.ratelimit.memory import MemoryStore
from garrison.ratelimit.valkey import ValkeyStore
from garrison.units import Secret
from tests.toolkit.driver import exchange, http_scope, run
from tests.toolkit.ratelimit.servers import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from garrison.asgi import ASGIApp
    from garrison.ratelimit.quota import Store

HOME = "198.51.100.7"
SECRET = "s" * 32


@pytest.fixture(params=["memory", "valkey"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """The memory of a process, and a real server."""
    if request.param == "memory":
        yield MemoryStore()
        return
    with Server() as server:
        yield ValkeyStore(server.url)


async def attempts(app: ASGIApp, count: int, username: str = "ann", address: str = HOME) -> list[int]:
    """What wrong passwords are answered."""
    headers = [(b"content-type", b"application/json")]
    scope = http_scope("/login", method="POST", headers=headers, client=(address, 1))
    body = json.dumps({"username": username}).encode()
    return [(await exchange(app, dict(scope), body)).status for _ in range(count)]


def site(limit: LoginLimit, seen: list[Attempt] | None = None) -> Starlette:
    """An app where no password is right, with a page that lets people in again."""

    async def login(request: Request) -> JSONResponse:
        attempt = await limit(request)
        if seen is not None:
            seen.append(attempt)
        return JSONResponse({}, 401)

    async def unlock(request: Request) -> JSONResponse:
        account, address = request.query_params["account"], request.query_params.get("address")
        return JSONResponse(await limit.reset(account, address, request=request))

    return Starlette(routes=[Route("/login", login, methods=["POST"]), Route("/unlock", unlock)])


def test_attempts_from_an_address_are_forgotten(store: Store) -> None:
    """Whoever has forgotten the password gets his tries back at his address, in whichever spelling."""
    limit = LoginLimit(store=store, secret=SECRET)
    app = site(limit)

    async def main() -> None:
        try:
            assert await attempts(app, 6) == [401] * 5 + [429]
            assert await attempts(app, 6, "bob") == [401] * 5 + [429]
            assert await limit.reset("ANN", HOME)
            assert await attempts(app, 6) == [401] * 5 + [429]
            assert await attempts(app, 1, "bob") == [429]
            assert not await limit.reset("cyd", "192.0.2.99")
        finally:
            await store.aclose()

    run(main())


def test_an_attack_on_an_account_is_forgotten(store: Store) -> None:
    """With its failures forgotten an account has all of its attempts from everywhere again."""
    limit = LoginLimit(store=store, secret=SECRET, failures="4/hour")
    seen: list[Attempt] = []
    app = site(limit, seen)

    async def main() -> None:
        try:
            for number in range(6):
                await attempts(app, 1, address=f"192.0.2.{number}")
            assert seen[-1].under_attack
            assert await attempts(app, 2, address=HOME) == [401, 429]
            assert await limit.reset("ann")
            assert await attempts(app, 2, address=HOME) == [401, 401]
            assert not seen[-1].under_attack
        finally:
            await store.aclose()

    run(main())


def test_what_an_address_has_tried_is_forgotten(store: Store) -> None:
    """Where an address has no more tries in any account, its owner gets in again."""
    limit = LoginLimit(store=store, secret=SECRET, stuffing="3/hour")
    app = site(limit)

    async def main() -> None:
        try:
            found = [await attempts(app, 1, f"user{number}") for number in range(4)]
            assert found == [[401], [401], [401], [429]]
            assert await limit.reset("ann", HOME)
            assert await attempts(app, 1) == [401]
        finally:
            await store.aclose()

    run(main())


def test_a_layer_has_the_counts() -> None:
    """A page of the app resets what is in the layer's store; without a request nobody knows where that is."""
    limit = LoginLimit()
    app = RateLimitMiddleware(site(limit), secret=Secret(SECRET))

    async def unlock(query: bytes) -> Any:
        return (await exchange(app, http_scope("/unlock", query=query))).json

    async def main() -> None:
        assert await attempts(app, 6) == [401] * 5 + [429]
        assert await unlock(b"account=ann") is True
        assert await attempts(app, 1) == [429]
        assert await unlock(b"account=ann&address=198.51.100.7") is True
        assert await attempts(app, 1) == [401]
        with pytest.raises(TypeError, match="needs a request"):
            await limit.reset("ann")

    run(main())
