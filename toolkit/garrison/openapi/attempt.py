"""One request on its way through what an operation wants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from garrison.openapi.credentials import Rejected
from garrison.openapi.verifiers import Verified, VerifierUnavailableError

if TYPE_CHECKING:
    from garrison.openapi.credentials import Credential, Read
    from garrison.openapi.model import Head, Scheme
    from garrison.openapi.verifiers import Verifier

Reason: TypeAlias = Literal["missing", "invalid", "scope", "unavailable"]

# What a client hears about is the one that is furthest behind.
RANKS: Final[dict[Reason, int]] = {"missing": 0, "invalid": 1, "scope": 2, "unavailable": 3}

# Stands for whoever has a credential that somebody else will judge.
SOMEBODY: Final = Verified("")


class Granted(NamedTuple):
    """A request that may go on.

    Attributes:
        principal: who asks; None for nobody in particular.
        scopes: what they may do, as far as their credentials say.
    """

    principal: str | None = None
    scopes: frozenset[str] = frozenset()


class Wanted(NamedTuple):
    """One credential that an operation wants.

    Attributes:
        scheme: which it is of.
        read: finds it in a request.
        verifier: judges it; None where it only has to be there.
        scopes: that its owner must have.
    """

    scheme: Scheme
    read: Read
    verifier: Verifier | None
    scopes: frozenset[str]


class Attempt:
    """A request, each of whose credentials is judged once.

    Args:
        head: of the request.

    Attributes:
        failed: the worst that happened so far, which is what the client hears about.
        why: the same for the log.
        rejected: names of the schemes whose credential was not accepted.
        lacking: what was asked for of a caller without the scopes.
        principal: who that caller is; None for nobody in particular.
    """

    __slots__ = ("_head", "_judged", "failed", "lacking", "principal", "rejected", "why")

    def __init__(self, head: Head) -> None:
        self._head = head
        self._judged: dict[str, Verified | Rejected | VerifierUnavailableError] = {}
        self.failed: Reason = "missing"
        self.why = ""
        self.rejected: set[str] = set()
        self.lacking: list[Wanted] = []
        self.principal: str | None = None

    async def meets(self, alternative: tuple[Wanted, ...]) -> Granted | None:
        """What one alternative grants; None where it does not, and then `failed` says more."""
        read: list[Credential | Rejected] = []
        for wanted in alternative:
            found = wanted.read(self._head)
            if found is None:
                return None
            read.append(found)
        verified: list[Verified] = []
        lacking: list[Wanted] = []
        for wanted, sent in zip(alternative, read, strict=True):
            judged = await self._judge(wanted, sent)
            if isinstance(judged, Rejected):
                if wanted.scheme.type == "mutualTLS":
                    # Nothing was seen of it that could be bad.
                    return None
                self.rejected.add(wanted.scheme.name)
                self._fail("invalid", f"{wanted.scheme.name}: {judged.why}")
                return None
            if isinstance(judged, VerifierUnavailableError):
                self._fail("unavailable", f"{wanted.scheme.name}: cannot be judged now")
                return None
            if not wanted.scopes <= judged.scopes:
                lacking.append(wanted)
            verified.append(judged)
        if lacking:
            self.lacking += lacking
            self.principal = self.principal or _granted(verified).principal
            self._fail("scope", f"{lacking[0].scheme.name}: lacks a scope")
            return None
        return _granted(verified)

    async def _judge(
        self, wanted: Wanted, sent: Credential | Rejected
    ) -> Verified | Rejected | VerifierUnavailableError:
        if isinstance(sent, Rejected):
            return sent
        if wanted.verifier is None:
            return SOMEBODY
        name = wanted.scheme.name
        judged = self._judged.get(name)
        if judged is None:
            try:
                judged = await wanted.verifier.verify(sent, self._head)
            except VerifierUnavailableError as error:
                judged = error
            self._judged[name] = judged
        return judged

    def _fail(self, reason: Reason, why: str) -> None:
        if RANKS[reason] > RANKS[self.failed]:
            self.failed, self.why = reason, why


def _granted(verified: list[Verified]) -> Granted:
    if len(verified) == 1:
        only = verified[0]
        return Granted(only.principal or None, only.scopes)
    principals = list(dict.fromkeys(each.principal for each in verified))
    if len(principals) > 1:
        # So that nobody's name is two others' together.
        principals = [each.replace("%", "%25").replace("+", "%2B") for each in principals]
    scopes = frozenset().union(*(each.scopes for each in verified))
    return Granted("+".join(principals) or None, scopes)
