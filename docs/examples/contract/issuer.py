"""Stands for whoever makes tokens: prints one for ann; `keys` prints the key that verifies them."""

from __future__ import annotations

import json
import sys
import time

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

# Everybody can read this one, so it is for trying things out only.
KEY = Ed25519PrivateKey.from_private_bytes(b"a key that everybody can know!!!")


def token(name: str, *, seconds: int = 3600) -> str:
    """A token for somebody, good for so many seconds."""
    claims = {
        "iss": "https://login.example",
        "aud": "orders",
        "sub": name,
        "exp": int(time.time()) + seconds,
    }
    return jwt.encode(claims, KEY, algorithm="EdDSA", headers={"kid": "1"})


def keys() -> dict[str, object]:
    """The public key as a JWK set."""
    key = OKPAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
    return {"keys": [{**key, "kid": "1", "alg": "EdDSA", "use": "sig"}]}


if __name__ == "__main__":
    print(json.dumps(keys(), indent=2) if "keys" in sys.argv else token("ann"))
