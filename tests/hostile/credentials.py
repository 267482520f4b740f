"""Tokens and keys: the sound ones, and those that have opened other doors."""

from __future__ import annotations

import base64
import json
import time
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from garrison.units import Secret
from tests.hostile.case import MARK, Case, cases, request

# Its public half is in `key.pem`.
PRIVATE: Final = ec.derive_private_key(0x6B41724149373737, ec.SECP256R1())
STRANGER: Final = ec.derive_private_key(0x7377777777777777, ec.SECP256R1())

ISSUER: Final = "https://issuer.example"
AUDIENCE: Final = "https://shop.example"
SECRET: Final = Secret("a-secret-that-only-tests-have-0123456789")
API_KEY: Final = "a-key-that-only-tests-have-0123456789"

ORDER: Final = b'{"name": "' + MARK + b'"}'


def claims(**changed: Any) -> dict[str, Any]:
    """Those of a token that opens the vault, unless they are changed; None leaves one out."""
    now = int(time.time())
    sound = {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "scope": "vault:read", "exp": now + 3600}
    return {name: value for name, value in {**sound, **changed}.items() if value is not None}


def token(key: Any = PRIVATE, algorithm: str = "ES256", header: Any = None, **changed: Any) -> bytes:
    """A token that is sound unless something is changed."""
    return jwt.encode(claims(**changed), key, algorithm, {"typ": "at+jwt", **(header or {})}).encode()


def unsigned(header: dict[str, Any], signature: bytes = b"") -> bytes:
    """A token with any header and any signature."""
    parts = [json.dumps(header).encode(), json.dumps(claims()).encode(), signature]
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)


def opened(credential: bytes, name: bytes = b"Authorization") -> bytes:
    """A request for what only a token opens."""
    return request(b"/vault", None, name + b": " + credential, method=b"GET")


def kept(credential: bytes, body: bytes = ORDER) -> bytes:
    """A request for what only a key opens."""
    return request(b"/vault", body, b"X-API-Key: " + credential)


def sound() -> list[Case]:
    """Credentials as they should be open the door, so that the others can be seen to be refused."""
    requests = {"token": opened(b"Bearer " + token()), "key": kept(API_KEY.encode(), b'{"name": "x"}')}
    return cases("sound credential", requests, 200)


def credentials() -> list[Case]:
    """Everything else is a 401, or a 403 without the scope, and is never repeated."""
    past, future = int(time.time()) - 3600, int(time.time()) + 3600
    good = token()
    head, body, signature = good.split(b".")
    tokens = {
        "none": unsigned({"alg": "none", "typ": "at+jwt"}),
        "None": unsigned({"alg": "nOnE", "typ": "at+jwt"}),
        "no algorithm": unsigned({"typ": "at+jwt"}),
        "list of algorithms": unsigned({"alg": ["ES256"], "typ": "at+jwt"}),
        "algorithm of another key": unsigned({"alg": "RS256", "typ": "at+jwt"}, b"x" * 256),
        "public key as a secret": unsigned({"alg": "HS256", "typ": "at+jwt"}, b"x" * 32),
        "zero signature": unsigned({"alg": "ES256", "typ": "at+jwt"}, b"\0" * 64),
        "own key": token(STRANGER),
        "key in the header": token(STRANGER, header={"jwk": {"kty": "EC", "crv": "P-256"}}),
        "URL of keys": token(STRANGER, header={"jku": "https://evil.example/keys"}),
        "URL of certificates": token(STRANGER, header={"x5u": "https://evil.example/cert"}),
        "path as an id": token(STRANGER, header={"kid": "../../../dev/null"}),
        "query as an id": token(STRANGER, header={"kid": "' UNION SELECT 'x"}),
        "critical header": token(header={"crit": ["b64"], "b64": False}),
        "type of an ID token": token(header={"typ": "id+jwt"}),
        "expired": token(exp=past),
        "never expires": token(exp=None),
        "not yet": token(nbf=future),
        "issued in the future": token(nbf=future, iat=future),
        "other issuer": token(iss="https://evil.example"),
        "no issuer": token(iss=None),
        "other audience": token(aud="https://other.example"),
        "no audience": token(aud=None),
        "no subject": token(sub=None),
        "expires in words": token(exp=None, nbf=None, exp_="soon"),
        "no signature": b".".join([head, body, b""]),
        "two parts": b".".join([head, body]),
        "four parts": b".".join([head, body, signature, signature]),
        "five parts": b".".join([head, b"", body, signature, signature]),
        "changed signature": b".".join([head, body, signature[:-4] + b"AAAA"]),
        "changed body": b".".join([head, body[:-4] + b"AAAA", signature]),
        "padding": good + b"==",
        "blank inside": good[:20] + b" " + good[20:],
        "no base64": b"\xff.\xff.\xff",
        "dots": b"..",
        "many dots": b"." * 5000,
        "long": b"a" * 20_000,
        "mark": MARK,
        "deep": base64.urlsafe_b64encode(b'{"a":' * 2000) + b"." + body + b"." + signature,
        "number": base64.urlsafe_b64encode(b"1") + b"." + body + b"." + signature,
        "twice the same name": base64.urlsafe_b64encode(b'{"alg":"none","alg":"ES256"}')
        + b"." + body + b"." + signature,
    }  # fmt: skip
    schemes = {
        "no scheme": good,
        "other scheme": b"Basic " + good,
        "basic": b"Basic " + base64.b64encode(b"alice:" + MARK),
        "scheme only": b"Bearer",
        "blanks": b"Bearer    ",
        "two tokens": b"Bearer " + good + b" " + good,
        "comma": b"Bearer " + good + b", Bearer " + good,
        "quoted": b'Bearer "' + good + b'"',
        "digest": b'Digest username="' + MARK + b'", nonce=""',
        "control": b"Bearer \x01" + good,
    }
    keys = {
        "short": b"x",
        "prefix": API_KEY[:-1].encode(),
        "capitals": API_KEY.upper().encode(),
        "longer": API_KEY.encode() + b"0",
        "its hash": b"0" * 64,
        "not ASCII": b"\xff" * 40,
        "long": b"k" * 20_000,
        "mark": MARK * 4,
        "two in one": (API_KEY + "," + API_KEY).encode(),
    }
    return [
        *cases("token", {name: opened(b"Bearer " + each) for name, each in tokens.items()}, 400, 401),
        *cases("scheme", {name: opened(each) for name, each in schemes.items()}, 400, 401),
        *cases("scope", {"other": opened(b"Bearer " + token(scope="orders"))}, 403),
        *cases("scope", {"none": opened(b"Bearer " + token(scope=None))}, 403),
        *cases("scope", {"list": opened(b"Bearer " + token(scope=[["vault:read"]]))}, 401, 403),
        *cases("key", {name: kept(each) for name, each in keys.items()}, 400, 401),
        *cases(
            "key",
            {
                "none": request(b"/vault", ORDER),
                "in the query": request(b"/vault?X-API-Key=" + API_KEY.encode(), ORDER),
            },
            400,
            401,
        ),
    ]
