"""What a page may load from: the values of most directives of Content-Security-Policy."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from garrison.csp.policy_error import PolicyError, did_you_mean

# CSP Level 3 section 2.3.1; the last is from HTML's speculation rules.
KEYWORDS: Final = (
    "'none'",
    "'self'",
    "'unsafe-inline'",
    "'unsafe-eval'",
    "'strict-dynamic'",
    "'unsafe-hashes'",
    "'report-sample'",
    "'wasm-unsafe-eval'",
    "'trusted-types-eval'",
    "'report-sha256'",
    "'report-sha384'",
    "'report-sha512'",
    "'unsafe-webtransport-hashes'",
    "'inline-speculation-rules'",
)
# The house's word for a nonce that is new on every reply.
NONCE: Final = "'nonce'"
# A nonce belongs to an element: inline handlers and `style=` go by other rules
# (CSP Level 3, "Does element match source list for type and source?").
NONCED: Final = frozenset({"default-src", "script-src", "script-src-elem", "style-src", "style-src-elem"})
SCRIPTS: Final = frozenset({"default-src", "script-src", "script-src-elem"})
DIGESTS: Final = {"sha256": 32, "sha384": 48, "sha512": 64}

_HASH = re.compile(r"'(sha(?:256|384|512))-([A-Za-z0-9+/_-]+={0,2})'", re.IGNORECASE)
_NONCE = re.compile(r"nonce(?:-.*)?", re.IGNORECASE)
# What a host of one word is most likely meant to be.
_SCHEMES = frozenset({"blob", "data", "filesystem", "http", "https", "mediastream", "ws", "wss"})
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_HOST = re.compile(
    r"""(?:[A-Za-z][A-Za-z0-9+.-]*://)?
        (?:\*|(?:\*\.)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.?)
        (?::(?:[0-9]+|\*))?
        (?:/(?:[A-Za-z0-9._~!$&'()*+=:@/-]|%[0-9A-Fa-f]{2})*)?""",
    re.VERBOSE,
)


def check_sources(directive: str, values: tuple[str, ...]) -> tuple[str, ...]:
    """The sources of a directive, each once, keywords in lower case.

    Args:
        directive: whose sources they are.
        values: as written.

    Raises:
        PolicyError: browsers would ignore one of them, or they contradict each other.
    """
    found = tuple(dict.fromkeys(_source(directive, value) for value in require_values(directive, values)))
    refuse_none_beside_others(directive, found)
    if "'strict-dynamic'" in found and NONCE not in found and not any(map(_HASH.fullmatch, found)):
        raise PolicyError(
            f"{directive}: 'strict-dynamic' trusts what a nonce or a hash let in, and without one no script "
            "runs: add 'nonce'"
        )
    return found


def _source(directive: str, value: str) -> str:
    bare = value.strip("'\"")
    if value.startswith("'") or _NONCE.fullmatch(bare):
        return _keyword(directive, value)
    if f"'{bare.lower()}'" in KEYWORDS or _HASH.fullmatch(f"'{bare}'"):
        raise PolicyError(f"{directive}: {value} lacks its quotes: did you mean '{bare}'?")
    if _SCHEME.fullmatch(value):
        return value
    scheme = value.lower().removesuffix("//").removesuffix(":")
    if scheme in _SCHEMES:
        raise PolicyError(f"{directive}: {value} is no scheme: did you mean {scheme}:?")
    if not _HOST.fullmatch(value):
        raise PolicyError(
            f"{directive}: {value} is no source: a host such as https://cdn.example or *.example, "
            "a scheme such as data:, or a keyword such as 'self'"
        )
    return value


def _keyword(directive: str, value: str) -> str:
    lowered = value.lower()
    if lowered == NONCE:
        if directive not in NONCED:
            raise PolicyError(f"{directive}: no nonce counts here, only in {', '.join(sorted(NONCED))}")
        return lowered
    if _NONCE.fullmatch(lowered.strip("'\"")):
        raise PolicyError(
            f"{directive}: {value} is to be 'nonce', which stands for a new one on every reply: "
            "a fixed one protects nothing"
        )
    if lowered.startswith(tuple(f"'{name}-" for name in DIGESTS)):
        return _digest(directive, value)
    if lowered not in KEYWORDS:
        nearest = did_you_mean(lowered, (*KEYWORDS, NONCE), otherwise="'self' and 'none' are, for example")
        raise PolicyError(f"{directive}: {value} is no keyword: {nearest}")
    if lowered == "'strict-dynamic'" and directive not in SCRIPTS:
        raise PolicyError(f"{directive}: 'strict-dynamic' is for scripts: {', '.join(sorted(SCRIPTS))}")
    return lowered


def _digest(directive: str, value: str) -> str:
    match = _HASH.fullmatch(value)
    name = value[1:7].lower()
    if match is None or not _is_digest(match[2], DIGESTS[name]):
        raise PolicyError(
            f"{directive}: {value} is no {name} hash: {DIGESTS[name]} bytes in base64, as browsers print it"
        )
    return value


def _is_digest(written: str, length: int) -> bool:
    # Browsers take either alphabet (section 2.3.1, base64-value).
    digits = written.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return len(base64.b64decode(digits + "=" * (-len(digits) % 4))) == length
    except binascii.Error:
        return False


def require_values(directive: str, values: tuple[str, ...], example: str = "'none'") -> tuple[str, ...]:
    """The values, of which there has to be one.

    Args:
        directive: whose values they are.
        values: as written.
        example: what to write instead.

    Raises:
        PolicyError: there is none.
    """
    if not values:
        raise PolicyError(f"{directive} has no value: write {directive} {example}")
    return values


def refuse_none_beside_others(directive: str, values: tuple[str, ...]) -> None:
    """Refuse `'none'` in company, where browsers ignore it.

    Args:
        directive: whose values they are.
        values: as written, in lower case.

    Raises:
        PolicyError: there are others.
    """
    if "'none'" in values and len(values) > 1:
        raise PolicyError(f"{directive}: browsers ignore 'none' beside other values: leave it out, or them")
