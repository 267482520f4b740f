"""What caches that many people share must not keep."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.checks.pages import readable_routes
from garrison_harness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Exchange, Reply, Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site

_MOST_ROUTES: Final = 4
_SHOWN: Final = ("cache-control", "cdn-cache-control", "surrogate-control", "set-cookie", "vary")
_AGE: Final = re.compile(r"\b(s-maxage|max-age)\s*=\s*\"?0*[1-9]")
_LOGIN: Final = ("authorization", "cookie")


def _ask(site: Site) -> Mapping[str, Request]:
    asked = {"page": site.get(site.path), "missing": site.get(site.missing_path)}
    targets = [route.target for route in readable_routes(site, _MOST_ROUTES)]
    for target in targets:
        asked[f"route {target}"] = site.get(target)
    if _login(site):
        # A header without a value is left out.
        nobody = [(name, "") for name in _LOGIN]
        asked["page for nobody"] = site.get(site.path, nobody)
        for target in targets:
            asked[f"route {target} for nobody"] = site.get(target, nobody)
    return asked


def _login(site: Site) -> list[str]:
    """The headers in lower case by which the audit is logged in."""
    return [name.lower() for name, _ in site.headers if name.lower() in _LOGIN]


def _judge(seen: Seen) -> Iterator[Finding]:
    plain = seen.plain()
    if not plain:
        raise Unjudged("no ordinary request got a whole reply")
    giving = [exchange for exchange in plain if exchange.reply.all("set-cookie")]
    private = [exchange for label, exchange in seen.exchanges.items() if _is_private(seen, label)]
    if not giving and not private:
        raise Unjudged(
            "no reply sets a cookie or differs for somebody who is logged in: name such a page with --path,"
            " or log in with --header"
        )
    for exchange in giving:
        if _is_shared(exchange.reply):
            message = "shared caches may keep a reply that sets a cookie, and give the cookie to others"
            yield seen.finding(exchange, message, show=_SHOWN)
            return
    for exchange in private:
        if _is_shared(exchange.reply) and not _varies(seen.site, exchange):
            message = "shared caches may keep what is for somebody who is logged in, and give it to others"
            yield seen.finding(exchange, message, show=_SHOWN)
            return


def _is_private(seen: Seen, label: str) -> bool:
    """Whether the reply of that label is another one than nobody gets."""
    if f"{label} for nobody" not in seen.exchanges:
        return False
    own, anyones = seen.reply(label), seen.reply(f"{label} for nobody")
    whole = not own.failure and not anyones.failure and anyones.status is not None
    return whole and own.status == 200 and (own.status, own.body) != (anyones.status, anyones.body)


def _is_shared(reply: Reply) -> bool:
    """Whether a reply says itself that a shared cache may keep it for a while (RFC 9111 section 3)."""
    said = reply.get("cache-control").lower()
    words = {part.partition("=")[0].strip() for part in said.split(",")}
    if {"private", "no-store", "no-cache"} & words:
        return False
    return _AGE.search(said) is not None or ("public" in words and bool(reply.all("expires")))


def _varies(site: Site, exchange: Exchange) -> bool:
    """Whether caches keep one reply for each login, or none at all."""
    varying = {name.strip().lower() for name in exchange.reply.get("vary").split(",")}
    login = _login(site)
    if "*" in varying or (login and set(login) <= varying):
        return True
    # Shared caches leave such replies alone unless they are told otherwise (RFC 9111 section 3.5).
    words = exchange.reply.get("cache-control").lower()
    return login == ["authorization"] and not any(
        word in words for word in ("public", "s-maxage", "must-revalidate")
    )


CHECKS: Final = (
    Check(
        id="H11",
        title="What is for one person stays out of shared caches",
        severity=Severity.MEDIUM,
        cwe=525,
        reference="RFC 9111 sections 3 and 3.5; ZAP 10015, 10049",
        fix="send Cache-Control: private or no-store with every cookie and on every page behind a login",
        garrison=(
            "GARRISON_SECURITY_HEADERS_AUTHENTICATED_CACHE says so where the app says nothing; what the app"
            " says itself stays"
        ),
        why=(
            "A cache in front of the app answers many people. If it may keep a reply with a session cookie,"
            " it logs the next visitor in as the last one; if it may keep an account page, it shows it to"
            " everybody."
        ),
        how=(
            "Every ordinary reply with Set-Cookie is looked at, and, where the audit is logged in, every page"
            " that is another one without the login. Such a reply is a fault where it allows shared caches to"
            " keep it: an age or a public expiry, and neither private, no-store nor no-cache, nor a Vary that"
            " keeps logins apart."
        ),
        ask=_ask,
        judge=_judge,
    ),
)
