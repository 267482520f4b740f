"""The notation behind `by`."""

from __future__ import annotations

import pytest

from garrison.ratelimit.identity import ADDRESS, parse_identity
from garrison.rules import NotationError


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", (ADDRESS,)),
        ("address", (ADDRESS,)),
        ("principal", ("principal",)),
        ("header:X-Api-Key", ("header:x-api-key",)),
        ("address + principal", (ADDRESS, "principal")),
        ("shop.limits:tenant", ("shop.limits:tenant",)),
        ("shop:Limits.tenant+address", ("shop:Limits.tenant", ADDRESS)),
        ("header:x-a+header:x-b", ("header:x-a", "header:x-b")),
    ],
)
def test_identities(text: str, parts: tuple[str, ...]) -> None:
    """An identity is one part or several, headers in lower case, and the address where nothing is said."""
    assert parse_identity(text).parts == parts
    assert parse_identity(parse_identity(text).text) == parse_identity(text)


@pytest.mark.parametrize(
    "text",
    [
        "moon", "Address", "address+", "+", "header:", "header:x y", "header:x\ny", "header:é", "shop.limits",
        "shop:", ":tenant", "shop limits:tenant", "address+address", "header:x-a+header:X-A", "1shop:tenant",
    ],
)  # fmt: skip
def test_what_is_no_identity(text: str) -> None:
    """Anything else is refused with what there is, and with what was found."""
    with pytest.raises(NotationError, match=r"by address, header:x-api-key, principal, a callable") as error:
        parse_identity(text)
    assert error.value.found == f"by {text}"


@pytest.mark.parametrize(
    ("text", "stage", "is_address", "has_address", "is_made_up", "has_secrets"),
    [
        ("address", "client", True, True, False, False),
        ("header:x-a", "client", False, False, True, True),
        ("address+header:x-a", "client", False, True, True, True),
        ("principal", "principal", False, False, False, True),
        ("address+principal", "principal", False, True, False, True),
        # Whoever is authenticated can make up headers as well as anybody else.
        ("principal+header:x-a", "principal", False, False, True, True),
        ("shop:tenant", "client", False, False, False, True),
        ("shop:tenant+header:x-a", "client", False, False, True, True),
    ],
)
def test_what_an_identity_is_good_for(
    text: str, stage: str, *, is_address: bool, has_address: bool, is_made_up: bool, has_secrets: bool
) -> None:
    """When it is known, whom it tells apart, and whether a client can be somebody else at will."""
    found = parse_identity(text)
    assert (found.stage, found.is_address, found.has_address) == (stage, is_address, has_address)
    assert (found.is_made_up, found.has_secrets) == (is_made_up, has_secrets)


def test_callables_of_an_identity() -> None:
    """Import strings are told from headers, whose names stand behind a colon too."""
    found = parse_identity("header:x-a+shop:tenant+address+shop.limits:plan")
    assert found.callables == ("shop:tenant", "shop.limits:plan")
