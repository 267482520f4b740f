"""What the tests of this folder are made of: schemes, operations, requests, keys and tokens."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64encode
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurve,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from garrison.events import event_log
from garrison.openapi.credentials import Credential
from garrison.openapi.jwks import FixedKeys
from garrison.openapi.jwt_bearer import JwtBearer, TokenRules
from garrison.openapi.key_documents import read_keys
from garrison.openapi.model import Head, Need, Operation, Scheme

if TYPE_CHECKING:
    from io import StringIO

    from garrison.events import EventLog
    from garrison.openapi.credentials import Rejected
    from garrison.openapi.verifiers import Verified

NOW: Final = 1_800_000_000.0
ISSUER: Final = "https://issuer.example/"
AUDIENCE: Final = "orders"

BEARER: Final = Scheme(name="bearer", type="http", scheme="bearer", pointer="")
BASIC: Final = Scheme(name="basic", type="http", scheme="basic", pointer="")
OAUTH: Final = Scheme(name="oauth", type="oauth2", pointer="")
CERTIFICATE: Final = Scheme(name="certificate", type="mutualTLS", pointer="")
KEY: Final = Scheme(name="key", type="apiKey", location="header", parameter="x-api-key", pointer="")


def key_in(location: str, parameter: str = "key") -> Scheme:
    """A scheme for an API key somewhere."""
    return Scheme(name="key", type="apiKey", location=location, parameter=parameter, pointer="")


def operation(*alternatives: tuple[Need, ...], template: str = "/orders") -> Operation:
    """An operation with these alternatives."""
    return Operation(method="GET", template=template, name="orders", security=alternatives, pointer="")


def needs(scheme: Scheme, *scopes: str) -> Need:
    """A need for a scheme and scopes."""
    return Need(scheme, scopes)


def head(*lines: tuple[str, str | bytes], query: bytes = b"") -> Head:
    """A request with these header lines."""
    headers = [
        (name.encode("ascii"), value if isinstance(value, bytes) else value.encode("utf-8"))
        for name, value in lines
    ]
    return Head("GET", b"/orders", query, headers)


def bearing(token: str) -> Head:
    """A request with a bearer token."""
    return head(("authorization", f"Bearer {token}"))


def written(stream: StringIO) -> EventLog:
    """A log whose lines the test reads."""
    return event_log(stream=stream)


@cache
def rsa_key(bits: int = 2048) -> RSAPrivateKey:
    """An RSA key, made once for all tests of a process."""
    return generate_rsa(65537, bits)


@cache
def other_rsa_key() -> RSAPrivateKey:
    """A key that nobody published."""
    return generate_rsa(65537, 2048)


@cache
def ec_key(curve: type[EllipticCurve] = SECP256R1) -> EllipticCurvePrivateKey:
    """A key on an elliptic curve."""
    return generate_private_key(curve())


@cache
def ed_key() -> Ed25519PrivateKey:
    """An Ed25519 key."""
    return Ed25519PrivateKey.generate()


def pem_of(key: RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey) -> bytes:
    """The public half of a key, as issuers publish it."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def jwk_of(key: object, kid: str | None = "k1", **members: Any) -> dict[str, Any]:
    """The public half of a key as a JWK, or a symmetric key."""
    found: dict[str, Any]
    if isinstance(key, bytes):
        found = {"kty": "oct", "k": urlsafe_b64encode(key).decode().rstrip("=")}
    elif isinstance(key, RSAPrivateKey):
        found = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    elif isinstance(key, EllipticCurvePrivateKey):
        found = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    elif isinstance(key, Ed25519PrivateKey):
        found = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        raise TypeError(type(key))
    found.pop("key_ops", None)
    if kid is not None:
        found["kid"] = kid
    return found | members


def jwks(*keys: dict[str, Any]) -> bytes:
    """A JWK set."""
    return json.dumps({"keys": list(keys)}).encode()


def claims(**changed: Any) -> dict[str, Any]:
    """The claims of a good token, changed; None takes one away."""
    found = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "alice",
        "exp": NOW + 600,
        "iat": NOW - 60,
        "nbf": NOW - 60,
        "scope": "orders:read orders:write",
    }
    return {name: value for name, value in (found | changed).items() if value is not None}


def token(
    key: Any = None,
    algorithm: str = "RS256",
    *,
    header: dict[str, Any] | None = None,
    kid: str | None = "k1",
    **changed: Any,
) -> str:
    """A signed token; by default as the issuer signs it."""
    headers = ({} if kid is None else {"kid": kid}) | (header or {})
    return jwt.encode(claims(**changed), key or rsa_key(), algorithm=algorithm, headers=headers)


def raw_token(header: bytes, payload: bytes, signature: bytes = b"signature") -> str:
    """A token of these parts, whatever they are."""
    return ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in (header, payload, signature))


def signed_raw(header: bytes, payload: bytes, key: Ed25519PrivateKey | None = None) -> str:
    """Any parts, with the issuer's signature as RS256, or that of an Ed25519 key."""
    signing_input = raw_token(header, payload).rpartition(".")[0].encode()
    if key is None:
        signature = jwt.get_algorithm_by_name("RS256").sign(signing_input, rsa_key())
    else:
        signature = key.sign(signing_input)
    return f"{signing_input.decode()}.{urlsafe_b64encode(signature).decode().rstrip('=')}"


def judge(keys: bytes | None = None, *, now: float = NOW, **rules: Any) -> JwtBearer:
    """A judge of tokens that knows the issuer's key."""
    found = read_keys(jwks(jwk_of(rsa_key())) if keys is None else keys)
    told = {"issuers": (ISSUER,), "audiences": (AUDIENCE,)} | rules
    return JwtBearer(FixedKeys(found), TokenRules(**told), now=lambda: now)


def judged(bearer: JwtBearer, text: str) -> Verified | Rejected:
    """What a judge says of a token."""
    return asyncio.run(bearer.verify(Credential(scheme=BEARER, value=text), head()))
