"""Headers by which a page parts itself from other windows, and keeps features from its frames."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from garrison_harness.checks.check import Check
from garrison_harness.checks.pages import PAGES_READ, ask_pages, faults_of_pages, is_page, pages
from garrison_harness.finding import Confidence, Severity
from garrison_harness.site import Need

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Reply
    from garrison_harness.finding import Finding

_OPENERS: Final = frozenset({"same-origin", "same-origin-allow-popups", "noopener-allow-popups"})
# Features that can harm a visitor wherever a frame may use them.
_POWERFUL: Final = frozenset(
    {"camera", "display-capture", "geolocation", "hid", "microphone", "payment", "serial", "usb"}
)
# RFC 8941 section 3.2, with what Permissions Policy section 5.2 allows as the value of a member.
# No two parts of it can match the same text, or else a long value takes for ever.
_SOURCE: Final = r"(?:[A-Za-z*][\w:/.*-]*|\"[^\"]*\")"
_MEMBER: Final = re.compile(
    rf"(?P<feature>[a-z*][a-z0-9_.*-]*)\s*"
    rf"(?:=(?P<value>{_SOURCE}|\?[01]|\(\s*(?:{_SOURCE}(?:\s+{_SOURCE})*\s*)?\)))?"
    r"(?:\s*;\s*[a-z*][\w.*-]*(?:=[^;,]*[^;,\s])?)*"
)
_BETWEEN_MEMBERS: Final = re.compile(r",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)")


def _opener(reply: Reply) -> Iterator[str]:
    # Read as one token of structured fields, whose letter case counts; several lines are none (HTML, 7.1.3).
    said = reply.get("cross-origin-opener-policy").partition(";")[0].strip()
    if not said:
        yield "a site that opens the page keeps a handle on its window: no Cross-Origin-Opener-Policy"
    elif said not in _OPENERS:
        yield f"Cross-Origin-Opener-Policy {said} does not part the page from the site that opens it"


def _judge_isolation(seen: Seen) -> Iterator[Finding]:
    data = [
        exchange
        for exchange in seen.plain()
        if exchange.reply.is_json and (exchange.reply.status or 0) < 300 and exchange.reply.body
    ]
    open_data = [
        exchange
        for exchange in data
        if not exchange.reply.all("cross-origin-resource-policy")
        and not exchange.reply.all("access-control-allow-origin")
    ]
    if open_data:
        # Browsers keep JSON out of other sites' processes by its type, where they are not left to guess.
        message = "JSON says not which sites may load it: no Cross-Origin-Resource-Policy"
        yield seen.finding(open_data[0], message, confidence=Confidence.INFO)
    if data and not any(is_page(exchange.reply) for exchange in seen.exchanges.values()):
        return
    yield from faults_of_pages(seen, _opener, show=("cross-origin-opener-policy",))


def _judge_permissions(seen: Seen) -> Iterator[Finding]:
    yield from faults_of_pages(seen, _permissions, show=("permissions-policy",))
    without = [page for page in pages(seen) if not page.reply.all("permissions-policy")]
    if without:
        message = "frames of the page may ask for whatever browsers allow them: no Permissions-Policy"
        yield seen.finding(without[0], message, confidence=Confidence.INFO)


def _permissions(reply: Reply) -> Iterator[str]:
    text = reply.get("permissions-policy")
    if not text:
        return
    members = [_MEMBER.fullmatch(part.strip()) for part in _BETWEEN_MEMBERS.split(text)]
    if not all(members):
        yield "browsers drop the whole Permissions-Policy, as it is no list like camera=(), usb=(self)"
        return
    given = sorted(
        member["feature"]
        for member in members
        if member is not None
        and member["feature"] in _POWERFUL
        and "*" in (member["value"] or "").split('"')[0]
    )
    if given:
        yield f"Permissions-Policy lets every frame use {', '.join(given)}"


CHECKS: Final = (
    Check(
        id="H6",
        title="Pages are parted from the sites that open them",
        # Windows that talk to each other, as some logins do, would break: off until told.
        severity=Severity.LOW,
        layers=("SECURITY_HEADERS",),
        # Browsers obey it over https only (HTML section 7.1.3, secure contexts).
        needs=(Need.HTTPS,),
        cwe=1021,
        reference="HTML section 7.1.3; ASVS 5.0 V3.4.8; ZAP 90004",
        fix=(
            "send Cross-Origin-Opener-Policy: same-origin (or same-origin-allow-popups) on pages, and"
            " Cross-Origin-Resource-Policy: same-origin on API replies"
        ),
        garrison="GARRISON_SECURITY_HEADERS_PRESET=web, or GARRISON_SECURITY_HEADERS_PAGE_OPENER=same-origin",
        why=(
            "A site that opens the page in a window keeps a handle on it: it can send it elsewhere behind the"
            " visitor's back, count its frames, and share a process with it, where processors leak memory."
        ),
        how=(
            f"{PAGES_READ} Over https faults are no Cross-Origin-Opener-Policy, unsafe-none, and values that"
            " browsers do not read. JSON without Cross-Origin-Resource-Policy is mentioned and no fault."
        ),
        ask=ask_pages,
        judge=_judge_isolation,
    ),
    Check(
        id="H7",
        title="Pages say which features their frames may use",
        severity=Severity.LOW,
        cwe=693,
        reference="Permissions Policy section 5; ZAP 10063",
        fix="send Permissions-Policy: camera=(), microphone=(), geolocation=() and whatever else is not used",
        garrison="GARRISON_SECURITY_HEADERS_PAGE_PERMISSIONS, or GARRISON_SECURITY_HEADERS_PRESET=web",
        why=(
            "An advertisement in a frame, or a script that was smuggled in, may ask visitors for their camera"
            " or position in the name of the app. A page can rule that out; one that says it in a form which"
            " browsers do not read has ruled out nothing."
        ),
        how=(
            f"{PAGES_READ} A Permissions-Policy that is no structured dictionary is a fault, since browsers"
            " drop all of it, and so is * for camera, microphone and the like. None at all is mentioned only."
        ),
        ask=ask_pages,
        judge=_judge_permissions,
    ),
)
