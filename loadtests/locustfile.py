"""Two kinds of users for any web app: one behaves like a browser, the other like a client of an API.

    locust -f loadtests/locustfile.py --headless --host http://127.0.0.1:8000 -u 5 -t 10s
    garrison load shop:app --locustfile loadtests/locustfile.py --threshold "p95<200ms"

They only send GET, stay on the host they are given, and find their way by what the app itself offers: links
in its pages, and paths in its OpenAPI document. A reply fails from 500 on, or when it is not what it says;
a refusal (401, 403, 404, 429) is the app's good right.
"""

from __future__ import annotations

import json
import random
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from locust import FastHttpUser, between, task

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_LINKS = 50
"""Links that a user remembers."""

OPENAPI_PATHS = ("/openapi.json", "/schema/openapi.json")
"""Where FastAPI and Litestar publish their document."""

PATH_LENGTH = 60
"""Characters of a path that a failure shows."""

# A link to one of these may end the visit, or change something although it is a GET.
LEAVE_ALONE = ("logout", "log-out", "signout", "sign-out", "delete", "remove", "unsubscribe")

MISSING_PATH = "/no-such-page-of-a-load-test"


class LinkFinder(HTMLParser):
    """Collects the `href` of every `<a>` in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the target of a link."""
        if tag == "a" and (target := dict(attrs).get("href")):
            self.targets.append(target)


def links_in(page: str, *, url: str) -> list[str]:
    """Paths of the same site that a page links to, each once, without those that may change something."""
    finder = LinkFinder()
    finder.feed(page)
    here = urlsplit(url)
    found: dict[str, None] = {}
    for target in finder.targets:
        try:
            there = urlsplit(urljoin(url, target.strip()))
        except ValueError:
            continue
        if (there.scheme, there.netloc) != (here.scheme, here.netloc):
            continue
        path = (there.path or "/") + (f"?{there.query}" if there.query else "")
        if path.isascii() and path.isprintable() and not path.startswith("//") and " " not in path:
            found[path] = None
    return [path for path in found if not any(word in path.lower() for word in LEAVE_ALONE)][:MOST_LINKS]


def plain_paths(document: object) -> list[str]:
    """Paths of an OpenAPI document that can be asked for with GET as they stand."""
    paths = document.get("paths") if isinstance(document, dict) else None
    if not isinstance(paths, dict):
        return []
    found = []
    for path, operations in paths.items():
        operation = operations.get("get") if isinstance(operations, dict) else None
        if not isinstance(operation, dict) or "{" in path:
            continue
        parameters = [*(operations.get("parameters") or []), *(operation.get("parameters") or [])]
        if all(map(_may_be_left_out, parameters)):
            found.append(path)
    return found


def _may_be_left_out(parameter: object) -> bool:
    # A reference to a parameter kept elsewhere may be a required one.
    return isinstance(parameter, dict) and not parameter.get("required") and "$ref" not in parameter


class SiteUser(FastHttpUser):
    """What both users share: one connection, no redirects, and when a reply has failed."""

    abstract = True
    concurrency = 1
    network_timeout = 30.0
    connection_timeout = 10.0
    wait_time = between(0.1, 0.5)
    accept = "*/*"

    def ask(self, path: str, name: str, headers: Mapping[str, str] | None = None) -> Any:
        """Send a GET and return the reply; redirects are not followed, because they may leave the host."""
        with self.client.get(
            path,
            name=name,
            headers={"Accept": self.accept, **(headers or {})},
            allow_redirects=False,
            catch_response=True,
        ) as reply:
            if not reply.status_code:
                return reply  # no reply at all: Locust knows why
            if reply.status_code >= 500:
                reply.failure(f"HTTP {reply.status_code} at {shortened(path)}")
            elif _says_json(reply) and reply.status_code != 304 and _parse(reply) is None:
                reply.failure(f"says JSON, and is none, at {shortened(path)}")
            else:
                reply.success()
        return reply


def shortened(path: str) -> str:
    """A path that fits the table of failures, in which Locust counts alike what reads alike."""
    return path if len(path) <= PATH_LENGTH else f"{path[: PATH_LENGTH - 3]}..."


def _says_json(reply: Any) -> bool:
    kind = (reply.headers or {}).get("content-type") or ""
    media_type = kind.partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")


def _parse(reply: Any) -> list[Any] | None:
    """The JSON value of a reply, alone in a list since it may be null; None if it is none."""
    try:
        return [json.loads(reply.content)]
    except (ValueError, TypeError):
        return None


class Browser(SiteUser):
    """Opens the start page, follows links on the same site, and comes back with what it has cached."""

    weight = 3
    accept = "text/html,application/xhtml+xml,*/*;q=0.8"

    def on_start(self) -> None:
        """Arrive with an empty cache."""
        self.links: list[str] = []
        self.etags: dict[str, str] = {}

    @task(3)
    def start_page(self) -> None:
        """Open the start page."""
        self.visit("/", "GET / (page)")

    @task(5)
    def linked_page(self) -> None:
        """Follow a link that was seen on an earlier page."""
        if self.links:
            self.visit(random.choice(self.links), "GET linked page")  # noqa: S311 - no secret
        else:
            self.visit("/", "GET / (page)")

    @task(2)
    def cached_page(self) -> None:
        """Ask again for a page whose ETag is known; without any, for the start page."""
        if self.etags:
            path, etag = random.choice(list(self.etags.items()))  # noqa: S311 - no secret
            self.ask(path, "GET cached page (If-None-Match)", {"If-None-Match": etag})
        else:
            self.visit("/", "GET / (page)")

    @task(1)
    def missing_page(self) -> None:
        """Open a page that does not exist."""
        self.ask(MISSING_PATH, "GET missing page")

    def visit(self, path: str, name: str) -> None:
        """Open a page, and remember its ETag and its links."""
        reply = self.ask(path, name)
        headers = reply.headers or {}
        if etag := headers.get("etag"):
            self.etags[path] = etag
        url = urljoin(str(self.host), path)
        found: list[str] = []
        if location := headers.get("location"):
            found = links_in(f'<a href="{location}">', url=url)
        elif reply.status_code == 200 and "html" in (headers.get("content-type") or ""):
            found = links_in(reply.text or "", url=url)
        self.links = list(dict.fromkeys([*self.links, *found]))[:MOST_LINKS]


class ApiClient(SiteUser):
    """Asks for JSON: the start page, what the OpenAPI document lists, and something that is not there."""

    weight = 1
    accept = "application/json"

    def on_start(self) -> None:
        """Look for an OpenAPI document."""
        self.paths: list[str] = []
        for path in OPENAPI_PATHS:
            reply = self.ask(path, "GET OpenAPI document")
            if reply.status_code == 200 and _says_json(reply) and (document := _parse(reply)):
                self.paths = plain_paths(document[0])
                return

    @task(1)
    def home(self) -> None:
        """Ask for the start page as JSON."""
        self.ask("/", "GET / (JSON)")

    @task(4)
    def resource(self) -> None:
        """Ask for a path of the OpenAPI document; without any, for the start page."""
        if self.paths:
            self.ask(random.choice(self.paths), "GET documented path")  # noqa: S311 - no secret
        else:
            self.ask("/", "GET / (JSON)")

    @task(1)
    def missing(self) -> None:
        """Ask for something that does not exist."""
        self.ask(MISSING_PATH, "GET missing resource")
