"""What protects the cookies that an app sets, and what it does with those that it gets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.checks.pages import readable_routes
from garrison_harness.checks.set_cookie import cookies
from garrison_harness.finding import Confidence, Severity
from garrison_harness.site import Need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.checks.check import Seen
    from garrison_harness.checks.set_cookie import Cookie
    from garrison_harness.exchange import Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site

_MOST_ROUTES: Final = 6
_LARGEST: Final = 4096  # bytes of name and value that browsers keep (RFC 6265bis section 5.6)
_NONE_SET: Final = "no reply sets a cookie: name a page that does with --path"
_READ: Final = (
    "The page, a missing page and a few routes are read, without a login too, and every cookie that any"
    " ordinary reply of the audit sets is looked at, those of a login in the file included. Cookies that end"
    " at once are left out."
)
_COOKIES_ON: Final = (
    "on by default over https; check that GARRISON_COOKIES_SECURE is not off, and that GARRISON_PROXY_TRUSTED"
    " names the proxies that speak https for the app"
)


def _ask(site: Site) -> Mapping[str, Request]:
    asked = {"page": site.get(site.path), "missing": site.get(site.missing_path)}
    if any(name.lower() == "cookie" for name, _ in site.headers):
        # Who has a cookie already may get no other; a header without a value is left out.
        asked["page for nobody"] = site.get(site.path, [("Cookie", "")])
    for route in readable_routes(site, _MOST_ROUTES):
        asked[f"route {route.target}"] = site.get(route.target)
    return asked


def _set(seen: Seen) -> list[Cookie]:
    """The cookies that the app sets and does not delete.

    Raises:
        Unjudged: There are none.
    """
    # The login is no request of the audit's, and often the only one that sets the session.
    found = [cookie for cookie in cookies([*seen.plain(), *seen.site.entry]) if not cookie.deletes]
    if not found:
        raise Unjudged(_NONE_SET)
    return found


def _credentials(seen: Seen) -> list[Cookie]:
    """Those among them that may open doors.

    Raises:
        Unjudged: There are none.
    """
    found = [cookie for cookie in _set(seen) if cookie.is_credential]
    if not found:
        raise Unjudged("no cookie is named like a session: name a page that sets one with --path")
    return found


def _sure(cookie: Cookie) -> Confidence:
    """How sure it is that a cookie is a session, by its name."""
    return Confidence.CONFIRMED if cookie.is_session else Confidence.LIKELY


def _finding(
    seen: Seen,
    cookie: Cookie,
    message: str,
    confidence: Confidence = Confidence.CONFIRMED,
    severity: Severity | None = None,
) -> Finding:
    # The value may be a password to somebody's account, so that it is in no report.
    rules = "; ".join(f"{name}={value}" if value else name for name, value in cookie.attributes.items())
    found = seen.finding(
        cookie.exchange,
        f"the cookie {cookie.name!r} {message}",
        excerpt=f"set-cookie: {cookie.name}=...{'; ' if rules else ''}{rules}",
        confidence=confidence,
        severity=severity,
    )
    # The login itself holds the password, of which reports do not always know.
    return replace(found, exchange=None) if cookie.exchange in seen.site.entry else found


def _judge_secure(seen: Seen) -> Iterator[Finding]:
    for cookie in _set(seen):
        if "secure" not in cookie.attributes:
            message = "goes over plain http too: no Secure"
            yield _finding(seen, cookie, message, severity=None if cookie.is_credential else Severity.LOW)


def _judge_http_only(seen: Seen) -> Iterator[Finding]:
    for cookie in _credentials(seen):
        if "httponly" not in cookie.attributes:
            yield _finding(seen, cookie, "can be read by scripts: no HttpOnly", _sure(cookie))


def _judge_same_site(seen: Seen) -> Iterator[Finding]:
    found = _set(seen)
    for cookie in found:
        said = cookie.attributes.get("samesite", "").lower()
        if said == "none" and "secure" not in cookie.attributes:
            yield _finding(seen, cookie, "is refused by browsers: SameSite=None without Secure")
        elif said and said not in {"none", "lax", "strict"}:
            yield _finding(seen, cookie, f"has a SameSite that browsers do not know: {said}")
        elif not cookie.is_credential:
            continue
        elif not said:
            message = "goes with requests that other sites cause in some browsers: no SameSite"
            yield _finding(seen, cookie, message, _sure(cookie))
        elif said == "none":
            message = "goes with every request that other sites cause: SameSite=None"
            yield _finding(seen, cookie, message, Confidence.LIKELY)


def _judge_prefix(seen: Seen) -> Iterator[Finding]:
    for cookie in _set(seen):
        for message in _broken_rules(cookie):
            yield _finding(seen, cookie, f"is dropped by browsers: {message}")


def _broken_rules(cookie: Cookie) -> Iterator[str]:
    name, given = cookie.name.lower(), cookie.attributes
    if name.startswith(("__host-", "__secure-", "__http-")) and "secure" not in given:
        yield f"{cookie.name[: cookie.name.index('-') + 1]} asks for Secure"
    if name.startswith("__host-"):
        if given.get("path") != "/":
            yield "__Host- asks for Path=/"
        if given.get("domain"):
            yield "__Host- allows no Domain"
    if name.startswith(("__http-", "__host-http-")) and "httponly" not in given:
        yield "__Http- asks for HttpOnly"
    size = len(cookie.name) + len(cookie.value)
    if size > _LARGEST:
        yield f"name and value are {size} bytes, and they keep {_LARGEST}"


def _judge_domain(seen: Seen) -> Iterator[Finding]:
    site = seen.site
    for cookie in _set(seen):
        domain = cookie.attributes.get("domain", "").lower().lstrip(".")
        if not domain:
            continue
        if site.has_public_name and site.host != domain and not site.host.endswith(f".{domain}"):
            message = f"is dropped by browsers: its Domain {domain} does not hold {site.host}"
            yield _finding(seen, cookie, message, severity=Severity.LOW)
        else:
            yield _finding(seen, cookie, f"goes to every host below {domain}: Domain", Confidence.INFO)


CHECKS: Final = (
    Check(
        id="C1",
        title="Cookies set over https stay on https",
        severity=Severity.MEDIUM,
        layers=("COOKIES",),
        needs=(Need.HTTPS,),
        cwe=614,
        reference="RFC 6265bis section 5.6; ASVS 5.0 V3.3.1; ZAP 10011",
        fix="set Secure on every cookie",
        garrison=_COOKIES_ON,
        why=(
            "A cookie without Secure goes along when the browser asks for the same host over plain http,"
            " which a single planted picture can make it do. Whoever listens on the network then has the"
            " session."
        ),
        how=f"{_READ} Over https one without Secure is a fault, a small one where it is no session.",
        ask=_ask,
        judge=_judge_secure,
    ),
    Check(
        id="C2",
        title="Session cookies are out of reach for scripts",
        severity=Severity.MEDIUM,
        layers=("COOKIES",),
        cwe=1004,
        reference="RFC 6265bis section 5.6; ASVS 5.0 V3.3.4; ZAP 10010",
        fix="set HttpOnly on every cookie that no script has to read",
        garrison=(
            "on by default for names like a session's; GARRISON_COOKIES_HTTP_ONLY=all for every cookie but"
            " those in GARRISON_COOKIES_READABLE"
        ),
        why=(
            "One script that was smuggled into one page can read every cookie that is not HttpOnly, and send"
            " the sessions of all visitors away, to be used long after the hole is closed."
        ),
        how=(
            f"{_READ} One that is named like a session, holds eight letters or sixteen digits and has no"
            " HttpOnly is a fault; one that is named like another credential is a likely one. Tokens"
            " against forged requests are left out, because scripts have to read them."
        ),
        ask=_ask,
        judge=_judge_http_only,
    ),
    Check(
        id="C3",
        title="Cookies say whether they go along with other sites' requests",
        # Logins that come back from other sites may need it: off until told.
        severity=Severity.LOW,
        layers=("COOKIES",),
        cwe=1275,
        reference="RFC 6265bis section 5.6; ASVS 5.0 V3.3.2; ZAP 10054",
        fix="set SameSite=Lax, or Strict, on every session cookie",
        garrison="GARRISON_COOKIES_SAME_SITE=Lax",
        why=(
            "A form on any other site makes a visitor's browser send a request to the app, and the session"
            " cookie goes along, so that the app takes it for the visitor's own wish. SameSite tells browsers"
            " not to send it; they differ in what they do where nothing is said."
        ),
        how=(
            f"{_READ} Faults are session cookies without SameSite, any cookie with SameSite=None and no"
            " Secure, which browsers refuse, and values that they do not know. SameSite=None on a session"
            " is a likely fault, because an app that lives in other sites' frames needs it."
        ),
        ask=_ask,
        judge=_judge_same_site,
    ),
    Check(
        id="C4",
        title="Cookies keep the rules that browsers hold them to",
        severity=Severity.LOW,
        cwe=565,
        reference="RFC 6265bis sections 4.1.3 and 5.6; ASVS 5.0 V3.3.3, V3.3.5",
        fix="give __Host- cookies Secure, Path=/ and no Domain, and keep cookies below 4096 bytes",
        garrison=(
            "GARRISON_COOKIES, on by default, adds over https what the prefixes demand; size is for the app"
        ),
        why=(
            "A name that begins with __Host- or __Secure- is a promise that browsers enforce: they drop the"
            " cookie if it is broken, as they drop one that is too large. Logins then fail for no visible"
            " reason."
        ),
        how=f"{_READ} One that breaks a rule by which browsers drop it is a fault.",
        ask=_ask,
        judge=_judge_prefix,
    ),
    Check(
        id="C5",
        title="Cookies stay with the host that sets them",
        severity=Severity.INFO,
        cwe=565,
        reference="RFC 6265bis section 5.6; ZAP 90033",
        fix="leave Domain out, unless several hosts share the cookie on purpose",
        why=(
            "With Domain a cookie goes to every host below it: the blog, the status page, the host that a"
            " provider runs. Whoever takes over the weakest of them gets the sessions of all."
        ),
        how=(
            f"{_READ} A Domain is mentioned and no fault, since hosts may share a cookie on purpose. One that"
            " does not hold the app's own name is a fault, because browsers drop the cookie."
        ),
        ask=_ask,
        judge=_judge_domain,
    ),
)
