"""Whether requests are held to a document, and whether that fits together with what verifies callers."""

from __future__ import annotations

import io
from dataclasses import fields, replace
from time import monotonic
from typing import TYPE_CHECKING, Final

from garrison.callables import is_import_string
from garrison.contracting.own import OWN
from garrison.events import event_log
from garrison.preflight.advice import Advice
from garrison.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.middleware.contract import Contract
    from garrison.stack import Settings

# What somebody sets to keep callers out.
_CALLERS: Final = frozenset({"api_keys", "jwt_keys", "security", "verifiers"})


def examine_contract(settings: Settings) -> Iterator[Advice]:
    """What verifies callers, and does not."""
    section = settings.contract
    if section is None:
        return
    if not section.document:
        yield from _without_document(section)
        return
    for name in ("api_keys", "jwt_keys", "verifiers"):
        if getattr(section, name) and not section.verifies:
            usual = f", which for the document `{OWN}` is presence" if section.security == "auto" else ""
            yield Advice(
                level="error",
                variable=f"GARRISON_CONTRACT_{name.upper()}",
                text=f"it verifies nobody, because GARRISON_CONTRACT_SECURITY is"
                f" {section.security}{usual}. Set that to verify, or take this away.",
            )
    if section.api_keys is not None and settings.secret is None:
        yield Advice(
            level="error",
            variable="GARRISON_SECRET",
            text="it is missing, and the hashes in GARRISON_CONTRACT_API_KEYS were made with it. Set the one"
            " that `garrison contract key` had.",
        )
    for name in ("jwt_issuers", "jwt_audiences", "jwt_algorithms"):
        if getattr(section, name) and not section.jwt_keys:
            yield Advice(
                level="warning",
                variable=f"GARRISON_CONTRACT_{name.upper()}",
                text="no token is verified while GARRISON_CONTRACT_JWT_KEYS is empty. Say there where the"
                " issuer's keys are, or take this away.",
            )


def _without_document(section: Contract) -> Iterator[Advice]:
    """Whoever sets something believes that it does something."""
    for each in fields(section):
        if getattr(section, each.name) == each.default:
            continue
        without = "keeps nobody out" if each.name in _CALLERS else "does nothing"
        yield Advice(
            level="error",
            variable=f"GARRISON_CONTRACT_{each.name.upper()}",
            text=f"it {without} while GARRISON_CONTRACT_DOCUMENT is empty. Name there the document that says"
            " what requests may be, or take this away.",
        )


def examine_missing_contract(settings: Settings) -> Iterator[Advice]:
    """Whether there is a document at all, and whether it counts."""
    section = settings.contract
    if section is None or not section.document:
        yield Advice(
            level="warning",
            variable="GARRISON_CONTRACT_DOCUMENT",
            text="requests are held to no OpenAPI document. Name the file of yours, or `app` for the one that"
            " FastAPI and Litestar make.",
        )
    elif section.mode == "report":
        yield Advice(
            level="warning",
            variable="GARRISON_CONTRACT_MODE",
            text="what does not keep the document is only logged, and so is who lacks a credential. Set it to"
            " enforce, once every contract_violation, contract_denied and contract_unchecked in the log is"
            " one to refuse.",
        )


def examine_document(settings: Settings) -> Iterator[Advice]:
    """Read the document and the keys, as `garrison run` will.

    It takes as long as that, so that it is for who asks for advice, and not for `examine`. What the app makes
    of itself, or another host has, is not looked at.
    """
    section = settings.contract
    if section is None or not section.document:
        return
    if any(advice.level == "error" for advice in examine_contract(settings)):
        return
    from garrison.contracting.setup import contract_of, require_engine  # noqa: PLC0415 - most apps have none

    try:
        require_engine()
        if section.document == OWN or section.remote:
            return
        contract_of(
            _importing_nothing(section),
            None,
            secret=settings.secret,
            log=event_log(stream=io.StringIO()),
            clock=monotonic,
        )
    except SettingsError as error:
        for problem in error.problems:
            text = str(problem).removeprefix(f"{problem.name}: ")
            yield Advice(level="error", variable=problem.name, text=text)


def callables_of(section: Contract) -> tuple[str, ...]:
    """The callables that verify, as import strings, each once."""
    if not section.verifiers:
        return ()
    from garrison.openapi.assignment import parse_verifiers  # noqa: PLC0415 - most apps have no contract

    words = parse_verifiers(section.verifiers).values()
    return tuple(dict.fromkeys(word for word in words if is_import_string(word)))


def _importing_nothing(section: Contract) -> Contract:
    """The same section without callables, which `examine_imports` looks at one by one."""
    from garrison.openapi.assignment import REFUSE, parse_verifiers  # noqa: PLC0415 - most apps have no contract

    named = parse_verifiers(section.verifiers)
    words = (f"{name}={REFUSE if is_import_string(word) else word}" for name, word in named.items())
    return replace(section, verifiers=", ".join(words))
