"""Challenges say how to authenticate, in the words of the standards."""

from __future__ import annotations

import pytest

from garrison.openapi.challenges import challenge, is_realm
from garrison.openapi.model import Scheme
from tests.toolkit.openapi.security.made import BASIC, BEARER, CERTIFICATE, KEY, OAUTH


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [
        (BEARER, b'Bearer realm="api"'),
        (OAUTH, b'Bearer realm="api"'),
        (Scheme(name="o", type="openIdConnect", pointer=""), b'Bearer realm="api"'),
        (BASIC, b'Basic realm="api", charset="UTF-8"'),
        (KEY, b'APIKey realm="api"'),
        (Scheme(name="d", type="http", scheme="dpop", pointer=""), b'DPoP realm="api"'),
        (Scheme(name="n", type="http", scheme="negotiate", pointer=""), b"Negotiate"),
        (Scheme(name="x", type="http", scheme="acme-1", pointer=""), b'acme-1 realm="api"'),
        (Scheme(name="x", type="http", scheme='a" b', pointer=""), b'APIKey realm="api"'),
        (CERTIFICATE, None),
    ],
)
def test_each_scheme_has_its_challenge(scheme: Scheme, expected: bytes | None) -> None:
    """Clients know by the first word what to send."""
    assert challenge(scheme, "api") == expected


def test_says_what_is_wrong_with_a_bearer_token_only() -> None:
    """Errors and scopes are parameters of Bearer, and mean nothing elsewhere."""
    assert challenge(BEARER, "api", error="invalid_token") == b'Bearer realm="api", error="invalid_token"'
    assert challenge(KEY, "api", error="invalid_token") == b'APIKey realm="api"'
    found = challenge(OAUTH, "api", error="insufficient_scope", scopes=["a", "b:c"])
    assert found == b'Bearer realm="api", error="insufficient_scope", scope="a b:c"'


def test_a_scope_that_cannot_be_quoted_is_left_out() -> None:
    """Whatever a document has as scopes, the header stays one line of ASCII."""
    found = challenge(OAUTH, "api", error="insufficient_scope", scopes=['a"', "b\r\n", "ü", "c d"])
    assert found == b'Bearer realm="api", error="insufficient_scope"'


@pytest.mark.parametrize("realm", ["", 'a"b', "a\\b", "ä", "a\nb"])
def test_a_realm_has_nothing_to_escape(realm: str) -> None:
    """A realm is a quoted string of a header."""
    assert not is_realm(realm)
    assert is_realm("the orders (v1)")
