"""From a section to a compiled contract; what only a contract needs is imported only here."""

from __future__ import annotations

from random import random
from typing import TYPE_CHECKING, Any, Final

from garrison.contracting.metrics import ViolationCounter
from garrison.contracting.own import OWN
from garrison.contracting.own_document import document_of, unlisted_below
from garrison.contracting.telling import Teller
from garrison.contracting.unlisted import NONE
from garrison.extras import needs
from garrison.openapi.model import DocumentError
from garrison.settings import Problem, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.metrics import MeterProvider

    from garrison.asgi import ASGIApp
    from garrison.buffer_budget import BufferBudget
    from garrison.contracting.judging import Judging
    from garrison.contracting.replies import ReplyViolations
    from garrison.events import EventLog
    from garrison.middleware.contract import Contract as Section
    from garrison.openapi.contract import Contract
    from garrison.openapi.security import Mode
    from garrison.openapi.verifiers import Verifier
    from garrison.units import Secret

# What is found out only when the layer is made is told by the variable, as quotas do.
DOCUMENT: Final = "GARRISON_CONTRACT_DOCUMENT"


def security_of(section: Section) -> Mode:
    """Who enforces security requirements; apps that make their own document verify in dependencies."""
    if section.security == "auto":
        return "presence" if section.document == OWN else "verify"
    return section.security


def judging_of(
    app: ASGIApp,
    section: Section,
    *,
    own: object,
    secret: Secret | None,
    budget: BufferBudget,
    log: EventLog,
    clock: Callable[[], float],
    meter_provider: MeterProvider | None = None,
    chance: Callable[[], float] = random,
    on_reply: Callable[[ReplyViolations], object] | None = None,
) -> Judging:
    """What judges the requests of a layer.

    Args:
        app: the app below.
        section: with a document.
        own: what makes the document where it is the app's own.
        secret: with which hashes of API keys were made.
        budget: what all requests may hold together.
        log: where events go.
        clock: seconds that never go back.
        meter_provider: of metrics; the global one unless given.
        chance: a random number from 0 to below 1, for the share of replies that are judged.
        on_reply: is told of replies that do not keep the document.

    Raises:
        SettingsError: the document or something else cannot be used.
    """
    if on_reply is not None and not section.replies:
        expected = "a share above 0, such as 1, because on_reply is given"
        raise SettingsError([Problem(name="Contract.replies", expected=expected, found="0")])
    contract = contract_of(section, own, secret=secret, log=log, clock=clock)
    from garrison.contracting.judging import Judging  # noqa: PLC0415 - needs what the extra brings
    from garrison.contracting.replies import Replies  # noqa: PLC0415

    teller = Teller(log, clock, ViolationCounter(meter_provider))
    replies = Replies(
        contract,
        teller,
        budget,
        mode=section.mode,
        share=section.replies,
        max_body=section.max_body,
        chance=chance,
        on_reply=on_reply,
    )
    return Judging(
        app,
        contract,
        teller,
        budget,
        mode=section.mode,
        unknown=section.unknown,
        max_body=section.max_body,
        replies=replies if section.replies else None,
        unlisted=unlisted_below(own) if section.document == OWN else NONE,
    )


def require_engine() -> None:
    """See that what compiles documents is installed.

    Raises:
        SettingsError: it is not.
    """
    try:
        import garrison.openapi.compiled  # noqa: PLC0415 - see above
        import garrison.openapi.document  # noqa: F401, PLC0415
    except ModuleNotFoundError as error:
        hint = needs("A contract", error.name, "openapi")
        problem = Problem(name=DOCUMENT, expected="the extra openapi to be installed", hint=hint)
        raise SettingsError([problem]) from None


def contract_of(
    section: Section, app: object, *, secret: Secret | None, log: EventLog, clock: Callable[[], float]
) -> Contract:
    """The contract that a section names.

    Args:
        section: with a document.
        app: what makes the document where it is the app's own.
        secret: with which hashes of API keys were made.
        log: where the event `contract_keys` goes.
        clock: seconds that never go back.

    Raises:
        SettingsError: the document or something else cannot be used.
    """
    require_engine()
    from garrison.openapi.assignment import assigned, parse_verifiers  # noqa: PLC0415 - see above
    from garrison.openapi.compiled import compile_document  # noqa: PLC0415
    from garrison.openapi.contract import Contract  # noqa: PLC0415
    from garrison.openapi.document import load_document  # noqa: PLC0415

    try:
        is_own = section.document == OWN
        source: str | Mapping[str, Any] = section.document
        if is_own:
            enforces = section.mode == "enforce"
            source = document_of(
                app,
                verifies=enforces and section.verifies,
                refuses_unknown=enforces and section.unknown == "refuse",
            )
        compiled = compile_document(load_document(source, remote=section.remote))
        verifiers = assigned(
            compiled.schemes,
            parse_verifiers(section.verifiers),
            api_keys=_api_keys(section, secret),
            jwt=_jwt(section, log, clock),
            setting="GARRISON_CONTRACT_VERIFIERS",
        )
        return Contract(
            compiled,
            verifiers,
            security=security_of(section),
            unknown_query=section.unknown_query,
            # Such an app says nothing of bodies that its handlers read by themselves.
            undeclared_body="pass" if is_own else "refuse",
            replies=section.replies > 0,
        )
    except DocumentError as error:
        where = "the app's own document" if section.document == OWN else section.document
        # It says by itself what is a quotation.
        found = f", found {error.found}" if error.found else ""
        raise SettingsError(
            [
                Problem(
                    name=DOCUMENT,
                    expected=f"{error.expected} at {error.pointer or 'the top'} of {where}{found}",
                )
            ]
        ) from None


def _api_keys(section: Section, secret: Secret | None) -> Verifier | None:
    from garrison.openapi.api_keys import ApiKeys, parse_api_keys  # noqa: PLC0415 - see above

    if section.api_keys is None:
        return None
    if secret is None:
        expected = "the secret with which the hashes of API keys were made"
        raise SettingsError([Problem(name="GARRISON_SECRET", expected=expected)])
    return ApiKeys(parse_api_keys(section.api_keys.reveal()), secret)


def _jwt(section: Section, log: EventLog, clock: Callable[[], float]) -> Verifier | None:
    if not section.jwt_keys:
        return None
    from garrison.openapi.jwks import open_keys  # noqa: PLC0415 - see above
    from garrison.openapi.jwt_bearer import JwtBearer, TokenRules  # noqa: PLC0415

    rules = TokenRules(
        issuers=section.jwt_issuers,
        audiences=section.jwt_audiences,
        algorithms=section.jwt_algorithms,
        types=section.jwt_types,
        principal=section.jwt_principal,
        scopes=section.jwt_scopes,
        leeway=section.jwt_leeway,
    )
    return JwtBearer(
        open_keys(section.jwt_keys, setting="GARRISON_CONTRACT_JWT_KEYS", log=log, clock=clock), rules
    )
