"""Attacks on JWTs that worked somewhere once (RFC 8725 section 2)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from time import thread_time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, SECP384R1, EllipticCurve
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from garrison.openapi.credentials import MALFORMED, Rejected
from garrison.openapi.jws import LONGEST
from garrison.openapi.key_documents import read_keys
from garrison.openapi.verifiers import Verified
from tests.toolkit.openapi.security.made import (
    NOW,
    claims,
    ec_key,
    ed_key,
    judge,
    judged,
    jwk_of,
    jwks,
    other_rsa_key,
    pem_of,
    raw_token,
    rsa_key,
    signed_raw,
    token,
)

CLAIMS = json.dumps(claims()).encode()
HEADER = b'{"alg":"RS256","kid":"k1"}'


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", ""])
@pytest.mark.parametrize("signature", ["", "AAAA"])
def test_a_token_without_a_signature_is_nothing(name: str, signature: str) -> None:
    """`none` is no algorithm, however it is written."""
    header = json.dumps({"alg": name, "kid": "k1"}).encode()
    text = f"{raw_token(header, CLAIMS).rpartition('.')[0]}.{signature}"
    assert judged(judge(), text) in {MALFORMED, Rejected("algorithm")}


@pytest.mark.parametrize("source", ["set", "pem"])
@pytest.mark.parametrize("secret", ["set", "pem", "key", "stripped"])
@pytest.mark.parametrize("algorithm", ["HS256", "HS512"])
def test_the_public_key_is_no_shared_secret(source: str, secret: str, algorithm: str) -> None:
    """Everybody has the public key, and could sign with it if it were taken for a secret."""
    pem, key = pem_of(rsa_key()), jwk_of(rsa_key())
    public = {"set": jwks(key), "pem": pem, "key": json.dumps(key).encode(), "stripped": pem.strip()}
    header = json.dumps({"alg": algorithm, "kid": "k1"}).encode()
    signing_input = raw_token(header, CLAIMS).rpartition(".")[0]
    maker = jwt.get_algorithm_by_name(algorithm)
    signature = urlsafe_b64encode(maker.sign(signing_input.encode(), public[secret])).decode().rstrip("=")
    assert judged(judge(public[source]), f"{signing_input}.{signature}") == Rejected("algorithm")


def test_a_key_is_used_with_its_own_algorithm_only() -> None:
    """A key that is published for one algorithm verifies no other, even of the same family."""
    bearer = judge(jwks(jwk_of(rsa_key(), alg="RS256"), jwk_of(ec_key(), "k2"), jwk_of(ed_key(), "k3")))
    assert isinstance(judged(bearer, token()), Verified)
    assert judged(bearer, token(algorithm="PS256")) == Rejected("algorithm")
    for kid in ("k2", "k3"):
        assert judged(bearer, token(kid=kid)) == Rejected("algorithm")


@pytest.mark.parametrize(
    "kid",
    [
        "../../../../dev/null",
        "/dev/null",
        "k1' OR '1'='1",
        "k1\x00",
        "K1",
        "k2",
        "| sleep 5",
        "http://x.test/",
    ],
)
def test_a_key_id_is_compared_and_nothing_else(kid: str) -> None:
    """It names a key that is there, and is neither a path nor a query."""
    assert judged(judge(), token(kid=kid)) == Rejected("unknown key")


@pytest.mark.parametrize("kid", ["", 7, ["k1"], {"k1": 1}, True])
def test_a_key_id_is_a_text(kid: object) -> None:
    """An empty id, or one of another type, means no key at all."""
    header = json.dumps({"alg": "RS256", "kid": kid}).encode()
    assert judged(judge(), signed_raw(header, CLAIMS)) == MALFORMED


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
@pytest.mark.parametrize("kid", ["k1", None])
def test_a_token_does_not_bring_its_own_key(name: str, kid: str | None) -> None:
    """Keys come from settings, whatever a token offers."""
    offered = {
        "jwk": jwk_of(other_rsa_key(), None),
        "jku": "https://attacker.test/jwks.json",
        "x5u": "https://attacker.test/cert.pem",
        "x5c": ["MIIB"],
    }
    text = token(other_rsa_key(), header={name: offered[name]}, kid=kid)
    assert judged(judge(), text) == Rejected("signature")


def test_what_a_header_offers_is_not_even_looked_at() -> None:
    """A token of the issuer with such a member is as good as without it."""
    text = token(header={"jku": "https://attacker.test/jwks.json", "x5c": ["MIIB"]})
    assert isinstance(judged(judge(), text), Verified)


@pytest.mark.parametrize("crit", [["exp"], ["b64"], ["x-unknown"], [], "b64", None])
def test_an_extension_that_must_be_understood_is_refused(crit: object) -> None:
    """There is none that is understood."""
    header = json.dumps({"alg": "RS256", "kid": "k1", "crit": crit, "b64": True}).encode()
    assert judged(judge(), signed_raw(header, CLAIMS)) == Rejected("critical extension")


def test_every_changed_character_is_noticed() -> None:
    """A token has one spelling, down to its last bit."""
    text = token()
    bearer = judge()
    for place in range(0, len(text), 7):
        for letter in ("A", "z", "-"):
            if text[place] != letter:
                changed = f"{text[:place]}{letter}{text[place + 1 :]}"
                assert isinstance(judged(bearer, changed), Rejected), place
    last = text[-1]
    others = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") - {last}
    assert all(isinstance(judged(bearer, text[:-1] + letter), Rejected) for letter in others)


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "EdDSA"])
@pytest.mark.parametrize("signature", [b"\0" * 64, b"\0", b"\xff" * 256, b"\0" * 63 + b"\x01"])
def test_a_signature_of_zeros_verifies_nothing(algorithm: str, signature: bytes) -> None:
    """Java took an ECDSA signature of zeros for a good one of everything."""
    bearer = judge(jwks(jwk_of(rsa_key()), jwk_of(ec_key(), "k1"), jwk_of(ed_key(), "k1")))
    header = json.dumps({"alg": algorithm, "kid": "k1"}).encode()
    assert judged(bearer, raw_token(header, CLAIMS, signature)) == Rejected("signature")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c.d",
        f"a{raw_token(HEADER, CLAIMS, b'123')}",
        f"{raw_token(HEADER, CLAIMS, b'123')}a",
        f"{raw_token(b'{}', CLAIMS)[:2]}B.{raw_token(HEADER, b'{}').partition('.')[2]}",
        raw_token(HEADER, b"{}", b"123").replace("e30.", "e31."),
        "a.b.c.d.e",
        f"{raw_token(HEADER, CLAIMS)}=",
        f" {raw_token(HEADER, CLAIMS)}",
        f"{raw_token(HEADER, CLAIMS)}\n",
        raw_token(HEADER, CLAIMS).replace("e", "é", 1),
        raw_token(b"[]", CLAIMS),
        raw_token(b'"x"', CLAIMS),
        raw_token(b"\xff\xfe{}", CLAIMS),
        raw_token(b"\xef\xbb\xbf{}", CLAIMS),
        raw_token(b"{", CLAIMS),
        raw_token(HEADER.decode().encode("utf-16"), CLAIMS),
    ],
)
def test_what_is_no_token_is_malformed(text: str) -> None:
    """Nothing of it is guessed, and nothing fails."""
    assert judged(judge(), text) == MALFORMED


@pytest.mark.parametrize(
    ("header", "payload"),
    [
        (b'{"alg":"none","alg":"RS256","kid":"k1"}', CLAIMS),
        (b'{"alg":"RS256","kid":"k2","kid":"k1"}', CLAIMS),
        (HEADER, CLAIMS[:-1] + b', "sub": "mallory"}'),
        (HEADER, CLAIMS[:-1] + b', "x": NaN}'),
        (HEADER, CLAIMS[:-1] + b', "x": {"a": 1, "a": 2}}'),
        (HEADER, b"[1]"),
        (HEADER, b"not json"),
        (HEADER, b'{"x":' + b"[" * 17 + b"]" * 17 + b"}"),
    ],
)
def test_json_that_readers_disagree_about_is_refused(header: bytes, payload: bytes) -> None:
    """The first of two names counts for some parsers, and the last for others."""
    assert judged(judge(), signed_raw(header, payload)) == MALFORMED


@pytest.mark.parametrize("number", ["1e999", "1" + "0" * 400, '"1900000000"', "true", "null", "[1]", "{}"])
@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
def test_a_date_is_a_number_that_ends(name: str, number: str) -> None:
    """A number that no double holds is infinite to a parser, and a text is compared by its letters."""
    expected = {"exp": "no expiry", "nbf": "not valid yet", "iat": "issued in the future"}
    payload = json.dumps(claims(**{name: "@"})).replace('"@"', number).encode()
    assert judged(judge(), signed_raw(HEADER, payload)) == Rejected(expected[name])


@pytest.mark.parametrize("number", ["1" + "0" * 5000, "NaN", "Infinity", "-Infinity", "0x1", "01"])
def test_a_number_that_is_none_is_malformed(number: str) -> None:
    """Python's parser refuses to read thousands of digits, and JSON has no NaN."""
    payload = json.dumps(claims(exp="@")).replace('"@"', number).encode()
    assert judged(judge(), signed_raw(HEADER, payload)) == MALFORMED


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"iss": "https://issuer.example"}, "issuer"),
        ({"iss": "https://issuer.example//"}, "issuer"),
        ({"iss": "https://ISSUER.example/"}, "issuer"),
        ({"iss": ["https://issuer.example/"]}, "issuer"),
        ({"iss": {"https://issuer.example/": 1}}, "issuer"),
        ({"aud": "orders2"}, "audience"),
        ({"aud": "order"}, "audience"),
        ({"aud": ["other", ["orders"]]}, "audience"),
        ({"aud": {"orders": True}}, "audience"),
        ({"aud": []}, "audience"),
        ({"sub": "a" * 257}, "no principal"),
        ({"sub": "alice\nbob"}, "no principal"),
        ({"sub": ["alice"]}, "no principal"),
        ({"sub": 7}, "no principal"),
    ],
)
def test_names_are_compared_whole_and_as_they_are(changed: dict[str, object], why: str) -> None:
    """A name that begins alike, is nested or is of another type is another name."""
    payload = json.dumps(claims(**changed)).encode()
    assert judged(judge(), signed_raw(HEADER, payload)) == Rejected(why)


