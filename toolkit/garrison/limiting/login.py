"""Quotas for logins, which end guessing and stuffing, and which no stranger can use to lock an owner out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from garrison.limiting.counting import Counter, Telling, check_name, context_of, refused_argument
from garrison.limiting.dependency import called_with_response
from garrison.limiting.login_account import account_of
from garrison.limiting.login_judge import LoginJudge
from garrison.limiting.login_keys import LoginKeys, part_of
from garrison.limiting.login_quotas import DAY, LoginQuotas, login_quotas
from garrison.limiting.refused import exceeded, unknown
from garrison.limiting.variants import Variants
from garrison.ratelimit.client import network_of
from garrison.ratelimit.quota import LONGEST
from garrison.ratelimit.unavailable import StoreUnavailableError
from garrison.security_events import LOGIN_FAIL_MAX

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection, Request
    from starlette.responses import Response

    from garrison.limiting.attempt import Attempt
    from garrison.limiting.counting import Counting
    from garrison.limiting.limiter import Ruling
    from garrison.limiting.login_account import Account
    from garrison.ratelimit.quota import Algorithm, Part, Store

THIRTY_DAYS: Final = 30 * DAY
SHORTEST_MEMORY: Final = 60


class LoginLimit:
    """Quotas for the route of a login.

    A dependency in FastAPI, `attempt: Annotated[Attempt, Depends(login_limit)]`, and a call in a Starlette
    handler, `attempt = await login_limit(request)`. Where the password is right the handler calls
    `await attempt.succeeded()`; whoever forgets that has limited successes too, and nothing else.

    Every attempt takes one unit of `attempts`, which an account has for each address, one of the account's
    `failures` and one of the address's `stuffing`. A success gives all of them back, and makes the address
    one that the account knows: for the next 30 days it takes of `attempts` only. In a day an account comes to
    know 20 addresses at most. Once strangers have used up the failures of an account, each address that it
    does not know has `under_attack` in place of `attempts`. So nobody elsewhere can keep the owner out:
    neither where the account knows the address, nor from a first try at a new one. Who shares an address with
    the owner cannot be told from the owner, and of many addresses each still has its `under_attack`: a second
    factor ends that, and nothing else.

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
        remember: seconds for which an address is known after a login; at memcached 30 days at most.
        name: what is counted together: several routes to the same accounts share one name, and other accounts
            need another one.
        algorithm: how the quotas are counted, see `RateLimit.algorithm`; as that says unless given, and so it
            must be on a storage of the package `limits`.
        store: keeps the counts; that of the request's RateLimit layer unless given, and memory of its own
            where there is none.
        secret: keys the hashes of accounts in place of `GARRISON_SECRET`; needed where a store is given that
            processes share.

    Raises:
        SettingsError: an argument cannot be used, or processes share the store that is given, and have no
            secret to make the same hashes.
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
        algorithm: Algorithm | None = None,
        store: Store | None = None,
        secret: str | None = None,
    ) -> None:
        check_name("LoginLimit.name", name)
        _check_memory(remember)
        _check_account(account)
        self._account = account
        self._name = name
        self._remember = remember
        self._counter = Counter("LoginLimit", store, secret, hashes=True)
        make = partial(
            login_quotas,
            attempts=attempts,
            failures=failures,
            under_attack=under_attack,
            stuffing=stuffing,
            remember=remember,
        )
        self._variants: Variants[LoginQuotas] = Variants("LoginLimit", algorithm, make)
        # What is wrong with them is to be told now.
        self._variants.of(self._counter.given)
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
                status 503; or the body names two accounts, with status 400.
            SettingsError: processes share the store, and have no secret to make the same hashes, or the
                storage lacks the algorithm.
        """
        context = context_of(request)
        counting = self._counter.of(context)
        telling = Telling(context, response, counting.fields)
        try:
            ruling, attempt = await self._judged(request, counting, network_of(context.client), telling)
        except StoreUnavailableError:
            counting.limiter.outcomes.unavailable += 1
            raise unknown(request, context) from None
        counting.limiter.count(ruling)
        if not ruling.allowed:
            context.note(LOGIN_FAIL_MAX)
            raise exceeded(request, context, counting.fields, ruling)
        attempt.watch(context)
        telling.say(ruling.parts, ruling.standings)
        return attempt

    async def reset(
        self, account: str, address: str | None = None, *, request: HTTPConnection | None = None
    ) -> bool:
        """Forget failed attempts, for somebody who cannot log in any more.

        Without an address the account's failures are forgotten, so that it is under attack no more. With one
        it is also forgotten what was tried from there, in this account and in others. Which addresses the
        account knows stays as it is.

        Args:
            account: its name, in any spelling.
            address: of the client, as the access log has it.
            request: any that passes the same RateLimit layer, whose store has the counts; not needed where
                a store was given.

        Returns:
            Whether there was anything to forget.

        Raises:
            TypeError: neither a store was given nor a request.
            SettingsError: processes share the store, and have no secret to make the same hashes.
            StoreUnavailableError: the store does not answer.
        """
        if request is None and not self._counter.has_store:
            raise TypeError("reset() needs a request to find the counts, or a LoginLimit with a store")
        counting = self._counter.given if request is None else self._counter.of(context_of(request))
        keys = self._keys(counting, account)
        parts = [keys.failures()]
        if address is not None:
            where = network_of(address)
            parts += [keys.attempts(where), keys.under_attack(where), *self._nameless(counting, where)]
        store = counting.limiter.store
        return any([await store.reset(part.key, part.quotas) for part in parts])

    async def _judged(
        self, request: Request, counting: Counting, address: str, telling: Telling
    ) -> tuple[Ruling, Attempt]:
        account = await account_of(request, self._account)
        judge = LoginJudge(counting.limiter.store, telling, self._remember)
        attempts, stuffing = self._nameless(counting, address)
        if account is None:
            return await judge.nameless(attempts, stuffing)
        return await judge.judge(self._keys(counting, account), address, stuffing)

    def _keys(self, counting: Counting, account: str) -> LoginKeys:
        quotas = self._variants.of(counting)
        return LoginKeys(self._name, quotas, self._counter.key(counting), account)

    def _nameless(self, counting: Counting, address: str) -> tuple[Part, Part]:
        """Attempts and stuffing of an address, whatever the account."""
        quotas = self._variants.of(counting)
        attempts = part_of(self._name, "attempts", quotas.attempts, address)
        return attempts, part_of(self._name, "stuffing", quotas.stuffing, address)


def _check_memory(remember: object) -> None:
    fits = isinstance(remember, int | float) and SHORTEST_MEMORY <= remember <= LONGEST
    if not fits:
        raise refused_argument("LoginLimit.remember", f"at least {SHORTEST_MEMORY} seconds", remember)


def _check_account(account: object) -> None:
    fits = callable(account) or (isinstance(account, str) and account)
    if not fits:
        expected = "the name of a field such as 'username', or a callable that takes the request"
        raise refused_argument("LoginLimit.account", expected, account)
