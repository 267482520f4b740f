"""Under which keys a login is counted: of an account, of an address, and of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.limiting.counting import words_of
from garrison.limiting.login_account import LONGEST, spelled_alike
from garrison.limiting.who import hashed
from garrison.ratelimit.quota import Part

if TYPE_CHECKING:
    from garrison.limiting.login_quotas import LoginQuotas
    from garrison.ratelimit.quota import Quota


class LoginKeys:
    """Makes the parts of what one account is asked for; each method makes one, as `LoginQuotas` calls it.

    Args:
        name: of the login.
        quotas: of the login.
        secret: keys the hashes of accounts.
        account: as it is written in the request.
    """

    def __init__(self, name: str, quotas: LoginQuotas, secret: bytes, account: str) -> None:
        self._name = name
        self._quotas = quotas
        self._alike = hashed(secret, "account", spelled_alike(account))
        # As it is written, or who registers another spelling would be known to this account too.
        self._spelling = hashed(secret, "spelling", account[:LONGEST])

    def attempts(self, address: str) -> Part:
        """Of the account from an address."""
        return self._part("attempts", self._quotas.attempts, f"{self._alike}+{address}")

    def failures(self) -> Part:
        """Of the account."""
        return self._part("failures", self._quotas.failures, self._alike)

    def under_attack(self, address: str) -> Part:
        """Of the account from an address that it does not know."""
        return self._part("under-attack", self._quotas.under_attack, f"{self._alike}+{address}")

    def known(self, address: str) -> Part:
        """Whether the account, as it is spelled here, knows an address."""
        return self._part("known", self._quotas.known, f"{self._spelling}+{address}")

    def new(self) -> Part:
        """Of addresses that the account comes to know."""
        return self._part("new", self._quotas.new, self._alike)

    def _part(self, kind: str, quotas: tuple[Quota, ...], who: str) -> Part:
        return part_of(self._name, kind, quotas, who)


def part_of(name: str, kind: str, quotas: tuple[Quota, ...], who: str) -> Part:
    """One unit of some quotas of a login.

    Args:
        name: of the login.
        kind: which of its quotas.
        quotas: the same.
        who: whose they are; as one word.
    """
    return Part(f"{name} {kind} {words_of(quotas)} {who}", quotas)
