"""The declared quota is enforced, and cannot be talked away."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.checks.quota_requests import askable, counted, taken
from garrison_harness.finding import Confidence, Severity
from garrison_harness.site import Need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from garrison_harness.checks.check import Seen
    from garrison_harness.checks.quota_requests import Counted
    from garrison_harness.exchange import Exchange, Reply, Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Quota, Site

_LARGEST_BURST = 1000  # requests; more would be a load test
_CLIENT = 1
_DISGUISES = 5
_NOWHERE = "nowhere"


def burst_size(quota: Quota) -> int:
    """How many requests use up a quota for certain, so that the last of them is refused."""
    # A burst may meet the end of a fixed window, and spend the quota on either side of it.
    return 2 * quota.limit + 1


def most_passing(quota: Quota, seconds: float) -> int:
    """How many requests an honest quota lets pass in that time, whatever its algorithm."""
    return quota.limit * (1 + math.ceil(seconds / quota.period))


def smooth(quota: Quota, seconds: float) -> int:
    """How many a quota lets pass in that time that refills evenly, as a token bucket does."""
    return quota.limit + math.ceil(quota.limit * seconds / quota.period)


def _ask_burst(site: Site) -> Mapping[str, Request]:
    asked = askable(site)
    if asked is None or site.quota is None or burst_size(site.quota) > _LARGEST_BURST:
        return {}
    request = asked.request(site, voice=_CLIENT, brief=True)
    return {f"request {number}": request for number in range(1, burst_size(site.quota) + 1)}


def _judge_burst(seen: Seen) -> Iterator[Finding]:
    burst, refused = _burst(seen)
    if not refused:
        yield seen.finding(
            burst[-1], f"all {len(burst)} requests of one client pass, over the declared quota"
        )
        return
    passed, quota = burst.index(refused[0]), seen.site.quota
    if quota is not None and passed > smooth(quota, _duration(burst[: passed + 1])):
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
        counted(seen.site)
        raise Unjudged(
            f"an audit sends bursts of at most {_LARGEST_BURST} requests, too few to use up this quota"
        )
    refused = [exchange for exchange in burst if exchange.reply.status == 429]
    taken(seen, burst[0].label, refused=bool(refused))
    took = _duration(burst)
    passed = sum(exchange.reply.status not in {429, 503, None} for exchange in burst)
    if not refused and passed <= most_passing(quota, took):
        raise Unjudged(f"{passed} of {len(burst)} requests passed in {took:.1f} s, which the quota may allow")
    return burst, refused


def _duration(burst: Sequence[Exchange]) -> float:
    """Seconds from the first request to the last reply."""
    return burst[-1].at + burst[-1].reply.elapsed - burst[0].at


def _ask_disguised(site: Site) -> Mapping[str, Request]:
    burst, asked = _ask_burst(site), askable(site)
    if not burst or asked is None:
        return {}
    disguised = {
        f"disguise {number}": asked.request(
            site,
            [
                ("X-Forwarded-For", f"203.0.113.{number}"),
                ("X-Real-IP", f"203.0.113.{number}"),
                ("Forwarded", f"for=203.0.113.{number}"),
            ],
            voice=_CLIENT,
        )
        for number in range(1, _DISGUISES + 1)
    }
    return {**burst, **disguised, **_rotated(site, asked)}


def _rotated(site: Site, wanted: Counted) -> Mapping[str, Request]:
    """The same asked for in other ways, each twice, and in between as before."""
    path, mark, query = wanted.target.partition("?")
    targets = {
        "a slash": wanted.twin,
        "capital letters": f"{path.upper()}{mark}{query}",
        "another query": f"{path}?{query}{'&' if query else ''}garrison={site.canary}",
        "an encoded letter": f"{_encoded(path)}{mark}{query}",
    }
    ways = {name: wanted.request(site, voice=_CLIENT, target=target) for name, target in targets.items()}
    if wanted.method == "GET":
        ways = {"HEAD": wanted.request(site, voice=_CLIENT, method="HEAD"), **ways}
    asked: dict[str, Request] = {}
    for name, request in ways.items():
        if request.method == wanted.method and request.target == wanted.target:
            continue
        # What passes for a refilled quota would not pass twice, and again refuse the route itself.
        asked[name] = request
        asked[f"{name} again"] = request
        asked[f"after {name}"] = wanted.request(site, voice=_CLIENT)
    if site.quota is not None and site.quota.path:
        asked[_NOWHERE] = wanted.request(site, voice=_CLIENT, target=site.missing_path)
    return asked


def _encoded(path: str) -> str:
    head, _, last = path.rpartition("/")
    return f"{head}/%{ord(last[0]):02x}{last[1:]}" if last and last[0].isalnum() else path


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
    yield from _judge_rotated(seen, burst[0].reply)


def _judge_rotated(seen: Seen, page: Reply) -> Iterator[Finding]:
    # An app that knows nobody may answer every path as it does a login that fails: that is no spelling of it.
    if _NOWHERE in seen.exchanges and _alike(seen.reply(_NOWHERE), page):
        return
    for label in seen.exchanges:
        if not label.startswith("after "):
            continue
        name = label.removeprefix("after ")
        first, second = seen.reply(name), seen.reply(f"{name} again")
        same = all(_alike(one, page, headless=name == "HEAD") for one in (first, second))
        if same and seen.reply(label).status == 429:
            message = f"a client that has used up its quota still gets the same reply with {name}"
            yield seen.finding(name, message, severity=Severity.LOW if name == "HEAD" else None)


def _alike(one: Reply, page: Reply, *, headless: bool = False) -> bool:
    return one.status == page.status and (headless or one.body == page.body)


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
        garrison="GARRISON_RATE_LIMIT_LIMITS sets quotas, such as 100/minute; off until it is set",
        why="Without a quota one client can guess passwords or codes for as long as it likes, copy all there "
        "is, or use up what everybody shares and what the owner pays for.",
        how="One address asks for the page, or for the route that the quota names, twice as often as it "
        "allows, and once more. What the route takes is made from its OpenAPI document. A finding is that "
        "all pass in a time in which an honest quota would have refused some, or a 429 without Retry-After. "
        "Where no quota is declared nothing is judged.",
        ask=_ask_burst,
        judge=_judge_burst,
    ),
    Check(
        id="L2",
        title="Forged addresses and other spellings do not get around the quota",
        severity=Severity.MEDIUM,
        needs=(Need.QUOTA, Need.ADDRESSES),
        cwe=348,
        reference="ASVS 5.0 V4.1.3; OWASP API4:2023",
        fix="count by the peer's address, and believe X-Forwarded-For from your own proxies only",
        garrison="GARRISON_PROXY_TRUSTED names the proxies whose word on the client counts; every "
        "spelling of a path uses up the same quota in GARRISON_RATE_LIMIT_LIMITS",
        why="A limiter that counts by X-Forwarded-For counts by what the client says of itself, and one that "
        "counts by the path as it is written gives a new quota for each spelling. Whoever guesses passwords "
        "changes a word in each request and is never refused.",
        how="One address uses up the declared quota. Then it forges X-Forwarded-For, X-Real-IP and Forwarded "
        "in five requests, and asks for the same page or route by HEAD in place of GET, with a slash, in "
        "capitals, with another query and with an encoded letter. Findings are that all forged requests "
        "pass, or that another spelling gets the same reply twice while the quota refuses the usual one "
        "right after.",
        ask=_ask_disguised,
        judge=_judge_disguised,
    ),
)
