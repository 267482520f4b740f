"""Text from reports, which anybody can send: bounded, printable, and without what belongs to a visitor."""

from __future__ import annotations

import re
from typing import Final

# Long enough for the address of a page, and short enough that a line of the log stays a line.
LONGEST_TEXT: Final = 256
LONGEST_POLICY: Final = 4096
LARGEST_NUMBER: Final = 2**31

# Whose origin a policy can name, and their usual ports (URL Standard, special schemes).
PORTS: Final = {"http": "80", "https": "443", "ws": "80", "wss": "443"}

_WORD = re.compile(r"[a-z][a-z0-9+.-]{0,39}")
_AUTHORITY = re.compile(r"(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")
_NONCE = re.compile(r"'nonce-[^']*'", re.IGNORECASE)


def clean_text(value: object, limit: int = LONGEST_TEXT) -> str:
    """A text on one line, with U+FFFD for what is not printable; empty where there is no text.

    Args:
        value: whatever stands in the report.
        limit: characters.
    """
    if not isinstance(value, str):
        return ""
    text = value[:limit]
    return text if text.isprintable() else "".join(sign if sign.isprintable() else "\ufffd" for sign in text)


def clean_word(value: object) -> str:
    """A name such as `script-src` or `report` in lower case; empty where it is none."""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        return ""
    word = value.strip().lower()
    return word if _WORD.fullmatch(word) else ""


def clean_number(value: object) -> int | None:
    """A line number; None where there is none."""
    return value if type(value) is int and 0 < value < LARGEST_NUMBER else None


def clean_url(value: object) -> str:
    """An address without user, query and fragment; of what is not on the network only the scheme.

    That is what browsers should have done already (CSP Level 3 section 5.4, "strip URL for use in
    reports"), but Chromium leaves the query in. A word that is no address, such as `inline`, stays one.

    Args:
        value: whatever stands in the report.
    """
    if not isinstance(value, str):
        return ""
    # Nobody's query is needed, and what comes before it may be cut.
    text = re.split(r"[?#]", value[: 4 * LONGEST_TEXT], maxsplit=1)[0].strip()
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if not _WORD.fullmatch(scheme):
        return ""
    if not colon or scheme not in PORTS:
        return scheme
    if not rest.startswith("//"):
        return ""
    authority, slash, path = rest[2:].partition("/")
    authority = authority.rpartition("@")[2].lower().removesuffix(f":{PORTS[scheme]}")
    if not _AUTHORITY.fullmatch(authority):
        return ""
    return clean_text(f"{scheme}://{authority}{slash}{path}")


def clean_policy(value: object) -> str:
    """A policy with `'nonce'` for every nonce, as in the settings; empty where it cannot be one.

    One that is too long is not cut: what is left would allow more, or less, than the whole.
    """
    if not isinstance(value, str) or len(value) > LONGEST_POLICY:
        return ""
    text = _NONCE.sub("'nonce'", " ".join(value.split()))
    return text if text.isascii() and text.isprintable() else ""


def origin_of(url: str) -> str:
    """Scheme, host and port of an address that `clean_url` returned; a bare word stays as it is."""
    return "/".join(url.split("/", 3)[:3])


def path_of(url: str) -> str:
    """The path of an address that `clean_url` returned; a bare word stays as it is."""
    return url[len(origin_of(url)) :] or ("/" if "://" in url else url)
