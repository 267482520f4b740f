"""Origins as browsers write them, and whether one is the host that was asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

# RFC 6454 section 6.2: in lower case, names in their ASCII form, without path. Extensions and native
# shells have schemes of their own, such as `capacitor://localhost`.
ORIGIN: Final = re.compile(r"([a-z][a-z0-9+.-]*)://(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[1-9]\d{0,4})?")

# One label in front of a name that has a dot itself, or of localhost: nobody owns all of `https://*.example`,
# and addresses have no labels.
ANY_LABEL: Final = re.compile(
    r"([a-z][a-z0-9+.-]*)://\*\."
    r"(?:localhost|(?:[a-z0-9_-]+\.)+(?=[a-z0-9_-]*[a-z_-])[a-z0-9_-]+)(:[1-9]\d{0,4})?"
)
LABEL: Final = "[a-z0-9_-]+"

# What both an origin and a Host leave out (RFC 6454 section 6.2, RFC 9110 section 4.2.3).
DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


def is_origin(text: str) -> bool:
    """Whether a browser could send exactly this as the Origin of a page; `null` is the origin of nobody.

    Args:
        text: of a setting.
    """
    return _fits(ORIGIN, text)


def is_listable(text: str) -> bool:
    """Whether a list of origins can hold this: an origin or a pattern.

    Args:
        text: of a setting.
    """
    return is_origin(text) or is_pattern(text)


def is_pattern(text: str) -> bool:
    """Whether this stands for the origins of all hosts one label below a name: `https://*.shop.example`.

    Args:
        text: of a setting.
    """
    return _fits(ANY_LABEL, text)


def _fits(form: re.Pattern[str], text: str) -> bool:
    match = form.fullmatch(text)
    return match is not None and match[2] != DEFAULT_PORTS.get(match[1], "")


class Origins:
    """A list of origins from a setting, with patterns among them.

    Attributes:
        exact: those that are written out.
        pattern: what the others match, for `re.fullmatch`; None if there are none.

    Args:
        texts: each an origin or a pattern.
    """

    __slots__ = ("_regex", "exact", "pattern")

    def __init__(self, texts: Iterable[str]) -> None:
        listed = frozenset(texts)
        patterns = sorted(text for text in listed if is_pattern(text))
        self.exact = listed.difference(patterns)
        self.pattern = "|".join(re.escape(text).replace(r"\*", LABEL) for text in patterns) or None
        self._regex = re.compile(self.pattern) if self.pattern else None

    def __contains__(self, origin: str) -> bool:
        """Whether an origin, as a browser sent it, is one of the list."""
        return origin in self.exact or (self._regex is not None and self._regex.fullmatch(origin) is not None)


def is_plain(origin: str) -> bool:
    """Whether what comes from this origin could have been changed on its way, since it is not https.

    A machine's own pages travel nowhere (Secure Contexts, section 3.1).

    Args:
        origin: of a setting.
    """
    host = re.sub(r":\d+$", "", origin.removeprefix("http://"))
    is_local = host in {"localhost", "127.0.0.1", "[::1]"} or host.endswith(".localhost")
    return origin.startswith("http://") and not is_local


def is_own(origin: str, hosts: Iterable[str], *, secure: bool) -> bool:
    """Whether an origin is the very host that the request is for.

    A request that seems to come over http may have come over https to a proxy that nobody told us to
    believe, so that the scheme counts only where https is certain: a page that came over http can be
    anybody's on the network, and is not the site that is asked over https.

    Args:
        origin: the value of the Origin header.
        hosts: names with or without port that the request may be for.
        secure: whether the request is known to have come over https.
    """
    scheme, _, authority = origin.partition("://")
    port = DEFAULT_PORTS.get(scheme)
    if port is None or not authority or (secure and scheme == "http"):
        return False
    return any(host.strip().lower().removesuffix(port) == authority for host in hosts)
