"""Adds up what the twelve tests of MDN HTTP Observatory say of one reply.

The rules are those of github.com/mdn/mdn-http-observatory, version 1.6.3, quirks included. A live scan also
looks at certificates, redirects and the preload list; here they are as the caller says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from garrison_harness.observatory.cookies import cookies_modifier
from garrison_harness.observatory.page import Page, integrity_modifier, read_page
from garrison_harness.observatory.policy import policy_modifier

START = 100
EXTRA_CREDIT_FROM = 90
# What every score from here on is called; scores are rounded down to fives, so that each stands for two.
GRADES = (
    (100, "A+"), (90, "A"), (85, "A-"), (80, "B+"), (70, "B"), (65, "B-"), (60, "C+"), (50, "C"), (45, "C-"),
    (40, "D+"), (30, "D"), (25, "D-"), (0, "F"),
)  # fmt: skip
HTML = frozenset({"text/html", "application/xhtml+xml"})
SIX_MONTHS = 15_552_000
PRIVATE = frozenset({"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"})
LEAKY = frozenset({"origin", "origin-when-cross-origin", "unsafe-url", "no-referrer-when-downgrade"})
EMBEDDERS = {"require-corp": 10, "credentialless": 10, "unsafe-none": 0}
OPENERS = {"same-origin": 10, "same-origin-allow-popups": 10, "noopener-allow-popups": 10, "unsafe-none": 0}
RESOURCES = {"same-origin": 10, "same-site": 10, "cross-origin": 0}
ORIGIN = "https://http-observatory.security.mozilla.org"
"""The origin that the scanner sends with its preflight."""

# RFC 8941: an item that is a token, with parameters.
_WORD = r"[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*"
_BARE = rf'(?:{_WORD}|"(?:[ !#-\[\]-~]|\\["\\])*"|-?\d+(?:\.\d{{1,3}})?|\?[01]|:[A-Za-z0-9+/=]*:)'
_ITEM = re.compile(rf"({_WORD})(?:; *[a-z*][a-z0-9_.*-]*(?:={_BARE})?)*")


class Reply(Protocol):
    """What is judged: one reply, with its header lines as they were sent."""

    @property
    def status(self) -> int:
        """The status code."""

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """All header lines, names in any case."""

    @property
    def body(self) -> bytes:
        """The whole body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What Observatory says.

    Attributes:
        total: the score, from 0 to 165.
        grade: from `F` to `A+`.
        tests: the points of each test by its name.
        bonus: whether points above zero count, as they do where those below leave 90 or more.
    """

    total: int
    grade: str
    tests: dict[str, int]
    bonus: bool


def score(
    reply: Reply,
    *,
    https: bool = True,
    preloaded: bool = False,
    preflight: Reply | None = None,
    host: str = "site.example",
    any_status: bool = False,
) -> Score:
    """Score a reply to a GET as if the site had a good certificate and redirected to https on its own host.

    Args:
        reply: of the front page.
        https: whether the site is reached over https; without it nothing redirects there either.
        preloaded: whether browsers know the host as https only.
        preflight: the reply to an OPTIONS request from `ORIGIN`. A live scan misjudges that one, since it
            looks for the origin in the wrong place; here a reflected origin with credentials counts.
        host: of the site.
        any_status: whether errors are scored too, which a live scan refuses.

    Raises:
        ValueError: a live scan would give up on this status.
    """
    if not any_status and not 200 <= reply.status < 400 and reply.status not in {401, 403}:
        raise ValueError(f"Observatory scans no site that answers {reply.status}")
    lines = _joined(reply)
    media_type = lines.get("content-type", "").split(";")[0]
    page = read_page(reply.body) if media_type in HTML else Page()
    # What has no type may be a page to the test of its scripts, and to no other.
    scripts = read_page(reply.body) if not media_type else page
    header = [lines["content-security-policy"]] if "content-security-policy" in lines else []
    policy, directives = policy_modifier(header, page.policies, https=https)
    transport = _transport(lines.get("strict-transport-security", ""), https=https, preloaded=preloaded)
    framing = 5 if "frame-ancestors" in directives else _framing(lines.get("x-frame-options", ""))
    cookies = [value.decode("latin-1") for name, value in reply.headers if name.lower() == b"set-cookie"]
    tests = {
        "content-security-policy": policy,
        "cookies": cookies_modifier(cookies, host, hsts=transport >= 0),
        "cross-origin-embedder-policy": _isolation(lines, "cross-origin-embedder-policy", EMBEDDERS),
        "cross-origin-opener-policy": _isolation(lines, "cross-origin-opener-policy", OPENERS),
        "cross-origin-resource-policy": _resource(lines.get("cross-origin-resource-policy", "")),
        "cross-origin-resource-sharing": _sharing(preflight),
        "redirection": 0 if https or preloaded else -20,
        "referrer-policy": _referrer([lines.get("referrer-policy"), page.referrer or None]),
        "strict-transport-security": transport,
        "subresource-integrity": integrity_modifier(scripts, host, https=https),
        "x-content-type-options": 0 if _said(lines, "x-content-type-options") == "nosniff" else -5,
        "x-frame-options": framing,
    }
    uncurved = START + sum(min(points, 0) for points in tests.values())
    bonus = uncurved >= EXTRA_CREDIT_FROM
    total = max(START + sum(tests.values()) if bonus else uncurved, 0)
    return Score(total=total, grade=grade(total), tests=tests, bonus=bonus)


def grade(total: int) -> str:
    """What a score is called."""
    return next(name for floor, name in GRADES if total - total % 5 >= floor)


def _joined(reply: Reply) -> dict[str, str]:
    """Header lines by name as the scanner's client sees them: joined, but for a second media type."""
    lines: dict[str, str] = {}
    for raw_name, raw_value in reply.headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1").strip()
        if name not in lines:
            lines[name] = value
        elif name != "content-type":
            lines[name] += ", " + value
    return lines


def _said(lines: dict[str, str], name: str) -> str:
    return lines.get(name, "").strip().lower()


def _transport(value: str, *, https: bool, preloaded: bool) -> int:
    if preloaded:
        return 5
    if not https or not value or "," in value:
        return -20
    ages = [
        part.strip().lower()[8:] for part in value.split(";") if part.strip().lower().startswith("max-age=")
    ]
    if not ages:
        return -20
    number = re.match(r"\s*([+-]?\d{1,18})", ages[-1])
    # What is no number is not less than six months either.
    return 0 if number is None or int(number[1]) >= SIX_MONTHS else -10


def _framing(value: str) -> int:
    said = value.strip().lower()
    if said in {"deny", "sameorigin"}:
        return 5
    return 0 if said.startswith("allow-from") else -20


def _isolation(lines: dict[str, str], name: str, known: dict[str, int]) -> int:
    value = lines.get(name, "").strip()
    if not value:
        return 0
    item = _ITEM.fullmatch(value)
    return known.get(item[1], -5) if item else -5


def _resource(value: str) -> int:
    said = value.strip().lower()
    return RESOURCES.get(said, -5) if said else 0


def _sharing(preflight: Reply | None) -> int:
    lines = {} if preflight is None else _joined(preflight)
    reflects = lines.get("access-control-allow-origin") == ORIGIN
    return -50 if reflects and _said(lines, "access-control-allow-credentials") == "true" else 0


def _referrer(values: list[str | None]) -> int:
    said = [value for value in values if value is not None]
    if not said:
        return 0
    tokens = [token.strip().lower() for token in ",".join(said).split(",")]
    known = [token for token in tokens if token in PRIVATE | LEAKY]
    return 5 if known and known[-1] in PRIVATE else -5
