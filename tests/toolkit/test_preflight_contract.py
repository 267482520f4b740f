"""What is said about a document, and about what verifies callers, before anything is served."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest
from click.testing import CliRunner, Result

from garrison import Contract, Settings
from garrison.cli import main
from garrison.openapi.api_keys import key_digest
from garrison.preflight import examine, examine_document, examine_imports
from garrison.units import Secret
from tests.toolkit.openapi.security.made import jwk_of, jwks, rsa_key

if TYPE_CHECKING:
    from pathlib import Path

SECRET: Final = Secret("sixteen letters.")
KEYS: Final = Secret(f"alice={key_digest('a-key-of-somebody', SECRET)}")
TOKENS: Final[dict[str, Any]] = {"jwt_issuers": ("https://issuer.example",), "jwt_audiences": ("orders",)}
DOCUMENT: Final = """
openapi: 3.1.0
info: {title: Orders, version: "1"}
paths:
  /orders:
    get: {security: [{key: []}, {user: []}], responses: {"200": {description: orders}}}
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-API-Key}
    user: {type: http, scheme: bearer}
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A document whose operation wants a key or a token."""
    path = tmp_path / "openapi.yaml"
    path.write_text(DOCUMENT, encoding="utf-8")
    return str(path)


@pytest.fixture
def keys(tmp_path: Path) -> str:
    """The keys of an issuer."""
    path = tmp_path / "keys.json"
    path.write_bytes(jwks(jwk_of(rsa_key())))
    return str(path)


def told(secret: Secret | None = SECRET, profile: Any = "development", **fields: Any) -> dict[str, str]:
    """Level and text of the advice about the contract, by the name of the variable."""
    settings = Settings(profile=profile, secret=secret, contract=Contract(**fields))
    found = (*examine(settings), *examine_document(settings))
    return {
        advice.variable: f"{advice.level}: {advice.text}"
        for advice in found
        if "CONTRACT" in advice.variable or advice.variable == "GARRISON_SECRET"
    }


def test_settings_that_fit_together_need_no_advice(file: str, keys: str) -> None:
    """A document, and somebody for each of its schemes."""
    assert told(document=file, profile="production", api_keys=KEYS, jwt_keys=keys, **TOKENS) == {}
    assert told(document=file, security="presence", profile="production") == {}
    assert told(document="app", profile="production") == {}


@pytest.mark.parametrize("document", ["app", "file"])
def test_an_extra_that_is_missing_is_told(document: str, request: pytest.FixtureRequest) -> None:
    """`garrison run` would refuse to start, also where the document is the app's own."""
    without = "import sys; sys.modules['jsonschema_rs'] = None; from garrison.cli import main; main()"
    path = "app" if document == "app" else request.getfixturevalue("file")
    done = subprocess.run(
        [sys.executable, "-c", without, "config", "--check"],
        env={**os.environ, "GARRISON_CONTRACT_DOCUMENT": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    told = "error: GARRISON_CONTRACT_DOCUMENT: expected the extra openapi to be installed. A contract needs"
    command = "pip install 'garrison[openapi]' "
    assert f"{told} jsonschema_rs. Install it with: {command}" in " ".join(done.stderr.split())


@pytest.mark.parametrize("contract", [Contract(), None])
def test_production_without_a_document_is_told_of_it(contract: Contract | None) -> None:
    """Everything that the layer does begins with one; on a developer's machine nothing is missing."""
    (found,) = [each for each in examine(Settings(contract=contract)) if "CONTRACT" in each.variable]
    assert (found.level, found.variable) == ("warning", "GARRISON_CONTRACT_DOCUMENT")
    assert "`app`" in found.text
    assert told() == {}


def test_a_document_that_only_reports_is_noticed(file: str) -> None:
    """It lets everybody pass, which is for a while."""
    fields: dict[str, Any] = {"document": file, "mode": "report", "security": "app"}
    assert told(profile="production", **fields)["GARRISON_CONTRACT_MODE"].startswith("warning: what does not")
    assert told(**fields) == {}


@pytest.mark.parametrize(
    "fields", [{"api_keys": KEYS}, {"verifiers": "key=shop:verify"}, {"jwt_keys": "keys.json", **TOKENS}]
)
def test_verifiers_that_keep_nobody_out_are_unsafe(fields: dict[str, Any], file: str) -> None:
    """Whoever sets them believes that callers are verified."""
    (name,) = fields.keys() & {"api_keys", "verifiers", "jwt_keys"}
    variable = f"GARRISON_CONTRACT_{name.upper()}"
    assert told(**fields)[variable].startswith("error: it keeps nobody out while GARRISON_CONTRACT_DOCUMENT")
    for more, reason in (
        ({"document": "app"}, "is auto, which for the document `app` is presence"),
        ({"document": file, "security": "presence"}, "is presence. Set that to verify"),
        ({"document": file, "security": "app"}, "is app. Set that to verify"),
    ):
        found = told(**{**fields, **more})
        assert found[variable].startswith("error: it verifies nobody")
        assert reason in found[variable]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mode", "report"),
        ("unknown", "refuse"),
        ("unknown_query", "pass"),
        ("security", "verify"),
        ("replies", 0.5),
        ("remote", True),
        ("max_body", 5),
        ("jwt_algorithms", ("RS256",)),
    ],
)
def test_a_setting_without_a_document_is_an_error(field: str, value: Any, file: str) -> None:
    """Whoever sets it believes that it does something; with nothing else set an empty document is fine."""
    variable = f"GARRISON_CONTRACT_{field.upper()}"
    found = told(**{field: value})
    assert list(found) == [variable]
    assert found[variable].startswith("error: it ")
    assert "while GARRISON_CONTRACT_DOCUMENT is empty" in found[variable]
    assert told(document="") == {}
    more: dict[str, Any] = {"security": "app", field: value}
    assert "DOCUMENT is empty" not in str(told(document=file, **more))


