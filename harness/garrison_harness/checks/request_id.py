"""An id on every reply, by which its log record is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison_harness.checks.check import Check
from garrison_harness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Reply, Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site

ID_HEADERS = ("x-request-id", "x-correlation-id", "request-id", "x-trace-id", "x-amzn-requestid")
_INBOUND = ID_HEADERS[:2]
_LONG_ID = 3000  # characters


def request_id(reply: Reply) -> str:
    """The id that a reply carries under any of the usual names, empty where there is none."""
    return next((value for name in ID_HEADERS for value in reply.all(name) if value), "")


def _ask_ids(site: Site) -> Mapping[str, Request]:
    return {
        "page": site.get(site.path),
        "page again": site.get(site.path),
        "missing": site.get(site.missing_path),
        "refused": site.request("PROPFIND", site.path),
    }


def _judge_ids(seen: Seen) -> Iterator[Finding]:
    seen.control("page")
    known: dict[str, str] = {}
    for label, exchange in seen.exchanges.items():
        if exchange.reply.failure:
            continue
        found = request_id(exchange.reply)
        if not found:
            yield seen.finding(label, f"a {exchange.reply.status} reply carries no request id")
            return
        if found in known:
            yield seen.finding(label, "two requests got the same id", show=ID_HEADERS)
        known[found] = label


def _ask_inbound(site: Site) -> Mapping[str, Request]:
    long = (site.canary * _LONG_ID)[:_LONG_ID]
    odd = f'{site.canary} "<script>" %0d%0a;level=error'
    return {
        "page": site.get(site.path),
        "an id of 3 KB": site.get(site.path, [(name, long) for name in _INBOUND]),
        "an id with markup": site.get(site.path, [(name, odd) for name in _INBOUND]),
    }


def _judge_inbound(seen: Seen) -> Iterator[Finding]:
    seen.control("page")
    for label in ("an id of 3 KB", "an id with markup"):
        echoed = [(name, value) for name, value in seen.reply(label).headers if seen.site.canary in value]
        if echoed:
            name, value = echoed[0]
            yield seen.finding(
                label, f"{label} is taken from anyone and sent back", excerpt=f"{name}: {value}"
            )


CHECKS = (
    Check(
        id="T1",
        title="Every reply carries an id of its own",
        severity=Severity.LOW,
        layers=("REQUEST_ID",),
        cwe=778,
        reference="ASVS 5.0 V16.2.1",
        fix="make an id for each request, log it, and send it back as X-Request-ID, on errors too",
        garrison="on by default; check that GARRISON_REQUEST_ID is not off",
        why="A user who reports an error can name an id, and its record in the log is found in a moment. "
        "Without one somebody compares times, and among many requests finds nothing.",
        how="The page is asked twice, then a path that does not exist and a method that is refused. Findings "
        "are a reply without any of the usual id headers, and an id that comes twice.",
        ask=_ask_ids,
        judge=_judge_ids,
    ),
    Check(
        id="T2",
        title="Request ids from strangers are checked",
        severity=Severity.LOW,
        layers=("REQUEST_ID",),
        cwe=117,
        reference="ASVS 5.0 V16.4.1",
        fix="take an inbound id from a trusted proxy only, and only if it is short and plain",
        garrison="on by default; GARRISON_REQUEST_ID_ACCEPT=trusted takes ids over from your own proxies "
        "only",
        why="An id that anybody can choose is written to the log and looked for there: a stranger gives many "
        "requests the id of somebody else's, fills the log with long ones, or writes markup into the page of "
        "the tool that shows it.",
        how="The page is asked with an id of 3 KB and with one that holds markup and escape sequences. A "
        "finding is such an id in the reply.",
        ask=_ask_inbound,
        judge=_judge_inbound,
    ),
)
