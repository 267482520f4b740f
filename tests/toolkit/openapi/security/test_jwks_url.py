"""Keys at a URL are fetched seldom, by one request for all, and outlive an outage of the provider."""

from __future__ import annotations

import asyncio
import json
from io import StringIO
from typing import TYPE_CHECKING

import pytest

from garrison.openapi.credentials import Credential, Rejected
from garrison.openapi.jwks_url import FIRST_PAUSE, FRESH, LONGEST_KEPT, PATIENCE, PAUSE, KeyUrl
from garrison.openapi.jwt_bearer import JwtBearer, TokenRules
from garrison.openapi.key_fetch import FetchError
from garrison.openapi.verifiers import Verified, VerifierUnavailableError
from tests.toolkit.openapi.security.made import (
    AUDIENCE,
    BEARER,
    ISSUER,
    NOW,
    ec_key,
    head,
    jwk_of,
    jwks,
    rsa_key,
    token,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Coroutine

URL = "https://issuer.example/jwks"
OLD = jwks(jwk_of(rsa_key(), "k1"))
NEW = jwks(jwk_of(rsa_key(), "k1"), jwk_of(ec_key(), "k2"))


class Provider:
    """A provider whose answer, and whose time, the test sets."""

    def __init__(self, answer: bytes | FetchError = OLD) -> None:
        self.now = 100.0
        self.answer = answer
        self.fetches = 0
        self.held: asyncio.Event | None = None
        self.lines = StringIO()
        self.keys = KeyUrl(URL, log=written(self.lines), clock=lambda: self.now, fetch=self.fetch)
        rules = TokenRules(issuers=(ISSUER,), audiences=(AUDIENCE,))
        self.bearer = JwtBearer(self.keys, rules, now=lambda: NOW)

    async def fetch(self, url: str, largest: int) -> bytes:
        """Answer a fetch."""
        assert url == URL
        assert largest > 100_000
        self.fetches += 1
        if self.held is not None:
            await self.held.wait()
        await asyncio.sleep(0)
        if isinstance(self.answer, FetchError):
            raise self.answer
        return self.answer

    async def ask(self, text: str) -> Verified | Rejected:
        """Ask about a token."""
        return await self.bearer.verify(Credential(scheme=BEARER, value=text), head())

    @property
    def events(self) -> list[tuple[str, str]]:
        """Levels and states of what was logged."""
        lines = map(json.loads, self.lines.getvalue().splitlines())
        return [(line["level"], line["state"]) for line in lines]


def run(work: Coroutine[object, object, None]) -> None:
    """Run a test in an event loop of its own."""
    asyncio.run(work)


GOOD, STRANGE = token(), token(kid="stranger")
ROTATED = token(ec_key(), "ES256", kid="k2")


def test_fetches_when_the_first_token_comes_and_once_for_all() -> None:
    """A start is not held up by a provider, and a hundred first requests are one fetch."""

    async def work() -> None:
        provider = Provider()
        assert provider.fetches == 0
        found = await asyncio.gather(*(provider.ask(token(jti=str(number))) for number in range(100)))
        assert all(isinstance(each, Verified) for each in found)
        assert provider.fetches == 1
        provider.now += FRESH - 1
        await provider.ask(GOOD)
        await asyncio.sleep(0)
        assert provider.fetches == 1
        assert provider.events == []

    run(work())


def test_what_is_no_token_fetches_nothing() -> None:
    """Strangers do not make an app ask its provider."""

    async def work() -> None:
        provider = Provider(FetchError("down"))
        assert isinstance(await provider.ask("nonsense"), Rejected)
        assert provider.fetches == 0

    run(work())


def test_a_token_that_cannot_be_judged_is_not_called_bad() -> None:
    """Without keys nobody knows; and a provider that is down is asked every few seconds only."""

    async def work() -> None:
        provider = Provider(FetchError("the reply has status 502"))
        for _ in range(5):
            with pytest.raises(VerifierUnavailableError):
                await provider.ask(GOOD)
        assert provider.fetches == 1
        provider.now += FIRST_PAUSE
        with pytest.raises(VerifierUnavailableError):
            await provider.ask(GOOD)
        assert provider.fetches == 2
        assert provider.events == [("error", "failing")]
        assert "status 502" in provider.lines.getvalue()
        provider.answer = OLD
        provider.now += FIRST_PAUSE
        assert isinstance(await provider.ask(GOOD), Verified)
        assert provider.events == [("error", "failing"), ("info", "recovered")]
        assert "reason" not in provider.lines.getvalue().splitlines()[1]

    run(work())


def test_an_error_page_is_no_set_of_keys() -> None:
    """It is an outage like any other."""

    async def work() -> None:
        provider = Provider(b"<html>canary</html>")
        with pytest.raises(VerifierUnavailableError):
            await provider.ask(GOOD)
        assert "expected a JWK set" in provider.lines.getvalue()
        assert "canary" not in provider.lines.getvalue()

    run(work())


def test_looks_again_in_the_background() -> None:
    """Requests use the keys that are there while new ones are on their way."""

    async def work() -> None:
        provider = Provider()
        await provider.ask(GOOD)
        provider.held = asyncio.Event()
        provider.answer = NEW
        provider.now += FRESH
        assert isinstance(await provider.ask(token(jti="2")), Verified)
        await asyncio.sleep(0)
        assert provider.fetches == 2
        provider.held.set()
        await asyncio.sleep(0.001)
        assert isinstance(await provider.ask(ROTATED), Verified)
        assert provider.fetches == 2

    run(work())


def test_keys_that_did_not_change_are_the_same() -> None:
    """Looking again forgets no token that was verified."""

    async def work() -> None:
        provider = Provider()
        first = await provider.keys.keys()
        provider.now += FRESH
        await provider.keys.keys()
        await asyncio.sleep(0.001)
        assert provider.fetches == 2
        assert await provider.keys.keys() is first

    run(work())


def test_an_unknown_key_is_asked_for_once_in_a_while() -> None:
    """A new key works at once, and anybody can make up ids without the provider noticing."""

    async def work() -> None:
        provider = Provider()
        await provider.ask(GOOD)
        provider.answer = NEW
        assert await provider.ask(ROTATED) == Rejected("unknown key")
        assert provider.fetches == 1
        provider.now += PAUSE
        found = await asyncio.gather(provider.ask(ROTATED), *(provider.ask(STRANGE) for _ in range(50)))
        assert isinstance(found[0], Verified)
        assert set(found[1:]) == {Rejected("unknown key")}
        assert provider.fetches == 2
        for _ in range(50):
            assert await provider.ask(STRANGE) == Rejected("unknown key")
        assert provider.fetches == 2

    run(work())


def test_keys_outlive_an_outage_and_not_for_ever() -> None:
    """Who is locked out by a provider's bad day was let in yesterday."""

    async def work() -> None:
        provider = Provider()
        await provider.ask(GOOD)
        provider.answer = FetchError("down")
        provider.now += LONGEST_KEPT - 1
        for number in range(20):
            assert isinstance(await provider.ask(token(jti=str(number))), Verified)
            await asyncio.sleep(0)
        assert await provider.ask(STRANGE) == Rejected("unknown key")
        assert provider.fetches == 2
        provider.now += 1
        with pytest.raises(VerifierUnavailableError):
            await provider.ask(GOOD)

    run(work())


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that hangs holds a request up for a few seconds, and its fetch goes on."""
    monkeypatch.setattr("garrison.openapi.jwks_url.PATIENCE", 0.01)
    assert PATIENCE <= 5

    async def work() -> None:
        provider = Provider()
        provider.held = asyncio.Event()
        with pytest.raises(VerifierUnavailableError):
            await provider.ask(GOOD)
        provider.held.set()
        assert isinstance(await provider.ask(GOOD), Verified)
        assert provider.fetches == 1

    run(work())


def test_whoever_gives_up_takes_nothing_from_the_others() -> None:
    """A client that disconnects does not end the fetch that others wait for."""

    async def work() -> None:
        provider = Provider()
        provider.held = asyncio.Event()
        first, second = (asyncio.create_task(provider.ask(GOOD)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        provider.held.set()
        assert isinstance(await second, Verified)
        assert first.cancelled()

    run(work())


def test_a_second_event_loop_has_fetches_of_its_own() -> None:
    """What one loop has not finished does not hang another one."""
    provider = Provider()
    provider.held = asyncio.Event()
    first = asyncio.new_event_loop()
    try:
        waiting = first.create_task(provider.ask(GOOD))
        first.run_until_complete(asyncio.sleep(0.001))
        provider.held = None
        provider.now += FIRST_PAUSE
        assert isinstance(asyncio.run(provider.ask(GOOD)), Verified)
        assert not waiting.done()
        for task in asyncio.all_tasks(first):
            task.cancel()
        first.run_until_complete(asyncio.gather(*asyncio.all_tasks(first), return_exceptions=True))
    finally:
        first.close()


def test_keys_that_came_meanwhile_are_newer() -> None:
    """Who missed a key while somebody else fetched it does not fetch again."""

    async def work() -> None:
        provider = Provider()
        old = await provider.keys.keys()
        provider.answer = NEW
        provider.now += PAUSE
        new = await provider.keys.newer(old)
        provider.now += PAUSE
        assert await provider.keys.newer(old) is new is not old
        assert provider.fetches == 2

    run(work())
