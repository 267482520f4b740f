"""Judges of credentials: what every one of them answers, and those that are callables of the app."""

from __future__ import annotations

import re
from collections.abc import Iterable
from inspect import isawaitable
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from garrison.openapi.credentials import Rejected

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.openapi.credentials import Credential
    from garrison.openapi.model import Head

NOT_ACCEPTED: Final = Rejected("not accepted")

# A principal is a part of log lines and of the keys of quotas.
LONGEST_PRINCIPAL: Final = 256
# Control characters, and halves of a surrogate pair, which JSON can escape and UTF-8 does not have.
UNWRITABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class Verified(NamedTuple):
    """Who a credential belongs to.

    Attributes:
        principal: the same text for the same caller, at every request.
        scopes: what the caller may do, as far as the document's operations ask for it.
    """

    principal: str
    scopes: frozenset[str] = frozenset()


def is_principal(text: str) -> bool:
    """Whether a text can be written down as somebody's name."""
    return 0 < len(text) <= LONGEST_PRINCIPAL and UNWRITABLE.search(text) is None


class VerifierUnavailableError(Exception):
    """A credential cannot be judged now, because something that is needed for it does not answer.

    A callable may raise it too: the client is told to come back (503) and not that its credential is bad.
    """


class Verifier(Protocol):
    """Judges credentials."""

    async def verify(self, credential: Credential, head: Head) -> Verified | Rejected:
        """Say who a credential belongs to.

        Args:
            credential: as it was sent.
            head: of the request that it came with.

        Raises:
            VerifierUnavailableError: it cannot be judged now.
        """
        ...


class CallableVerifier:
    """Asks a callable of the app.

    Args:
        call: takes the credential and the request's head, and returns the principal as a text, principal and
            scopes, or None for a credential that is not accepted; sync or async. It is called in the event
            loop, so that a sync one must not wait for anything. What it raises is an error of the server.
        name: of the callable, for errors.
    """

    def __init__(self, call: Callable[..., object], name: str) -> None:
        self._call = call
        self._name = name

    async def verify(self, credential: Credential, head: Head) -> Verified | Rejected:
        """Say who a credential belongs to, as the callable says.

        Raises:
            TypeError: the callable returned something else.
            Exception: whatever the callable raises.
        """
        answer = self._call(credential, head)
        if isawaitable(answer):
            answer = await answer
        if answer is None:
            return NOT_ACCEPTED
        principal, scopes = answer if isinstance(answer, tuple) and len(answer) == 2 else (answer, ())
        words = scopes.split() if isinstance(scopes, str) else scopes
        if isinstance(principal, str) and is_principal(principal) and isinstance(words, Iterable):
            found = frozenset(words)
            if all(isinstance(scope, str) for scope in found):
                return Verified(principal, found)
        raise TypeError(
            f"{self._name} returned {type(answer).__name__}, expected a principal of 1 to {LONGEST_PRINCIPAL}"
            " characters that can be written down, a principal and its scopes, or None"
        )


class NobodyVerifier:
    """Accepts nothing, for a scheme that is declared and not offered here."""

    async def verify(self, credential: Credential, head: Head) -> Verified | Rejected:  # noqa: ARG002 - the protocol's
        """Reject a credential."""
        return NOT_ACCEPTED
