"""JWTs are accepted from the issuer, for this audience, in their time."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256K1, SECP384R1, SECP521R1

from garrison.openapi.credentials import Credential, Rejected
from garrison.openapi.jws import ALGORITHMS
from garrison.openapi.jwt_bearer import JwtBearer, TokenRules
from garrison.openapi.jwt_keys import Key, KeySet
from garrison.openapi.key_documents import read_keys
from garrison.openapi.verifiers import Verified
from tests.toolkit.openapi.security.made import (
    AUDIENCE,
    BEARER,
    ISSUER,
    NOW,
    claims,
    ec_key,
    ed_key,
    head,
    judge,
    judged,
    jwk_of,
    jwks,
    pem_of,
    rsa_key,
    signed_raw,
    token,
)

if TYPE_CHECKING:
    from collections.abc import Callable

ALICE = Verified("alice", frozenset({"orders:read", "orders:write"}))
SHARED = b"0123456789abcdef" * 4


def signed(changed: dict[str, Any]) -> str:
    """A token with claims that PyJWT would not sign."""
    return signed_raw(b'{"alg":"RS256","kid":"k1"}', json.dumps(claims(**changed)).encode())


@pytest.mark.parametrize(
    ("make", "algorithm"),
    [(lambda: SHARED, name) for name in ("HS256", "HS384", "HS512")]
    + [(rsa_key, name) for name in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")]
    + [(ec_key, "ES256"), (partial(ec_key, SECP384R1), "ES384"), (partial(ec_key, SECP521R1), "ES512")]
    + [(partial(ec_key, SECP256K1), "ES256K"), (ed_key, "EdDSA")],
)
def test_accepts_every_registered_algorithm_that_signs(make: Callable[[], Any], algorithm: str) -> None:
    """Whatever the issuer signs with, its tokens say who the caller is and what they may do."""
    key = make()
    bearer = judge(jwks(jwk_of(key)))
    assert judged(bearer, token(key, algorithm)) == ALICE


def test_accepts_edwards_curves_by_their_own_names() -> None:
    """RFC 9864 says which curve it is; each key is for its own."""
    bearer = judge(jwks(jwk_of(ed_key())))
    for name, expected in (("Ed25519", ALICE), ("Ed448", Rejected("algorithm"))):
        header = json.dumps({"alg": name, "kid": "k1"}).encode()
        assert judged(bearer, signed_raw(header, json.dumps(claims()).encode(), ed_key())) == expected


@pytest.mark.parametrize(("make", "algorithm"), [(rsa_key, "RS256"), (ec_key, "ES256"), (ed_key, "EdDSA")])
def test_accepts_tokens_of_a_key_in_pem(make: Callable[[], Any], algorithm: str) -> None:
    """A key without an id may be meant by any `kid`, and by none."""
    key = make()
    bearer = judge(pem_of(key))
    assert judged(bearer, token(key, algorithm)) == ALICE
    assert judged(bearer, token(key, algorithm, kid=None)) == ALICE


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"exp": NOW - 30}, "expired"),
        ({"exp": None}, "no expiry"),
        ({"exp": str(NOW + 600)}, "no expiry"),
        ({"exp": True}, "no expiry"),
        ({"exp": 10**400}, "no expiry"),
        ({"nbf": NOW + 31}, "not valid yet"),
        ({"nbf": "tomorrow"}, "not valid yet"),
        ({"iat": NOW + 31}, "issued in the future"),
        ({"iat": [NOW]}, "issued in the future"),
        ({"iss": "https://other.example/"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"iss": ISSUER.rstrip("/")}, "issuer"),
        ({"aud": "invoices"}, "audience"),
        ({"aud": None}, "audience"),
        ({"aud": ["invoices", 7]}, "audience"),
        ({"aud": []}, "audience"),
        ({"aud": {AUDIENCE: 1}}, "audience"),
        ({"sub": None}, "no principal"),
        ({"sub": ""}, "no principal"),
        ({"sub": "a" * 257}, "no principal"),
        ({"sub": "a\nb"}, "no principal"),
        ({"sub": "\ud800"}, "no principal"),
    ],
)
def test_a_claim_that_does_not_fit_ends_it(changed: dict[str, Any], why: str) -> None:
    """The signature is good, and the token is still not for this app at this time."""
    assert judged(judge(), signed(changed)) == Rejected(why)


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": NOW - 29.5},
        {"exp": NOW + 0.5},
        {"nbf": NOW + 29.5},
        {"iat": NOW + 29.5},
        {"iat": None, "nbf": None},
        {"aud": ["invoices", AUDIENCE]},
    ],
)
def test_forgives_clocks_and_what_may_be_left_out(changed: dict[str, Any]) -> None:
    """Clocks differ by some seconds, and a token may be for several audiences."""
    assert judged(judge(), signed(changed)) == ALICE


@pytest.mark.parametrize("kind", ["at+jwt", "AT+JWT", "application/at+jwt", "JWT", "application/jwt", ""])
def test_accepts_access_tokens_and_plain_ones(kind: str) -> None:
    """Providers write `typ` in different ways, and many leave it out."""
    assert judged(judge(), token(header={"typ": kind})) == ALICE


def test_accepts_only_the_types_that_are_set() -> None:
    """A token for something else, such as logging out, opens nothing."""
    assert judged(judge(), token(header={"typ": "logout+jwt"})) == Rejected("another type of token")
    strict = judge(types=("at+jwt",))
    assert judged(strict, token(header={"typ": "at+jwt"})) == ALICE
    for kind in ("JWT", ""):
        assert judged(strict, token(header={"typ": kind})) == Rejected("another type of token")


def test_reads_principal_and_scopes_where_it_is_told() -> None:
    """Providers have them in claims of their own, as a text or as a list."""
    bearer = judge(principal="client_id", scopes=("scp", "roles"))
    text = token(client_id="robot", scp="a b", roles=["admin", 7, "b"])
    assert judged(bearer, text) == Verified("robot", frozenset({"a", "b", "admin"}))


def test_uses_only_the_algorithms_that_are_set() -> None:
    """A setting can be narrower than the keys."""
    bearer = judge(algorithms=("PS256",))
    assert judged(bearer, token(algorithm="PS256")) == ALICE
    assert judged(bearer, token()) == Rejected("algorithm")
    assert judged(judge(algorithms=tuple(ALGORITHMS)), token()) == ALICE


@pytest.mark.parametrize(
    "rules",
    [
        {"issuers": ()},
        {"issuers": ("",)},
        {"audiences": ()},
        {"audiences": (AUDIENCE, "")},
        {"algorithms": ("none",)},
        {"types": ()},
        {"principal": ""},
        {"leeway": 301.0},
        {"leeway": -1.0},
    ],
)
def test_refuses_rules_that_let_everybody_in(rules: dict[str, Any]) -> None:
    """Without issuer and audience a token for any other app would do."""
    with pytest.raises(ValueError, match="expected"):
        judge(**rules)


class Counted(Key):
    """A key that counts how often it is used."""

    used = 0

    def verifies(self, algorithm: str, signed: bytes, signature: bytes) -> bool:
        """Count, and verify."""
        Counted.used += 1
        return super().verifies(algorithm, signed, signature)


class Changing:
    """Keys that the test changes, and time that it moves."""

    def __init__(self) -> None:
        (key,) = read_keys(jwks(jwk_of(rsa_key()))).keys
        self.key = Counted(*key)
        self.now = NOW
        self.current = KeySet([self.key])
        Counted.used = 0

    async def keys(self) -> KeySet:
        """The keys of the moment."""
        return self.current

    async def newer(self, lacking: KeySet) -> KeySet:
        """The same."""
        return lacking

    def bearer(self, remembered: int = 10) -> JwtBearer:
        """A judge by these keys and this time."""
        rules = TokenRules(issuers=(ISSUER,), audiences=(AUDIENCE,))
        return JwtBearer(self, rules, now=lambda: self.now, remembered=remembered)


def test_verifies_the_signature_of_a_token_once() -> None:
    """Signatures take most of the time, and clients send the same token again and again."""
    source = Changing()
    bearer = source.bearer()
    assert [judged(bearer, token()) for _ in range(5)] == [ALICE] * 5
    assert Counted.used == 1


def test_a_remembered_token_still_expires() -> None:
    """Being known is worth nothing after the end."""
    source = Changing()
    bearer = source.bearer()
    assert judged(bearer, token()) == ALICE
    source.now += 629
    assert judged(bearer, token()) == ALICE
    source.now += 1
    assert judged(bearer, token()) == Rejected("expired")


def test_a_remembered_token_ends_with_its_key() -> None:
    """An issuer that takes a key back takes its tokens back."""
    source = Changing()
    bearer = source.bearer()
    assert judged(bearer, token()) == ALICE
    source.current = read_keys(jwks(jwk_of(ec_key(), "k2")))
    assert judged(bearer, token()) == Rejected("unknown key")


def test_remembers_a_bounded_number_of_tokens_and_no_bad_one() -> None:
    """Memory is flat whatever clients send."""
    source = Changing()
    bearer = source.bearer(remembered=3)
    for number in range(10):
        assert judged(bearer, token(jti=str(number))) == ALICE
        assert isinstance(judged(bearer, token(jti=str(number), aud="other")), Rejected)
    assert len(bearer._seen) == 3
    Counted.used = 0
    judged(bearer, token(jti="9"))
    judged(bearer, token(jti="0"))
    assert Counted.used == 1


def test_keeps_no_token_in_memory() -> None:
    """What is remembered is a keyed hash, of which no token can be made."""
    source = Changing()
    bearer = source.bearer()
    text = token()
    judged(bearer, text)
    assert text[:40] not in repr(bearer._seen)
    assert text.rpartition(".")[2] not in repr(vars(bearer))


def test_answers_many_requests_at_once() -> None:
    """Requests that are interleaved get the answers that they get alone."""
    texts = [token(sub=f"user-{number % 7}", jti=str(number)) for number in range(50)]

    async def ask() -> list[Verified | Rejected]:
        bearer = judge()
        asked = (bearer.verify(Credential(scheme=BEARER, value=text), head()) for text in texts)
        return await asyncio.gather(*asked)

    found = asyncio.run(ask())
    assert [each.principal for each in found if isinstance(each, Verified)] == [
        f"user-{number % 7}" for number in range(50)
    ]
