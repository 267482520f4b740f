"""What an app tells a client about its quota is true."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.checks.quota_requests import askable, counted, taken
from garrison_harness.checks.rate_limit import burst_size
from garrison_harness.finding import Confidence, Severity
from garrison_harness.http_date import http_date
from garrison_harness.site import Need

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Exchange, Reply
    from garrison_harness.finding import Finding
    from garrison_harness.stage import Stage

_LARGEST_BURST: Final = 1000  # requests
_CLIENT: Final = 1
_LONGEST_WAIT: Final = 10.0  # seconds
_SLACK: Final = 0.3  # seconds: what a reply takes on its way, and how coarse clocks are
# RFC 9651: an item of a list, here a string, with its parameters.
_ITEM: Final = re.compile(
    r'"(?P<name>(?:[ !#-\[\]-~]|\\["\\])*)"(?P<parameters>(?:\s*;\s*[a-z*][\w.*-]*(?:=[^;,]*[^;,\s])?)*)'
)
_PARAMETER: Final = re.compile(r";\s*([a-z*][\w.*-]*)(?:=([^;,]+))?")
_BETWEEN: Final = re.compile(r",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)")
_INTEGER: Final = re.compile(r"\d{1,15}")
_OLDER: Final = re.compile(r"\s*(?:limit|remaining|reset)=\d+\s*(?:[,;].*)?|\d+(?:\s*[,;].*)?", re.IGNORECASE)
_LEGACY: Final = tuple(
    f"{start}{end}" for start in ("ratelimit-", "x-ratelimit-") for end in ("limit", "remaining", "reset")
)
_STANDARD: Final = ("ratelimit", "ratelimit-policy")


def _spend(stage: Stage) -> Reply | None:
    """Ask until the client is refused, and return the refusal; None where it never is."""
    site = stage.site
    asked = askable(site)
    if asked is None or site.quota is None or burst_size(site.quota) > _LARGEST_BURST:
        return None
    request = asked.request(site, voice=_CLIENT, brief=True)
    for number in range(1, burst_size(site.quota) + 1):
        reply = stage.ask(f"request {number}", request)
        if reply.status == 429:
            return reply
    return None


def _refusal(seen: Seen) -> Exchange:
    """The first request that was refused.

    Raises:
        Unjudged: None was.
    """
    if "request 1" not in seen.exchanges:
        counted(seen.site)
        raise Unjudged(f"an audit sends bursts of at most {_LARGEST_BURST} requests, too few for this quota")
    burst = [exchange for label, exchange in seen.exchanges.items() if label.startswith("request ")]
    refused = [exchange for exchange in burst if exchange.reply.status == 429]
    taken(seen, "request 1", refused=bool(refused))
    if refused:
        return refused[0]
    raise Unjudged("no request was refused, so nothing is said about when to come back: see L1")


def _told(reply: Reply) -> float | None:
    """Seconds that Retry-After tells to wait (RFC 9110 section 10.2.3); None where it has no such form."""
    text = reply.get("retry-after")
    if _INTEGER.fullmatch(text):
        return float(text)
    when = http_date(text)
    now = reply.get("date")
    base = http_date(now) if now else datetime.now(UTC)
    return None if when is None or base is None else max(0.0, (when - base).total_seconds())


def _drive_window(stage: Stage) -> None:
    quota = stage.site.quota
    if quota is not None and quota.period <= _LONGEST_WAIT and _spend(stage) is not None:
        stage.pause(quota.period + _SLACK)
        stage.ask("after the window", counted(stage.site).request(stage.site, voice=_CLIENT))


def _judge_window(seen: Seen) -> Iterator[Finding]:
    quota = seen.site.quota
    if quota is not None and quota.period > _LONGEST_WAIT:
        raise Unjudged(f"a quota that lasts longer than {_LONGEST_WAIT:g} s is not waited for")
    refused = _refusal(seen)
    after = seen.reply("after the window")
    if after.status == 429:
        message = "a client that was refused is refused still when the whole window has passed"
        yield seen.finding("after the window", message, show=("retry-after",))
    elif after.status is None or after.status >= 500:
        raise Unjudged(f"after the refusal {refused.request.summary} answered {after.outcome}")


def _drive_told(stage: Stage) -> None:
    refused = _spend(stage)
    told = _told(refused) if refused is not None else None
    if told is not None and told <= _LONGEST_WAIT:
        stage.pause(told + _SLACK)
        stage.ask("as told", counted(stage.site).request(stage.site, voice=_CLIENT))


def _judge_told(seen: Seen) -> Iterator[Finding]:
    refused = _refusal(seen)
    text, told, quota = refused.reply.get("retry-after"), _told(refused.reply), seen.site.quota
    show = ("retry-after",)
    if not text:
        raise Unjudged("the 429 has no Retry-After, so nothing is said that could be true: see L1")
    if told is None:
        message = "Retry-After is neither a number of seconds nor a date, so clients come back as they like"
        yield seen.finding(refused, message, show=show)
        return
    if "as told" in seen.exchanges:
        after = seen.reply("as told")
        if after.status == 429:
            message = f"a client that comes back after the {told:g} s it was told is refused again"
            yield seen.finding("as told", message, show=show)
        return
    if quota is not None and told > quota.period + 1:
        message = f"a client is told to wait {told:g} s for a quota that lasts {quota.period} s"
        yield seen.finding(refused, message, show=show)
        return
    raise Unjudged(f"a wait of {told:g} s is not waited for; it is no longer than the quota lasts")


def _judge_grammar(seen: Seen) -> Iterator[Finding]:
    telling = [
        exchange
        for exchange in seen.plain()
        if any(exchange.reply.all(name) for name in (*_STANDARD, *_LEGACY))
    ]
    if not telling:
        seen.control("page")
        raise Unjudged("no reply tells of a quota in RateLimit headers")
    reported: set[str] = set()
    for exchange in telling:
        for message, confidence in _faults(exchange.reply):
            # Each reply tells other numbers.
            kind = re.sub(r"\d+", "0", message)
            if kind not in reported:
                reported.add(kind)
                show = (*_STANDARD, *_LEGACY, "retry-after")
                yield seen.finding(exchange, message, show=show, confidence=confidence)


def _faults(reply: Reply) -> Iterator[tuple[str, Confidence]]:
    for name in _LEGACY:
        text = reply.get(name)
        # Some of them append the policy after a comma, as early drafts did.
        if text and not re.match(r"\s*-?\d+(?:\.\d+)?\s*(?:[,;].*)?$", text) and http_date(text) is None:
            yield f"{name} is no number: {text}", Confidence.CONFIRMED
    policies = yield from _items(reply, "ratelimit-policy", required="q")
    limits = yield from _items(reply, "ratelimit", required="r")
    unknown = sorted(set(limits) - set(policies))
    if policies and unknown:
        yield f"RateLimit tells of {unknown[0]!r}, which RateLimit-Policy does not name", Confidence.CONFIRMED
    for name, told in limits.items():
        most = policies.get(name, {}).get("q", "")
        left = told.get("r", "")
        if most and left and int(left) > int(most):
            message = f"RateLimit leaves {left} of the {most} that RateLimit-Policy allows"
            yield message, Confidence.CONFIRMED
    resets = [int(told["t"]) for told in limits.values() if told.get("t") and told.get("r") == "0"]
    wait = _told(reply) if reply.status == 429 else None
    if wait is not None and resets and wait + 1 < min(resets):
        message = f"Retry-After tells {math.ceil(wait)} s, and RateLimit has nothing left for {min(resets)} s"
        yield message, Confidence.CONFIRMED


def _items(
    reply: Reply, name: str, *, required: str
) -> Generator[tuple[str, Confidence], None, dict[str, dict[str, str]]]:
    """Yield the faults of a header, and return what could be read of it: numbers by policy."""
    found: dict[str, dict[str, str]] = {}
    text = reply.get(name)
    if text and _OLDER.fullmatch(text):
        yield f"{name} is in the form of an older draft: {text}", Confidence.INFO
        return found
    for part in _BETWEEN.split(text) if text else ():
        match = _ITEM.fullmatch(part.strip())
        if match is None:
            yield f"{name} is no list of strings with parameters: {part.strip()}", Confidence.CONFIRMED
            continue
        given = {key: (value or "").strip() for key, value in _PARAMETER.findall(match["parameters"])}
        numbers = {key: given[key] for key in ("q", "r", "t", "w") if key in given}
        wrong = [key for key, value in numbers.items() if not _INTEGER.fullmatch(value)]
        if wrong or numbers.get("w") == "0":
            key = wrong[0] if wrong else "w"
            yield f"{name} has {key}={numbers[key]}, which is no such number", Confidence.CONFIRMED
        elif required not in given:
            yield f"{name} lacks {required}: {part.strip()}", Confidence.CONFIRMED
        else:
            found[match["name"]] = numbers
    return found


_DRAFT: Final = "draft-ietf-httpapi-ratelimit-headers"

CHECKS: Final = (
    Check(
        id="L4",
        title="A client that was refused is let in after the window",
        severity=Severity.MEDIUM,
        needs=(Need.QUOTA,),
        cwe=645,
        reference="RFC 6585 section 4",
        fix="let refused requests cost nothing, and let what is counted expire by itself",
        garrison="refusals of GARRISON_RATE_LIMIT_LIMITS cost nothing; only GARRISON_RATE_LIMIT_PENALTY, "
        "off until it is set, bars clients for longer",
        why="A limiter that counts refused requests too, or whose counter lost its expiry, locks a client "
        "out for as long as it tries, and a whole office behind one address with it.",
        how="One address uses up the declared quota, waits for as long as the quota lasts and asks "
        "once more. "
        f"A finding is a 429. A quota of more than {_LONGEST_WAIT:g} s is not waited for.",
        drive=_drive_window,
        judge=_judge_window,
        patient=True,
    ),
    Check(
        id="L5",
        title="Retry-After is true",
        severity=Severity.LOW,
        needs=(Need.QUOTA,),
        cwe=684,
        reference="RFC 9110 section 10.2.3; RFC 6585 section 4",
        fix="compute Retry-After from when the next request will pass, rounded up to whole seconds",
        garrison="what GARRISON_RATE_LIMIT_LIMITS refuses is told when the next request will pass, "
        "rounded up",
        why="Well-behaved clients do what Retry-After says. Told too little they come back only to be "
        "refused "
        "and try harder; told too much they stay away from an app that would have served them.",
        how="One address uses up the declared quota, waits for as long as the 429 says and asks once more. A "
        "finding is that it is refused again, that the value is neither a number nor a date, or that it is "
        f"longer than the quota lasts. Waits of more than {_LONGEST_WAIT:g} s are compared, not waited for.",
        drive=_drive_told,
        judge=_judge_told,
        patient=True,
    ),
    Check(
        id="L6",
        title="RateLimit headers can be read",
        severity=Severity.LOW,
        cwe=684,
        reference=f"{_DRAFT}; RFC 9651",
        fix='write RateLimit-Policy: "default";q=100;w=60 and RateLimit: "default";r=50;t=30, with the same '
        "names",
        garrison="GARRISON_RATE_LIMIT_HEADERS=standard writes them",
        why="Clients that read what is left slow down before they are refused. A value that does not parse "
        "is dropped as a whole, and one that promises more than there is makes them run into the wall.",
        how=f"RateLimit-Policy and RateLimit of every reply of the audit are read as {_DRAFT} writes them. "
        "Findings are values that are no such list, lack q or r, name a policy that is not there, leave more "
        "than it allows, or contradict Retry-After; and older headers that hold no number. An older draft's "
        "form is mentioned only. An app without such headers is not judged.",
        ask=lambda site: {"page": site.get(site.path), "page again": site.get(site.path)},
        judge=_judge_grammar,
    ),
)
