"""Logging in before an audit: what is sent along afterwards, what is said if it fails, and what is hidden."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from garrison_harness.checks.inputs import anonymous
from garrison_harness.cli import check
from garrison_harness.configuration.command import login_of
from garrison_harness.finding import judged
from garrison_harness.in_process import Hosted
from garrison_harness.login.cookie_jar import CookieJar
from garrison_harness.login.entering import Entrance
from garrison_harness.login.form_page import login_form
from garrison_harness.login.settings import Login
from garrison_harness.report import html_report
from garrison_harness.report.hiding import Secrets
from garrison_harness.site import Site
from garrison_harness.target import UsageFault
from tests.harness import commands
from tests.harness.apps import login_app
from tests.harness.commands import APPS
from tests.harness.reports import FOUND, report, results

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = login_app.PASSWORD
FORM = Login(
    path="/login",
    page="/login",
    form=(("username", "audit"), ("password", PASSWORD)),
    verify="/account",
    secrets=(PASSWORD,),
)
TOKEN = Login(
    path="/token",
    json={"username": "audit", "password": PASSWORD},
    token="/data/access~1token",
    verify="/account",
    secrets=(PASSWORD,),
)


@pytest.fixture(scope="module")
def hosted() -> Iterator[Hosted]:
    """The site, in this process."""
    with Hosted(login_app.app) as running:
        yield running


SITE = Site(authority="garrison.test", canary="garrison-1", path="/account")


def entered(hosted: Hosted, login: Login, site: Site = SITE) -> Site:
    """The site after the login."""
    return Entrance(login).enter(hosted, site)


def failure(hosted: Hosted, login: Login) -> str:
    """What is said of a login that fails."""
    with pytest.raises(UsageFault) as caught:
        entered(hosted, login)
    return str(caught.value)


def test_a_form_is_sent_with_its_hidden_fields_and_cookies(hosted: Hosted) -> None:
    """Those of the search on the same page are not, and the session goes with every request."""
    site = entered(hosted, FORM)

    (line,) = [value for name, value in site.headers if name == "Cookie"]
    assert {part.partition("=")[0] for part in line.split("; ")} == {"csrf", "session"}
    assert line.encode() in site.head("GET", "/account")


def test_a_token_is_taken_from_where_the_pointer_says(hosted: Hosted) -> None:
    """With the escapes of RFC 6901."""
    site = entered(hosted, TOKEN)

    ((name, value),) = site.headers
    assert name == "Authorization"
    assert value.removeprefix("Bearer ") in login_app.TOKENS


def test_what_asks_as_a_stranger_still_does(hosted: Hosted) -> None:
    """A check that compares with and without leaves out both kinds of credential."""
    for login in (FORM, TOKEN):
        site = entered(hosted, login)
        sent = site.head("GET", "/account", anonymous(site))
        assert b"Cookie" not in sent
        assert b"Authorization" not in sent


def test_headers_that_were_given_stay(hosted: Hosted) -> None:
    """Cookies are put together in one line, in which the login's win."""
    given = (("Cookie", "theme=dark; csrf=old"), ("X-A", "b"), ("authorization", "Basic eDp5"))
    site = entered(hosted, FORM, replace(SITE, headers=given))
    token = entered(hosted, TOKEN, replace(SITE, headers=given))

    assert ("X-A", "b") in site.headers
    assert ("authorization", "Basic eDp5") in site.headers
    (line,) = [value for name, value in site.headers if name == "Cookie"]
    assert line.startswith("theme=dark; csrf=")
    assert "csrf=old" not in line
    assert [name for name, _ in token.headers] == ["X-A", "Cookie", "Authorization"]


def test_without_a_login_nothing_is_asked(hosted: Hosted) -> None:
    """The site stays as it is."""
    assert Entrance(None).enter(hosted, SITE) is SITE


@pytest.mark.parametrize(
    ("login", "said"),
    [
        (
            replace(
                TOKEN, json={"username": "audit", "password": "wrong password"}, secrets=("wrong password",)
            ),
            'POST /token (with username, password) answered 401: {"detail": "[hidden] is wrong"};',
        ),
        (
            replace(FORM, form=(("username", "audit"), ("password", "no"))),
            "(with csrf, next, username, password) answered 200 with a form that asks for a password again",
        ),
        (
            replace(FORM, path="/strict-login", form=(("username", "audit"), ("password", "no"))),
            "answered 303 back to the login: /login",
        ),
        (replace(FORM, page=None), "POST /login (with username, password) answered 403: forged;"),
        (replace(FORM, page="/nowhere"), "its page GET /nowhere answered 404"),
        (replace(FORM, page="/"), "its page GET / has no form"),
        (replace(FORM, verify="/nowhere"), "but GET /nowhere with what it gave answered 404"),
        (
            replace(TOKEN, token="/data/token"),
            "answered 200 and no token at /data/token: it has access/token;",
        ),
        (replace(TOKEN, token="/data"), "answered 200 and no string at /data"),
        (replace(TOKEN, token=None, verify=None), "answered 200 and set no cookie"),
        (
            Login(path="/", method="GET", token="/a"),
            "GET / answered 200 and no JSON, where a token is expected at /a",
        ),
    ],
)
def test_a_login_that_fails_says_what_was_sent_and_what_came(hosted: Hosted, login: Login, said: str) -> None:
    """In the names of fields and never in their values, instead of a run of wrong results."""
    found = failure(hosted, login)

    assert found.startswith("the login failed: ")
    assert said in found
    assert PASSWORD not in found


