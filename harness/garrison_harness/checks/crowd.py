"""The quota holds for a crowd: what one client asks at the same time is counted like the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.checks.quota_requests import askable, counted, taken
from garrison_harness.checks.rate_limit import most_passing, smooth
from garrison_harness.finding import Confidence, Severity
from garrison_harness.site import Need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from garrison_harness.checks.check import Seen
    from garrison_harness.checks.quota_requests import Counted
    from garrison_harness.exchange import Exchange, Reply, Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Quota, Site
    from garrison_harness.stage import Stage

_LARGEST: Final = 1000  # requests; more would be a load test
_EXTRA: Final = 16
_REFUSED: Final = frozenset({429, 503})
_FIRST: Final = "request "
_SECOND: Final = "request of another client "
_SHARE: Final = 0.5  # of the period: both crowds together are over long before a window turns twice


def _size(quota: Quota) -> int:
    return quota.limit + max(_EXTRA, quota.limit)


def _drive(stage: Stage) -> None:
    quota, asked = stage.site.quota, askable(stage.site)
    if asked is None or quota is None or _size(quota) > _LARGEST:
        return
    replies = stage.together(_crowd(stage.site, quota, asked, _FIRST, voice=1))
    # A fixed window that turns in between gives its quota twice, but it does not turn for the next crowd too.
    if sum(_passes(reply) for reply in replies.values()) > quota.limit:
        stage.together(_crowd(stage.site, quota, asked, _SECOND, voice=2))


def _crowd(site: Site, quota: Quota, asked: Counted, name: str, *, voice: int) -> Mapping[str, Request]:
    request = asked.request(site, voice=voice, brief=True)
    return {f"{name}{number}": request for number in range(1, _size(quota) + 1)}


def _passes(reply: Reply) -> bool:
    return reply.status is not None and reply.status not in _REFUSED


def _judge(seen: Seen) -> Iterator[Finding]:
    quota = seen.site.quota
    first = [exchange for label, exchange in seen.exchanges.items() if label.startswith(_FIRST)]
    second = [exchange for exchange in first if exchange.label.startswith(_SECOND)]
    first = first[: len(first) - len(second)]
    if not first or quota is None:
        counted(seen.site)
        raise Unjudged(f"an audit sends bursts of at most {_LARGEST} requests, too few for this quota")
    passed, again = _passed(first), _passed(second) if second else []
    if quota.path:
        taken(seen, passed[0].label, refused=any(one.reply.status == 429 for one in first))
    message = f"{len(passed)} of {len(first)} requests at once pass a quota of {quota.limit}"
    if len(passed) > most_passing(quota, _took(first)):
        yield seen.finding(passed[-1], message)
    elif again and _over_twice(quota, passed, again, [*first, *second]):
        message += f", and {len(again)} of those of another client"
        yield seen.finding(passed[-1], message)
    elif len(passed) != quota.limit:
        yield seen.finding(passed[-1], message, confidence=Confidence.INFO)


def _passed(crowd: Sequence[Exchange]) -> list[Exchange]:
    """Those that were let through.

    Raises:
        Unjudged: Not all were answered, or the page itself fails.
    """
    answered = sum(exchange.reply.status is not None for exchange in crowd)
    passed = [exchange for exchange in crowd if _passes(exchange.reply)]
    if answered < len(crowd) or not passed:
        raise Unjudged(f"{len(crowd) - len(passed)} of {len(crowd)} requests at once were not let through")
    if (passed[0].reply.status or 500) >= 500:
        raise Unjudged(f"{passed[0].request.summary} answered {passed[0].reply.outcome}")
    return passed


def _over_twice(
    quota: Quota, passed: Sequence[Exchange], again: Sequence[Exchange], both: Sequence[Exchange]
) -> bool:
    """Whether two crowds pass that are over before a window can have turned for both."""
    took = _took(both)
    most = smooth(quota, took)
    return took < _SHARE * quota.period and len(passed) > most and len(again) > most


def _took(crowd: Sequence[Exchange]) -> float:
    """Seconds from the first request to the last reply."""
    return max(e.at + e.reply.elapsed for e in crowd) - min(e.at for e in crowd)


CHECKS: Final = (
    Check(
        id="L3",
        title="The quota holds for requests at the same time",
        severity=Severity.MEDIUM,
        layers=("RATE_LIMIT",),
        needs=(Need.QUOTA, Need.ADDRESSES, Need.SOCKET),
        cwe=362,
        reference="OWASP API4:2023",
        fix="count and compare in one atomic step, in a store that all workers share",
        garrison="GARRISON_RATE_LIMIT_LIMITS is counted in one step; GARRISON_RATE_LIMIT_STORAGE names a "
        "server that several workers count in together",
        why="A limiter that reads a count, waits for its store and writes it back lets every request pass "
        "that comes in between, and one that counts in each worker allows as many times the quota as there "
        "are workers. Who guesses passwords sends them at once.",
        how="Twice the declared quota is asked for at the same time from one address, and where more than "
        "the quota pass, once more from another. A finding is that more pass than the quota and the turn of "
        "a window allow, or that more than the quota pass both times, in far less than its period: no window "
        "turns twice in that. Another number is mentioned only.",
        drive=_drive,
        judge=_judge,
        alone=True,
    ),
)
