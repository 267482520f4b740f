"""The quotas of a login, counted in one of the ways there are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from garrison.limiting.counting import read_quotas
from garrison.ratelimit.quota import Quota

if TYPE_CHECKING:
    from garrison.ratelimit.quota import Algorithm

DAY: Final = 86_400.0
# Addresses that an account may come to know in a day, so that successes, which cost nothing, do not fill the
# store with what is kept for so long.
NEW_PLACES: Final = 20
# What clients are told; none says what others have done with an account.
NAMES: Final = {"failures": "by-account", "under_attack": "new-address", "stuffing": "by-address"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginQuotas:
    """What `LoginLimit` counts.

    Attributes:
        attempts: of one account from one address.
        failures: of one account.
        under_attack: of one account from one address that it does not know, in place of `attempts`.
        stuffing: of one address.
        known: of one account and one address. Used up means known: to ask whether there is room is to ask
            whether an address is a stranger.
        new: addresses that one account comes to know.
    """

    attempts: tuple[Quota, ...]
    failures: tuple[Quota, ...]
    under_attack: tuple[Quota, ...]
    stuffing: tuple[Quota, ...]
    known: tuple[Quota, ...]
    new: tuple[Quota, ...]


def login_quotas(
    algorithm: Algorithm,
    *,
    attempts: str,
    failures: str,
    under_attack: str,
    stuffing: str,
    remember: float,
) -> LoginQuotas:
    """Read the quotas of a login.

    Args:
        algorithm: how they are counted.
        attempts: in the notation of `parse_quotas`, as all of them.
        failures: see `LoginQuotas`.
        under_attack: see there.
        stuffing: see there.
        remember: seconds for which an address is known.

    Raises:
        SettingsError: one of them is not in the notation.
    """
    # A sliding window still counts what was taken in the one before it.
    period = remember / 2 if algorithm == "sliding-window" else remember
    return LoginQuotas(
        attempts=read_quotas("LoginLimit.attempts", attempts, algorithm),
        failures=_named("failures", failures, algorithm),
        under_attack=_named("under_attack", under_attack, algorithm),
        stuffing=_named("stuffing", stuffing, algorithm),
        known=(Quota(name="known", limit=1, period=float(period), algorithm=algorithm),),
        new=(Quota(name="new", limit=NEW_PLACES, period=DAY, algorithm=algorithm),),
    )


def _named(argument: str, text: str, algorithm: Algorithm) -> tuple[Quota, ...]:
    """Quotas that are told apart from those of `attempts`, whatever their numbers are."""
    quotas = read_quotas(f"LoginLimit.{argument}", text, algorithm)
    return tuple(replace(quota, name=f"{quota.name[:45]}-{NAMES[argument]}") for quota in quotas)
