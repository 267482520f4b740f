"""A declared quota lets through exactly what it says, client by client."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from garrison_harness.load.watch.replies import MOST_EXAMPLES, Faults, counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from garrison_harness.load.promise import Promise
    from garrison_harness.load.watch.stretch import Stretch
    from garrison_harness.site import Quota

_TITLE: Final = "Each client gets exactly its quota"
_COARSE: Final = 0.05  # seconds: how far the clocks of requests and of quotas may be apart
_DENSE: Final = (
    0.5  # of a period: refusals that are further apart leave room for a window that nobody used up
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """What a client got that asked for more than its quota at once, after the load.

    Attributes:
        passed: Requests that were let through.
        seconds: How long all of them took.
    """

    passed: int
    seconds: float


def suspected(quotas: Sequence[Quota], clients: Mapping[str, Sequence[Stretch]]) -> list[Quota]:
    """Quotas of which a client got more than a bucket holds, as if a window had turned just then.

    Once that may be. A crowd of requests from another client tells: its window does not turn just then too.

    Args:
        quotas: What a client may ask.
        clients: What clients were answered, by source address.
    """
    ordered = list(map(_ordered, clients.values()))
    return [
        quota
        for quota in quotas
        if any(_over(quota, found) and _windows_explain(quota, found) for found in ordered)
    ]


def judge_quotas(
    quotas: Sequence[Quota],
    clients: Mapping[str, Sequence[Stretch]],
    *,
    fresh: bool,
    crowds: Mapping[Quota, Crowd] | None = None,
) -> Promise:
    """Whether clients got more than their quota, or were refused before they had it.

    Args:
        quotas: What a client may ask; none for nothing to judge.
        clients: What clients were answered, by source address.
        fresh: Nobody had used up any of it before: the target was started for this run.
        crowds: What became of the crowds that asked after the load, for quotas that are suspected.
    """
    faults = Faults()
    if not quotas:
        return faults.promise(
            "quota", _TITLE, judged=False, detail="no quota is declared: declare the app's with --quota"
        )
    used = {client: _ordered(found) for client, found in clients.items() if found}
    refused = {client for client, found in used.items() if any(one.refused for one in found)}
    judged = set(refused)
    for client, found in used.items():
        told = [*_above(quotas, found, crowds or {})]
        # From the system's own address others ask too, such as whoever waited for the target to start.
        told += _below(quotas, found) if fresh and client and client in refused else ()
        if told:
            judged.add(client)
            faults.replies += 1
            faults.examples.extend(f"{client or 'one address'}: {line}" for line in told)
    del faults.examples[MOST_EXAMPLES:]
    if not used:
        detail = "requests cannot be told apart by client"
    elif faults.replies:
        detail = f"{faults.replies} of {counted(len(used), 'client', 'clients')} did not get what is declared"
    elif not refused and suspected(quotas, used):
        detail = "more passed than the quota, which a window that turned just then may explain"
    elif not refused:
        detail = f"none of {counted(len(used), 'client', 'clients')} asked for more than its quota"
    else:
        detail = f"{counted(len(refused), 'client', 'clients')} asked for more, and got what is declared"
    return faults.promise("quota", _TITLE, judged=bool(judged), detail=detail)


def _ordered(stretches: Sequence[Stretch]) -> list[Stretch]:
    return sorted(stretches, key=lambda one: one.began)


def _above(
    quotas: Sequence[Quota], stretches: Sequence[Stretch], crowds: Mapping[Quota, Crowd]
) -> Iterator[str]:
    for quota in quotas:
        if not _over(quota, stretches):
            continue
        passed, seconds = _fullest(quota, stretches)
        told = f"{passed:,} requests pass a quota of {quota.limit:,} in {seconds:.1f} s"
        if not _windows_explain(quota, stretches):
            yield told
        elif quota in crowds and crowds[quota].passed > most(quota, crowds[quota].seconds):
            yield f"{told}, and {crowds[quota].passed:,} of a client that asked later"


def _over(quota: Quota, stretches: Sequence[Stretch]) -> bool:
    passed, seconds = _fullest(quota, stretches)
    return passed > most(quota, seconds)


def most(quota: Quota, seconds: float) -> int:
    """How many requests a bucket lets through in that time that is full at first and refills evenly."""
    return quota.limit + math.floor(quota.limit * (seconds + _COARSE) / quota.period)


def _fullest(quota: Quota, stretches: Sequence[Stretch]) -> tuple[int, float]:
    """How many passed, in which time, where that is the most beyond what refills meanwhile."""
    pace = quota.limit / quota.period
    passed, ended, found, excess = 0, 0.0, (0, 0.0), -math.inf
    # The stretch to count from: what had passed before it, less what refilled until then, is the least.
    before, began = 0, 0.0
    for one in stretches:
        if passed - pace * one.began <= before - pace * began or not passed:
            before, began = passed, one.began
        # All since then were let through after `began`, and by `ended`.
        passed, ended = passed + one.passed, max(ended, one.ended)
        if (beyond := passed - before - pace * (ended - began)) > excess:
            found, excess = (passed - before, ended - began), beyond
    return found


def _windows_explain(quota: Quota, stretches: Sequence[Stretch]) -> bool:
    """Whether windows of the quota's length, wherever the first begins, hold no more than the quota each.

    Fixed windows let the whole quota through at the end of one and again at the beginning of the next.
    A stretch that lies across the turn of a window may belong to either.
    """
    starts = {moment % quota.period for one in stretches for moment in (one.began, one.ended)}
    return any(_fits(quota, stretches, start) for start in sorted(starts))


def _fits(quota: Quota, stretches: Sequence[Stretch], start: float) -> bool:
    room: dict[int, int] = {}
    for one in stretches:
        first = math.floor((one.began - start - _COARSE) / quota.period)
        last = math.floor((one.ended - start + _COARSE) / quota.period)
        left = one.passed
        for window in range(first, last + 1):
            taken = min(left, room.setdefault(window, quota.limit))
            room[window] -= taken
            left -= taken
        if left:
            return False
    return True


def _below(quotas: Sequence[Quota], stretches: Sequence[Stretch]) -> Iterator[str]:
    """Whether a client was refused although no quota can have been used up."""
    passed = sum(one.passed + one.unanswered for one in stretches)
    least = [_least(quota, stretches) for quota in quotas]
    if passed < min(least):
        quota = quotas[least.index(min(least))]
        period = counted(quota.period, "second", "seconds")
        yield f"refused after {passed:,} of {min(least):,} requests, {quota.limit:,} in {period}"


def _least(quota: Quota, stretches: Sequence[Stretch]) -> int:
    """How many requests a client gets at least that is refused again and again.

    The first refusal comes when the quota is used up. From then on every period gives a whole quota again, if
    refusals show that the client asked for more all the time. Counters that weigh the window before make the
    first of these periods the same as the one before, and may round down once in each.
    """
    refusals = [one for one in stretches if one.refused]
    within = [one.last_refusal - one.first_refusal for one in refusals]
    between = [later.first_refusal - one.last_refusal for one, later in itertools.pairwise(refusals)]
    gap = max(within + between)
    asked = refusals[-1].last_refusal - refusals[0].first_refusal
    if gap > _DENSE * quota.period:
        return quota.limit
    periods = math.floor(asked / (quota.period + gap + _COARSE))
    return max(quota.limit, periods * (quota.limit - 1))
