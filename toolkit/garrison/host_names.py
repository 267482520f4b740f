"""Names and addresses of hosts: in a Host header, and in a list of those that are ours."""

from __future__ import annotations

import re
import unicodedata
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAME: Final = r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?"
_LITERAL: Final = r"\[[0-9a-f:.]+\]"

# RFC 9110 section 7.2: a name or an address, and perhaps a port.
HOST: Final = re.compile(rf"({_NAME}|{_LITERAL})(?::\d{{1,5}})?")
PATTERN: Final = re.compile(rf"(?:\*\.)?{_NAME}|{_LITERAL}")

# RFC 1035 section 2.3.4 allows a name 255 octets; a port and the dot of the root come on top.
LONGEST: Final = 264


def read_host(value: bytes) -> str | None:
    """The host in a Host header, without its port and as `normalized` has it; None where it is none.

    Args:
        value: of the header.
    """
    match = HOST.fullmatch(value.decode("latin-1").lower()) if len(value) <= LONGEST else None
    return None if match is None else normalized(match[1])


def normalized(host: str) -> str | None:
    """A host as all its spellings become one; None for brackets without an address.

    A dot at the end makes a name absolute and no other name (RFC 3986 section 3.2.2).

    Args:
        host: a name, or an address with the brackets of IPv6; perhaps with `*.` in front.
    """
    if not host.startswith("["):
        return host.lower().removesuffix(".")
    try:
        return f"[{IPv6Address(host[1:-1])}]"
    except ValueError:
        return None


class HostList:
    """Hosts that are ours.

    Args:
        names: each of them one that `is_listable`.
    """

    __slots__ = ("_names", "_suffixes")

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(normalized(name) for name in names)
        self._suffixes = tuple(name[1:] for name in self._names if name and name.startswith("*."))

    def __contains__(self, host: str) -> bool:
        """Whether a host, as `read_host` returns it, is one of ours."""
        return host in self._names or host.endswith(self._suffixes)


def is_listable(name: str) -> bool:
    """Whether a name can stand in a list: a host without port, or `*.` and the name above.

    Args:
        name: as somebody wrote it.
    """
    return PATTERN.fullmatch(name.lower()) is not None and normalized(name) is not None


def advice_on(name: str) -> str:
    """What to write in place of a name that is not listable, a sentence, or nothing.

    Args:
        name: as somebody wrote it.
    """
    if name == "*":
        return "Leave the list empty to answer every host."
    if name.startswith("."):
        return f"Every name below is *{name}." if is_listable(f"*{name}") else ""
    if name.isascii():
        return ""
    # Only proposed, and not used: IDNA has two editions that disagree about some letters, and a
    # library for it would be one more dependency.
    labels = unicodedata.normalize("NFKC", name).lower().split(".")
    ascii_form = ".".join(
        label if label.isascii() else f"xn--{label.encode('punycode').decode('ascii')}" for label in labels
    )
    return f"Browsers ask for {ascii_form}." if is_listable(ascii_form) else ""


def is_local(host: str) -> bool:
    """Whether a host is the machine of the browser itself (Secure Contexts, section 3.1).

    Args:
        host: as `read_host` returns it.
    """
    if host in {"localhost", "[::1]"} or host.endswith(".localhost"):
        return True
    return re.fullmatch(r"127(\.\d{1,3}){3}", host) is not None
