"""The reply to a login is a reply: the cookies that only it sets are judged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from garrison_harness.in_process import Hosted
from garrison_harness.login.entering import Entrance
from garrison_harness.login.settings import Login
from garrison_harness.report import html_report
from garrison_harness.site import Site
from tests.harness.recordings import verdict
from tests.harness.reports import report, results

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from garrison_harness.asgi_call import App

SESSION = "a1b2c3d4e5f6a7b8c9d0"
PASSWORD = "in-plain-words"
LOGIN = Login(path="/login", json={"name": "audit", "password": PASSWORD}, verify="/")
SAFE = f"session={SESSION}; Path=/; HttpOnly; SameSite=Lax"


def shop(cookie: str) -> App:
    """An app of which the login alone sets a cookie: this one."""

    async def app(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body"):
            pass
        headers = [(b"set-cookie", cookie.encode())] if scope["path"] == "/login" else []
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})

    return app


def entered(cookie: str) -> Site:
    """What is known of the app after the login."""
    with Hosted(shop(cookie)) as running:
        return Entrance(LOGIN).enter(running, Site(authority="shop.test", canary="garrison-1"))


@pytest.mark.parametrize(
    ("name", "cookie", "said"),
    [
        ("C2", f"session={SESSION}; Path=/; SameSite=Lax", "no HttpOnly"),
        ("C3", f"session={SESSION}; Path=/; HttpOnly", "no SameSite"),
        ("C4", f"__Host-{SAFE}", "asks for Secure"),
        ("C5", f"{SAFE}; Domain=example.org", "Domain example.org"),
    ],
)
def test_a_cookie_that_only_the_login_sets_is_judged(name: str, cookie: str, said: str) -> None:
    """Each check that reads its attributes does so, and none is left out for want of a cookie."""
    site = entered(cookie)
    judged, innocent = verdict(name, site=site), verdict(name, site=entered(SAFE))

    assert [said in found.message for found in judged.findings] == [True]
    assert (innocent.status, innocent.findings) == ("passed", ())
    assert verdict(name, site=replace(site, entry=())).status == "not run"


def test_the_finding_names_the_login_and_gives_nothing_away() -> None:
    """Neither the password nor the session is in the report, even where nobody said that they are secret."""
    judged = verdict("C2", site=entered(f"session={SESSION}; Path=/; SameSite=Lax"))
    (found,) = judged.findings
    shown = html_report.render(report(results(C2=judged)))

    assert (found.location.method, found.location.target) == ("POST", "/login")
    assert found.evidence == ("POST /login -> 200", "set-cookie: session=...; path=/; samesite=Lax")
    assert "POST /login" in shown
    assert PASSWORD not in shown
    assert SESSION not in shown
