"""Who may call an operation: what the document's security requirements ask for, and whether it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from garrison.openapi.assignment import refuse_unverified
from garrison.openapi.attempt import Attempt, Granted, Wanted
from garrison.openapi.challenges import challenge, is_realm
from garrison.openapi.credentials import reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from garrison.openapi.attempt import Reason
    from garrison.openapi.challenges import Error
    from garrison.openapi.model import Head, Need, Operation
    from garrison.openapi.verifiers import Verifier

Mode: TypeAlias = Literal["verify", "presence", "app"]


class Denied(NamedTuple):
    """A request that ends here.

    Attributes:
        status: 401; 403 where who asks lacks a scope, or no challenge can ask for what is wanted; 503 where
            a credential cannot be judged now.
        challenges: values of WWW-Authenticate, each for a header line of its own.
        reason: what is the matter with the credentials.
        why: the same in a few words for the log, without anything that was sent.
        scopes: that are needed where the caller has not all of them.
        principal: who that caller is; None for nobody in particular.
    """

    status: int
    challenges: tuple[bytes, ...]
    reason: Reason
    why: str
    scopes: tuple[str, ...] = ()
    principal: str | None = None


ANYBODY: Final = Granted()


class _Plan(NamedTuple):
    """What one operation asks for."""

    alternatives: tuple[tuple[Wanted, ...], ...]
    is_optional: bool
    missing: Denied


class Authenticator:
    """Decides for each request of a document who may call its operation.

    One alternative of an operation is enough, and each needs all of its schemes. An empty alternative lets
    requests without credentials through; a credential that is sent there is judged all the same, and a bad
    one is refused: whoever sends it believes to be somebody. Where several credentials are needed, such as
    the key of an app and the token of its user, the principal is both, joined by `+`.

    Scopes are compared wherever the document asks for some, with API keys too (OpenAPI 3.1 section 4.8.30).

    Args:
        operations: of the document.
        verifiers: by the name of their scheme.
        mode: `verify` lets nobody in whom no verifier accepts. `presence` only wants a credential to be
            there, and leaves it to the app to judge it; certificates (mutualTLS) cannot be seen and count as
            there. `app` leaves all of it.
        realm: what clients are asked to authenticate for.
        setting: where verifiers are set, for errors.

    Raises:
        SettingsError: an operation needs a scheme that nobody verifies.
        ValueError: the realm cannot be sent.
    """

    def __init__(
        self,
        operations: Iterable[Operation],
        verifiers: Mapping[str, Verifier],
        mode: Mode = "verify",
        *,
        realm: str = "api",
        setting: str = "GARRISON_CONTRACT_VERIFIERS",
    ) -> None:
        if not is_realm(realm):
            raise ValueError("expected a realm of printable ASCII without quotes and backslashes")
        self._realm = realm
        self._mode = mode
        self._verifiers = verifiers
        kept = tuple(operations)
        if mode == "verify":
            refuse_unverified(kept, verifiers, setting)
        # What is not in it is of another document, and nobody has decided about it.
        self._plans = {(each.method, each.template): self._plan(each) for each in kept}

    async def authenticate(self, operation: Operation, head: Head) -> Granted | Denied:
        """Decide about one request, before its body is read.

        Args:
            operation: that the request is for.
            head: of the request.

        Raises:
            KeyError: the operation is none of the document's.
            Exception: whatever a callable of the app raises.
        """
        plan = self._plans[operation.method, operation.template]
        if plan is None:
            return ANYBODY
        attempt = Attempt(head)
        for alternative in plan.alternatives:
            granted = await attempt.meets(alternative)
            if granted is not None:
                return granted
        if attempt.failed == "missing":
            return ANYBODY if plan.is_optional else plan.missing
        if attempt.failed == "unavailable":
            return Denied(503, (), "unavailable", attempt.why)
        if attempt.failed == "scope":
            scopes = tuple(sorted(frozenset().union(*(wanted.scopes for wanted in attempt.lacking))))
            return Denied(
                403, self._lacking(attempt.lacking), "scope", attempt.why, scopes, attempt.principal
            )
        challenges = self._challenges(plan.alternatives, attempt.rejected)
        return Denied(_status(challenges), challenges, "invalid", attempt.why)

    def _plan(self, operation: Operation) -> _Plan | None:
        """None for an operation that anybody may call."""
        if self._mode == "app" or not any(operation.security):
            return None
        alternatives = tuple(tuple(map(self._wanted, each)) for each in operation.security if each)
        challenges = self._challenges(alternatives, frozenset())
        return _Plan(
            alternatives=alternatives,
            is_optional=not all(operation.security),
            missing=Denied(_status(challenges), challenges, "missing", "no credential"),
        )

    def _wanted(self, need: Need) -> Wanted:
        judged = self._mode == "verify"
        return Wanted(
            scheme=need.scheme,
            read=reader(need.scheme, exact=judged),
            verifier=self._verifiers[need.scheme.name] if judged else None,
            scopes=frozenset(need.scopes) if judged else frozenset(),
        )

    def _challenges(
        self, alternatives: Iterable[tuple[Wanted, ...]], rejected: Iterable[str]
    ) -> tuple[bytes, ...]:
        """One challenge for each way to authenticate, with the error where it was tried."""
        found: dict[bytes, bytes] = {}
        for wanted in (each for alternative in alternatives for each in alternative):
            plain = challenge(wanted.scheme, self._realm)
            if plain is None:
                continue
            error: Error = "invalid_token" if wanted.scheme.name in rejected else ""
            if error or plain not in found:
                found[plain] = challenge(wanted.scheme, self._realm, error=error) or plain
        return tuple(found.values())

    def _lacking(self, lacking: Iterable[Wanted]) -> tuple[bytes, ...]:
        """RFC 6750 section 3.1: the scopes that are needed, once for each alternative."""
        found = [
            challenge(wanted.scheme, self._realm, error="insufficient_scope", scopes=sorted(wanted.scopes))
            for wanted in lacking
        ]
        # Of what cannot carry the error there is nothing to say to somebody who is known.
        return tuple(dict.fromkeys(each for each in found if each and b"insufficient_scope" in each))


def _status(challenges: tuple[bytes, ...]) -> int:
    """A 401 has at least one challenge (RFC 9110 section 15.5.2)."""
    return 401 if challenges else 403
