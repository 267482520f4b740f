"""Logs the audit in, so that its requests come from somebody with an account."""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import urlencode, urljoin, urlsplit

from garrison_harness import interruption
from garrison_harness.finding import printable
from garrison_harness.login.cookie_jar import CookieJar
from garrison_harness.login.form_page import forms_of, login_form
from garrison_harness.probe import Budget
from garrison_harness.report.hiding import Secrets
from garrison_harness.stage import Stage
from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from garrison_harness.exchange import Reply, Request
    from garrison_harness.login.settings import Login
    from garrison_harness.site import Site
    from garrison_harness.stage import Reached

_SECONDS: Final = 20.0
_REQUESTS: Final = 10
_NUMBER: Final = 252  # under which nobody else speaks
_VOICE: Final = 1  # a session may be bound to the address that it began at
_EXCERPT: Final = 120
_SHORTEST: Final = 8  # letters; a shorter one is found in innocent words too
_FIX: Final = "check the login in the file"


class Entrance:
    """The way into an app, for the first start of it and for every other.

    Attributes:
        secrets: All that the logins gave away or yielded, for reports to hide.
    """

    def __init__(self, login: Login | None) -> None:
        """Take the login; without one nothing is asked."""
        self._login = login
        self._lock = threading.Lock()
        self._headers: tuple[tuple[str, str], ...] | None = None
        self.secrets = Secrets(values=login.secrets if login else ())

    def enter(self, reached: Reached, site: Site) -> Site:
        """The site with the lines that a login yields among those of every request.

        Args:
            reached: The target, which answers.
            site: What is known of it.

        Raises:
            UsageFault: The login failed; the text says what was sent and what came back.
        """
        if self._login is None:
            return site
        with self._lock:
            # A second start of the app knows nothing of the session with the first.
            self._headers = site.headers if self._headers is None else self._headers
        site = replace(site, headers=self._headers)
        budget = Budget(deadline=time.monotonic() + _SECONDS, requests=_REQUESTS)
        block = f"127.{20 + os.getpid() % 200}"
        asker = reached.asker(site.host, budget)
        stage = Stage(site=site, asker=asker, budget=budget, number=_NUMBER, block=block)
        attempt = _Attempt(self._login, stage)
        entered = attempt.enter()
        with self._lock:
            self.secrets = self.secrets.and_more(attempt.secrets(), tuple(attempt.jar.values))
        return entered


