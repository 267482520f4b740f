"""A user that visits pages as a browser does."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import urljoin

from gevent.pool import Pool
from locust import between, task

from garrison_harness.load.driving.users.http_user import HttpUser, shortened
from garrison_harness.load.protocols.browser_cache import Cache
from garrison_harness.load.protocols.pages import MOST_LINKS, Page, path_on_site, read_page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from locust.env import Environment

_CONNECTIONS: Final = 6
_REDIRECTS: Final = 5
_MOST_KNOWN: Final = 1_000
_PAGES: Final = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
_ASSETS: Final = {"Accept": "*/*"}


class BrowserUser(HttpUser):
    """Opens pages with all that belongs to them, follows links of the site, and asks again for what it has.

    A visit is one session: cookies come back, and what is in the cache is asked for with its validators, or
    not at all while it is fresh. After some pages it ends, and the next one begins with nothing.

    An error is a reply from 500 on or none at all, a 304 that nobody asked for, and an asset that is gone
    although it was there before. Other refusals (401, 403, 404, 429) are the app's good right.

    Attributes:
        pages: How many pages there are to a visit.
    """

    abstract = True
    wait_time = between(0.2, 1.0)
    concurrency = _CONNECTIONS
    tags = ("browser",)
    pages: ClassVar[int] = 10

    _known_assets: ClassVar[set[str]] = set()

    def __init__(self, environment: Environment) -> None:
        """Arrive.

        Args:
            environment: Locust's.
        """
        super().__init__(environment)
        self._visited = 0
        self._links: list[str] = []
        self._cache = Cache()

    @task
    def visit(self) -> None:
        """Open the start page, or one that a page before has led to."""
        if self._visited >= self.pages:
            self._arrive()
        self._visited += 1
        if self._links and self._visited > 1:
            self.open(random.choice(self._links), "linked page")  # noqa: S311 - no secret
        else:
            self.open(self.path, "start page")

    def open(self, path: str, name: str) -> None:
        """Open a page with all that belongs to it.

        Args:
            path: Of the page.
            name: What it is counted under.
        """
        for _ in range(_REDIRECTS):
            reply = self._fetch(path, name, _PAGES)
            location = (reply.headers or {}).get("location") or ""
            if not 300 <= reply.status_code < 400 or not location:
                break
            onward = path_on_site(location, self._url(path))
            if onward is None:
                break
            path, name = onward, "redirected page"
        kept = self._cache.get(path)
        page = self._read(reply, path) if kept is None or reply.status_code == 200 else kept.page
        self._links = list(dict.fromkeys([*page.links, *self._links]))[:MOST_LINKS]
        now = time.monotonic()
        wanted = [
            asset
            for asset in page.assets
            if (had := self._cache.get(asset)) is None or had.fresh_until <= now
        ]
        self._fetch_side_by_side(wanted)

    def fault_in(self, reply: Any, path: str, headers: Mapping[str, str]) -> str | None:
        """See the class."""
        if reply.status_code == 304 and not {"If-None-Match", "If-Modified-Since"} & set(headers):
            return f"304 to a request that did not ask for it, at {shortened(path)}"
        if reply.status_code in {404, 410} and path in self._known_assets:
            return f"HTTP {reply.status_code} for an asset that was there before, {shortened(path)}"
        return None

    def _arrive(self) -> None:
        self._visited, self._links, self._cache = 0, [], Cache()
        self.client.cookiejar.clear()

    def _fetch_side_by_side(self, paths: list[str]) -> None:
        pool = Pool(_CONNECTIONS)
        try:
            for path in paths:
                pool.spawn(self._fetch_asset, path)
            pool.join()
        finally:
            # Whoever ends this user ends what it fetches.
            pool.kill()

    def _fetch_asset(self, path: str) -> None:
        reply = self._fetch(path, "asset", _ASSETS)
        if reply.status_code == 200 and len(self._known_assets) < _MOST_KNOWN:
            self._known_assets.add(path)

    def _fetch(self, path: str, name: str, headers: Mapping[str, str]) -> Any:
        kept = self._cache.get(path)
        asked = {**headers, **(kept.validators if kept is not None else {})}
        kind = "asset" if name == "asset" else "page"
        reply = self.ask(path, name=name, headers=asked, tags=(kind,))
        found, now = reply.headers or {}, time.monotonic()
        if reply.status_code == 200:
            page = self._read(reply, path) if kind == "page" else Page()
            self._cache.keep(path, found, now, page)
        elif reply.status_code == 304:
            self._cache.confirm(path, found, now)
        return reply

    def _read(self, reply: Any, path: str) -> Page:
        kind = (reply.headers or {}).get("content-type") or ""
        if reply.status_code != 200 or "html" not in kind:
            return Page()
        return read_page(reply.text or "", self._url(path))

    def _url(self, path: str) -> str:
        return urljoin(str(self.host), path)
