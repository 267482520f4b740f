"""Logs a load in to the target, as `[tool.garrison.login]` says, for who is behind a login."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison_harness.login.entering import Entrance
from garrison_harness.site import Site

if TYPE_CHECKING:
    from garrison_harness.login.settings import Login
    from garrison_harness.running import Running

Headers = tuple[tuple[str, str], ...]


def logged_in(up: Running, headers: Headers, login: Login | None) -> Headers:
    """The lines of every request to one start of a target, with what a login to that start yields.

    Args:
        up: The target; another start of it knows nothing of the session with this one.
        headers: The lines that were given.
        login: How to log in; None where nobody does.

    Raises:
        UsageFault: The login failed; the text says what was sent and what came back.
    """
    if login is None:
        return headers
    host = f"[{up.host}]" if ":" in up.host else up.host
    site = Site(authority=f"{host}:{up.port}", canary="garrison", https=up.https, headers=headers)
    return Entrance(login).enter(up, site).headers