@pytest.mark.parametrize(("algorithm", "curve"), [("ES256", SECP384R1), ("ES384", SECP256R1)])
def test_an_algorithm_has_one_curve(algorithm: str, curve: type[EllipticCurve]) -> None:
    """RFC 7518 section 3.4; a signature over another one is none, whatever the header calls it."""
    key = ec_key(curve)
    header = json.dumps({"alg": algorithm, "kid": "k1"}).encode()
    signing_input = raw_token(header, CLAIMS).rpartition(".")[0]
    signature = key.sign(signing_input.encode(), ECDSA(SHA256()))
    bearer = judge(jwks(jwk_of(key)))
    text = f"{signing_input}.{urlsafe_b64encode(signature).decode().rstrip('=')}"
    assert judged(bearer, text) == Rejected("algorithm")


def test_a_signature_in_der_is_none() -> None:
    """RFC 7518 section 3.4 has two numbers of a fixed length, and other forms are other spellings."""
    header = b'{"alg":"ES256","kid":"k1"}'
    signing_input = raw_token(header, CLAIMS).rpartition(".")[0]
    signature = ec_key().sign(signing_input.encode(), ECDSA(SHA256()))
    text = f"{signing_input}.{urlsafe_b64encode(signature).decode().rstrip('=')}"
    assert judged(judge(jwks(jwk_of(ec_key()))), text) == Rejected("signature")


