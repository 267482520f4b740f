"""Keys that signatures of tokens are verified with, each bound to the algorithms that it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import get_default_algorithms

from garrison.openapi.jws import ALGORITHMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jwt.algorithms import Algorithm

_PYJWT: Final = get_default_algorithms()
# PyJWT knows the two curves of Edwards by one name.
_VERIFIERS: Final[Mapping[str, Algorithm]] = {
    name: _PYJWT["EdDSA" if name in {"Ed25519", "Ed448"} else name] for name in ALGORITHMS
}

RSA: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
CURVES: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512", "secp256k1": "ES256K"}
# By how many bytes the key has at least, those of its hash (RFC 7518 section 3.2).
HMAC: Final = {"HS256": 32, "HS384": 48, "HS512": 64}
# RFC 7518 section 3.3; beyond the longest a signature takes milliseconds.
SHORTEST_RSA: Final = 2048
LONGEST_RSA: Final = 16384

# Verifying costs too much to try many.
MOST_TRIED: Final = 4


class KeysError(ValueError):
    """Keys that cannot be used: what is wrong with them, without anything of a key."""


class Key(NamedTuple):
    """One key.

    Attributes:
        id: its `kid`; None where it has none.
        algorithms: what it may be used with.
        material: as PyJWT's algorithms take it.
    """

    id: str | None
    algorithms: frozenset[str]
    material: Any

    def verifies(self, algorithm: str, signed: bytes, signature: bytes) -> bool:
        """Whether a signature is this key's.

        Args:
            algorithm: one of the key's.
            signed: what the signature is about.
            signature: of it.
        """
        return _VERIFIERS[algorithm].verify(signed, self.material, signature)


class KeySet:
    """Keys of one issuer.

    Args:
        keys: that verify.
        skipped: why other keys of the same source are not used, one sentence each.
    """

    def __init__(self, keys: Iterable[Key], skipped: Iterable[str] = ()) -> None:
        self.keys = tuple(keys)
        self.skipped = tuple(skipped)
        self._by_id: dict[str | None, list[Key]] = {}
        for key in self.keys:
            self._by_id.setdefault(key.id, []).append(key)

    def knows(self, key_id: str | None) -> bool:
        """Whether there is a key that a token may mean with this `kid`: one without an id can be any."""
        return key_id is None or key_id in self._by_id or None in self._by_id

    def candidates(self, key_id: str | None, algorithm: str) -> list[Key]:
        """The keys to try, at most `MOST_TRIED`.

        Args:
            key_id: what a token says; one without it may mean any key.
            algorithm: what a token says.
        """
        found: Iterable[Key] = self.keys
        if key_id is not None:
            found = self._by_id.get(key_id) or self._by_id.get(None, [])
        return [key for key in found if algorithm in key.algorithms][:MOST_TRIED]


def algorithms_for(material: object, declared: object) -> frozenset[str]:
    """The algorithms that a key is for (RFC 8725 section 3.1).

    Args:
        material: the key.
        declared: its `alg`; None where it has none.

    Raises:
        KeysError: there is none, or the key is too weak.
    """
    names = _algorithms_of(material)
    if declared is None:
        return frozenset(names)
    if declared not in names:
        raise KeysError("its `alg` is none that is supported for a key of its type and size")
    return frozenset({str(declared)})


def _algorithms_of(material: object) -> tuple[str, ...]:
    if isinstance(material, bytes):
        if len(material) < min(HMAC.values()):
            raise KeysError(f"it has {len(material)} bytes, expected at least {min(HMAC.values())} for HS256")
        return tuple(name for name, least in HMAC.items() if len(material) >= least)
    if isinstance(material, RSAPublicKey):
        if not SHORTEST_RSA <= material.key_size <= LONGEST_RSA:
            raise KeysError(f"it is RSA of {material.key_size} bits, expected at least {SHORTEST_RSA}")
        return RSA
    if isinstance(material, EllipticCurvePublicKey) and material.curve.name in CURVES:
        return (CURVES[material.curve.name],)
    if isinstance(material, Ed25519PublicKey):
        return ("EdDSA", "Ed25519")
    if isinstance(material, Ed448PublicKey):
        return ("EdDSA", "Ed448")
    raise KeysError("it is of a type that signs no tokens")
