"""Callables of the app say who a credential belongs to, and cannot let anybody in by mistake."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from garrison.openapi.credentials import Credential, Rejected
from garrison.openapi.verifiers import CallableVerifier, NobodyVerifier, Verified, VerifierUnavailableError
from tests.toolkit.openapi.security.made import KEY, head

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.openapi.model import Head
    from garrison.openapi.verifiers import Verifier

SENT = Credential(scheme=KEY, value="canary-value")


def asked(verifier: Verifier) -> Verified | Rejected:
    """What a verifier says of the same credential."""
    return asyncio.run(verifier.verify(SENT, head(("x-tenant", "acme"))))


def answering(answer: object) -> CallableVerifier:
    """A callable that always says the same."""
    return CallableVerifier(lambda _credential, _head: answer, "shop.auth:verify")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("alice", Verified("alice")),
        (("alice", {"read"}), Verified("alice", frozenset({"read"}))),
        (("alice", ["read", "write"]), Verified("alice", frozenset({"read", "write"}))),
        (("alice", "read write"), Verified("alice", frozenset({"read", "write"}))),
        (Verified("alice", frozenset({"read"})), Verified("alice", frozenset({"read"}))),
        (None, Rejected("not accepted")),
    ],
)
def test_a_callable_returns_a_principal_or_nothing(answer: object, expected: object) -> None:
    """With scopes where there are some, as a text or as a collection."""
    assert asked(answering(answer)) == expected


@pytest.mark.parametrize(
    "answer",
    [
        True,
        False,
        "",
        7,
        {"user": "alice"},
        ("alice",),
        ("", "read"),
        ("alice", None),
        ("alice", [7]),
        (None, "a"),
        [],
        "a" * 257,
        "ali\r\nce",
        "\ud800",
        ("alice\x00", "read"),
    ],
)
def test_any_other_answer_is_an_error_and_no_pass(answer: object) -> None:
    """True is nobody's name; an error of the server is noticed, and shows nothing that was sent."""
    with pytest.raises(TypeError, match=r"shop\.auth:verify returned \w+, expected a principal") as caught:
        asked(answering(answer))
    assert "canary" not in str(caught.value)


def test_a_callable_may_be_async_and_sees_the_request() -> None:
    """It gets the credential and the head that it came with."""

    async def verify(credential: Credential, request: Head) -> str:
        await asyncio.sleep(0)
        return f"{credential.value} {dict(request.headers)[b'x-tenant'].decode()}"

    assert asked(CallableVerifier(verify, "verify")) == Verified("canary-value acme")


@pytest.mark.parametrize("error", [RuntimeError("database"), KeyError("x")])
def test_what_a_callable_raises_is_not_caught(error: Exception) -> None:
    """An error of the server is none of the client's, and no pass."""

    def fail(*_: Any) -> str:
        raise error

    async def fail_later(*_: Any) -> str:
        raise error

    calls: tuple[Callable[..., object], ...] = (fail, fail_later)
    for call in calls:
        with pytest.raises(type(error)):
            asked(CallableVerifier(call, "verify"))


def test_a_callable_that_is_cancelled_lets_nobody_in() -> None:
    """A client that hangs up while a callable waits, or a deadline, is no answer."""

    async def verify(*_: Any) -> str:
        await asyncio.sleep(60)
        return "alice"

    async def give_up() -> None:
        async with asyncio.timeout(0.01):
            await CallableVerifier(verify, "verify").verify(SENT, head())

    with pytest.raises(TimeoutError):
        asyncio.run(give_up())


def test_a_callable_that_waits_holds_nobody_else_up() -> None:
    """Others are judged while one waits for its database."""
    order = []

    async def verify(credential: Credential, _: Head) -> str:
        await asyncio.sleep(0.02 if credential.value == "slow" else 0)
        order.append(credential.value)
        return credential.value

    async def both() -> None:
        verifier = CallableVerifier(verify, "verify")
        sent = [Credential(scheme=KEY, value=value) for value in ("slow", "fast")]
        found = await asyncio.gather(*(verifier.verify(each, head()) for each in sent))
        assert found == [Verified("slow"), Verified("fast")]

    asyncio.run(both())
    assert order == ["fast", "slow"]


def test_a_callable_may_say_that_it_cannot_judge_now() -> None:
    """The client is told to come back, and not that its credential is bad."""

    def down(*_: Any) -> str:
        raise VerifierUnavailableError

    with pytest.raises(VerifierUnavailableError):
        asked(CallableVerifier(down, "verify"))


def test_nobody_is_accepted_where_a_scheme_is_refused() -> None:
    """A document may declare more than a deployment offers."""
    assert isinstance(asked(NobodyVerifier()), Rejected)
