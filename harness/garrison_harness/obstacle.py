"""What keeps an audit from the page that it is to judge.

Checks compare what they provoke with the page itself. Where that is refused hardly anything can be found
out, and an audit that finds nothing would look as if all were well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from garrison_harness.checks.denial import turns_away
from garrison_harness.finding import printable

if TYPE_CHECKING:
    from garrison_harness.exchange import Exchange, Reply
    from garrison_harness.site import Site

_ANOTHER_PAGE = "name a page that answers with --path"
_LOGIN = "log in with --header or with the login of [tool.garrison], or name a page without one with --path"
_ADVICE = {
    400: f"name the host that the app expects with --host, or {_ANOTHER_PAGE}",
    401: _LOGIN,
    403: _LOGIN,
    421: "name a host that the app serves with --host",
    429: "its quota is spent: wait until it is full again, or raise it for the audit",
}
_LONGEST = 80  # characters of an address
_ONLY_HTTPS = re.compile(r"\b(https only|only (over|via) https|(https|tls|ssl) is required)\b", re.IGNORECASE)
_OVER_HTTPS = (
    "the app insists on https: give the URL of the proxy in front of it (garrison check https://127.0.0.1"
    " --host NAME), or audit it with GARRISON_HOSTS_HTTPS=off where that is what insists"
)


def obstacle(page: Exchange, site: Site) -> str:
    """What the page answered in place of a success or a redirect, and what to do; empty where it is fine.

    A redirect to a login is a refusal, as a 401 is.
    """
    reply = page.reply
    if not site.https and _wants_https(reply, site):
        return f"{page.request.summary} answered {reply.outcome}; {_OVER_HTTPS}"
    if reply.failure == "abandoned":
        return ""
    if 200 <= (reply.status or 0) < 400:
        if not turns_away(reply):
            return ""
        there = printable(reply.get("location"), _LONGEST)
        return f"{page.request.summary} answered {reply.outcome} and leads to {there}; {_LOGIN}"
    if reply.status is None or reply.status >= 500:
        advice = "mend it, or name another page with --path"
    else:
        advice = _ADVICE.get(reply.status, _ANOTHER_PAGE)
    return f"{page.request.summary} answered {reply.outcome}; {advice}"


def _wants_https(reply: Reply, site: Site) -> bool:
    """Whether a reply over plain http says, by redirect or in words, that the same is served over https."""
    status = reply.status or 0
    if 300 <= status < 400:
        try:
            target = urlsplit(reply.get("location"))
        except ValueError:
            return False
        return target.scheme == "https" and target.hostname == site.host
    return 400 <= status < 500 and _ONLY_HTTPS.search(reply.text) is not None