def test_a_token_in_a_token_is_malformed() -> None:
    """Nothing is opened twice (RFC 7519 section 5.2), however good both signatures are."""
    header = b'{"alg":"RS256","kid":"k1","cty":"JWT"}'
    assert judged(judge(), signed_raw(header, token().encode())) == MALFORMED
    assert judged(judge(), signed_raw(header, json.dumps(token()).encode())) == MALFORMED


def test_a_payload_that_is_not_encoded_is_none() -> None:
    """`b64` (RFC 7797) is critical where it means anything, and means nothing otherwise."""
    header = b'{"alg":"RS256","kid":"k1","b64":false}'
    encoded = raw_token(header, CLAIMS).partition(".")[0]
    plain = f"{encoded}.{CLAIMS.decode()}"
    signature = jwt.get_algorithm_by_name("RS256").sign(plain.encode(), rsa_key())
    text = f"{plain}.{urlsafe_b64encode(signature).decode().rstrip('=')}"
    assert judged(judge(), text) == MALFORMED
    assert isinstance(judged(judge(), signed_raw(header, CLAIMS)), Verified)


@pytest.mark.parametrize("shape", [b'{"a":', b"["])
@pytest.mark.parametrize("part", ["header", "payload"])
def test_depth_is_no_recursion(shape: bytes, part: str) -> None:
    """Hundreds of levels in either part are counted and not entered, signed or not."""
    deep = shape * 500 + b"1" + (b"]" if shape == b"[" else b"}") * 500
    wrapped = b'{"alg":"RS256","kid":"k1","x":' + deep + b"}"
    text = signed_raw(wrapped, CLAIMS) if part == "header" else signed_raw(HEADER, wrapped)
    assert judged(judge(), text) == MALFORMED


@given(st.text(max_size=200) | st.binary(max_size=60).map(lambda part: raw_token(part, part, part)))
def test_whatever_is_sent_is_answered(text: str) -> None:
    """No text makes the judge fail, and none that nobody signed is accepted."""
    assert isinstance(judged(judge(), text), Rejected)


def test_a_huge_token_costs_nothing() -> None:
    """Its length is looked at before anything else, and depth before any parser."""
    bearer = judge()
    assert judged(bearer, "a" * (LONGEST + 1)) == Rejected("too long")
    assert judged(bearer, "a" * LONGEST) == MALFORMED
    deep = raw_token(b"[" * 4000, CLAIMS)
    wide = raw_token(b'{"a":' + b"1" * 5000 + b"}", CLAIMS)
    started = thread_time()
    assert judged(bearer, deep) == MALFORMED
    assert isinstance(judged(bearer, wide), Rejected)
    assert thread_time() - started < 0.1


def test_no_more_than_a_few_keys_are_tried() -> None:
    """A token without an id may mean any key, and verifying with all of them is work for strangers."""
    keys = [jwk_of(ec_key(), f"other-{number}") for number in range(90)]
    published = jwks(*keys, jwk_of(rsa_key(), "mine"))
    assert isinstance(judged(judge(published), token(kid=None)), Verified)
    assert len(read_keys(published).candidates(None, "ES256")) == 4


def test_the_present_is_a_parameter() -> None:
    """Whoever replays a token after its end is refused by the clock."""
    assert judged(judge(now=NOW + 700), token()) == Rejected("expired")
    assert judged(judge(now=NOW - 700), token()) == Rejected("not valid yet")
