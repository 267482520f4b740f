"""Clients that take their time, or leave before they are answered, must not hold what others need."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from garrison_harness.checks.check import Check, Layer, Unjudged
from garrison_harness.checks.request_bounds import JSON_LINES, require_route, small_body
from garrison_harness.exchange import Request
from garrison_harness.finding import Confidence, Severity
from garrison_harness.site import Need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.checks.check import Seen
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site
    from garrison_harness.stage import Stage

# Bounds in the field are 5 to 30 s. Whoever waits for less than some of them cannot tell none from a long
# one; whoever waits for all of them waits longer than for the rest of the audit.
_USUAL: Final = 12.0  # seconds
_SLACK: Final = 1.0  # seconds that a bound may be late
BODY_GRACE: Final = 8.0
"""Seconds that Garrison gives the sender of a body in an audit that starts it; it looks once a second."""
_DRIPS: Final = 8  # pieces over the whole of the time, so that no bound on silence alone ends it
_BODY: Final = 1000  # bytes that are announced
# More than the 40 threads that frameworks keep for handlers that are no coroutines.
_LEAVING: Final = 48
_LEAVES: Final = 0.3  # seconds
_NOTICED: Final = 0.3  # seconds in which a server has seen that its clients are gone
_SHORTEST: Final = 1.0  # seconds; a route that is faster is over before anybody could tell
_LATE: Final = 1.0  # seconds beyond what the same request took before
_LONGEST: Final = 4.5  # seconds; more than an exchange may take


def _wait(site: Site) -> float:
    return (_USUAL if site.slow_limit is None else site.slow_limit) + _SLACK


def _dripping(first: bytes, drip: bytes, wait: float) -> tuple[bytes | float, ...]:
    return (first, *(piece for _ in range(_DRIPS) for piece in (wait / _DRIPS, drip)))


def _ask_slow_head(site: Site) -> Mapping[str, Request]:
    wait = _wait(site)
    # All of a head but its end.
    head = site.head("GET", site.path)[:-2]
    pieces = _dripping(head, b"X-Garrison: a\r\n", wait)
    return {
        "page": site.get(site.path),
        "slow head": Request(method="GET", target=site.path, pieces=pieces, plain=False, leaves=wait),
    }


def _judge_slow_head(seen: Seen) -> Iterator[Finding]:
    seen.control("page")
    yield from _held(seen, "slow head", "a request whose headers never end")


def _held(seen: Seen, label: str, what: str) -> Iterator[Finding]:
    """A connection that was still open when the client left; declared bounds are known to be exceeded."""
    if seen.reply(label).failure != "left":
        return
    declared = seen.site.slow_limit is not None
    after = f"{what} holds its connection for more than {_wait(seen.site):g} s"
    yield seen.finding(
        label,
        after if declared else f"{after}: declare its bound with --slow-limit if there is one",
        confidence=Confidence.CONFIRMED if declared else Confidence.LIKELY,
    )


def _ask_slow_body(site: Site) -> Mapping[str, Request]:
    wait = _wait(site)
    head = site.head("POST", site.body_path, [*JSON_LINES, ("Content-Length", str(_BODY))])
    pieces = _dripping(head + b'"', b"a", wait)
    slow = Request(method="POST", target=site.body_path, pieces=pieces, plain=False, leaves=wait)
    return {"small": small_body(site), "slow body": slow}


def _judge_slow_body(seen: Seen) -> Iterator[Finding]:
    small, slow = require_route(seen), seen.reply("slow body")
    if slow.status is not None and slow.status == small.status:
        raise Unjudged(f"POST {seen.site.body_path} answers {slow.outcome} without reading the body")
    yield from _held(seen, "slow body", "a request whose body never ends")


def _drive_leaving(stage: Stage) -> None:
    site = stage.site
    slow = site.slow_path or site.path
    before = stage.ask("slow", site.get(slow))
    if before.status is None or not _SHORTEST <= before.elapsed <= _LONGEST:
        return
    leaving = replace(site.get(slow), leaves=_LEAVES)
    stage.together({f"client {number} that leaves": leaving for number in range(1, _LEAVING + 1)})
    stage.pause(_NOTICED)
    stage.ask("slow again", site.get(slow))
    # What was begun for those who left is over by then, whoever noticed.
    stage.pause(before.elapsed + _LATE)
    stage.ask("slow at last", site.get(slow))


def _judge_leaving(seen: Seen) -> Iterator[Finding]:
    before = seen.control("slow")
    if "slow again" not in seen.exchanges:
        raise Unjudged(
            f"{seen.exchanges['slow'].request.summary} took {before.elapsed:.1f} s: name a route with"
            f" --slow-path that takes {_SHORTEST:g} to {_LONGEST:g} s"
        )
    again, last = seen.reply("slow again"), seen.reply("slow at last")
    took = before.elapsed + _LATE
    if again.status == before.status and again.elapsed <= took:
        return
    # If it does not come back either, it was not those clients alone.
    sure = last.status == before.status and last.elapsed <= took
    yield seen.finding(
        "slow again",
        f"after {_LEAVING} clients have left, their requests still keep others out: {again.outcome} after"
        f" {again.elapsed:.1f} s in place of {before.elapsed:.1f} s",
        confidence=Confidence.CONFIRMED if sure else Confidence.LIKELY,
    )


CHECKS: Final = (
    Check(
        id="R7",
        title="Headers that never end are not waited for",
        severity=Severity.MEDIUM,
        fixed_by=Layer.SERVER,
        layers=("SERVER",),
        needs=(Need.SOCKET,),
        cwe=400,
        reference="OWASP API4:2023",
        fix="bound the time in which a whole header block has to arrive, in the server or a proxy before it",
        garrison="garrison run gives a head 10 s by default, which GARRISON_SERVER_HEADER_TIMEOUT "
        "changes; under another server it is for that one",
        why="A connection costs its client a few bytes a second and the server a place among those that it "
        "can hold. One machine that opens thousands and sends a header line now and then keeps everybody out "
        "(slowloris), without any traffic that looks like an attack.",
        how="A request sends a header line now and then, and no end. A finding is a connection that is still "
        "open a second after the bound declared with --slow-limit. Where none is declared, one that is open "
        f"after {_USUAL + _SLACK:g} s is likely and not confirmed, since there may be a longer bound.",
        ask=_ask_slow_head,
        judge=_judge_slow_head,
        patient=True,
    ),
    Check(
        id="R8",
        title="A body that never ends is not waited for",
        severity=Severity.MEDIUM,
        layers=("TIMEOUTS",),
        needs=(Need.SOCKET,),
        cwe=400,
        reference="RFC 9110 section 15.5.9; OWASP API4:2023",
        fix="bound the time or the least rate at which a body has to arrive; answer 408, or close",
        garrison="on by default: GARRISON_TIMEOUTS_BODY_RATE is the least rate, "
        "GARRISON_TIMEOUTS_BODY_GRACE how long a sender may be silent: 20 s by default, and "
        f"{BODY_GRACE:g} s in an audit that starts the app, if neither that nor --slow-limit is given; where "
        "the app sets it in its code, or runs already, declare it with a second more",
        why="A handler that waits for a body holds its connection, its memory and often a worker or a "
        "database connection. Servers rarely bound that time, so a client that sends a byte a second holds "
        "it for as long as it likes.",
        how="A body of which a thousand bytes are announced comes a byte at a time. A finding is a "
        "connection that is still open a second after the bound declared with --slow-limit. Where none is "
        f"declared, one that is open after {_USUAL + _SLACK:g} s is likely and not confirmed. A route that "
        "refuses a small JSON body, or answers before the body is there, is not judged.",
        ask=_ask_slow_body,
        judge=_judge_slow_body,
        patient=True,
    ),
    Check(
        id="R9",
        title="Requests of clients that have left keep nobody out",
        severity=Severity.MEDIUM,
        needs=(Need.SLOW_PATH, Need.SOCKET),
        cwe=772,
        reference="ASGI HTTP specification, http.disconnect; OWASP API4:2023",
        fix="end the work for a client that is gone: watch for http.disconnect, make handlers "
        "coroutines, and "
        "give what they hold back when they are cancelled",
        garrison="GARRISON_SERVER_CANCEL_ON_DISCONNECT=on has garrison run cancel the handler of a "
        "client that has left; one that runs in a thread goes on",
        why="People reload a page that is slow, and clients try again after a timeout. Where each try goes "
        "on working for nobody, the app gets slower the more of them give up, and never recovers by itself.",
        how=f"{_LEAVING} clients ask for the slow route at once and leave after {_LEAVES:g} s. Then one more "
        "asks for it. A finding is a refusal, or an answer a second later than before they came; it is "
        "confirmed if the answer is as before again once all of that work is over.",
        drive=_drive_leaving,
        judge=_judge_leaving,
        alone=True,
        sampled=True,
    ),
)
