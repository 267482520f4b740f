"""JSON Web Tokens (RFC 7519) as bearer tokens, verified as RFC 8725 and RFC 9068 ask for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import blake2b
from math import isfinite
from time import time
from typing import TYPE_CHECKING, Final, NamedTuple

from garrison.openapi.credentials import MALFORMED, Rejected
from garrison.openapi.jws import ALGORITHMS, LONGEST, json_object, split_token
from garrison.openapi.verifiers import Verified, is_principal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from garrison.openapi.credentials import Credential
    from garrison.openapi.jwks import KeySource
    from garrison.openapi.jws import Token
    from garrison.openapi.jwt_keys import KeySet
    from garrison.openapi.model import Head

LONGEST_LEEWAY: Final = 300.0
DIGEST_BYTES: Final = 16

TOO_LONG: Final = Rejected("too long")
TYPE: Final = Rejected("another type of token")
CRITICAL: Final = Rejected("critical extension")
ALGORITHM: Final = Rejected("algorithm")
UNKNOWN_KEY: Final = Rejected("unknown key")
SIGNATURE: Final = Rejected("signature")
NO_EXPIRY: Final = Rejected("no expiry")
EXPIRED: Final = Rejected("expired")
EARLY: Final = Rejected("not valid yet")
FUTURE: Final = Rejected("issued in the future")
ISSUER: Final = Rejected("issuer")
AUDIENCE: Final = Rejected("audience")
PRINCIPAL: Final = Rejected("no principal")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRules:
    """What a token must say.

    Attributes:
        issuers: one of them must be its `iss`.
        audiences: one of them must be in its `aud`.
        algorithms: of `ALGORITHMS`, those that are accepted; empty for all that a key is for.
        types: those of `typ` that are accepted, without `application/`; a token without one is a `jwt`
            (RFC 7519 section 5.1). `at+jwt` alone accepts what RFC 9068 calls access tokens only.
        principal: the claim that says who the caller is.
        scopes: the claims that say what the caller may do, each a text parted by blanks or a list.
        leeway: seconds by which clocks may differ, at most 300.

    Raises:
        ValueError: there is no issuer or audience, or something else is out of bounds.
    """

    issuers: tuple[str, ...]
    audiences: tuple[str, ...]
    algorithms: tuple[str, ...] = ()
    types: tuple[str, ...] = ("at+jwt", "jwt")
    principal: str = "sub"
    scopes: tuple[str, ...] = ("scope",)
    leeway: float = 30.0

    def __post_init__(self) -> None:
        if not all(self.issuers) or not self.issuers or not all(self.audiences) or not self.audiences:
            raise ValueError("expected at least one issuer and one audience of tokens")
        if not set(ALGORITHMS).issuperset(self.algorithms):
            raise ValueError(f"expected algorithms of {', '.join(ALGORITHMS)}")
        if not self.types or not self.principal or not 0 <= self.leeway <= LONGEST_LEEWAY:
            raise ValueError(f"expected types, a principal's claim and a leeway up to {LONGEST_LEEWAY:.0f} s")


class _Named(NamedTuple):
    """A token, and the algorithm and key that it names."""

    token: Token
    algorithm: str
    key_id: str | None


class _Seen(NamedTuple):
    """What came out when a token was first verified, which holds as long as it and its key do."""

    verified: Verified
    expires: float
    keys: KeySet


class JwtBearer:
    """Judges JWTs.

    The header of a token chooses among the keys that are known, by `kid`, and nothing else: `jku`, `x5u`,
    `x5c` and `jwk` are not looked at (RFC 8725 section 3.10).

    Args:
        keys: of the issuer.
        rules: what a token must say.
        now: seconds since 1970.
        remembered: of how many tokens that are valid a hash is kept, so that their signature is verified
            once; they end when they expire and when the keys change.
    """

    def __init__(
        self, keys: KeySource, rules: TokenRules, *, now: Callable[[], float] = time, remembered: int = 4096
    ) -> None:
        self._source = keys
        self._rules = rules
        self._now = now
        self._types = frozenset(_media_type(name) for name in rules.types)
        self._algorithms = frozenset(rules.algorithms or ALGORITHMS)
        self._remembered = remembered
        self._pepper = os.urandom(blake2b.MAX_KEY_SIZE)
        self._seen: dict[bytes, _Seen] = {}

    async def verify(self, credential: Credential, head: Head) -> Verified | Rejected:  # noqa: ARG002 - the protocol's
        """Say whom a token is about.

        Raises:
            VerifierUnavailableError: there are no keys to judge it with.
        """
        text = credential.value
        if len(text) > LONGEST:
            return TOO_LONG
        if not text.isascii():
            return MALFORMED
        digest = blake2b(text.encode("ascii"), key=self._pepper, digest_size=DIGEST_BYTES).digest()
        seen = self._seen.get(digest)
        if seen is not None and seen.keys is await self._source.keys():
            return seen.verified if self._now() < seen.expires else EXPIRED
        named = self._named(text)
        if isinstance(named, Rejected):
            return named
        keys = await self._source.keys()
        if not keys.knows(named.key_id):
            keys = await self._source.newer(keys)
        found = self._judge(named, keys)
        if isinstance(found, Rejected):
            return found
        verified, expires = found
        if self._remembered:
            self._remember(digest, _Seen(verified, expires, keys))
        return verified

    def _named(self, text: str) -> _Named | Rejected:
        """What a token names to be verified with, if it is one that is accepted here at all."""
        token = split_token(text)
        header = None if token is None else json_object(token.header)
        if token is None or header is None:
            return MALFORMED
        if "crit" in header:
            # RFC 7515 section 4.1.11: no extension is understood here.
            return CRITICAL
        kind = header.get("typ", "jwt")
        if not isinstance(kind, str) or _media_type(kind) not in self._types:
            return TYPE
        algorithm, key_id = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in self._algorithms:
            return ALGORITHM
        if key_id is not None and (not isinstance(key_id, str) or not key_id):
            return MALFORMED
        return _Named(token, algorithm, key_id)

    def _judge(self, named: _Named, keys: KeySet) -> tuple[Verified, float] | Rejected:
        """Whom a token is about, and until when that holds."""
        token, algorithm, key_id = named
        if not keys.knows(key_id):
            return UNKNOWN_KEY
        candidates = keys.candidates(key_id, algorithm)
        if not candidates:
            return ALGORITHM
        if not any(key.verifies(algorithm, token.signed, token.signature) for key in candidates):
            return SIGNATURE
        claims = json_object(token.payload)
        return MALFORMED if claims is None else self._read(claims)

    def _read(self, claims: Mapping[str, object]) -> tuple[Verified, float] | Rejected:
        """The same, from the claims of a token whose signature is good."""
        rules = self._rules
        now, leeway = self._now(), rules.leeway
        expires = _date(claims.get("exp"))
        if expires is None:
            return NO_EXPIRY
        if now >= expires + leeway:
            return EXPIRED
        for name, rejected in (("nbf", EARLY), ("iat", FUTURE)):
            if name in claims:
                date = _date(claims[name])
                if date is None or date > now + leeway:
                    return rejected
        if claims.get("iss") not in rules.issuers:
            return ISSUER
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if not any(name in audiences for name in rules.audiences):
            return AUDIENCE
        principal = claims.get(rules.principal)
        if not isinstance(principal, str) or not is_principal(principal):
            return PRINCIPAL
        return Verified(principal, frozenset(self._scopes(claims))), expires + leeway

    def _scopes(self, claims: Mapping[str, object]) -> list[str]:
        found: list[str] = []
        for name in self._rules.scopes:
            said = claims.get(name)
            if isinstance(said, str):
                found += said.split()
            elif isinstance(said, list):
                found += [scope for scope in said if isinstance(scope, str)]
        return found

    def _remember(self, digest: bytes, seen: _Seen) -> None:
        if len(self._seen) >= self._remembered:
            self._seen.pop(next(iter(self._seen)))
        self._seen[digest] = seen


def _media_type(name: str) -> str:
    """RFC 7515 section 4.1.9: `application/` is left out, and case does not count."""
    return name.lower().removeprefix("application/")


def _date(value: object) -> float | None:
    """A NumericDate (RFC 7519 section 2); None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if isfinite(found) else None
