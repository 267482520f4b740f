"""Too much work at once is refused quickly and clearly, and is over when it is over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.finding import Confidence, Severity
from garrison_harness.site import Need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site
    from garrison_harness.stage import Stage

_SLACK: Final = 1.0  # seconds that a bound may be late
_BOUNDED: Final = frozenset({408, 503, 504})
_EXTRA: Final = 8  # requests beyond the bound
_BEGUN: Final = 2.0  # seconds; what is answered later, or not at all, is being worked on
_OF_THE_BOUND: Final = 0.6
_BURST: Final = 64
_LEAVES: Final = 0.2  # seconds
_RECOVERS: Final = 5.0  # seconds
_PAUSE: Final = 0.5
_LATE: Final = 1.0  # seconds beyond what the page took before


def _ask_endless(site: Site) -> Mapping[str, Request]:
    slow = site.get(site.slow_path or site.path)
    return {
        "page": site.get(site.path),
        "slow": replace(slow, leaves=(site.time_limit or 0.0) + _SLACK),
    }


def _judge_endless(seen: Seen) -> Iterator[Finding]:
    seen.control("page")
    reply, limit = seen.reply("slow"), seen.site.time_limit or 0.0
    if reply.failure == "left":
        message = f"a handler that takes too long is not ended within {limit:g} s"
        yield seen.finding("slow", message)
    elif reply.status in _BOUNDED:
        return
    elif reply.elapsed <= limit and (reply.status or 500) < 500:
        raise Unjudged(
            f"{seen.exchanges['slow'].request.summary} answers after {reply.elapsed:.1f} s, within the bound:"
            " name a slower route with --slow-path"
        )
    else:
        message = f"a handler that takes too long ends in {reply.outcome} in place of 503 or 504"
        yield seen.finding("slow", message, severity=Severity.LOW)


def _drive_crowd(stage: Stage) -> None:
    site = stage.site
    page = site.get(site.path)
    before = stage.ask("page", page)
    # What the bound on the time of a handler ends was taken all the same.
    begun = _BEGUN if site.time_limit is None else min(_BEGUN, site.time_limit * _OF_THE_BOUND)
    slow = replace(site.get(site.slow_path or site.path), leaves=begun)
    count = (site.concurrency or 0) + _EXTRA
    stage.together({f"request {number}": slow for number in range(1, count + 1)})
    # What is asked next shall find the app as it was.
    for number in range(1, int(_RECOVERS / _PAUSE) + 1):
        stage.pause(_PAUSE)
        if stage.ask(f"page after {number * _PAUSE:g} s", page).status == before.status:
            return


def _judge_crowd(seen: Seen) -> Iterator[Finding]:
    seen.control("page")
    crowd = [exchange for label, exchange in seen.exchanges.items() if label.startswith("request ")]
    refused = [exchange for exchange in crowd if exchange.reply.status in {429, 503}]
    bound = seen.site.concurrency or 0
    taken = [exchange for exchange in crowd if _under_way(exchange.reply.status, exchange.reply.failure)]
    if not refused and len(taken) == len(crowd):
        if min(exchange.reply.elapsed for exchange in crowd) < _LEAVES:
            raise Unjudged("the route answers too quickly to be asked by many at once: see --slow-path")
        message = f"{len(crowd)} requests at once are all taken, over the declared bound of {bound}"
        yield seen.finding(crowd[-1], message)
        return
    broken = [exchange for exchange in crowd if exchange not in refused and exchange not in taken]
    if broken:
        message = (
            f"{len(broken)} of {len(crowd)} requests at once end in {broken[0].reply.outcome}, not in 503"
        )
        yield seen.finding(broken[0], message)
    # RFC 9110 section 15.6.4: a 503 may say when to come back; who is not told comes back at once.
    untold = [exchange for exchange in refused if not exchange.reply.get("retry-after")]
    if untold:
        message = f"a {untold[0].reply.status} of an app that is full does not say when to come back"
        yield seen.finding(untold[0], f"{message}: no Retry-After", severity=Severity.LOW)


def _under_way(status: int | None, failure: str | None) -> bool:
    return failure == "left" or (status is not None and status < 500 and status != 429)


def _drive_burst(stage: Stage) -> None:
    site = stage.site
    page = site.get(site.path)
    before = stage.ask("page", page)
    busy = site.get(site.slow_path or site.path)
    impatient = replace(busy, leaves=_LEAVES)
    stage.together(
        {
            f"burst {number}": impatient if number % 2 else replace(page, leaves=_RECOVERS)
            for number in range(_BURST)
        }
    )
    for number in range(1, int(_RECOVERS / _PAUSE) + 1):
        stage.pause(_PAUSE)
        after = stage.ask(f"page after {number * _PAUSE:g} s", page)
        if after.status == before.status and after.elapsed <= before.elapsed + _LATE:
            return


def _judge_burst(seen: Seen) -> Iterator[Finding]:
    before = seen.control("page")
    label = list(seen.exchanges)[-1]
    after = seen.reply(label)
    if after.status != before.status or after.elapsed > before.elapsed + _LATE:
        yield seen.finding(
            label,
            f"{_RECOVERS:g} s after {_BURST} requests at once the page is still not as before:"
            f" {after.outcome} after {after.elapsed:.1f} s",
            # A quota of the whole app would look the same for a while.
            confidence=Confidence.LIKELY if after.status == 429 else Confidence.CONFIRMED,
        )


CHECKS: Final = (
    Check(
        id="R10",
        title="A handler that takes too long is ended",
        severity=Severity.MEDIUM,
        layers=("TIMEOUTS",),
        needs=(Need.SLOW_PATH, Need.TIME_LIMIT),
        cwe=400,
        reference="RFC 9110 section 15.6.5; OWASP API4:2023",
        fix="give every handler a deadline, shorter than that of the proxy before it; cancel it then, and "
        "answer 503 or 504",
        garrison="GARRISON_TIMEOUTS_HANDLER is the deadline, off until it is set, such as 10s; "
        "GARRISON_TIMEOUTS_RULES for some paths",
        why="A database that hangs makes handlers hang. Without a deadline they pile up until the app has "
        "no memory, connections or workers left, and takes down what never needed the database.",
        how="The slow route is asked. A finding is no answer a second after the bound that is declared with "
        "--time-limit, or an answer other than 408, 503 and 504 that comes for the bound. A route that "
        "answers within the bound is not judged, and nothing is judged without a declared bound.",
        ask=_ask_endless,
        judge=_judge_endless,
        patient=True,
        sampled=True,
    ),
    Check(
        id="R11",
        title="More requests at once than declared are refused, with Retry-After",
        severity=Severity.MEDIUM,
        layers=("OVERLOAD",),
        needs=(Need.SLOW_PATH, Need.CONCURRENCY),
        cwe=770,
        reference="RFC 9110 section 15.6.4; OWASP API4:2023",
        fix="bound how many requests are worked on at once, and answer 503 with Retry-After beyond it",
        garrison="GARRISON_OVERLOAD_LIMIT is a number, or adaptive; off until it is set",
        why="Every request that is begun slows those that are under way. An app that takes all of them "
        "finishes none in time under load, while one that refuses some at once serves the rest as ever.",
        how=f"{_EXTRA} requests more than the bound that is declared with --concurrency ask for the slow "
        "route at once. A finding is that all are taken, that some end in another error than 503 or 429, or "
        "that a refusal has no Retry-After. Nothing is judged without a declared bound.",
        drive=_drive_crowd,
        judge=_judge_crowd,
        alone=True,
        sampled=True,
    ),
)

RECOVERY: Final = (
    Check(
        id="A2",
        title="The app recovers from a burst",
        severity=Severity.HIGH,
        needs=(Need.SOCKET,),
        cwe=404,
        reference="OWASP API4:2023",
        fix="give back in a finally block what a request takes: places in a pool, locks, counters; also "
        "when its client leaves",
        garrison="GARRISON_OVERLOAD_LIMIT=adaptive refuses what of a burst would only wait; giving back "
        "what a request takes is for the app",
        why="Whatever a request takes and gives back only if all goes well runs out in a burst, in which "
        "clients give up. The burst is over after a second, and the app stays down until it is restarted.",
        how=f"{_BURST} requests come at once, of which half leave after {_LEAVES:g} s. Then the page is "
        "asked "
        f"for {_RECOVERS:g} s. A finding is that it is never answered as before the burst, within a "
        "second of "
        "the time it took then.",
        drive=_drive_burst,
        judge=_judge_burst,
        alone=True,
        sampled=True,
    ),
)
