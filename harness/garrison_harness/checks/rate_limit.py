"""The declared quota is enforced, and cannot be talked away."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.finding import Confidence, Severity
from garrison_harness.site import Need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Exchange, Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Quota, Site

_LARGEST_BURST = 1000  # requests; more would be a load test
_KEPT = 1024  # bytes of each reply: of hundreds, only their heads matter
_CLIENT = 1
_DISGUISES = 5


def _burst_size(quota: Quota) -> int:
    # A burst may meet the end of a fixed window, and spend the quota on either side of it.
    return 2 * quota.limit + 1


def _most(quota: Quota, seconds: float) -> int:
    """How many requests an honest quota lets pass in that time, whatever its algorithm."""
    return quota.limit * (1 + math.ceil(seconds / quota.period))


def _smooth(seen: Seen, seconds: float) -> int:
    """How many a quota lets pass that refills evenly, as a token bucket does."""
    quota = seen.site.quota
    return quota.limit + math.ceil(quota.limit * seconds / quota.period) if quota else 0


def _ask_burst(site: Site) -> Mapping[str, Request]:
    if site.quota is None or _burst_size(site.quota) > _LARGEST_BURST:
        return {}
    request = replace(site.get(site.path, voice=_CLIENT), kept=_KEPT)
    return {f"request {number}": request for number in range(1, _burst_size(site.quota) + 1)}


def _judge_burst(seen: Seen) -> Iterator[Finding]:
    burst, refused = _burst(seen)
    if not refused:
        yield seen.finding(
            burst[-1], f"all {len(burst)} requests of one client pass, over the declared quota"
        )
        return
    passed = burst.index(refused[0])
    if passed > _smooth(seen, _duration(burst[: passed + 1])):
        message = f"{passed} requests pass before the first is refused: a window that turned, or a lax count"
        yield seen.finding(refused[0], message, confidence=Confidence.INFO)
    # Retry-After is delay-seconds or a date (RFC 9110 section 10.2.3).
    if not refused[0].reply.get("retry-after"):
        message = "a 429 does not say when to come back: no Retry-After"
        yield seen.finding(refused[0], message, severity=Severity.LOW)


def _burst(seen: Seen) -> tuple[list[Exchange], list[Exchange]]:
    """The requests of the burst and those of them that were refused.

    Raises:
        Unjudged: The burst says nothing about the quota.
    """
    burst = [exchange for label, exchange in seen.exchanges.items() if label.startswith("request ")]
    quota = seen.site.quota
    if not burst or quota is None:
        raise Unjudged(
            f"an audit sends bursts of at most {_LARGEST_BURST} requests, too few to use up this quota"
        )
    seen.control(burst[0].label)
    refused = [exchange for exchange in burst if exchange.reply.status == 429]
    took = _duration(burst)
    passed = sum(exchange.reply.status not in {429, 503, None} for exchange in burst)
    if not refused and passed <= _most(quota, took):
        raise Unjudged(f"{passed} of {len(burst)} requests passed in {took:.1f} s, which the quota may allow")
    return burst, refused


def _duration(burst: Sequence[Exchange]) -> float:
    """Seconds from the first request to the last reply."""
    return burst[-1].at + burst[-1].reply.elapsed - burst[0].at


def _ask_disguised(site: Site) -> Mapping[str, Request]:
    burst = _ask_burst(site)
    disguised = {
        f"disguise {number}": site.get(
            site.path,
            [
                ("X-Forwarded-For", f"203.0.113.{number}"),
                ("X-Real-IP", f"203.0.113.{number}"),
                ("Forwarded", f"for=203.0.113.{number}"),
            ],
            voice=_CLIENT,
        )
        for number in range(1, _DISGUISES + 1)
    }
    return {**burst, **(disguised if burst else {})}


def _judge_disguised(seen: Seen) -> Iterator[Finding]:
    burst, _ = _burst(seen)
    if burst[-1].reply.status != 429:
        raise Unjudged("the quota is not enforced, so there is nothing to get around: see L1")
    disguised = [exchange for label, exchange in seen.exchanges.items() if label.startswith("disguise ")]
    # A request that is refused for its headers gets around nothing.
    passed = [exchange for exchange in disguised if exchange.reply.status == burst[0].reply.status]
    if len(passed) == len(disguised):
        yield seen.finding(passed[0], "a client gets around its quota by forging X-Forwarded-For")
    elif passed:
        message = f"{len(passed)} of {len(disguised)} requests with a forged X-Forwarded-For pass"
        yield seen.finding(passed[0], message, confidence=Confidence.INFO)


CHECKS = (
    Check(
        id="L1",
        title="The declared quota is enforced, with Retry-After",
        severity=Severity.MEDIUM,
        layers=("RATE_LIMIT",),
        needs=(Need.QUOTA,),
        cwe=770,
        reference="RFC 6585 section 4; ASVS 5.0 V2.4.1; OWASP API4:2023",
        fix="count requests per client, answer 429 with Retry-After over the quota",
        garrison="set GARRISON_RATE_LIMIT_LIMITS, such as 100/minute",
        ask=_ask_burst,
        judge=_judge_burst,
    ),
    Check(
        id="L2",
        title="Forged client addresses do not get around the quota",
        severity=Severity.MEDIUM,
        layers=("RATE_LIMIT", "PROXY"),
        needs=(Need.QUOTA, Need.ADDRESSES),
        cwe=348,
        reference="ASVS 5.0 V4.1.3; OWASP API4:2023",
        fix="count by the peer's address, and believe X-Forwarded-For from your own proxies only",
        garrison="name the proxies in GARRISON_PROXY_TRUSTED, and never *",
        ask=_ask_disguised,
        judge=_judge_disguised,
    ),
)
