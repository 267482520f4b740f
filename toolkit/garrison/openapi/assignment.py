"""Which verifier judges which security scheme of a document."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from garrison.callables import imported, is_import_string
from garrison.nearest import nearest_to
from garrison.openapi.verifiers import CallableVerifier, NobodyVerifier
from garrison.rules import NotationError
from garrison.settings import Problem, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from garrison.openapi.model import Operation, Scheme
    from garrison.openapi.verifiers import Verifier

API_KEYS: Final = "api-keys"
JWT: Final = "jwt"
REFUSE: Final = "refuse"

EXPECTED: Final = (
    f"schemes of the document with who verifies them (`{JWT}`, `{API_KEYS}`, `{REFUSE}` or a callable), such"
    f" as 'bearerAuth={JWT}, session=shop.auth:verify'"
)
# What a key of `components` looks like (OpenAPI 3.1 section 4.8.7.1).
SCHEME: Final = re.compile(r"[A-Za-z0-9._-]+")


def parse_verifiers(text: str) -> dict[str, str]:
    """Read who verifies which scheme, such as `bearerAuth=jwt, session=shop.auth:verify`.

    Args:
        text: any number of them, parted by commas.

    Returns:
        The names of schemes, with `jwt`, `api-keys`, `refuse` or an import string for each.

    Raises:
        NotationError: with the part that does not fit.
    """
    found: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, _, word = map(str.strip, part.partition("="))
        known = word in {API_KEYS, JWT, REFUSE} or is_import_string(word)
        if not known or SCHEME.fullmatch(name) is None or name in found:
            raise NotationError(EXPECTED, part)
        found[name] = word
    return found


def assigned(
    schemes: Mapping[str, Scheme],
    named: Mapping[str, str],
    *,
    api_keys: Verifier | None = None,
    jwt: Verifier | None = None,
    setting: str = "GARRISON_CONTRACT_VERIFIERS",
) -> dict[str, Verifier]:
    """Give the schemes of a document their verifiers.

    A scheme that is not named has the one of its type: API keys for `apiKey`, JWTs for HTTP's bearer scheme,
    OAuth 2 and OpenID Connect; or none.

    Args:
        schemes: of the document.
        named: what `parse_verifiers` returned.
        api_keys: judges API keys, where some are set.
        jwt: judges JWTs, where keys for them are set.
        setting: where `named` was written, for errors.

    Raises:
        SettingsError: a name is none of the document's, a callable cannot be imported, or a verifier is
            named that is not set up.
    """
    problems: list[Problem] = []
    for name in sorted(named.keys() - schemes.keys()):
        near = nearest_to(name, schemes)
        hint = f"Did you mean {near}?" if near else ""
        known = ", ".join(sorted(schemes)) or "none at all"
        expected = f"security schemes of the document, which has {known}"
        problems.append(Problem(name=setting, expected=expected, found=name, hint=hint))
    offered: dict[str, Verifier | None] = {API_KEYS: api_keys, JWT: jwt, REFUSE: NobodyVerifier()}
    found: dict[str, Verifier] = {}
    for name, scheme in schemes.items():
        word = named.get(name) or usual_verifier(scheme)
        if is_import_string(word):
            try:
                found[name] = CallableVerifier(imported(word, setting), word)
            except SettingsError as error:
                problems += error.problems
            continue
        verifier = offered.get(word)
        if verifier is not None:
            found[name] = verifier
        elif name in named:
            hint = f"{name} is to be verified by {word}, which needs them."
            expected = "API keys" if word == API_KEYS else "the keys of JWTs, their issuer and their audience"
            problems.append(Problem(name=setting, expected=f"{expected} to be set", hint=hint))
    if problems:
        raise SettingsError(problems)
    return found


def usual_verifier(scheme: Scheme) -> str:
    """The word for what usually verifies a scheme; empty where that is for the app to say."""
    if scheme.type == "apiKey":
        return API_KEYS
    if scheme.type in {"oauth2", "openIdConnect"} or (scheme.type, scheme.scheme) == ("http", "bearer"):
        return JWT
    return ""


def refuse_unverified(
    operations: Iterable[Operation], verifiers: Mapping[str, Verifier], setting: str
) -> None:
    """Refuse a document with operations that nobody could ever call, or everybody.

    Args:
        operations: of the document.
        verifiers: by the name of their scheme.
        setting: where verifiers are set, for errors.

    Raises:
        SettingsError: a scheme that an operation needs has no verifier; it names all of them.
    """
    needed: dict[str, tuple[Scheme, Operation]] = {}
    for operation in operations:
        for need in (each for alternative in operation.security for each in alternative):
            needed.setdefault(need.scheme.name, (need.scheme, operation))
    problems = [
        Problem(
            name=setting,
            expected=f"a verifier for the security scheme {name} ({_described(scheme)}), which"
            f" {operation.method} {operation.template} needs",
            hint=_way_to_verify(scheme, setting),
        )
        for name, (scheme, operation) in needed.items()
        if name not in verifiers
    ]
    if problems:
        raise SettingsError(problems)


def _described(scheme: Scheme) -> str:
    if scheme.type == "apiKey":
        return f"apiKey in {scheme.location} {scheme.parameter}"
    return f"http {scheme.scheme}" if scheme.type == "http" else scheme.type


def _way_to_verify(scheme: Scheme, setting: str) -> str:
    named = (
        f"{setting} says who verifies it: {scheme.name}=shop.auth:verify for a callable of yours,"
        f" {scheme.name}=refuse for nobody. GARRISON_CONTRACT_SECURITY=app leaves all callers to the app"
    )
    if scheme.type == "apiKey":
        return f"GARRISON_CONTRACT_API_KEYS holds keys; {named}."
    if scheme.type in {"oauth2", "openIdConnect"} or scheme.scheme == "bearer":
        return f"GARRISON_CONTRACT_JWT_KEYS verifies JWTs; {named}."
    return f"{named}."
