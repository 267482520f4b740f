"""How Observatory reads and judges Content-Security-Policy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Directives = dict[str, set[str]]

BROAD = frozenset({"ftp:", "http:", "https:", "*", "http://*", "http://*.*", "https://*", "https://*.*"})
INLINE = frozenset({"'unsafe-inline'", "data:"})
PASSIVE = ("img-src", "media-src")
NOT_IN_META = frozenset({"frame-ancestors", "report-uri", "sandbox"})
MAY_REPEAT = frozenset({"report-uri", "report-to"})
TRUSTED = ("'sha256-", "'sha384-", "'sha512-", "'nonce-")
SHORTEST = len("img-src") - 1
INVALID = MISSING = -25
# The order of the Unicode Collation Algorithm's root, by which sources are sorted before they are pruned.
COLLATION = {
    sign: place
    for place, sign in enumerate("_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz")
}


class InvalidPolicyError(Exception):
    """A policy that Observatory gives up on."""


@dataclass(slots=True)
class _Source:
    text: str
    policy: int
    keep: bool


def split_policies(values: Iterable[str]) -> list[str]:
    """Single policies of header values, each of which may hold several."""
    return [policy.strip() for value in values for policy in value.split(",")]


def read_policies(policies: Sequence[str]) -> tuple[Directives, bool]:
    """The directives that all policies together amount to, and whether one for reports is there twice.

    Raises:
        InvalidPolicyError: one of the policies is too short, or has a directive twice.
    """
    if any(len(policy) < SHORTEST for policy in policies):
        raise InvalidPolicyError
    found: dict[str, list[_Source]] = {}
    repeated = False
    for index, policy in enumerate(policies):
        seen: set[str] = set()
        for name, *values in filter(None, map(str.split, policy.split(";"))):
            directive = name.lower()
            if directive in seen and directive not in MAY_REPEAT:
                raise InvalidPolicyError
            repeated = repeated or directive in seen
            seen.add(directive)
            texts = [value.lower() for value in values]
            if not texts and directive.endswith("-src"):
                texts = ["'none'"]
            sources = [_Source(text, index, index == 0) for text in texts]
            earlier = found.get(directive, []) if index else []
            found[directive] = _kept(earlier + sources)
            if index == 0 and len(policies) > 1:
                for source in found[directive]:
                    source.keep = False
    return {name: {source.text for source in kept} or {"'none'"} for name, kept in found.items()}, repeated


def _kept(sources: list[_Source]) -> list[_Source]:
    sources = sorted(sources, key=lambda source: [COLLATION.get(sign, ord(sign)) for sign in source.text])
    for earlier, source in pairwise(sources):
        if source.policy == earlier.policy and source.text.startswith(earlier.text):
            source.keep = False
        if source.policy != earlier.policy and _path_matches(earlier.text, source.text):
            source.keep = True
    return [source for source in sources if source.keep]


def _path_matches(left: str, right: str) -> bool:
    exact = not left.endswith("/")
    ours, theirs = left.split("/"), right.split("/")
    if len(ours) > len(theirs) or (exact and len(ours) != len(theirs)):
        return False
    pairs = zip(ours if exact else ours[:-1], theirs, strict=False)
    return all(_decoded(one) == _decoded(other) for one, other in pairs)


def _decoded(piece: str) -> str:
    if re.search("%(?![0-9a-f]{2})", piece):
        raise InvalidPolicyError
    try:
        return unquote_to_bytes(piece).decode()
    except UnicodeDecodeError as error:
        raise InvalidPolicyError from error


def policy_modifier(header: Iterable[str], meta: Iterable[str], *, https: bool) -> tuple[int, frozenset[str]]:
    """The points of the test `content-security-policy`, and the directives that were found."""
    in_header, in_meta = split_policies(header), split_policies(meta)
    try:
        csp, repeated = read_policies(in_header + in_meta)
        names = frozenset(read_policies(in_header)[0]) | (read_policies(in_meta)[0].keys() - NOT_IN_META)
    except InvalidPolicyError:
        return INVALID, frozenset()
    if not names:
        return MISSING, frozenset()
    names = frozenset(csp)
    # One set may play several parts, and what is taken out of it is then gone from all of them.
    scripts = csp.get("script-src") or csp.get("default-src") or {"*"}
    styles = csp.get("style-src") or csp.get("default-src") or {"*"}
    for sources in (scripts, styles):
        if _has_trusted(sources):
            sources.discard("'unsafe-inline'")
    if "'strict-dynamic'" in scripts:
        if not _has_trusted(scripts):
            return INVALID, names
        scripts -= {source for source in scripts if source.startswith(tuple(BROAD)) or source == "'self'"}
    return _judged(csp, scripts, styles, repeated=repeated, https=https), names


def _has_trusted(sources: set[str]) -> bool:
    return any(source.startswith(TRUSTED) for source in sources)


def _judged(csp: Directives, scripts: set[str], styles: set[str], *, repeated: bool, https: bool) -> int:
    objects = csp["object-src"] if "object-src" in csp else csp.get("default-src", {"*"})
    active = {
        source for name, found in csp.items() if name not in (*PASSIVE, "script-src") for source in found
    }
    passive = {source for name in PASSIVE for source in csp.get(name, csp.get("default-src", ()))}
    if scripts & (BROAD | INLINE) or objects & BROAD:
        return -20
    if https and _has_plain(active | scripts):
        return -20
    if "'unsafe-eval'" in scripts | styles:
        return -10
    modifier = 5
    if https and _has_plain(passive):
        modifier = -10
    elif styles & (BROAD | INLINE):
        modifier = 0
    elif csp.get("default-src") == {"'none'"}:
        modifier = 10
    return 0 if repeated else modifier


def _has_plain(sources: set[str]) -> bool:
    return any(source.startswith(("http:", "ftp:")) for source in sources)
