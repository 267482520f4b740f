"""Where one client's counts are: each key that a layer makes for it, looked at and forgotten from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from garrison.limiting.plan import Bucket, of_preflights
from garrison.limiting.rulebook import OF_MESSAGES, OF_PREFLIGHTS
from garrison.limiting.section import setting_name
from garrison.ratelimit.penalties import blocked_key
from garrison.ratelimit.targets import parse_targets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison.ratelimit.identity import Identity
    from garrison.ratelimit.quota import Algorithm, Quota, Standing, Store
    from garrison.ratelimit.targets import Grant, Target

Kind: TypeAlias = Literal["requests", "preflights", "messages"]

PREFIXES: Final[Mapping[Kind, str]] = {
    "requests": "",
    "preflights": OF_PREFLIGHTS,
    "messages": OF_MESSAGES,
}


class CallableError(Exception):
    """A callable that gives a tenant's quotas failed; what it raised is the cause.

    Args:
        name: its import string.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Account(NamedTuple):
    """What is counted under one key.

    Attributes:
        kind: what is counted.
        about: the target, as it is written in the settings.
        key: in the store.
        quotas: at least one.
        can_be_blocked: whether a penalty can be about this key.
    """

    kind: Kind
    about: str
    key: str
    quotas: tuple[Quota, ...]
    can_be_blocked: bool


class Balance(NamedTuple):
    """Where an account stands.

    Attributes:
        account: which one.
        standings: one for each of its quotas.
        blocked_for: seconds for which its client is refused whatever the quotas say; None where it is not.
    """

    account: Account
    standings: tuple[Standing, ...]
    blocked_for: float | None

    @property
    def is_untouched(self) -> bool:
        """Whether nothing is used, and nobody blocked."""
        return self.blocked_for is None and not any(standing.reset_after for standing in self.standings)


def identities(limits: str, messages: str) -> tuple[Identity, ...]:
    """Whom the rules of a section count, in the order of the rules.

    Args:
        limits: as in the section.
        messages: as in the section.
    """
    targets = (*parse_targets(limits), *parse_targets(messages))
    return tuple(dict.fromkeys(grant.identity for target in targets for grant in target.grants))


async def accounts_of(
    who: Mapping[str, str], *, limits: str, messages: str, algorithm: Algorithm, key: bytes
) -> tuple[Account, ...]:
    """The accounts of one client, in the order of the rules.

    Args:
        who: the parts of the client's identity, each with the value that requests have.
        limits: as in the section.
        messages: as in the section.
        algorithm: as in the section.
        key: of hashes.

    Raises:
        SettingsError: a callable cannot be imported.
        CallableError: one that gives quotas failed.
    """
    found = []
    for kind, target, grant in _grants(limits, messages, algorithm):
        if set(grant.identity.parts) != who.keys():
            continue
        setting = setting_name("messages" if kind == "messages" else "limits")
        bucket = Bucket(target, grant, key, algorithm, setting, PREFIXES[kind])
        values = tuple(who[part] for part in grant.identity.parts)
        quotas = await _quotas(bucket, grant, values)
        if quotas is not None:
            found.append(Account(kind, target.rule.about, bucket.key(values), quotas, bucket.has_address))
    return tuple(found)


async def look(store: Store, account: Account, block: tuple[Quota, ...] | None) -> Balance:
    """Where an account stands now.

    Args:
        store: has the counts.
        account: which one.
        block: the quota of penalties; None where there are none.

    Raises:
        StoreUnavailableError: the store did not answer.
    """
    standings = (await store.standing(account.key, account.quotas)).standings
    blocked_for = None
    if block is not None and account.can_be_blocked:
        found = await store.standing(blocked_key(account.key), block)
        blocked_for = None if found.allowed else found.standings[0].more_after
    return Balance(account, standings, blocked_for)


async def forget(store: Store, account: Account, block: tuple[Quota, ...] | None) -> Balance:
    """Forget what an account has used, and that its client is blocked.

    Args:
        store: has the counts.
        account: which one.
        block: the quota of penalties; None where there are none.

    Returns:
        Where the account stood right before.

    Raises:
        StoreUnavailableError: the store did not answer.
    """
    before = await look(store, account, block)
    await store.reset(account.key, account.quotas)
    if before.blocked_for is not None and block is not None:
        await store.reset(blocked_key(account.key), block)
    return before


def _grants(limits: str, messages: str, algorithm: Algorithm) -> Iterator[tuple[Kind, Target, Grant]]:
    for target in parse_targets(limits, algorithm):
        for grant in target.grants:
            yield "requests", target, grant
        asked_before = of_preflights(target)
        if asked_before is not None:
            for grant in asked_before.grants:
                yield "preflights", asked_before, grant
    for target in parse_targets(messages, algorithm):
        for grant in target.grants:
            yield "messages", target, grant


async def _quotas(bucket: Bucket, grant: Grant, values: tuple[str, ...]) -> tuple[Quota, ...] | None:
    if bucket.tenants is None:
        return bucket.quotas
    try:
        return await bucket.tenants.quotas_for(*values)
    except Exception as error:
        raise CallableError(grant.tenants) from error
