"""Whether anybody hears of what the content security policy of pages blocks."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.checks.content_policy import header_policies
from garrison_harness.finding import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.checks.check import Seen
    from garrison_harness.checks.content_policy import Policy
    from garrison_harness.exchange import Reply, Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site
    from garrison_harness.stage import Stage

_ENFORCED: Final = "content-security-policy"
_HEADERS: Final = (_ENFORCED, f"{_ENFORCED}-report-only")
_SHOWN: Final = (*_HEADERS, "reporting-endpoints", "report-to")
# Reporting API section 3.3: a dictionary of strings (RFC 9651 section 3.2).
_ENDPOINT: Final = re.compile(r"([a-z*][a-z0-9_.*-]*)\s*=\s*\"([^\"]*)\"")
_REPORT: Final = "report to "


def _policies(reply: Reply) -> list[Policy]:
    return [policy for name in _HEADERS for policy in header_policies(reply, name)]


def _endpoints(reply: Reply) -> dict[str, str]:
    """The URL of each group that the reply defines, in the form of today or in the one before."""
    found: dict[str, str] = {}
    try:
        groups = json.loads(f"[{reply.get('report-to')}]")
    except ValueError:
        groups = []
    for group in groups:
        match group:
            case {"endpoints": [{"url": str(url)}, *_]}:
                found[str(group.get("group", "default"))] = url
    return found | dict(_ENDPOINT.findall(reply.get("reporting-endpoints")))


def _places(reply: Reply) -> dict[str, str]:
    """Where the policies of a page send reports: the media type of a report by the URL."""
    endpoints = _endpoints(reply)
    found: dict[str, str] = {}
    for policy in _policies(reply):
        # Browsers that know report-to skip report-uri beside it (CSP Level 3 section 5.3).
        found.update(dict.fromkeys(policy.get("report-uri", ()), "application/csp-report"))
        groups = [endpoints[name] for name in policy.get("report-to", ()) if name in endpoints]
        found.update(dict.fromkeys(groups, "application/reports+json"))
    return found


def _report(site: Site, target: str, kind: str) -> Request:
    """A report as a browser sends it."""
    scheme = "https" if site.https else "http"
    page, blocked = f"{scheme}://{site.authority}{site.path}", f"https://{site.canary}.example/script.js"
    body: object = {
        "csp-report": {
            "document-uri": page,
            "violated-directive": "script-src",
            "effective-directive": "script-src",
            "blocked-uri": blocked,
            "original-policy": "script-src 'self'",
            "disposition": "report",
        }
    }
    if kind == "application/reports+json":
        about = {"documentURL": page, "blockedURL": blocked, "effectiveDirective": "script-src"}
        about |= {"originalPolicy": "script-src 'self'", "disposition": "report"}
        body = [{"type": "csp-violation", "age": 1, "url": page, "user_agent": "garrison", "body": about}]
    lines = [
        ("Content-Type", kind),
        ("Origin", f"{scheme}://{site.authority}"),
        ("Sec-Fetch-Site", "same-origin"),
    ]
    return site.request("POST", target, lines, body=json.dumps(body).encode(), plain=False)


def _own_target(site: Site, url: str) -> str:
    """The target of a URL of this app, empty for another host."""
    try:
        parts = urlsplit(urljoin(f"http://{site.authority}{site.path}", url))
    except ValueError:
        return ""
    if parts.netloc.lower() != site.authority.lower():
        return ""
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _drive(stage: Stage) -> None:
    page = stage.ask("page", stage.site.get(stage.site.path))
    for url, kind in _places(page).items():
        target = _own_target(stage.site, url)
        if target:
            stage.ask(f"{_REPORT}{target} as {kind.partition('/')[2]}", _report(stage.site, target, kind))


def _judge(seen: Seen) -> Iterator[Finding]:
    page = seen.page("page")
    policies = _policies(page)
    if not policies:
        raise Unjudged("the page has no content security policy that could be reported on: see H3")
    if not any(policy.keys() & {"report-uri", "report-to"} for policy in policies):
        yield seen.finding("page", "nobody is told what the content security policy blocks", show=_SHOWN)
        return
    if not _places(page):
        message = "the policy reports to a group that no header of the page defines"
        yield seen.finding("page", message, show=_SHOWN, severity=Severity.LOW)
    for label, exchange in seen.exchanges.items():
        if label.startswith(_REPORT) and (seen.answer(label).status or 500) >= 400:
            message = f"the place that the policy reports to answers {exchange.reply.outcome}"
            # Browsers send a visitor's cookies along, and a visitor may have more of them.
            closed = exchange.reply.status in {401, 403}
            confidence = Confidence.LIKELY if closed else Confidence.CONFIRMED
            yield seen.finding(label, message, severity=Severity.LOW, confidence=confidence)


CHECKS: Final = (
    Check(
        id="H14",
        title="Somebody hears of what the content security policy blocks",
        severity=Severity.INFO,
        layers=("CSP_REPORTS",),
        cwe=778,
        reference="CSP Level 3 section 5; ASVS 5.0 V3.4.7",
        fix="let the policy name a place for reports with report-to and report-uri, and let that answer 204",
        garrison="GARRISON_CSP_REPORTS_PATH takes reports, writes each kind of them once, and the policies "
        "name it",
        why="A policy that blocks something is either stopping an attack or breaking a page. Without reports "
        "nobody learns of either before users complain, and nobody dares to make the policy stricter.",
        how="The page is read, and where its policies name a place on the same host a report is sent there "
        "as browsers send it. Findings are policies that name no place, a small fault where the place is a "
        "group that no header defines, or answers a report with an error (a likely one where it asks for a "
        "login). Pages without a policy are not "
        "judged, and nothing is sent to other hosts.",
        drive=_drive,
        judge=_judge,
    ),
)
