"""Signed tokens as they are on the wire: RFC 7515's compact serialization, and the JSON within."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final, NamedTuple

from garrison.json_bounds import is_deeper

# Tokens travel in a header, of which servers take 8 to 16 KiB.
LONGEST: Final = 8 * 1024
# RFC 7518 section 3.1 without `none`, RFC 8037 and RFC 8812; RFC 9864 names the two curves of EdDSA.
ALGORITHMS: Final = (
    *("HS256", "HS384", "HS512"),
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES256K", "ES384", "ES512"),
    *("EdDSA", "Ed25519", "Ed448"),
)

# Claims of providers are nested three or four deep.
DEEPEST: Final = 16

COMPACT: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
PADDING: Final = (b"", b"", b"==", b"=")


class Token(NamedTuple):
    """A token whose signature nobody has looked at.

    Attributes:
        signed: what the signature is about.
        header: the JOSE header, as JSON.
        payload: the claims, as JSON.
        signature: of `signed`.
    """

    signed: bytes
    header: bytes
    payload: bytes
    signature: bytes


def split_token(text: str) -> Token | None:
    """Take a token apart; None where it is no token in RFC 7515 section 7.1's form.

    Args:
        text: at most `LONGEST` characters.
    """
    match = COMPACT.fullmatch(text)
    if match is None:
        return None
    header, payload, signature = (_decoded(segment) for segment in match.groups())
    if header is None or payload is None or signature is None:
        return None
    return Token(text[: match.end(2)].encode("ascii"), header, payload, signature)


def _decoded(segment: str) -> bytes | None:
    """Base64url without padding; None where the bits beyond the last byte are not zero.

    They say nothing, and a token would have several spellings (RFC 4648 section 3.5).
    """
    text = segment.encode("ascii")
    if len(text) % 4 == 1:
        return None
    found = urlsafe_b64decode(text + PADDING[len(text) % 4])
    return found if urlsafe_b64encode(found).rstrip(b"=") == text else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _refuse(_text: str) -> Any:
    raise ValueError("no JSON")


# Making one takes longer than it takes to read a header.
DECODER: Final = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_refuse)


def json_object(text: bytes) -> dict[str, object] | None:
    """An object of a token; None where it is none, or its meaning depends on who reads it.

    A name that is there twice is refused (RFC 7519 section 4), and so are NaN and Infinity.

    Args:
        text: should be UTF-8.
    """
    if is_deeper(text, DEEPEST):
        return None
    try:
        found = DECODER.decode(text.decode("utf-8"))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
