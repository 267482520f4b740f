"""Prints what it costs to authenticate a request: `python -m tests.toolkit.openapi.security.costs`."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from garrison.openapi.api_keys import ApiKey, ApiKeys, key_digest, new_key
from garrison.openapi.jwks import FixedKeys
from garrison.openapi.jwt_bearer import JwtBearer, TokenRules
from garrison.openapi.key_documents import read_keys
from garrison.openapi.security import Authenticator
from garrison.units import Secret
from tests.toolkit.openapi.security.made import (
    AUDIENCE,
    BEARER,
    ISSUER,
    KEY,
    NOW,
    bearing,
    ec_key,
    ed_key,
    head,
    jwk_of,
    jwks,
    needs,
    operation,
    rsa_key,
    token,
)

if TYPE_CHECKING:
    from garrison.openapi.model import Head
    from garrison.openapi.verifiers import Verifier

ROUNDS, CALLS = 7, 1000
SHARED = b"0123456789abcdef" * 2


def cost(verifier: Verifier, scheme: Any, request: Head) -> float:
    """Microseconds for one request, the best of some rounds."""
    wanted = operation((needs(scheme),))
    authenticator = Authenticator([wanted], {scheme.name: verifier})

    async def round_() -> float:
        began = perf_counter()
        for _ in range(CALLS):
            await authenticator.authenticate(wanted, request)
        return (perf_counter() - began) / CALLS * 1e6

    return min(asyncio.run(round_()) for _ in range(ROUNDS))


def main() -> None:
    """Print a table."""
    rules = TokenRules(issuers=(ISSUER,), audiences=(AUDIENCE,))
    click.echo("µs for one request      first time  remembered")
    for algorithm, key in {"HS256": SHARED, "RS256": rsa_key(), "ES256": ec_key(), "EdDSA": ed_key()}.items():
        request = bearing(token(key, algorithm))
        source = FixedKeys(read_keys(jwks(jwk_of(key))))
        first, again = (
            cost(JwtBearer(source, rules, now=lambda: NOW, remembered=remembered), BEARER, request)
            for remembered in (0, 4096)
        )
        click.echo(f"JWT, {algorithm:18} {first:10.1f}  {again:10.1f}")
    secret = Secret("a secret of many characters")
    for count in (1, 10, 100, 1000):
        keys = [new_key() for _ in range(count)]
        entries = [ApiKey(principal="p", digest=key_digest(key, secret)) for key in keys]
        found = cost(ApiKeys(entries, secret), KEY, head(("x-api-key", keys[-1])))
        click.echo(f"API key, one of {count:<7} {found:10.1f}")


if __name__ == "__main__":
    main()
