"""Asks for the page as a browser does, and has it scored."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from garrison_harness.finding import printable
from garrison_harness.observatory.rating import Https, Rating
from garrison_harness.observatory.scoring import ORIGIN, score
from garrison_harness.probe import Budget
from garrison_harness.stage import Stage

if TYPE_CHECKING:
    from garrison_harness.exchange import Reply
    from garrison_harness.site import Site
    from garrison_harness.stage import Asker, Reached

_SECONDS: Final = 15.0
_REQUESTS: Final = 12
_NUMBER: Final = 253  # under which nobody else speaks
_MOST_REDIRECTS: Final = 5
_ACCEPT: Final = ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
# A name that no loopback app has as its own, from the block kept for examples (RFC 6761 section 6.5).
_PUBLIC_HOST: Final = "site.example"
_NO_SUCH_HOST: Final = frozenset({400, 421})
# What a live scan takes for a site, beside success.
_CLOSED: Final = frozenset({401, 403})
_LONGEST: Final = 120


def rated(reached: Reached, site: Site, *, as_https: bool) -> Rating:
    """Ask for the page, follow it where it leads on the same host, and score what a browser would show.

    Args:
        reached: The target, which answers.
        site: What is known of it.
        as_https: Say what a proxy on this machine says of a client that came over https.
    """
    visit = _Visit(reached, site, as_https=as_https)
    try:
        return visit.rating()
    except Exception as error:  # noqa: BLE001 - a page that cannot be scored must not end the audit
        return visit.none(site.path, f"a fault of the scoring, please report it: {error!r}")


class _Visit:
    def __init__(self, reached: Reached, site: Site, *, as_https: bool) -> None:
        self._https: Https = "real" if site.https else "simulated" if as_https else "none"
        self._scheme = "http" if self._https == "none" else "https"
        budget = Budget(deadline=time.monotonic() + _SECONDS, requests=_REQUESTS)
        block = f"127.{20 + os.getpid() % 200}"
        asker = self._asker(reached, site, budget)
        self._stage = Stage(site=site, asker=asker, budget=budget, number=_NUMBER, block=block)
        self._site = site
        # Browsers, and apps, do not want HSTS for an address (RFC 6797 section 8.1.1).
        public = site.has_public_name or self._https != "simulated"
        self._authority = site.authority if public else _PUBLIC_HOST

    def _asker(self, reached: Reached, site: Site, budget: Budget) -> Asker:
        if self._https == "simulated" and not site.sockets:
            from garrison_harness.in_process import Hosted, InProcess  # noqa: PLC0415 - brings asyncio

            if isinstance(reached, Hosted):
                return InProcess(reached, budget, https=True)
        return reached.asker(site.host, budget)

    def rating(self) -> Rating:
        """The score, or why there is none."""
        target, reply = self._site.path, self._ask("GET", self._site.path)
        if reply.status in _NO_SUCH_HOST and self._authority != self._site.authority:
            self._authority = self._site.authority
            reply = self._ask("GET", target)
        for _ in range(_MOST_REDIRECTS):
            if not 300 <= (reply.status or 0) < 400 or not reply.get("location"):
                break
            try:
                there = urljoin(self._url(target), reply.get("location"))
            except ValueError:
                shown = printable(reply.get("location"), _LONGEST)
                return self.none(target, f"the app sends browsers to {shown}, which is no address")
            if reason := self._elsewhere(there, target):
                return self.none(target, reason)
            parts = urlsplit(there)
            target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
            reply = self._ask("GET", target)
        if reason := _nothing_to_score(reply):
            return self.none(target, f"GET {target} answered {reason}")
        preflight = self._ask("OPTIONS", target)
        found = score(
            _Bytes(reply),
            https=self._https != "none",
            preflight=_Bytes(preflight) if preflight.status else None,
            host=urlsplit(f"//{self._authority}").hostname or "",
        )
        return Rating(url=self._url(target), https=self._https, score=found)

    def _ask(self, method: str, target: str) -> Reply:
        lines = [("Host", self._authority), _ACCEPT]
        if self._https == "simulated":
            lines.append(("X-Forwarded-Proto", "https"))
        if method == "OPTIONS":
            lines += [("Origin", ORIGIN), ("Access-Control-Request-Method", "GET")]
        request = self._site.request(method, target, lines, plain=False)
        # Whom an app believes that a client came over https is a proxy on its own machine.
        near = replace(request, near=self._https == "simulated")
        return self._stage.ask(f"{method} {target} of {self._authority}", near)

    def _elsewhere(self, there: str, target: str) -> str:
        """Why a redirect cannot be followed; empty where it can."""
        parts = urlsplit(there)
        shown = printable(there, _LONGEST)
        own = {self._authority.lower(), self._site.authority.lower()}
        if parts.scheme == "https" and self._https == "none":
            return f"the app sends browsers to {shown}: score it as it is over https, with --as-https"
        if parts.netloc.lower() not in own:
            return f"the app sends browsers elsewhere, to {shown}: name a page of its own with --path"
        if self._https == "simulated" and there == self._url(target):
            return f"the app sends browsers to {shown}, and does not believe a proxy that says https"
        return ""

    def _url(self, target: str) -> str:
        return f"{self._scheme}://{self._authority}{target}"

    def none(self, target: str, reason: str) -> Rating:
        """No score, and why.

        Args:
            target: What was asked for.
            reason: In words.
        """
        return Rating(url=self._url(target), https=self._https, reason=reason)


def _nothing_to_score(reply: Reply) -> str:
    """What a reply is in place of a page; empty where it is one."""
    status = reply.status or 0
    if reply.failure or not (200 <= status < 300 or status in _CLOSED):
        return f"{reply.outcome}: name a page with --path"
    if not reply.is_html:
        return f"{reply.outcome} with {reply.media_type or 'no type'}, which is no page for a browser"
    return ""


class _Bytes:
    """A recorded reply in the bytes that the scoring reads."""

    def __init__(self, reply: Reply) -> None:
        self.status = reply.status or 0
        self.headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
        self.body = reply.body
