"""Quotas for logins, which end guessing and stuffing, and which no stranger can use to lock an owner out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from garrison.limiting.attempt import Attempt
from garrison.limiting.counting import Counter, context_of, read_quotas, refused_argument, tell
from garrison.limiting.dependency import called_with_response
from garrison.limiting.limiter import Ruling
from garrison.limiting.login_account import LONGEST as LONGEST_NAME
from garrison.limiting.login_account import account_of, spelled_alike
from garrison.limiting.refused import exceeded, unknown
from garrison.limiting.who import hashed
from garrison.ratelimit.client import network_of
from garrison.ratelimit.quota import LONGEST, NAME, Part, Quota
from garrison.ratelimit.unavailable import StoreUnavailableError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from garrison.limiting.login_account import Account
    from garrison.ratelimit.quota import Algorithm, Decision, Store

THIRTY_DAYS: Final = 30 * 86_400.0
SHORTEST_MEMORY: Final = 60
# A login renews what is remembered once this part of the time has passed, and not every time.
RENEWED_AFTER: Final = 0.1
# What clients are told; none says what others have done with an account.
NAMES: Final = {"failures": "by-account", "under_attack": "new-address", "stuffing": "by-address"}


class LoginLimit:
    """Quotas for the route of a login.

    A dependency in FastAPI, `attempt: Annotated[Attempt, Depends(login_limit)]`, and a call in a Starlette
    handler, `attempt = await login_limit(request)`. Where the password is right the handler calls
    `await attempt.succeeded()`; whoever forgets that has limited successes too, and nothing else.

    Every attempt takes one unit of `attempts`, which an account has for each address, one of the account's
    `failures` and one of the address's `stuffing`. A success gives all of them back, and makes the address
    one that the account knows: for the next 30 days it takes of `attempts` only. Once strangers have used up
    the failures of an account, each address that it does not know has `under_attack` in place of `attempts`.
    So nobody elsewhere can keep the owner out: neither where the account knows the address, nor from a first
    try at a new one. Who shares an address with the owner cannot be told from the owner, and of many
    addresses each still has its `under_attack`: a second factor ends that, and nothing else.

    An account that does not exist is counted as any other. A request that names none is counted by address.
    On a storage of the package `limits` nothing can be given back, so that successes count as failures.

    Args:
        account: the field of the form, or the member of the JSON document, that has the account's name; or a
            callable that takes the request and returns the name or None, sync or async. Names that differ in
            case, accents or what cannot be seen share their quotas.
        attempts: for one account from one address.
        failures: for one account, from all addresses together that it does not know.
        under_attack: for one account from one address that it does not know, while its failures are used up.
        stuffing: for one address, in all accounts together that do not know it. Many people behind one
            address share it until they have logged in once.
        remember: seconds for which an address is known after a login.
        name: what is counted together: several routes to the same accounts share one name, and other accounts
            need another one.
        algorithm: how the quotas are counted; see `RateLimit.algorithm`, which it must equal on a storage of
            the package `limits`.
        store: keeps the counts; that of the request's RateLimit layer unless given, and memory of its own
            where there is none.
        secret: keys the hashes of accounts in place of `GARRISON_SECRET`; needed where a store is given that
            processes share.

    Raises:
        SettingsError: an argument cannot be used.
    """

    def __init__(
        self,
        *,
        account: Account = "username",
        attempts: str = "5/minute; 30/hour",
        failures: str = "50/hour",
        under_attack: str = "1/hour",
        stuffing: str = "20/hour",
        remember: float = THIRTY_DAYS,
        name: str = "login",
        algorithm: Algorithm = "token-bucket",
        store: Store | None = None,
        secret: str | None = None,
    ) -> None:
        if not NAME.fullmatch(name):
            raise refused_argument("LoginLimit.name", "1 to 64 letters, digits and any of ._-", name)
        if not SHORTEST_MEMORY <= remember <= LONGEST:
            raise refused_argument("LoginLimit.remember", f"at least {SHORTEST_MEMORY} seconds", remember)
        self._account = account
        self._name = name
        self._attempts = read_quotas("LoginLimit.attempts", attempts, algorithm)
        self._failures = _named("failures", failures, algorithm)
        self._under_attack = _named("under_attack", under_attack, algorithm)
        self._stuffing = _named("stuffing", stuffing, algorithm)
        # Used up means known: to ask whether there is room is to ask whether an address is a stranger.
        # A sliding window still counts what was taken in the one before it.
        period = remember / 2 if algorithm == "sliding-window" else remember
        self._known = (Quota(name="known", limit=1, period=float(period), algorithm=algorithm),)
        self._remember = remember
        self._counter = Counter(store, secret)
        # FastAPI does not resolve annotations of instances that are texts.
        self.__signature__ = called_with_response()

    async def __call__(self, request: Request, response: Response | None = None) -> Attempt:
        """Count an attempt to log in, before its password is looked at.

        Args:
            request: Starlette's or FastAPI's.
            response: FastAPI's, to tell the client where it stands.

        Raises:
            QuotaExceededError: there were too many attempts, with status 429.
            HTTPException: the store does not answer and its layer has `on_storage_error` closed, with
                status 503.
            SettingsError: processes share the store, and have no secret to make the same hashes.
        """
        context = context_of(request)
        counting = self._counter.of(context)
        key = self._counter.key(counting)
        address = network_of(context.client)
        account = await account_of(request, self._account)
        try:
            ruling, attempt = await self._attempt(counting.limiter.store, key, address, account)
        except StoreUnavailableError:
            counting.limiter.outcomes.unavailable += 1
            raise unknown(request, context) from None
        counting.limiter.count(ruling)
        if not ruling.allowed:
            raise exceeded(request, context, counting.fields, ruling)
        tell(context, response, counting.fields.lines(ruling.parts, ruling.standings))
        return attempt

    async def _attempt(
        self, store: Store, key: bytes, address: str, account: str | None
    ) -> tuple[Ruling, Attempt]:
        """Take what an attempt takes: in one trip for strangers, in two for others and under attack."""
        stuffing = self._part("stuffing", self._stuffing, address)
        if account is None:
            return await self._from(store, self._part("attempts", self._attempts, address), (stuffing,))
        alike = hashed(key, "account", spelled_alike(account))
        attempts = self._part("attempts", self._attempts, f"{alike}+{address}")
        failures = self._part("failures", self._failures, alike)
        # As it is written, or who registers another spelling would be known to this account too.
        spelling = hashed(key, "spelling", account[:LONGEST_NAME])
        place = self._part("known", self._known, f"{spelling}+{address}")
        decision = await store.acquire_all((attempts, failures, stuffing, place._replace(cost=0)))
        if decision.allowed:
            return _ruling(attempts, decision), _attempt(store, (attempts, failures, stuffing), place)
        if _violates(decision, place):
            old = decision.standings[-1].more_after < (1 - RENEWED_AFTER) * self._remember
            return await self._from(store, attempts, (), place, remembered=True, old=old)
        if _violates(decision, failures):
            few = self._part("under-attack", self._under_attack, f"{alike}+{address}")
            return await self._from(store, few, (stuffing,), place, under_attack=True)
        return _ruling(attempts, decision), _attempt(store, (), None)

    async def _from(
        self,
        store: Store,
        first: Part,
        others: tuple[Part, ...],
        place: Part | None = None,
        *,
        remembered: bool = False,
        old: bool = False,
        under_attack: bool = False,
    ) -> tuple[Ruling, Attempt]:
        """Take of one key, which the client is told about, and of others."""
        decision = await store.acquire_all((first, *others))
        taken = (first, *others)
        attempt = _attempt(store, taken, place, remembered=remembered, old=old, under_attack=under_attack)
        return _ruling(first, decision), attempt

    def _part(self, kind: str, quotas: tuple[Quota, ...], who: str) -> Part:
        return Part(" ".join([self._name, kind, *(quota.name for quota in quotas), who]), quotas)


def _named(argument: str, text: str, algorithm: Algorithm) -> tuple[Quota, ...]:
    """Quotas that are told apart from those of `attempts`, whatever their numbers are."""
    quotas = read_quotas(f"LoginLimit.{argument}", text, algorithm)
    return tuple(replace(quota, name=f"{quota.name[:45]}-{NAMES[argument]}") for quota in quotas)


def _ruling(first: Part, decision: Decision) -> Ruling:
    """What the client is told: about the quotas of its own, and not what others do with the account."""
    standings = decision.standings[: len(first.quotas)]
    return Ruling(decision.allowed, (first,), standings, decision.refused_by, decision.retry_after)


def _attempt(
    store: Store,
    taken: tuple[Part, ...],
    place: Part | None,
    *,
    remembered: bool = False,
    old: bool = False,
    under_attack: bool = False,
) -> Attempt:
    return Attempt(store, taken, place, remembered=remembered, old=old, under_attack=under_attack)


def _violates(decision: Decision, part: Part) -> bool:
    return any(quota is refused for quota in part.quotas for refused in decision.refused_by)
