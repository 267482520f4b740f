"""Every scheme of a document has a verifier, named or usual, or the start says which has none."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from garrison.openapi.assignment import assigned, parse_verifiers, refuse_unverified
from garrison.openapi.credentials import Credential, Rejected
from garrison.openapi.model import Scheme
from garrison.openapi.verifiers import Verified
from garrison.rules import NotationError
from garrison.settings import SettingsError
from tests.toolkit.openapi.security.made import (
    BASIC,
    BEARER,
    CERTIFICATE,
    KEY,
    OAUTH,
    head,
    needs,
    operation,
)

if TYPE_CHECKING:
    from garrison.openapi.model import Head

OPENID = Scheme(name="openid", type="openIdConnect", pointer="")
SCHEMES = {scheme.name: scheme for scheme in (BEARER, BASIC, OAUTH, OPENID, KEY, CERTIFICATE)}


class Named:
    """A verifier that says who it is."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def verify(self, credential: Credential, head: Head) -> Verified | Rejected:
        """Always accept."""
        return Verified(self.name)


def alice(credential: Credential, head: Head) -> str:
    """A callable of an app."""
    return "alice"


def test_reads_who_verifies_what() -> None:
    """Words for what is built in, import strings for what is the app's."""
    assert parse_verifiers("") == {}
    found = parse_verifiers("bearer=jwt, key = api-keys ,basic=shop.auth:Users.check, old.one-2=refuse,")
    assert found == {
        "bearer": "jwt",
        "key": "api-keys",
        "basic": "shop.auth:Users.check",
        "old.one-2": "refuse",
    }


@pytest.mark.parametrize(
    "text", ["bearer", "bearer=", "=jwt", "bearer=JWT", "a b=jwt", "a=jwt, a=refuse", "a=b.c"]
)
def test_what_does_not_fit_is_shown(text: str) -> None:
    """Whoever wrote it sees the part that is wrong, and how it looks."""
    with pytest.raises(NotationError, match="bearerAuth=jwt"):
        parse_verifiers(text)


def test_the_usual_verifiers_need_not_be_named() -> None:
    """Keys for apiKey, JWTs for whatever is a bearer token; the rest is the app's."""
    keys, tokens = Named("keys"), Named("tokens")
    found = assigned(SCHEMES, {}, api_keys=keys, jwt=tokens)
    assert found == {"bearer": tokens, "oauth": tokens, "openid": tokens, "key": keys}


def test_a_name_goes_before_what_is_usual() -> None:
    """Bearer tokens may be API keys, and any scheme the app's own or closed."""
    named = {"bearer": "api-keys", "basic": f"{__name__}:alice", "key": "refuse"}
    keys = Named("keys")
    found = assigned(SCHEMES, named, api_keys=keys)
    assert found["bearer"] is keys
    sent = Credential(scheme=BASIC, value="x")
    assert asyncio.run(found["basic"].verify(sent, head())) == Verified("alice")
    assert isinstance(asyncio.run(found["key"].verify(sent, head())), Rejected)
    assert found.keys() == {"bearer", "basic", "key"}


def test_a_wrong_name_is_one_line_with_the_nearest() -> None:
    """Everything that is wrong is said at once."""
    named = {"barer": "refuse", "key": "api-keys", "oauth": "jwt", "basic": f"{__name__}:bob"}
    with pytest.raises(SettingsError) as caught:
        assigned(SCHEMES, named)
    lines = str(caught.value).splitlines()
    assert len(lines) == 4
    assert (
        "which has basic, bearer, certificate, key, oauth, openid, found 'barer'. Did you mean bearer?"
        in lines[0]
    )
    assert any("expected API keys to be set. key is to be verified by api-keys" in line for line in lines)
    assert any(
        "expected the keys of JWTs, their issuer and their audience to be set" in line for line in lines
    )
    assert any("has no attribute bob" in line for line in lines)
    with pytest.raises(SettingsError) as caught:
        assigned({}, {"bearer": "refuse"})
    assert str(caught.value).endswith("the document, which has none at all, found 'bearer'.")
    assert all(line.startswith("GARRISON_CONTRACT_VERIFIERS: ") for line in lines)


def test_a_scheme_without_a_verifier_stops_the_start() -> None:
    """The error names the scheme, an operation that needs it, and what to set."""
    operations = [operation((needs(KEY), needs(BEARER))), operation((), (needs(BASIC),), template="/users")]
    with pytest.raises(SettingsError) as caught:
        refuse_unverified(operations, {"bearer": Named("x")}, "GARRISON_CONTRACT_VERIFIERS")
    first, second = str(caught.value).splitlines()
    assert first == (
        "GARRISON_CONTRACT_VERIFIERS: expected a verifier for the security scheme key (apiKey in header"
        " x-api-key), which GET /orders needs. GARRISON_CONTRACT_API_KEYS holds keys;"
        " GARRISON_CONTRACT_VERIFIERS says who verifies it: key=shop.auth:verify for a callable of yours,"
        " key=refuse for nobody. GARRISON_CONTRACT_SECURITY=app leaves all callers to the app."
    )
    assert "the security scheme basic (http basic), which GET /users needs" in second
    assert "basic=shop.auth:verify" in second
    assert "JWT" not in second


@pytest.mark.parametrize("scheme", [OAUTH, OPENID, BEARER])
def test_bearer_tokens_are_verified_by_keys(scheme: Scheme) -> None:
    """The error says where keys of JWTs go."""
    kind = "http bearer" if scheme is BEARER else scheme.type
    with pytest.raises(SettingsError, match=rf"\({kind}\), .* GARRISON_CONTRACT_JWT_KEYS verifies JWTs"):
        refuse_unverified([operation((needs(scheme),))], {}, "GARRISON_CONTRACT_VERIFIERS")


def test_a_scheme_that_nothing_needs_needs_no_verifier() -> None:
    """Documents declare more than they use."""
    refuse_unverified([operation(), operation(())], {}, "GARRISON_CONTRACT_VERIFIERS")
