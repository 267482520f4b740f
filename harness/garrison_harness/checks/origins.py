"""Origins as browsers name them, and requests as another site makes a browser send them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison_harness.checks.pages import readable_routes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Reply, Request
    from garrison_harness.site import Site

PERMISSION: Final = ("access-control-allow-origin", "access-control-allow-credentials", "vary")
"""The headers that say who may read."""

_MOST_ROUTES: Final = 4
_USUAL_FRONTS: Final = ("http://localhost:3000", "http://localhost")


def own_origin(site: Site) -> str:
    """The origin of the app's own pages."""
    return f"{'https' if site.https else 'http'}://{site.authority}"


def foreign_origin(site: Site) -> str:
    """An origin that nobody can have allowed."""
    return f"https://{site.canary}.example"


def perhaps_trusted(site: Site) -> tuple[str, ...]:
    """Origins that an app may well let read: its own, and those of a front end under development."""
    return tuple(dict.fromkeys((own_origin(site), *_USUAL_FRONTS)))


def look_alikes(origin: str, canary: str) -> dict[str, str]:
    """Origins of strangers that a careless comparison takes for another one, by what is careless in it.

    Args:
        origin: The one that they look like.
        canary: A word that no name holds by itself.
    """
    scheme, _, authority = origin.partition("://")
    host, colon, port = authority.rpartition(":") if not authority.endswith("]") else (authority, "", "")
    if not colon or not port.isdigit():
        host, colon, port = authority, "", ""
    if host.startswith("["):
        return {}
    place = f"{colon}{port}"
    found = {"compared at its beginning": f"{scheme}://{host}.{canary}.example{place}"}
    labels = host.split(".")
    if labels[-1].isdigit():
        return found
    # What stands before the name that somebody has registered is that somebody's to give away.
    if len(labels) > 1:
        found["compared at its end"] = f"{scheme}://{canary}{'.'.join(labels[-2:])}{place}"
    if len(labels) > 2:
        found["where a dot stands for any letter"] = f"{scheme}://{labels[0]}x{'.'.join(labels[1:])}{place}"
    return found


def with_cookie(site: Site, headers: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Header lines with a cookie, as browsers add one by themselves: that of the login, or any."""
    logged_in = any(name.lower() == "cookie" for name, _ in site.headers)
    return [*headers, *([] if logged_in else [("Cookie", f"session={site.canary}")])]


def targets(site: Site) -> dict[str, str]:
    """Where to ask, by the word that labels begin with."""
    found = {"page": site.path}
    if site.body_path != site.path:
        found["body path"] = site.body_path
    for route in readable_routes(site, _MOST_ROUTES):
        found[f"route {route.target}"] = route.target
    return found


def asked_from(site: Site, origin: str, target: str) -> Request:
    """A GET that a script of that origin sends with the user's cookies."""
    return site.get(target, with_cookie(site, [("Origin", origin)]))


def allowed_origin(reply: Reply) -> str:
    """The origin that a reply lets read, empty for none; several are none (Fetch, "CORS check")."""
    return reply.get("access-control-allow-origin")


def allows_credentials(reply: Reply) -> bool:
    """Whether a reply lets that origin read with the user's cookies."""
    return reply.get("access-control-allow-credentials") == "true"


def uses_ambient_credentials(seen: Seen) -> bool:
    """Whether the app is known to trust what browsers add by themselves, so that other sites can use it."""
    given = any(
        name.lower() == "cookie" or (name.lower() == "authorization" and value.lower().startswith("basic"))
        for name, value in seen.site.headers
    )
    return given or any(
        exchange.reply.all("set-cookie") or "basic" in exchange.reply.get("www-authenticate").lower()
        for exchange in (*seen.exchanges.values(), *seen.record)
    )
