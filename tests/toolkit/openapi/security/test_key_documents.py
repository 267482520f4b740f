"""Keys are read as they are written, and bound to what they are for; weak ones are refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP192R1
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509 import CertificateBuilder, Name, NameAttribute
from cryptography.x509.oid import NameOID

from garrison.openapi.jwt_keys import KeysError
from garrison.openapi.key_documents import LARGEST, read_keys
from tests.toolkit.openapi.security.made import ec_key, ed_key, jwk_of, jwks, pem_of, rsa_key

if TYPE_CHECKING:
    from collections.abc import Callable

RSA_NAMES = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda: jwk_of(rsa_key()), RSA_NAMES),
        (lambda: jwk_of(rsa_key(), alg="PS256", use="sig", key_ops=["verify"]), {"PS256"}),
        (lambda: jwk_of(ec_key()), {"ES256"}),
        (lambda: jwk_of(ed_key()), {"EdDSA", "Ed25519"}),
        (lambda: jwk_of(b"k" * 32), {"HS256"}),
        (lambda: jwk_of(b"k" * 48), {"HS256", "HS384"}),
        (lambda: jwk_of(b"k" * 64, alg="HS512"), {"HS512"}),
    ],
)
def test_a_key_is_for_the_algorithms_of_its_type(make: Callable[[], dict[str, Any]], names: set[str]) -> None:
    """What it says itself, or what its type and its size allow."""
    for text in (jwks(make()), json.dumps(make()).encode()):
        (key,) = read_keys(text).keys
        assert key.algorithms == names
        assert key.id == "k1"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: jwk_of(rsa_key(1024)), "it is RSA of 1024 bits, expected at least 2048"),
        (lambda: jwk_of(b"k" * 31), "it has 31 bytes, expected at least 32 for HS256"),
        (lambda: jwk_of(b"k" * 32, alg="HS512"), "its `alg` is none that is supported for a key of its type"),
        (lambda: jwk_of(rsa_key(), alg="HS256"), "its `alg` is none"),
        (lambda: jwk_of(rsa_key(), alg="none"), "its `alg` is none"),
        (lambda: jwk_of(ec_key(), alg="ES384"), "its `alg` is none"),
        (lambda: jwk_of(rsa_key(), alg="RSA-OAEP"), "its `alg` is none"),
        (lambda: jwk_of(rsa_key(), alg=["RS256"]), "its `alg` is none"),
        (lambda: jwk_of(rsa_key(), use="enc"), "its `use` is not sig"),
        (lambda: jwk_of(rsa_key(), key_ops=["encrypt"]), "its `key_ops` have no verify"),
        (lambda: jwk_of(rsa_key(), key_ops="verify"), "its `key_ops` have no verify"),
        (lambda: jwk_of(rsa_key(), d="AQAB"), "it is a private key"),
        (lambda: jwk_of(rsa_key(), ""), "its `kid` is no text, or empty"),
        (lambda: jwk_of(rsa_key(), None) | {"kid": 7}, "its `kid` is no text, or empty"),
        (lambda: jwk_of(rsa_key(), n=7), "its members are not those of a key of type RSA"),
        (lambda: jwk_of(rsa_key(), e="AQ"), "its members are not those of a key of type RSA"),
        (lambda: jwk_of(ec_key(), crv="P-1"), "its members are not those of a key of type EC"),
        (lambda: jwk_of(ec_key(), x="AAAA"), "its members are not those of a key of type EC"),
        (
            lambda: {"kty": "OKP", "crv": "X25519", "x": "AAAA"},
            "its members are not those of a key of type OKP",
        ),
        (lambda: {"kty": "oct"}, "its members are not those of a key of type oct"),
        (lambda: {"kty": "oct", "k": ""}, "its members are not those of a key of type oct"),
        (lambda: {"kty": "DSA"}, "its `kty` is none of RSA, EC, OKP and oct"),
        (lambda: {"kty": ["RSA"]}, "its `kty` is none of RSA, EC, OKP and oct"),
    ],
)
def test_says_why_a_key_is_not_used(make: Callable[[], dict[str, Any]], reason: str) -> None:
    """Beside a good key it is skipped; alone it is an error."""
    found = read_keys(jwks(make(), jwk_of(rsa_key(), "good")))
    assert [key.id for key in found.keys] == ["good"]
    assert found.skipped[0].startswith(f"key 1: {reason}")
    with pytest.raises(KeysError) as caught:
        read_keys(jwks(make()))
    assert reason in str(caught.value)


def test_a_symmetric_key_that_everybody_can_read_is_none() -> None:
    """A set at a URL is public, and so would be the secret in it."""
    text = jwks(jwk_of(b"k" * 32), jwk_of(rsa_key(), "good"))
    assert [key.id for key in read_keys(text, public=True).keys] == ["good"]
    with pytest.raises(KeysError, match="which everybody could read"):
        read_keys(jwks(jwk_of(b"k" * 32)), public=True)


def certificate() -> bytes:
    """A certificate of the RSA key, as some issuers publish it."""
    name = Name([NameAttribute(NameOID.COMMON_NAME, "issuer.example")])
    today = datetime.now(UTC)
    builder = CertificateBuilder().subject_name(name).issuer_name(name).public_key(rsa_key().public_key())
    builder = builder.serial_number(1).not_valid_before(today).not_valid_after(today + timedelta(days=1))
    return builder.sign(rsa_key(), SHA256()).public_bytes(Encoding.PEM)


def test_reads_keys_and_certificates_in_pem() -> None:
    """Several blocks with whatever between them, as files of keys are put together."""
    text = (
        b"# the issuer's\n"
        + pem_of(rsa_key())
        + b"\n"
        + certificate()
        + pem_of(ec_key()).replace(b"\n", b"\r\n")
    )
    keys = read_keys(text).keys
    assert [(key.id, "ES256" in key.algorithms) for key in keys] == [
        (None, False),
        (None, False),
        (None, True),
    ]


def private_pem() -> bytes:
    """A key that only the issuer may have."""
    return rsa_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (private_pem, "expected the public key in PEM, found a private one; `openssl pkey"),
        (lambda: pem_of(rsa_key())[:-30], "expected 1 to 100 public keys in PEM, found 0 that are whole"),
        (lambda: pem_of(rsa_key()).replace(b"MII", b"AAA"), "found a broken block PUBLIC KEY"),
        (lambda: certificate().replace(b"MII", b"AAA"), "found a broken block CERTIFICATE"),
        (lambda: pem_of(rsa_key(1024)), "it is RSA of 1024 bits"),
        (lambda: pem_of(ec_key(SECP192R1)), "it is of a type that signs no tokens"),
        (
            lambda: (
                X25519PrivateKey.generate()
                .public_key()
                .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            ),
            "it is of a type that signs no tokens",
        ),
        (lambda: pem_of(rsa_key()) * 101, "found 101 that are whole"),
    ],
)
def test_says_what_is_wrong_with_pem(make: Callable[[], bytes], expected: str) -> None:
    """Whoever wrote the file can mend it, and nothing of a key is in the message."""
    text = make()
    with pytest.raises(KeysError) as caught:
        read_keys(text)
    assert expected in str(caught.value)
    assert not any(line.decode()[:20] in str(caught.value) for line in text.splitlines() if len(line) > 40)


def test_knows_the_longer_edwards_curve() -> None:
    """RFC 8037 has two of them."""
    text = (
        Ed448PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    (key,) = read_keys(text).keys
    assert key.algorithms == {"EdDSA", "Ed448"}


NEITHER = r"expected a JWK set \(RFC 7517\)( or public keys in PEM)?, found something else"
NO_KEY = "expected a JWK set with at least one key in `keys`, found none"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", NEITHER),
        (b"[]", NEITHER),
        (b"<html>", NEITHER),
        (b"\xff", NEITHER),
        (b"[" * 100_000, NEITHER),
        (b"{}", NO_KEY),
        (b'{"keys": []}', NO_KEY),
        (b'{"keys": {}}', NO_KEY),
        (b'{"keys": {"kty": "RSA"}}', NO_KEY),
        (b'{"keys": null}', NO_KEY),
        (b'{"keys": [7]}', "found none: key 1: it is no object"),
    ],
)
def test_what_is_no_set_of_keys_is_one_clear_error(text: bytes, message: str) -> None:
    """An error page, or a file of something else, is told apart from keys."""
    for public in (True, False):
        with pytest.raises(KeysError, match=message) as caught:
            read_keys(text, public=public)
        # At a URL PEM would not be read.
        assert not (public and "PEM" in str(caught.value))
        assert public or message != NEITHER or "PEM" in str(caught.value)


def test_bounds_the_size_of_a_set() -> None:
    """Blanks count too: what is read takes time, whatever it is."""
    text = jwks(jwk_of(rsa_key())).ljust(LARGEST)
    assert len(read_keys(text).keys) == 1
    with pytest.raises(KeysError, match="at most 256 KiB"):
        read_keys(text + b" ")


def test_bounds_the_number_of_keys() -> None:
    """Each of them takes time to read."""
    keys = [jwk_of(ec_key(), str(number)) for number in range(101)]
    assert len(read_keys(jwks(*keys[:100])).keys) == 100
    with pytest.raises(KeysError, match="at most 100 keys, found 101"):
        read_keys(jwks(*keys))
    assert len(read_keys(pem_of(ec_key()) * 100).keys) == 100


def test_pem_from_a_url_is_no_set_of_keys() -> None:
    """What a provider sends is JSON, of which every part is bounded."""
    with pytest.raises(KeysError, match="expected a JWK set"):
        read_keys(pem_of(rsa_key()), public=True)


def test_the_length_of_a_shared_secret_says_what_it_is_for() -> None:
    """A secret of 32 bytes is enough for HS256 only."""
    (key,) = read_keys(jwks(jwk_of(b"s" * 32))).keys
    assert key.algorithms == {"HS256"}
