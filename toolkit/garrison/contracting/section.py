"""What the section about the contract is checked for, beyond the types of its fields."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from garrison.contracting.own import OWN
from garrison.nearest import nearest_to
from garrison.openapi.api_keys import parse_api_keys
from garrison.openapi.assignment import parse_verifiers
from garrison.openapi.jws import ALGORITHMS
from garrison.openapi.key_fetch import URL_OR_PATH, is_key_url
from garrison.rules import NotationError
from garrison.settings import Problem, SettingsError
from garrison.wording import mask_credentials

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.middleware.contract import Contract


def check_contract(section: Contract) -> None:
    """Read what is written in notations, and see whether files are there.

    Raises:
        SettingsError: with every problem.
    """
    problems = []
    for name, text, parse in (
        ("verifiers", section.verifiers, parse_verifiers),
        ("api_keys", section.api_keys.reveal() if section.api_keys else "", parse_api_keys),
    ):
        try:
            parse(text)
        except NotationError as error:
            problems.append(Problem(name=f"Contract.{name}", expected=error.expected, found=error.found))
    document = section.document
    if "://" in document and not section.remote:
        expected = "a file, or GARRISON_CONTRACT_REMOTE=on for a URL"
        problems.append(Problem(name="Contract.document", expected=expected, found=document))
    elif document not in {"", OWN} and "://" not in document and not Path(document).is_file():
        is_directory = Path(document).is_dir()
        what = "which is a file and no directory" if is_directory else "which is there"
        expected = f"the path of an OpenAPI document, {what}, or {OWN}"
        problems.append(Problem(name="Contract.document", expected=expected, found=document))
    problems += _tokens(section)
    if problems:
        raise SettingsError(problems)


def _tokens(section: Contract) -> Iterator[Problem]:
    """What is wrong with how tokens are verified."""
    for name in ("jwt_issuers", "jwt_audiences"):
        # Only code can give one; the environment has nothing between two commas.
        if not all(getattr(section, name)):
            yield Problem(name=f"Contract.{name}", expected="names that are not empty")
    unknown = [name for name in section.jwt_algorithms if name not in ALGORITHMS]
    if unknown:
        near = nearest_to(unknown[0], ALGORITHMS)
        hint = f"Did you mean {near}?" if near else "`none` never is, and encrypted tokens are not read."
        expected = f"some of {', '.join(ALGORITHMS)}"
        yield Problem(name="Contract.jwt_algorithms", expected=expected, found=unknown[0], hint=hint)
    keys = section.jwt_keys
    if "://" in keys and not is_key_url(keys):
        found = mask_credentials(keys)
        yield Problem(name="Contract.jwt_keys", expected=URL_OR_PATH, found=found)
