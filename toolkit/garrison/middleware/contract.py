"""Holds requests to the app's OpenAPI document: who may call is decided first, then what is sent."""

from __future__ import annotations

from dataclasses import dataclass
from random import random
from time import monotonic
from typing import TYPE_CHECKING, Final, Literal

from garrison.buffer_budget import USUAL, BufferBudget
from garrison.context import enter
from garrison.events import event_log
from garrison.rules import root_path_of
from garrison.settings import validate
from garrison.units import Duration, Secret, Size

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.metrics import MeterProvider

    from garrison.asgi import ASGIApp, Receive, Scope, Send
    from garrison.contracting.judging import Judging
    from garrison.contracting.replies import ReplyViolations
    from garrison.events import EventLog

# RFC 8725 section 3.10 and common sense: a clock that is further off is wrong.
LONGEST_LEEWAY: Final = 300.0

# What is written in a notation, or names what has to be there. Keys of tokens come with issuers.
WRITTEN: Final = ("document", "verifiers", "api_keys", "jwt_issuers", "jwt_audiences", "jwt_algorithms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """The OpenAPI document that requests have to keep.

    Attributes:
        document: the path of an OpenAPI 3.0, 3.1 or 3.2 document in JSON or YAML, or `app` for the one that a
            FastAPI or Litestar app makes of itself when it starts. Empty: nothing is checked. What such an
            app takes by design passes though its document is narrower: other spellings of numbers and truth
            values in parameters and forms, other formats of text, empty fields of forms, forms as multipart,
            bodies of which nothing is declared, paths of `{path:path}`, and requests without credentials
            where `auto_error=False`. Not so JSON of other types, other media types, repeated values, and
            query parameters that only the handler knows. Of OpenAPI 3.2 `itemSchema`, `itemEncoding` and
            `prefixEncoding` are not looked at: a body that has nothing but an `itemSchema`, such as a stream
            of lines of JSON, passes once its caller, parameters and media type have been judged.
        mode: `enforce` refuses what does not keep the document; `report` logs it as `contract_violation`,
            `contract_denied` or `contract_undocumented`, and a body that it has no room for as
            `contract_unchecked`, each kind once an hour, and lets it pass. A body is then judged as far as
            the app reads it.
        unknown: what becomes of paths and methods that the document does not have: `pass` logs them, `refuse`
            answers 404 and 405.
        unknown_query: what becomes of query parameters that an operation does not have.
        security: who holds callers to the document's security requirements. `verify` lets nobody in whom no
            verifier accepts; `presence` only wants a credential to be there and leaves it to the app to judge
            it; `app` leaves all of it. `auto` is `verify` for a document from a file and `presence` for the
            app's own, because such apps verify in dependencies.
        verifiers: who verifies which security scheme, such as `bearerAuth=jwt, session=shop.auth:verify,
            legacy=refuse`. `jwt` verifies JWTs, `api-keys` the keys in `api_keys`; a callable takes the
            credential and the request's head, and returns the principal, principal and scopes, or None; one
            that is not async must not wait for anything. Unless named, API keys are for `apiKey` schemes, and
            JWTs for bearer, OAuth 2 and OpenID Connect.
        api_keys: principals with the hashes of their keys, and scopes where they have some, such as
            `alice=5f70…, bob=93c1… orders:read`; `garrison contract key` makes keys and their entries.
        jwt_keys: the path of a JWK set or of public keys in PEM, or the https URL of a JWK set.
        jwt_issuers: one of them must be the `iss` of a token.
        jwt_audiences: one of them must be in its `aud`.
        jwt_algorithms: those that are accepted, such as `RS256,ES256`; empty for all that a key is for.
        jwt_types: the values of `typ` that are accepted; `at+jwt` alone accepts only what RFC 9068 calls
            access tokens.
        jwt_principal: the claim that says who the caller is.
        jwt_scopes: the claims that say what the caller may do.
        jwt_leeway: by how much clocks may differ.
        replies: the share of the app's replies that are held to the document too, such as `0.01`, or `1` in
            tests; 0 for none. What does not keep it is logged as `contract_reply_violation`, each kind once
            an hour, and never changes, delays or ends a reply. Streams of events, files and compressed bodies
            pass, and of bodies beyond `max_body` only the head is read.
        remote: whether references to other hosts are fetched when the app starts, and the document itself
            where it is a URL.
        max_body: bytes of a body that is read to be checked; more is a 413. Multipart streams, and is not
            bounded here.
    """

    document: str = ""
    mode: Literal["enforce", "report"] = "enforce"
    unknown: Literal["pass", "refuse"] = "pass"
    unknown_query: Literal["refuse", "pass"] = "refuse"
    security: Literal["auto", "verify", "presence", "app"] = "auto"
    verifiers: str = ""
    api_keys: Secret | None = None
    jwt_keys: str = ""
    jwt_issuers: tuple[str, ...] = ()
    jwt_audiences: tuple[str, ...] = ()
    jwt_algorithms: tuple[str, ...] = ()
    jwt_types: tuple[str, ...] = ("at+jwt", "jwt")
    jwt_principal: str = "sub"
    jwt_scopes: tuple[str, ...] = ("scope",)
    jwt_leeway: Duration = 30.0
    replies: float = 0.0
    remote: bool = False
    max_body: Size = 10_000_000

    def __post_init__(self) -> None:
        validate(self)
        validate(
            self,
            ("replies", 0 <= self.replies <= 1, "a share from 0 to 1"),
            ("max_body", self.max_body >= 1, "at least 1 byte"),
            ("jwt_leeway", self.jwt_leeway <= LONGEST_LEEWAY, f"at most {LONGEST_LEEWAY:.0f}s"),
            ("jwt_types", bool(self.jwt_types), "at least one type, such as at+jwt"),
            ("jwt_principal", bool(self.jwt_principal), "the name of a claim, such as sub"),
            (
                "jwt_issuers",
                not self.jwt_keys or bool(self.jwt_issuers),
                "an issuer, because jwt_keys is set",
            ),
            (
                "jwt_audiences",
                not self.jwt_keys or bool(self.jwt_audiences),
                "an audience, because jwt_keys is set",
            ),
        )
        if any(getattr(self, name) for name in WRITTEN):
            from garrison.contracting.section import check_contract  # noqa: PLC0415 - most apps have no contract

            check_contract(self)

    @property
    def verifies(self) -> bool:
        """Whether callers are verified here; apps that make their own document do so in dependencies."""
        from garrison.contracting.setup import security_of  # noqa: PLC0415 - most apps have no contract

        return security_of(self) == "verify"


class ContractMiddleware:
    """Finds the operation of each request, and refuses what it does not allow.

    In this order, and as early as it is known: the operation, who asks (401), whether they may (403), the
    parameters (400), the body (400, 415, 422). A body is read before the app is called, up to `max_body`, and
    handed on as it came; one of multipart is judged while it streams, and so is every one in report mode.

    Args:
        app: the app below.
        settings: the section.
        own: the app that makes its own document; the one below unless given.
        secret: with which the hashes of API keys were made.
        budget: what all requests of the process may hold together; 256 MB of its own unless given.
        log: where the events go; standard output as JSON unless given.
        clock: seconds that never go back.
        meter_provider: of metrics; the global one unless given.
        chance: a random number from 0 to below 1, for the share of replies that are judged.
        on_reply: is told of each reply that was judged and does not keep the document, when the app has
            returned. It is for tests: what it raises goes to the server, or to the test client.

    Raises:
        SettingsError: the document cannot be used, or something is missing to enforce it.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Contract = Contract(),
        *,
        own: object = None,
        secret: Secret | None = None,
        budget: BufferBudget | None = None,
        log: EventLog | None = None,
        clock: Callable[[], float] = monotonic,
        meter_provider: MeterProvider | None = None,
        chance: Callable[[], float] = random,
        on_reply: Callable[[ReplyViolations], object] | None = None,
    ) -> None:
        self.app = app
        self._judging: Judging | None = None
        self._mount = f"contract {settings.document} {settings.mode}"
        self._root = root_path_of(app)
        if not settings.document:
            return
        from garrison.contracting.request_head import head_of  # noqa: PLC0415 - most apps have no contract
        from garrison.contracting.setup import judging_of  # noqa: PLC0415 - as above

        self._head_of = head_of
        self._judging = judging_of(
            app,
            settings,
            own=app if own is None else own,
            secret=secret,
            budget=BufferBudget(max(USUAL, settings.max_body)) if budget is None else budget,
            log=log or event_log(),
            clock=clock,
            meter_provider=meter_provider,
            chance=chance,
            on_reply=on_reply,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and `websocket`; `lifespan` and scopes of an unknown type pass through."""
        if self._judging is None or scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        scope, context = enter(scope)
        if not context.mount(self._mount, self):
            await self.app(scope, receive, send)
            return
        # What an app puts into the scope by itself is not there yet.
        seen = {**scope, "root_path": self._root} if self._root else scope
        await self._judging.run(scope, receive, send, context, self._head_of(seen, context))
