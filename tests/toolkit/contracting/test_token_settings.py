"""How tokens are verified is checked when the section is made, by the name of what was set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from garrison import Contract, Settings, SettingsError
from garrison.settings import load

if TYPE_CHECKING:
    from pathlib import Path

TOKENS: Final = {
    "jwt_keys": "https://issuer.example/jwks",
    "jwt_issuers": ("https://issuer.example",),
    "jwt_audiences": ("orders",),
}


def refused(**fields: Any) -> str:
    """What is said of a section that cannot be used."""
    with pytest.raises(SettingsError) as caught:
        Contract(**{**TOKENS, **fields})
    return str(caught.value)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"jwt_algorithms": ("RS257",)}, "found 'RS257'. Did you mean RS256?"),
        ({"jwt_algorithms": ("RS256", "none")}, "found 'none'. `none` never is"),
        ({"jwt_algorithms": ("RSA-OAEP",)}, "Contract.jwt_algorithms: expected some of HS256, "),
        ({"jwt_issuers": ("",)}, "Contract.jwt_issuers: expected names that are not empty."),
        ({"jwt_audiences": ("orders", "")}, "Contract.jwt_audiences: expected names that are not empty."),
        ({"jwt_issuers": ()}, "an issuer, because jwt_keys is set"),
        ({"jwt_audiences": ()}, "an audience, because jwt_keys is set"),
        ({"jwt_leeway": 301.0}, "at most 300s"),
        ({"jwt_types": ()}, "at least one type"),
        ({"jwt_keys": "http://issuer.example/jwks"}, "Contract.jwt_keys: expected an https URL"),
        ({"jwt_keys": "ftp://issuer.example/jwks"}, "Contract.jwt_keys: expected an https URL"),
    ],
)
def test_what_verifies_nothing_is_refused(fields: dict[str, Any], expected: str) -> None:
    """With one line that says what there is."""
    assert expected in refused(**fields)


def test_a_password_in_a_url_is_not_repeated() -> None:
    """Errors end up in logs."""
    found = refused(jwt_keys="https://ann:hunter22@issuer.example/jwks")
    assert "Contract.jwt_keys" in found
    assert "hunter22" not in found


def test_the_environment_is_told_by_its_variables(tmp_path: Path) -> None:
    """All of them at once, and none of what is secret."""
    environ = {
        "GARRISON_CONTRACT_DOCUMENT": str(tmp_path / "none.yaml"),
        "GARRISON_CONTRACT_API_KEYS": "alice=the-key-itself-of-alice",
        "GARRISON_CONTRACT_VERIFIERS": "user=nobody",
        "GARRISON_CONTRACT_JWT_KEYS": "http://issuer.example/jwks",
        "GARRISON_CONTRACT_JWT_ISSUERS": "https://issuer.example",
        "GARRISON_CONTRACT_JWT_AUDIENCES": "orders",
        "GARRISON_CONTRACT_JWT_ALGORITHMS": "RS256,ES265",
    }
    with pytest.raises(SettingsError) as caught:
        load(Settings, environ=environ)
    found = {problem.name.removeprefix("GARRISON_CONTRACT_") for problem in caught.value.problems}
    assert found == {"DOCUMENT", "API_KEYS", "VERIFIERS", "JWT_KEYS", "JWT_ALGORITHMS"}
    assert "the-key-itself" not in str(caught.value)
    assert "Did you mean ES256?" in str(caught.value)


def test_a_plain_url_is_for_this_machine() -> None:
    """Nobody is on the way to it."""
    section = Contract(**{**TOKENS, "jwt_keys": "http://127.0.0.1:9000/jwks"})  # type: ignore[arg-type]
    assert section.jwt_keys.startswith("http://127.0.0.1")
