"""How Observatory judges the cookies that a reply sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# From best to worst, as Observatory orders what it finds; the modifiers do not follow that order.
FOUND = {
    "not secure, but HSTS": -5,
    "not secure": -20,
    "session not secure, but HSTS": -10,
    "invalid SameSite": -20,
    "CSRF without SameSite": -20,
    "session without HttpOnly": -30,
    "session not secure": -40,
}
ORDER = tuple(FOUND)
SAME_SITE = frozenset({"lax", "strict", "none"})
# A load balancer's, which its users cannot change.
FORGIVEN = "heroku-session-affinity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """A cookie as a browser keeps it."""

    name: str
    domain: str
    path: str
    secure: bool
    http_only: bool
    same_site: str


def cookies_modifier(lines: list[str], host: str, *, hsts: bool) -> int:
    """The points of the test `cookies`."""
    jar = {
        (cookie.name, cookie.domain, cookie.path): cookie
        for cookie in map(_read, lines, [host] * len(lines))
        if cookie is not None and cookie.name != FORGIVEN
    }
    if not jar:
        return 0
    found = [problem for cookie in jar.values() for problem in _problems(cookie, hsts=hsts)]
    if any(map(_has_invalid_same_site, lines)):
        found.append("invalid SameSite")
    if found:
        return FOUND[max(found, key=ORDER.index)]
    return 5 if all(cookie.same_site for cookie in jar.values()) else 0


def _problems(cookie: Cookie, *, hsts: bool) -> Iterable[str]:
    name = cookie.name.lower()
    session = "login" in name or "sess" in name
    if not cookie.secure:
        if cookie.same_site == "none":
            yield "invalid SameSite"
        yield "not secure, but HSTS" if hsts else "not secure"
        if session:
            yield "session not secure, but HSTS" if hsts else "session not secure"
    if "csrf" in name and not cookie.same_site:
        yield "CSRF without SameSite"
    if session and not cookie.http_only:
        yield "session without HttpOnly"


def _has_invalid_same_site(line: str) -> bool:
    for part in line.split(";"):
        name, _, value = part.partition("=")
        if name.strip().lower() == "samesite" and value.partition("=")[0].strip().lower() not in SAME_SITE:
            return True
    return False


def _read(line: str, host: str) -> Cookie | None:
    """A Set-Cookie line for `https://host/`; None where a browser drops it."""
    first, *rest = line.split(";")
    name, equals, _ = first.strip().partition("=")
    name = name.strip()
    if not (name and equals):
        return None
    attributes = {}
    for part in rest:
        key, _, value = part.partition("=")
        attributes[key.strip().lower()] = value.strip()
    domain = attributes.get("domain", "").removeprefix(".").lower()
    if domain and domain != host and not host.endswith("." + domain):
        return None
    path = attributes.get("path", "")
    secure = "secure" in attributes
    if name.startswith("__Secure-") and not secure:
        return None
    path = path if path.startswith("/") else "/"
    if name.startswith("__Host-") and (not secure or domain or path != "/"):
        return None
    same_site = attributes.get("samesite", "").lower()
    return Cookie(
        name=name,
        domain=domain or host,
        path=path,
        secure=secure,
        http_only="httponly" in attributes,
        same_site=same_site if same_site in SAME_SITE else "",
    )
