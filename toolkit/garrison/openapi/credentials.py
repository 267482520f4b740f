"""What a request says about who it is from, read as a security scheme of the document declares it."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias
from urllib.parse import unquote_to_bytes

from garrison.openapi.model import Scheme

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.openapi.model import Head

# Wider than the b64token of RFC 6750 section 2.1, because tokens in use have a `|` or a `:`. What is
# combined from two header lines has a blank in it (RFC 9110 section 5.3).
TOKEN: Final = re.compile(rb"[!-~]+")
# RFC 7617 section 2: neither user-id nor password has control characters.
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
# Optional whitespace, RFC 9110 section 5.6.3.
OWS: Final = b" \t"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One credential of a request. Its representation does not show it.

    Attributes:
        scheme: as which it was sent.
        value: an API key, a token, a password, or whatever stands behind the name of another HTTP scheme;
            empty for mutualTLS, which no request shows.
        user: the user-id of HTTP's Basic scheme; else empty.
    """

    scheme: Scheme
    value: str = field(repr=False)
    user: str = field(default="", repr=False)


class Rejected(NamedTuple):
    """A credential that is not accepted.

    Attributes:
        why: a few words for the log, never with anything that was sent.
    """

    why: str


MALFORMED: Final = Rejected("malformed")
AMBIGUOUS: Final = Rejected("sent twice")

Found: TypeAlias = "Credential | Rejected | None"
"""A credential, one that cannot be read, or none; an empty one is none."""
Read: TypeAlias = "Callable[[Head], Found]"


def reader(scheme: Scheme, *, exact: bool = True) -> Read:
    """How to find the credential of a scheme in a request.

    A bearer token is read from the header only (RFC 6750 section 2 has two other ways, and RFC 9700 section
    4.3.2 advises against them); one in the query is an API key to OpenAPI.

    Args:
        scheme: of the document.
        exact: whether it will be judged. Otherwise somebody else does that: a cookie may be there twice,
            as browsers send one for each path, and Basic is not decoded.
    """
    if scheme.type == "apiKey":
        return _api_key(scheme, exact=exact)
    if scheme.type == "mutualTLS":
        certificate = Credential(scheme=scheme, value="")
        return lambda _: certificate
    name = scheme.scheme if scheme.type == "http" else "bearer"
    parse = _basic if name == "basic" and exact else _bearer if name == "bearer" else _other
    return _authorization(scheme, name.encode("ascii", "replace"), parse)


def _authorization(scheme: Scheme, name: bytes, parse: Callable[[Scheme, bytes], Found]) -> Read:
    def read(head: Head) -> Found:
        lines = [value for key, value in head.headers if key == b"authorization"]
        if not lines:
            return None
        if len(lines) > 1:
            # It is no list (RFC 9110 section 11.6.2), and who comes next may read the other one.
            return AMBIGUOUS
        sent, _, rest = lines[0].strip(OWS).partition(b" ")
        return parse(scheme, rest.lstrip(b" ")) if sent.lower() == name else None

    return read


def _bearer(scheme: Scheme, text: bytes) -> Found:
    if TOKEN.fullmatch(text) is None:
        return MALFORMED
    return Credential(scheme=scheme, value=text.decode("ascii"))


def _basic(scheme: Scheme, text: bytes) -> Found:
    """RFC 7617, with the encoding that the challenge asks for."""
    try:
        decoded = b64decode(text, validate=True).decode("utf-8")
    except ValueError:
        return MALFORMED
    user, colon, password = decoded.partition(":")
    if not colon or CONTROL.search(decoded):
        return MALFORMED
    return Credential(scheme=scheme, value=password, user=user)


def _other(scheme: Scheme, text: bytes) -> Found:
    return _credential(scheme, text) if text else MALFORMED


def _credential(scheme: Scheme, value: bytes) -> Found:
    try:
        return Credential(scheme=scheme, value=value.decode("utf-8"))
    except UnicodeDecodeError:
        return MALFORMED


def _api_key(scheme: Scheme, *, exact: bool) -> Read:
    name = scheme.parameter.encode("utf-8")
    find = {"header": _in_header, "query": _in_query, "cookie": _in_cookie}[scheme.location]
    only = exact or scheme.location != "cookie"

    def read(head: Head) -> Found:
        values = [value for value in find(head, name) if value]
        if not values:
            return None
        if only and len(set(values)) > 1:
            return AMBIGUOUS
        return _credential(scheme, values[0])

    return read


def _in_header(head: Head, name: bytes) -> list[bytes]:
    return [value.strip(OWS) for key, value in head.headers if key == name]


def _in_query(head: Head, name: bytes) -> list[bytes]:
    query = head.query
    # Either as it is declared, or with something escaped in its name.
    if name not in query and b"%" not in query and b"+" not in query:
        return []
    pairs = [part.partition(b"=") for part in query.split(b"&")]
    return [_decoded(value) for key, _, value in pairs if key == name or _decoded(key) == name]


def _decoded(text: bytes) -> bytes:
    """As frameworks read a query, so that nobody sees another key than the one that was judged."""
    return unquote_to_bytes(text.replace(b"+", b" "))


def _in_cookie(head: Head, name: bytes) -> list[bytes]:
    """RFC 6265 section 4.2.1; HTTP/2 clients may send several lines (RFC 9113 section 8.2.3)."""
    found = []
    for key, line in head.headers:
        if key == b"cookie" and name in line:
            for pair in line.split(b";"):
                sent, _, value = pair.partition(b"=")
                if sent.strip(OWS) == name:
                    found.append(_unquoted(value.strip(OWS)))
    return found


def _unquoted(value: bytes) -> bytes:
    quoted = len(value) > 1 and value[:1] == value[-1:] == b'"'
    return value[1:-1] if quoted else value
