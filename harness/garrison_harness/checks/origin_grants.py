"""What the permission of an origin holds: methods and headers after a preflight, and for which cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison_harness.checks.check import Check
from garrison_harness.checks.origins import (
    PERMISSION,
    allowed_origin,
    allows_credentials,
    asked_from,
    foreign_origin,
    perhaps_trusted,
    targets,
    with_cookie,
)
from garrison_harness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Reply, Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site

_PREFLIGHT: Final = (*PERMISSION, "access-control-allow-methods", "access-control-allow-headers")
_ODD_METHOD: Final = "GARRISON"


def _ask_preflight(site: Site) -> Mapping[str, Request]:
    asked = {"page": site.get(site.path)}
    for name, target in list(targets(site).items())[:2]:
        asks = [
            ("Origin", foreign_origin(site)),
            ("Access-Control-Request-Method", _ODD_METHOD),
            ("Access-Control-Request-Headers", f"x-{site.canary}"),
        ]
        asked[f"{name}: any method"] = site.request("OPTIONS", target, asks)
        # Some answer a preflight only if it asks for what they know.
        asks[1] = ("Access-Control-Request-Method", "PUT")
        asked[f"{name}: any header"] = site.request("OPTIONS", target, asks)
    return asked


def _judge_preflight(seen: Seen) -> Iterator[Finding]:
    seen.control("page")
    for label, exchange in seen.exchanges.items():
        reply = exchange.reply
        if exchange.request.method != "OPTIONS" or not 200 <= (reply.status or 0) < 300:
            continue
        if allowed_origin(reply) != foreign_origin(seen.site) or not allows_credentials(reply):
            continue
        # With credentials * is no wildcard in these two (Fetch, "CORS-preflight fetch").
        methods = _names(reply, "access-control-allow-methods")
        headers = _names(reply, "access-control-allow-headers")
        if _ODD_METHOD.lower() in methods or f"x-{seen.site.canary}" in headers:
            what = "method" if _ODD_METHOD.lower() in methods else "header"
            message = (
                f"any site may send any {what} in its visitors' name: the preflight is granted as it is asked"
            )
            yield seen.finding(label, message, show=_PREFLIGHT)
            return


def _names(reply: Reply, header: str) -> set[str]:
    return {name.strip().lower() for name in reply.get(header).split(",")}


def _ask_origins(site: Site) -> Mapping[str, Request]:
    asked = {"page": site.get(site.path)}
    for name, target in targets(site).items():
        asked[f"{name} from nobody"] = site.get(target, with_cookie(site, []))
        asked[f"{name} from a stranger"] = asked_from(site, foreign_origin(site), target)
        for origin in perhaps_trusted(site):
            asked[f"{name} from {origin}"] = asked_from(site, origin, target)
    return asked


def _judge_vary(seen: Seen) -> Iterator[Finding]:
    seen.control("page")
    for name in targets(seen.site):
        replies = {
            label: exchange.reply
            for label, exchange in seen.exchanges.items()
            if label.startswith(f"{name} from ")
        }
        granted = {allowed_origin(reply) for reply in replies.values()}
        for label, reply in replies.items():
            # The same for everybody, or for nobody, may be kept for everybody.
            chosen = len(granted) > 1 and allowed_origin(reply) not in {"", "*"}
            if chosen and not {"origin", "*"} & _names(reply, "vary") and not _unkept(reply):
                message = "a cache may give one origin the permission of another: no Vary: Origin"
                yield seen.finding(label, message, show=(*PERMISSION, "cache-control"))
                return


def _unkept(reply: Reply) -> bool:
    return "no-store" in reply.get("cache-control").lower()


CHECKS: Final = (
    Check(
        id="O4",
        title="Preflights grant only what was meant",
        severity=Severity.MEDIUM,
        cwe=942,
        reference="Fetch, CORS-preflight fetch; ASVS 5.0 V3.5.2",
        fix="list methods, headers and origins, and refuse a preflight that asks for anything else",
        garrison=(
            "GARRISON_CROSS_ORIGIN_ALLOWED, GARRISON_CROSS_ORIGIN_METHODS and GARRISON_CROSS_ORIGIN_HEADERS"
            " list them; take the app's own CORS rules out"
        ),
        why=(
            "Before a script sends what no form can send, such as PUT or JSON, the browser asks the app. A"
            " yes to everything lets any site do it in the name of its visitors, and undoes what protects"
            " APIs against forged requests."
        ),
        how=(
            "A preflight from an origin that was made up asks for a method and a header that were made up,"
            " then for PUT. An answer of success that allows the origin, credentials, and one of what was"
            " made up is the fault."
        ),
        ask=_ask_preflight,
        judge=_judge_preflight,
    ),
    Check(
        id="O5",
        title="Caches keep the permission of each origin apart",
        severity=Severity.LOW,
        cwe=524,
        reference="Fetch, CORS protocol and HTTP caches; RFC 9110 section 12.5.5",
        fix="send Vary: Origin with every reply whose Access-Control-Allow-Origin depends on the request",
        garrison="GARRISON_CROSS_ORIGIN_ALLOWED sends it; take the app's own CORS rules out",
        why=(
            "A cache that does not know that the permission depends on the Origin hands the reply for one"
            " origin to another. Scripts are then refused what they may read, now and then and for no"
            " visible reason, or allowed what they may not."
        ),
        how=(
            "The page, the body path and a few routes are read from no origin, from one that was made up,"
            " and from some that may be allowed. Where the answers name different origins, one that names an"
            " origin without Vary: Origin, and may be kept, is the fault."
        ),
        ask=_ask_origins,
        judge=_judge_vary,
    ),
)
