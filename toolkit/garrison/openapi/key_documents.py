"""Keys of an issuer as they are written down: JWK sets and PEM."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate
from jwt import InvalidKeyError
from jwt.algorithms import ECAlgorithm, HMACAlgorithm, OKPAlgorithm, RSAAlgorithm

from garrison.openapi.jws import json_object
from garrison.openapi.jwt_keys import Key, KeysError, KeySet, algorithms_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# A provider has a handful of keys, in up to some twenty KiB.
MOST_KEYS: Final = 100
LARGEST: Final = 256 * 1024

READERS: Final[Mapping[str, Callable[[dict[str, Any]], object]]] = {
    "RSA": RSAAlgorithm.from_jwk,
    "EC": ECAlgorithm.from_jwk,
    "OKP": OKPAlgorithm.from_jwk,
    "oct": HMACAlgorithm.from_jwk,
}

PEM: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)


def read_keys(text: bytes, *, public: bool = False) -> KeySet:
    """Read a JWK set or key (RFC 7517), or public keys and certificates in PEM (RFC 7468) of a file.

    Keys of a set that are for something else, or too weak, are skipped.

    Args:
        text: at most `LARGEST` bytes.
        public: whether it comes from a URL, where PEM is not usual, and everybody could read a symmetric key.

    Raises:
        KeysError: there is no key that can verify a signature.
    """
    if len(text) > LARGEST:
        raise KeysError(f"expected at most {LARGEST // 1024} KiB of keys, found more")
    if b"-----BEGIN " in text and not public:
        return KeySet([_from_pem(match) for match in _pem_blocks(text)])
    document = json_object(text)
    if document is None:
        kinds = "a JWK set (RFC 7517)" if public else "a JWK set (RFC 7517) or public keys in PEM"
        raise KeysError(f"expected {kinds}, found something else")
    jwks = document.get("keys", [document] if "kty" in document else None)
    if not isinstance(jwks, list) or not jwks:
        raise KeysError("expected a JWK set with at least one key in `keys`, found none")
    if len(jwks) > MOST_KEYS:
        raise KeysError(f"expected at most {MOST_KEYS} keys, found {len(jwks)}")
    keys: list[Key] = []
    skipped: list[str] = []
    for number, jwk in enumerate(jwks, 1):
        try:
            keys.append(_from_jwk(jwk, public=public))
        except KeysError as error:
            skipped.append(f"key {number}: {error}")
    if not keys:
        raise KeysError("expected a key that verifies signatures, found none: " + "; ".join(skipped[:3]))
    return KeySet(keys, skipped)


def _from_jwk(jwk: object, *, public: bool) -> Key:
    if not isinstance(jwk, dict):
        raise KeysError("it is no object")
    kind = jwk.get("kty")
    reader = READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise KeysError("its `kty` is none of RSA, EC, OKP and oct")
    if jwk.get("use", "sig") != "sig":
        raise KeysError("its `use` is not sig")
    uses = jwk.get("key_ops", ["verify"])
    if not isinstance(uses, list) or "verify" not in uses:
        raise KeysError("its `key_ops` have no verify")
    if "d" in jwk:
        raise KeysError("it is a private key; only the issuer may have it")
    if kind == "oct" and public:
        raise KeysError("it is a symmetric key, which everybody could read")
    key_id = jwk.get("kid")
    if key_id is not None and (not isinstance(key_id, str) or not key_id):
        raise KeysError("its `kid` is no text, or empty")
    try:
        material = reader(jwk)
    except (InvalidKeyError, UnsupportedAlgorithm, KeyError, TypeError, ValueError):
        raise KeysError(f"its members are not those of a key of type {kind}") from None
    return Key(key_id, algorithms_for(material, jwk.get("alg")), material)


def _pem_blocks(text: bytes) -> list[re.Match[str]]:
    blocks = list(PEM.finditer(text.decode("latin-1")))
    if not blocks or len(blocks) > MOST_KEYS:
        raise KeysError(f"expected 1 to {MOST_KEYS} public keys in PEM, found {len(blocks)} that are whole")
    return blocks


def _from_pem(block: re.Match[str]) -> Key:
    label, text = block[1], block[0].encode("latin-1")
    if label.endswith("PRIVATE KEY"):
        hint = "`openssl pkey -in private.pem -pubout` writes it"
        raise KeysError(f"expected the public key in PEM, found a private one; {hint}")
    try:
        if label == "CERTIFICATE":
            material: object = load_pem_x509_certificate(text).public_key()
        else:
            material = load_pem_public_key(text)
    except (UnsupportedAlgorithm, ValueError):
        raise KeysError(f"expected a public key in PEM, found a broken block {label}") from None
    return Key(None, algorithms_for(material, None), material)