def test_every_start_of_the_app_is_logged_in_to_anew(hosted: Hosted) -> None:
    """With the headers of the beginning, since it knows nothing of the session with another."""
    entrance = Entrance(FORM)
    first = entrance.enter(hosted, SITE)
    login_app.SESSIONS.clear()
    second = entrance.enter(hosted, first)

    values = [dict(site.headers)["Cookie"].partition("session=")[2] for site in (first, second)]
    assert values[0] != values[1]
    assert values[1] in login_app.SESSIONS
    assert {*values, PASSWORD} <= set(entrance.secrets.values)
    assert entrance.secrets.cookies == ("csrf", "session")


def test_cookies_that_a_reply_ends_are_gone() -> None:
    """By Max-Age, or else by a day that is over."""
    jar = CookieJar()
    jar.take(
        ["a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "b=1; Path=/", "c=1", "d=1", " e = 2 "]
    )
    jar.take(
        ["b=; Max-Age=0", "c=x; expires=Thu, 01 Jan 1970 00:00:00 GMT", "d=2; Expires=nonsense", "=", "x"]
    )

    assert jar.line() == "a=1; d=2; e=2"


PAGE = """
<form action="/search"><input type=hidden name=a value=1><input name=q></form>
<form action="/newsletter"><input type=hidden name=b value=2><input name=email></form>
<form action="/in"><input type=hidden name=c value=3><input name=email><input type=password name=pass></form>
<input type=hidden name=stray value=4>
"""


@pytest.mark.parametrize(
    ("path", "names", "hidden"),
    [
        ("/in", ["email", "pass"], [("c", "3")]),
        ("/newsletter", ["email"], [("b", "2")]),
        ("/elsewhere", ["unknown"], [("c", "3")]),
        ("/elsewhere", ["q"], [("a", "1")]),
    ],
)
def test_the_form_of_the_login_is_found_among_others(
    path: str, names: list[str], hidden: list[tuple[str, str]]
) -> None:
    """By its fields, then by where it goes, then by asking for a password."""
    form = login_form(PAGE, at="/start", path=path, names=names)

    assert form is not None
    assert form.hidden == hidden
    assert login_form("<p>none", at="/", path="/", names=[]) is None


def test_secrets_are_hidden_in_all_that_was_recorded() -> None:
    """In any header, in the content, in what a line was cut off at, and under another value of a cookie."""
    secrets = Secrets(cookies=("session",)).and_more(["abcdefghijklmnop", ""])
    exchange = FOUND.exchange
    assert exchange is not None
    request = replace(
        exchange.request, pieces=(b"GET / HTTP/1.1\r\nCookie: session=zzz\r\n\r\nabcdefghijklmnop", 1.5)
    )
    reply = replace(
        exchange.reply,
        headers=(("Set-Cookie", "session=abcdefghijklmnop; Path=/"), ("X-A", "abcdefghijklmnop")),
        body="\u00fcabcdefghijklmnop".encode(),
    )
    hidden = secrets.hide_exchange(replace(exchange, request=request, reply=reply))

    assert hidden.request.pieces == (b"GET / HTTP/1.1\r\nCookie: session=[hidden]\r\n\r\n[hidden]", 1.5)
    assert hidden.reply.headers == (("Set-Cookie", "session=[hidden]; Path=/"), ("X-A", "[hidden]"))
    assert hidden.reply.body == "\u00fc[hidden]".encode()
    assert secrets.hide("token: abcdefghij...") == "token: [hidden]"
    assert secrets.hide("token: abcdefg...") == "token: abcdefg..."
    assert secrets.hide("my-session=1; session=2") == "my-session=1; session=[hidden]"
    assert Secrets().hide_exchange(exchange) is exchange


def test_an_audit_behind_a_login_shows_no_secret_in_any_form(tmp_path: Path) -> None:
    """The account is judged, by targets of their own too, and neither password nor session is in a report."""
    shutil.copy(APPS / "login_app.py", tmp_path)
    forms = ("text", "json", "sarif", "junit", "html", "markdown", "github")
    reports = ", ".join(f'{form} = "out.{form}"' for form in forms)
    (tmp_path / "pyproject.toml").write_text(
        f"""
        [tool.garrison]
        target = "login_app:app"
        path = "/account"
        body-path = "/notes"
        select = ["H", "C", "G1"]
        reports = {{ {reports} }}
        [tool.garrison.login]
        path = "/login"
        page = "/login"
        form = {{ username = "audit", password = "${{AUDIT_PASSWORD}}" }}
        verify = "/account"
        """
    )

    ran = commands.check(cwd=tmp_path, AUDIT_PASSWORD=PASSWORD)

    found: dict[str, Any] = json.loads((tmp_path / "out.json").read_text())
    statuses = {one["id"]: one["status"] for one in found["checks"]}
    assert ran.status == 1, ran.stderr
    # Only somebody who is logged in sees a page at all.
    assert statuses["H2"] == "failed"
    # And only who is logged in to the second start of the app can leave a note there.
    assert statuses["G1"] == "passed"
    sessions = _sessions("".join((tmp_path / f"out.{form}").read_text() for form in forms))
    assert sessions == {"[hidden]"}
    for form in forms:
        text = (tmp_path / f"out.{form}").read_text()
        assert PASSWORD not in text
        assert PASSWORD.replace(" ", "+") not in text


def test_a_command_that_sends_a_request_again_has_no_secret_however_it_is_quoted() -> None:
    """A quote in a secret is written in another way for a shell, and hidden before that."""
    exchange = FOUND.exchange
    assert exchange is not None
    sent = b"GET /a HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nX-Key: it's-a-secret\r\n\r\n"
    found = replace(FOUND, exchange=replace(exchange, request=replace(exchange.request, pieces=(sent,))))
    page = html_report.render(report(results(E1=judged((found,))), headers=(("X-Key", "it's-a-secret"),)))

    assert "X-Key: [hidden]" in page
    assert "s-a-secret" not in page


STUCK = """
import asyncio, pathlib

async def app(scope, receive, send):
    if scope["type"] == "http" and scope["method"] == "POST":
        pathlib.Path("asked").touch()
        await asyncio.sleep(60)
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
"""


def test_a_login_that_is_interrupted_did_not_fail(tmp_path: Path) -> None:
    """Whoever ends the tool while the app takes its time hears that it was interrupted, and at once."""
    (tmp_path / "stuck.py").write_text(STUCK)
    (tmp_path / "pyproject.toml").write_text("[tool.garrison.login]\npath = '/login'\n")
    tool = subprocess.Popen(
        commands.command("--select", "H1", "stuck:app"),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        asked = commands.wait_until((tmp_path / "asked").exists, 20)
        tool.send_signal(signal.SIGTERM)
        _, said = tool.communicate(timeout=20)
    finally:
        tool.kill()
        tool.wait()

    assert asked
    assert (tool.returncode, said) == (4, "garrison: interrupted\n")


GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "audit-behind-a-login.md"


def test_the_guide_shows_what_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its form logs in to a site like its own, its other tables are read, and its complaint is ours."""
    text = GUIDE.read_text(encoding="utf-8")
    first, *others = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    shutil.copy(APPS / "login_app.py", tmp_path)
    (tmp_path / "pyproject.toml").write_text(first.replace("shop.main:app", "login_app:app"))
    ran = commands.check("--in-process", "--select", "H2", cwd=tmp_path, AUDIT_PASSWORD=PASSWORD)
    monkeypatch.setenv("AUDIT_PASSWORD", "a")
    monkeypatch.setenv("API_TOKEN", "b")
    monkeypatch.chdir(tmp_path)
    shown = []
    for other in others:
        (tmp_path / "pyproject.toml").write_text(other)
        shown.append(login_of(check.make_context("check", ["x:app"])))

    assert "FAIL  H2" in ran.stdout, ran.stderr
    assert shown[0] is not None
    assert (shown[0].token, shown[1]) == ("/data/access_token", None)
    assert "the login failed: POST /api/token (with username, password) answered 401 Unauthorized: {" in text


def _sessions(text: str) -> set[str]:
    """Every value that a session has in a text."""
    return {part.split(";")[0].split("&")[0].split("'")[0].split()[0] for part in text.split("session=")[1:]}


def test_a_login_that_fails_ends_the_audit_with_one_line(tmp_path: Path) -> None:
    """Exit status 2, and the app does not stay behind."""
    shutil.copy(APPS / "login_app.py", tmp_path)
    (tmp_path / "pyproject.toml").write_text(
        """
        [tool.garrison.login]
        path = "/token"
        json = { username = "audit", password = "${AUDIT_PASSWORD}" }
        token = "/data/access~1token"
        """
    )

    ran = commands.check("--select", "H1", "login_app:app", cwd=tmp_path, AUDIT_PASSWORD="not-the-right-one")

    assert ran.status == 2
    assert ran.error_line.startswith(
        "garrison: the login failed: POST /token (with username, password) answered 401"
    )
    assert "not-the-right-one" not in ran.error_line
