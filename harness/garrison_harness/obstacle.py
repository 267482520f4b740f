"""What keeps an audit from the page that it is to judge.

Checks compare what they provoke with the page itself. Where that is refused hardly anything can be found
out, and an audit that finds nothing would look as if all were well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from garrison_harness.exchange import Exchange

_ANOTHER_PAGE = "name a page that answers with --path"
_ADVICE = {
    400: f"name the host that the app expects with --host, or {_ANOTHER_PAGE}",
    401: "a page without login is needed: name one with --path",
    403: "a page without login is needed: name one with --path",
    421: "name a host that the app serves with --host",
    429: "its quota is spent: wait until it is full again, or raise it for the audit",
}


def obstacle(page: Exchange) -> str:
    """What the page answered in place of a success or a redirect, and what to do; empty where it is fine."""
    reply = page.reply
    if reply.failure == "abandoned" or 200 <= (reply.status or 0) < 400:
        return ""
    if reply.status is None or reply.status >= 500:
        advice = "mend it, or name another page with --path"
    else:
        advice = _ADVICE.get(reply.status, _ANOTHER_PAGE)
    return f"{page.request.summary} answered {reply.outcome}; {advice}"
