"""What checks know of the app that they ask, and how they word a request to it."""

from __future__ import annotations

import enum
import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from garrison_harness.exchange import Request

if TYPE_CHECKING:
    from collections.abc import Sequence

_PERIODS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_QUOTA = re.compile(r"\s*(\d+)\s*(?:/|per)\s*(\d*)\s*(second|minute|hour|day)s?\s*", re.IGNORECASE)


class Need(enum.Enum):
    """What a check cannot do without; the value says what to do about it."""

    ERROR_PATH = "no route that raises is known: name one with --error-path"
    QUOTA = "no quota is declared: declare the app's with --quota, such as 5/minute"
    HTTPS = "the target does not speak https: give an https URL"
    ADDRESSES = "this system has no loopback address but one, so nobody can speak as a stranger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How many requests a client may make.

    Attributes:
        limit: The number of requests.
        period: The time they are counted over, in seconds.
    """

    limit: int
    period: int

    @classmethod
    def parse(cls, text: str) -> Quota:
        """Read `5/minute` or `100 per 15 minutes`.

        Raises:
            ValueError: The text is no quota.
        """
        match = _QUOTA.fullmatch(text)
        if match is None or int(match[1]) == 0:
            raise ValueError(f"{text!r} is no quota: write it as 5/minute or 100/hour")
        return cls(limit=int(match[1]), period=int(match[2] or 1) * _PERIODS[match[3].lower()])


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
        quota: What the app declares a client may ask, if anything.
        max_body: The largest body that the app declares to take, in bytes.
        addresses: Requests can come from loopback addresses of their own.
        directory: Where the app was started; that path has no business in a reply. Empty for a URL.
    """

    authority: str
    canary: str
    https: bool = False
    path: str = "/"
    body_path: str = "/"
    error_path: str | None = None
    quota: Quota | None = None
    max_body: int = 10_000_000
    addresses: bool = True
    directory: str = ""

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

    def lacks(self, need: Need) -> bool:
        """Whether this site cannot give a check what it needs."""
        return {
            Need.ERROR_PATH: self.error_path is None,
            Need.QUOTA: self.quota is None,
            Need.HTTPS: not self.https,
            Need.ADDRESSES: not self.addresses,
        }[need]

    def head(self, method: str, target: str, headers: Sequence[tuple[str, str]] = ()) -> bytes:
        """The request line and the header block; a header given here replaces the usual one of its name."""
        usual = (
            ("Host", self.authority),
            ("User-Agent", "garrison-check"),
            ("Accept", "*/*"),
            ("Connection", "close"),
        )
        given = {name.lower() for name, _ in headers}
        lines = [(name, value) for name, value in usual if name.lower() not in given]
        block = "".join(f"{name}: {value}\r\n" for name, value in (*lines, *headers))
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