def test_hashes_without_their_secret_are_an_error(file: str) -> None:
    """No key would be known, and the line says which secret it is."""
    found = told(secret=None, document=file, api_keys=KEYS, verifiers="user=refuse")
    assert list(found) == ["GARRISON_SECRET"]
    assert found["GARRISON_SECRET"].startswith(
        "error: it is missing, and the hashes in GARRISON_CONTRACT_API"
    )


def test_what_is_said_of_tokens_without_keys(file: str) -> None:
    """Nothing reads it."""
    found = told(document=file, security="app", jwt_issuers=("https://issuer.example",))
    assert found["GARRISON_CONTRACT_JWT_ISSUERS"].startswith("warning: no token is verified while")


def test_a_scheme_without_a_verifier_is_an_error(file: str) -> None:
    """The line has the scheme, an operation that needs it, and three ways out."""
    found = told(document=file, api_keys=KEYS)["GARRISON_CONTRACT_VERIFIERS"]
    assert found.startswith(
        "error: expected a verifier for the security scheme user (http bearer), which GET"
    )
    assert "GET /orders" in found
    for way in ("GARRISON_CONTRACT_JWT_KEYS", "user=shop.auth:verify", "user=refuse"):
        assert way in found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("openapi: 4.0.0", "error: expected "),
        ("- no document", "error: expected "),
        (DOCUMENT.replace("{user: []}", "{usr: []}"), "usr"),
    ],
)
def test_a_document_that_cannot_be_used_is_an_error(text: str, expected: str, tmp_path: Path) -> None:
    """It is read as `garrison run` reads it."""
    path = tmp_path / "broken.yaml"
    path.write_text(text, encoding="utf-8")
    assert expected in told(document=str(path), security="app")["GARRISON_CONTRACT_DOCUMENT"]


def test_keys_that_cannot_be_used_are_an_error(file: str, tmp_path: Path) -> None:
    """Weak keys, and files without any."""
    weak = tmp_path / "weak.json"
    weak.write_bytes(jwks(jwk_of(rsa_key(1024))))
    for path, expected in ((weak, "1024 bits"), (tmp_path / "none.json", "No such file")):
        found = told(document=file, api_keys=KEYS, jwt_keys=str(path), **TOKENS)
        assert expected in found["GARRISON_CONTRACT_JWT_KEYS"]


def test_names_of_schemes_are_those_of_the_document(file: str) -> None:
    """A name that is spelled wrong verifies nothing."""
    found = told(document=file, api_keys=KEYS, verifiers="usr=refuse")["GARRISON_CONTRACT_VERIFIERS"]
    assert "Did you mean user?" in found


def test_a_callable_that_cannot_be_imported_is_told_by_itself(file: str) -> None:
    """It is an error, and keeps nothing else from being looked at."""
    fields: dict[str, Any] = {"document": file, "api_keys": KEYS, "verifiers": "user=nowhere.at_all:verify"}
    assert told(**fields) == {}
    (found,) = examine_imports(Settings(contract=Contract(**fields)))
    assert (found.level, found.variable) == ("error", "GARRISON_CONTRACT_VERIFIERS")
    assert "nowhere.at_all:verify cannot be used" in found.text


def check(**environ: str) -> Result:
    """What `garrison config --check` prints."""
    return CliRunner().invoke(main, ["config", "--check", "--format", "json"], env={**environ})


def test_the_command_says_so_too(file: str) -> None:
    """Its exit status is 1, errors come last, and no key or hash is printed."""
    found = check(GARRISON_CONTRACT_DOCUMENT=file, GARRISON_SECRET=SECRET.reveal())
    assert found.exit_code == 1
    advice = [line for line in found.stderr.splitlines() if line.startswith(("error: ", "warning: "))]
    errors = [line for line in advice if line.startswith("error: ")]
    assert advice[-2:] == errors, found.stderr
    assert {line.split(": ")[1] for line in errors} == {"GARRISON_CONTRACT_VERIFIERS"}
    levels = [each["level"] for each in json.loads(found.stdout)["advice"]]
    assert levels == sorted(levels, reverse=True)
    fixed = check(
        GARRISON_CONTRACT_DOCUMENT=file,
        GARRISON_SECRET=SECRET.reveal(),
        GARRISON_CONTRACT_API_KEYS=KEYS.reveal(),
        GARRISON_CONTRACT_VERIFIERS="user=refuse",
    )
    assert fixed.exit_code == 0
    assert KEYS.reveal().partition("=")[2] not in fixed.output