class _Attempt:
    """One login."""

    def __init__(self, login: Login, stage: Stage) -> None:
        self.jar = CookieJar()
        self._login = login
        self._stage = stage
        self._site = stage.site
        self._origin = f"{'https' if stage.site.https else 'http'}://{stage.site.authority}"
        self._token = ""
        self._hidden: list[tuple[str, str]] = []

    def enter(self) -> Site:
        login = self._login
        if login.page is not None:
            self._look(login.page)
        before = dict(self.jar.values)
        reply = self._send()
        self.jar.take(reply.all("set-cookie"))
        self._require_success(reply, before)
        if login.token is not None:
            self._token = self._read_token(reply, login.token)
        entered = replace(self._site, headers=self._lines())
        if login.verify is not None:
            self._require_entrance(entered, login.verify)
        return replace(entered, entry=tuple(self._stage.exchanges.values()))

    def secrets(self) -> tuple[str, ...]:
        """What the app gave to whoever is logged in, as far as it is long enough to be one."""
        given = (self._token, *self.jar.values.values())
        return tuple(value for value in given if len(value) >= _SHORTEST)

    def _look(self, page: str) -> None:
        """Fetch the page as a browser does, for its cookies and hidden fields."""
        reply = self._ask("page", self._site.get(page, voice=_VOICE))
        if reply.status is None or not 200 <= reply.status < 300:
            self._fail(f"its page GET {page} answered {reply.outcome}")
        self.jar.take(reply.all("set-cookie"))
        names = [name for name, _ in self._login.form or ()]
        form = login_form(reply.text, at=page, path=self._login.path, names=names)
        if form is None and self._login.form is not None:
            self._fail(f"its page GET {page} has no form")
        given = set(names)
        self._hidden = [(name, value) for name, value in (form.hidden if form else []) if name not in given]

    def _send(self) -> Reply:
        login = self._login
        lines = [("Cookie", self._cookies())] if self._cookies() else []
        if login.page is not None:
            # Guards against forged requests look at where one comes from.
            lines += [("Origin", self._origin), ("Referer", self._origin + login.page)]
        body: bytes | None = None
        if login.form is not None:
            lines.append(("Content-Type", "application/x-www-form-urlencoded"))
            body = urlencode([*self._hidden, *login.form]).encode()
        elif login.json is not None:
            lines.append(("Content-Type", "application/json"))
            body = json.dumps(login.json).encode()
        elif login.method not in {"GET", "HEAD"}:
            body = b""
        return self._ask(
            "login", self._site.request(login.method, login.path, lines, body=body, voice=_VOICE)
        )

    def _ask(self, label: str, request: Request) -> Reply:
        reply = self._stage.ask(label, request)
        # What was broken off because the tool is to end says nothing of the login.
        interruption.check()
        return reply

    def _cookies(self) -> str:
        """The cookies that were given with headers, and those of the jar, which win."""
        jar = CookieJar()
        for name, value in self._site.headers:
            if name.lower() == "cookie":
                jar.take(value.split(";"))
        jar.values.update(self.jar.values)
        return jar.line()

    def _lines(self) -> tuple[tuple[str, str], ...]:
        """The lines of every request from now on."""
        ours = {"cookie": self._cookies(), "authorization": f"Bearer {self._token}" if self._token else ""}
        kept = [(name, value) for name, value in self._site.headers if not ours.get(name.lower())]
        names = {"cookie": "Cookie", "authorization": "Authorization"}
        return (*kept, *((names[name], value) for name, value in ours.items() if value))

    def _require_success(self, reply: Reply, before: dict[str, str]) -> None:
        login, status = self._login, reply.status
        if status is None or status >= 400:
            self._fail(self._answered(reply))
        if 300 <= status < 400 and self._leads_back(reply):
            self._fail(f"{self._answered(reply)} back to the login: {printable(reply.get('location'), 80)}")
        if reply.is_html and status < 300 and any(form.password for form in forms_of(reply.text)):
            self._fail(f"{self._answered(reply)} with a form that asks for a password again")
        if login.token is None and self.jar.values == before:
            self._fail(
                f"{self._answered(reply)} and set no cookie; for a bearer token name its place with token"
            )

    def _leads_back(self, reply: Reply) -> bool:
        try:
            target = urlsplit(urljoin(self._login.path, reply.get("location")))
        except ValueError:
            return False
        pages = {urlsplit(page).path for page in (self._login.path, self._login.page) if page is not None}
        return target.path in pages

    def _read_token(self, reply: Reply, pointer: str) -> str:
        try:
            found: Any = json.loads(reply.body)
        except ValueError:
            self._fail(f"{self._answered(reply)} and no JSON, where a token is expected at {pointer}")
        for part in pointer.split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and name in found:
                found = found[name]
            elif isinstance(found, list) and name.isdigit() and int(name) < len(found):
                found = found[int(name)]
            else:
                # Names only: among the values may be the token.
                names = printable(", ".join(map(str, found)), _EXCERPT) if isinstance(found, dict) else ""
                there = f": it has {names}" if names else ""
                self._fail(f"{self._answered(reply)} and no token at {pointer}{there}")
        if not isinstance(found, str) or not found.isascii() or not found.isprintable() or not found:
            self._fail(f"{self._answered(reply)} and no string at {pointer}")
        return found

    def _require_entrance(self, entered: Site, path: str) -> None:
        reply = self._ask("verify", entered.get(path, voice=_VOICE))
        if reply.status is None or not 200 <= reply.status < 300:
            self._fail(
                f"{self._sent()} was answered, but GET {path} with what it gave answered {reply.outcome}"
            )

    def _answered(self, reply: Reply) -> str:
        return f"{self._sent()} answered {reply.outcome}{self._excerpt(reply)}"

    def _sent(self) -> str:
        """The request in a few words: its fields have names, and no values."""
        login = self._login
        names = [name for name, _ in (*self._hidden, *(login.form or ()))]
        if isinstance(login.json, dict):
            names = [str(name) for name in login.json]
        told = f" (with {', '.join(names)})" if names else ""
        return f"{login.method} {login.path}{told}"

    def _excerpt(self, reply: Reply) -> str:
        """The beginning of a refusal, where it is for programs or a line of text."""
        if reply.is_html or not reply.body or (reply.status or 0) < 400:
            return ""
        known = Secrets().and_more((*self._login.secrets, *self.secrets()))
        return f": {printable(known.hide(' '.join(reply.text.split())), _EXCERPT)}"

    def _fail(self, what: str) -> NoReturn:
        raise UsageFault(f"the login failed: {what}; {_FIX}")
