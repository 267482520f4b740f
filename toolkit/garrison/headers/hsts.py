"""Strict-Transport-Security: writing it, whom to tell it, and joining it with an app's own."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

import secure

HSTS: Final = b"strict-transport-security"

# What hstspreload.org asks of a host before browsers ship with it in their list.
PRELOAD_AGE: Final = 365 * 24 * 3600

AGE: Final = re.compile(rb'max-age\s*=\s*"?(\d{1,18})"?\s*\Z', re.IGNORECASE)


def hsts_value(age: float, *, subdomains: bool, preload: bool) -> bytes:
    """The header's value.

    Args:
        age: whole seconds for which browsers use https only.
        subdomains: whether every name below the host is meant too.
        preload: whether browsers may ship with the host in their list.
    """
    builder = secure.StrictTransportSecurity().max_age(int(age))
    if subdomains:
        builder = builder.include_subdomains()
    if preload:
        builder = builder.preload()
    return builder.header_value.encode("ascii")


def join_hsts(own: bytes, ours: bytes) -> bytes:
    """The stricter of two values: the longer time, and every word that either has (RFC 6797 section 6.1)."""
    ages = [
        int(match[1])
        for value in (own, ours)
        for part in value.split(b";")
        if (match := AGE.match(part.strip()))
    ]
    words = {part.strip().lower() for value in (own, ours) for part in value.split(b";")}
    joined = b"max-age=%d" % max(ages, default=0)
    for word in (b"includeSubDomains", b"preload"):
        if word.lower() in words:
            joined += b"; " + word
    return joined


@lru_cache(maxsize=1024)
def is_real_host(host: bytes | None) -> bool:
    """Whether HSTS may be told for this Host: a name, neither an address nor localhost.

    Browsers ignore it for addresses (RFC 6797 section 8.1.1), and a developer's localhost would be
    locked out of plain http for years.
    """
    if not host:
        return False
    name = host.decode("latin-1").lower()
    name = name.partition("]")[0].strip("[") if name.startswith("[") else name.partition(":")[0]
    # With a dot at the end it is the same host (RFC 3986 section 3.2.2).
    name = name.removesuffix(".")
    if name == "localhost" or name.endswith(".localhost") or "." not in name:
        return False
    try:
        ip_address(name)
    except ValueError:
        return True
    return False
