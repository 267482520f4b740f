"""What a client writes must not become a header, a link or a client's identity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.finding import Confidence, Severity
from garrison_harness.site import Need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site

# Headers that hold URLs which clients follow.
_POINTING = ("location", "link", "content-location", "refresh")
_PLANTED = "x-garrison-planted"


def _foreign_host(site: Site) -> str:
    return f"{site.canary}.example"


def _ask_line_breaks(site: Site) -> Mapping[str, Request]:
    planted = f"a%0d%0a{_PLANTED}:%20{site.canary}"
    names = ("q", "next", "url", "redirect", "lang", "name")
    query = "&".join(f"{name}={planted}" for name in names)
    return {
        "page": site.get(site.path),
        "query": site.request("GET", f"{site.path}?{query}", plain=False),
        "path": site.request("GET", f"{site.path.rstrip('/')}/{planted}", plain=False),
        "slash": site.request("GET", f"{site.twin_path}?{query}", plain=False),
    }


def _judge_line_breaks(seen: Seen) -> Iterator[Finding]:
    seen.control("page")
    for label in ("query", "path", "slash"):
        planted = [value for value in seen.reply(label).all(_PLANTED) if seen.site.canary in value]
        if planted:
            message = (
                f"a line break in the {label if label != 'slash' else 'query'} becomes a header of the reply"
            )
            yield seen.finding(label, message, show=(_PLANTED,))


def _ask_foreign_host(site: Site) -> Mapping[str, Request]:
    foreign = [("Host", _foreign_host(site))]
    return {
        "page": site.get(site.path),
        "foreign": site.request("GET", site.path, foreign, plain=False),
        "foreign slash": site.request("GET", site.twin_path, foreign, plain=False),
    }


def _judge_foreign_host(seen: Seen) -> Iterator[Finding]:
    seen.control("page")
    for label in ("foreign", "foreign slash"):
        if place := _pointed_at(seen, label):
            message = f"{place} points at whatever host the client names"
            yield seen.finding(label, message, show=_POINTING, excerpt=_link(seen, label))
            return


def _pointed_at(seen: Seen, label: str) -> str:
    """What of a reply sends its reader to the foreign host: a header, a link, or nothing (empty)."""
    reply, host = seen.reply(label), _foreign_host(seen.site)
    for name in _POINTING:
        if f"//{host}" in reply.get(name):
            return name.title()
    # A mere mention ("unknown host ...") is no link, and what an error page repeats nobody follows.
    return "a link of the page" if (reply.status or 400) < 400 and f"//{host}" in reply.text else ""


def _link(seen: Seen, label: str) -> str:
    """The link to the foreign host with what is around it."""
    before, link, after = seen.reply(label).text.partition(f"//{_foreign_host(seen.site)}")
    return f"...{before[-40:]}{link}{after[:20]}..." if link else ""


def _ask_forwarded(site: Site) -> Mapping[str, Request]:
    host = _foreign_host(site)
    forged = [
        ("X-Forwarded-Host", host),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-For", "203.0.113.66"),
        ("Forwarded", f"for=203.0.113.66;host={host};proto=https"),
    ]
    return {
        "page": site.get(site.path),
        "slash": site.get(site.twin_path),
        "forged page": site.request("GET", site.path, forged, plain=False),
        "forged slash": site.request("GET", site.twin_path, forged, plain=False),
    }


def _judge_forwarded(seen: Seen) -> Iterator[Finding]:
    seen.control("page")
    for honest, forged in (("page", "forged page"), ("slash", "forged slash")):
        before, after = seen.reply(honest), seen.reply(forged)
        if place := _pointed_at(seen, forged):
            message = f"{place} points at the host that a stranger forwards"
            yield seen.finding(forged, message, show=_POINTING, excerpt=_link(seen, forged))
            return
        moved = before.get("location").startswith("http://") and after.get("location").startswith("https://")
        secured = after.all("strict-transport-security") and not before.all("strict-transport-security")
        if moved or secured:
            message = "the app believes a stranger's X-Forwarded-Proto"
            yield seen.finding(forged, message, show=("location", "strict-transport-security"))
            return
        if (
            before.status is not None
            and before.status < 400
            and (after.status or 0) >= 500
            and after.status != 503
        ):
            message = f"forwarded headers from a stranger are answered with {after.status}"
            yield seen.finding(forged, message, confidence=Confidence.LIKELY)
            return
    if seen.reply("page").status is None:
        raise Unjudged("the page did not answer")


CHECKS = (
    Check(
        id="I1",
        title="Line breaks in input make no headers",
        severity=Severity.HIGH,
        needs=(Need.SOCKET,),
        cwe=113,
        reference="ASVS 5.0 V4.2.4; ZAP 40003",
        fix="never put decoded input into a header, and use a server that refuses line breaks there",
        why="Whoever can write a line break into a header writes headers: a cookie for the visitor, another "
        "Location, or a whole second reply that a cache keeps for everybody.",
        how="Path and query hold an encoded line break and a header of our own. A finding is a reply that "
        "has that header.",
        ask=_ask_line_breaks,
        judge=_judge_line_breaks,
    ),
    Check(
        id="I2",
        title="A foreign Host is not written into links",
        # Cured by a list of hosts, which nobody but the operator knows: off until told, so at most low.
        severity=Severity.LOW,
        layers=("HOSTS",),
        cwe=20,
        reference="OWASP API8:2023",
        fix="answer 400 or 421 to hosts that are not yours, or build links from a configured name",
        garrison="GARRISON_HOSTS_ALLOWED lists your hosts; another is answered with 421",
        why="The app builds links from the Host that the client sent. A reset mail with such a link leads "
        "its reader, and the token in it, to a host of whoever asked for the mail; a cache serves such a "
        "page to everybody.",
        how="The page, and its path with a slash more or less, are asked with a Host of our own. A finding "
        "is a header that points there, such as Location, or a link in a page that is no error. The mere "
        "mention of the host in an error counts for nothing.",
        ask=_ask_foreign_host,
        judge=_judge_foreign_host,
    ),
    Check(
        id="I3",
        title="Forwarded headers from strangers change nothing",
        severity=Severity.MEDIUM,
        layers=("PROXY",),
        needs=(Need.ADDRESSES,),
        cwe=348,
        reference="ASVS 5.0 V4.1.3",
        fix="believe X-Forwarded-* and Forwarded from your own proxies' addresses only",
        garrison="only whom GARRISON_PROXY_TRUSTED names is believed, and of that what "
        "GARRISON_PROXY_ACCEPT lists",
        why="A proxy tells the app in headers where a client came from and how. If the app believes them "
        "from anybody, a client chooses its own address, and gets past quotas, lists of addresses and the "
        "rule that wants https.",
        how="The page is asked with X-Forwarded-* and Forwarded from an address that is no proxy, and "
        "without. A finding is a link or a redirect to the host that was forwarded, a redirect that changes "
        "to https, or HSTS that was not there before. A 5xx counts as likely only.",
        ask=_ask_forwarded,
        judge=_judge_forwarded,
    ),
)
