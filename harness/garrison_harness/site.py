"""What checks know of the app that they ask, and how they word a request to it."""

from __future__ import annotations

import enum
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from garrison_harness.exchange import Exchange, Request
from garrison_harness.route import Route

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


_PERIODS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
# Perhaps a route, as rules of quotas have it: `POST /login: 5/minute`.
_QUOTA = re.compile(
    r"\s*(?:(?:(?P<method>GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)\s+)?(?P<path>/[!-~]*?)\s*:\s*)?"
    r"(?P<limit>\d+)\s*(?:/|[Pp][Ee][Rr])\s*(?P<many>\d*)\s*(?P<unit>(?i:second|minute|hour|day))[Ss]?\s*"
)


class Need(enum.Enum):
    """What a check cannot do without; the value says what to do about it."""

    ERROR_PATH = "no route that raises is known: name one with --error-path"
    QUOTA = "no quota is declared: declare the app's with --quota, such as 5/minute"
    SLOW_PATH = "no route that takes its time is known: name one with --slow-path"
    TIME_LIMIT = "no bound on the time of a handler is declared: declare it with --time-limit, in seconds"
    CONCURRENCY = "no bound on requests at the same time is declared: declare the app's with --concurrency"
    HTTPS = "the target does not speak https: give an https URL"
    ADDRESSES = "there is one address to speak from, so nobody can speak as a stranger"
    SOCKET = (
        "the app is driven in process, where there is no connection and no process of its own:"
        " run without --in-process"
    )
    INSTANCE = "the target was not started here, so it cannot be stopped: give module:attribute or a command"
    LOGS = "the target was not started here, so its log is not known: give module:attribute or a command"
    DOCUMENT = "no OpenAPI document is known: name it with --openapi"
    ROUTES = "no route is known but the page: name the OpenAPI document with --openapi"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How many requests a client may make.

    Attributes:
        limit: The number of requests.
        period: The time they are counted over, in seconds.
        method: Of the route that it is for; empty where nobody says, or where it is for all requests.
        path: The route that it is for, as the app declares it or a client writes it; empty for all requests.
    """

    limit: int
    period: int
    method: str = ""
    path: str = ""

    @property
    def route(self) -> str:
        """The route that it is for, as one reads it; empty for all requests."""
        return f"{self.method} {self.path}".strip()

    @classmethod
    def parse(cls, text: str) -> Quota:
        """Read `5/minute`, `100 per 15 minutes` or `POST /login: 5/minute`.

        Raises:
            ValueError: The text is no quota.
        """
        match = _QUOTA.fullmatch(text)
        if match is None or int(match["limit"]) == 0 or int(match["many"] or 1) == 0:
            raise ValueError(f"{text!r} is no quota: write it as 5/minute, 100/hour or POST /login: 5/minute")
        path = match["path"] or ""
        if "*" in path or "?" in path:
            raise ValueError(
                f"{text!r} is no quota of one route: name one that is asked for, such as POST /login"
            )
        return cls(
            limit=int(match["limit"]),
            period=int(match["many"] or 1) * _PERIODS[match["unit"].lower()],
            method=match["method"] or "",
            path=path,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The app under audit, as far as the person told about it.

    Attributes:
        authority: Host and port as a client names them, in the Host header.
        canary: A word that occurs nowhere by itself, new for every audit.
        https: The port speaks TLS.
        path: The page to judge.
        body_path: The route that takes request bodies.
        error_path: A route that raises, if one is known.
        slow_path: A route that takes its time to answer, if one is known.
        quota: What the app declares a client may ask, if anything.
        time_limit: How long the app declares that a handler may take, in seconds, if it does.
        slow_limit: How long it declares that a client may take to send a request, in seconds, if it does.
        concurrency: How many requests it declares to take at the same time, if it does.
        max_body: The largest body that the app declares to take, in bytes.
        told_max_body: Somebody declared that; otherwise it is what most apps can do with.
        addresses: Requests can come from loopback addresses of their own; without them checks take turns.
        directory: Where the app was started; that path has no business in a reply. Empty for a URL.
        headers: Lines that every request carries beside its own, such as those of a login.
        entry: How the audit logged in, if it did. It holds secrets, so that no report has it whole.
        routes: What the app serves, as far as it is known.
        document: Its OpenAPI document, if one is known.
        sockets: Requests go over connections; in process they do not.
        started: The target was started here, so that it can be stopped and its log read.
        unread: Why nothing is known of what it serves, where finding that out failed.
    """

    authority: str
    canary: str
    https: bool = False
    path: str = "/"
    body_path: str = "/"
    error_path: str | None = None
    slow_path: str | None = None
    quota: Quota | None = None
    time_limit: float | None = None
    slow_limit: float | None = None
    concurrency: int | None = None
    max_body: int = 10_000_000
    told_max_body: bool = True
    addresses: bool = True
    directory: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    entry: tuple[Exchange, ...] = ()
    routes: tuple[Route, ...] = ()
    document: Mapping[str, object] | None = None
    sockets: bool = True
    started: bool = True
    unread: str = ""

    @property
    def host(self) -> str:
        """The host without the port and without brackets."""
        return urlsplit(f"//{self.authority}").hostname or ""

    @property
    def has_public_name(self) -> bool:
        """Whether a client reaches the app by a name that other machines could know."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return False
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return bool(self.host)
        return False

    @property
    def missing_path(self) -> str:
        """A path that no app serves."""
        return f"/{self.canary}"

    @property
    def twin_path(self) -> str:
        """The page's path with a slash more or less, which many routers answer with a redirect."""
        return self.path.rstrip("/") if self.path != "/" and self.path.endswith("/") else f"{self.path}/"

    def lacking(self, needs: Iterable[Need]) -> list[str]:
        """What this site cannot give of what a check needs, each with what to do about it.

        Args:
            needs: Of the check.
        """
        # In process there is no port, no log and nothing to stop, for one and the same reason.
        bare = {Need.INSTANCE, Need.LOGS} if not self.sockets else set()
        lacks = [Need.SOCKET if need in bare else need for need in needs if self._lacks(need)]
        unknown = {Need.DOCUMENT, Need.ROUTES} if self.unread else set()
        return [self.unread if need in unknown else need.value for need in dict.fromkeys(lacks)]

    def _lacks(self, need: Need) -> bool:
        return {
            Need.ERROR_PATH: self.error_path is None,
            Need.QUOTA: self.quota is None,
            Need.SLOW_PATH: self.slow_path is None,
            Need.TIME_LIMIT: self.time_limit is None,
            Need.CONCURRENCY: self.concurrency is None,
            Need.HTTPS: not self.https,
            Need.ADDRESSES: not self.addresses,
            Need.SOCKET: not self.sockets,
            Need.INSTANCE: not (self.started and self.sockets),
            Need.LOGS: not (self.started and self.sockets),
            Need.DOCUMENT: self.document is None,
            Need.ROUTES: not self.routes,
        }[need]

    def head(self, method: str, target: str, headers: Sequence[tuple[str, str]] = ()) -> bytes:
        """The request line and the header block.

        A header given here replaces the usual one of its name, and that of the site; an empty value leaves
        the header out.
        """
        usual = (
            ("Host", self.authority),
            ("User-Agent", "garrison-check"),
            ("Accept", "*/*"),
            ("Connection", "close"),
            *self.headers,
        )
        given = {name.lower() for name, _ in headers}
        lines = [(name, value) for name, value in usual if name.lower() not in given]
        block = "".join(f"{name}: {value}\r\n" for name, value in (*lines, *headers) if value)
        return f"{method} {target} HTTP/1.1\r\n{block}\r\n".encode("latin-1")

    def request(
        self,
        method: str,
        target: str,
        headers: Sequence[tuple[str, str]] = (),
        *,
        body: bytes | None = None,
        plain: bool = True,
        linger: float = 0.0,
        voice: int | None = None,
    ) -> Request:
        """A well-formed request; a body brings its Content-Length."""
        if body is not None:
            headers = (*headers, ("Content-Length", str(len(body))))
        return Request(
            method=method,
            target=target,
            pieces=(self.head(method, target, headers) + (body or b""),),
            plain=plain,
            linger=linger,
            voice=voice,
        )

    def get(
        self, target: str, headers: Sequence[tuple[str, str]] = (), *, voice: int | None = None
    ) -> Request:
        """An ordinary GET."""
        return self.request("GET", target, headers, voice=voice)
