"""API keys are known by their keyed hashes."""

from __future__ import annotations

import asyncio
from hmac import compare_digest

import pytest

from garrison.openapi import api_keys
from garrison.openapi.api_keys import ApiKeys, key_digest, new_key, parse_api_keys
from garrison.openapi.credentials import Credential, Rejected
from garrison.openapi.verifiers import Verified
from garrison.rules import NotationError
from garrison.units import Secret
from tests.toolkit.openapi.security.made import KEY, head

SECRET = Secret("an old secret of many characters")
OLD = "the-old-key-of-alice"
NEW = "the-new-key-of-alice"
BOBS = "the-only-key-of-bob"


def asked(keys: ApiKeys, value: str) -> Verified | Rejected:
    """Whose key it is."""
    return asyncio.run(keys.verify(Credential(scheme=KEY, value=value), head()))


def entry(principal: str, key: str, scopes: str = "") -> str:
    """An entry of the setting."""
    return f"{principal}={key_digest(key, SECRET)} {scopes}"


def test_knows_every_key_of_a_principal_while_they_are_changed() -> None:
    """The old key of a client goes on working until all of it uses the new one."""
    text = ", ".join([entry("alice", OLD), entry("alice", NEW, "read write"), entry("bob", BOBS), ""])
    keys = ApiKeys(parse_api_keys(text), SECRET)
    assert asked(keys, OLD) == Verified("alice")
    assert asked(keys, NEW) == Verified("alice", frozenset({"read", "write"}))
    assert asked(keys, BOBS) == Verified("bob")


@pytest.mark.parametrize("value", ["", OLD[:-1], OLD + " ", OLD.upper(), key_digest(OLD, SECRET), "ü"])
def test_accepts_nothing_but_the_key_itself(value: str) -> None:
    """Neither a part of it nor its hash, which is in settings, opens anything."""
    keys = ApiKeys(parse_api_keys(entry("alice", OLD)), SECRET)
    assert isinstance(asked(keys, value), Rejected)


def test_a_hash_is_worth_nothing_without_the_secret() -> None:
    """Hashes of another secret are others, and whoever finds one cannot try keys on it."""
    other = Secret("another secret of many characters")
    assert key_digest(OLD, SECRET) != key_digest(OLD, other)
    assert isinstance(asked(ApiKeys(parse_api_keys(entry("alice", OLD)), other), OLD), Rejected)


def test_compares_every_key_whichever_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time to answer does not tell where in the list a key is, or that it is there."""
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(one)
        return compare_digest(one, other)

    monkeypatch.setattr(api_keys, "compare_digest", compare)
    keys = ApiKeys(parse_api_keys(", ".join([entry("alice", OLD), entry("bob", BOBS)])), SECRET)
    for value in (OLD, BOBS, "neither of the two keys"):
        compared.clear()
        asked(keys, value)
        assert len(compared) == 2


@pytest.mark.parametrize(
    "text",
    [
        OLD,
        f"alice={OLD}",
        f"alice={key_digest(OLD, SECRET)[:-1]}",
        f"={key_digest(OLD, SECRET)}",
        f"alice={key_digest(OLD, SECRET)}, bob={key_digest(OLD, SECRET)}",
        f"alice={key_digest(OLD, SECRET)}, alice={key_digest(OLD, SECRET)} read",
        "alice=",
        f"{'a' * 257}={key_digest(OLD, SECRET)}",
        f"al\x00ice={key_digest(OLD, SECRET)}",
    ],
)
def test_a_setting_that_does_not_fit_is_refused_without_being_shown(text: str) -> None:
    """People put the key itself there, and errors end up in logs."""
    with pytest.raises(NotationError) as caught:
        parse_api_keys(text)
    assert OLD not in str(caught.value)
    assert key_digest(OLD, SECRET)[:20] not in str(caught.value)


def test_an_error_says_whose_key_it_is_about() -> None:
    """The name is enough to find the entry; a text without a name may be a key, and is not shown."""
    for text, found in ((f"bob={OLD}", "not 'bob=***'"), (OLD, "not '***'")):
        with pytest.raises(NotationError) as caught:
            parse_api_keys(text)
        assert str(caught.value).endswith(found)


def test_no_keys_are_no_mistake() -> None:
    """An empty setting lets nobody in."""
    assert parse_api_keys(" , ") == ()
    assert isinstance(asked(ApiKeys((), SECRET), OLD), Rejected)


def test_new_keys_are_long_and_never_the_same() -> None:
    """They can be stored as they are made, and short ones of somebody else's are refused."""
    assert len({new_key() for _ in range(100)}) == 100
    assert len(new_key()) >= 43
    assert len(key_digest("k" * 16, SECRET)) == 64
    with pytest.raises(ValueError, match="16 to 4096 characters, this one has 8"):
        key_digest("hunter22", SECRET)


def test_a_key_does_not_show_its_hash() -> None:
    """It is no secret, and still nothing for a log."""
    (key,) = parse_api_keys(entry("alice", OLD))
    assert key.digest not in repr(key)
