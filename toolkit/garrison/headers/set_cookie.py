"""One Set-Cookie line: reading its attributes, and adding what is missing without touching the rest."""

from __future__ import annotations

import re
from typing import Final

# What browsers demand of cookies with these prefixes, in any case; they drop them otherwise (RFC 6265bis
# section 4.1.3; draft-ietf-httpbis-layered-cookies adds the two with `Http-`).
HOST_PREFIX: Final = b"__host-"
SECURE_PREFIXES: Final = (HOST_PREFIX, b"__secure-", b"__http-")
HTTP_PREFIXES: Final = (b"__http-", b"__host-http-")

# As MDN Observatory reads names ("sess" and "login" anywhere), but neither `assessment`, `possess` nor
# `obsess`, which pages do read; and `sid`, which Express and others call theirs.
SESSION: Final = re.compile(rb"session|(?<!as)(?<!pos)(?<!ob)sess|login|(?:^|[^a-z0-9])sid$")


class SetCookie:
    """The attributes of one cookie, as the app wrote them.

    What is not asked for stays byte for byte: the order, and attributes that nobody here knows, such as
    Partitioned.

    Args:
        name: of the cookie.
        attributes: what follows its value, from the first semicolon on; empty if there is none.
    """

    __slots__ = ("_parts", "attributes", "name")

    def __init__(self, name: bytes, attributes: bytes) -> None:
        self.name = name
        self._read(attributes.split(b";"))

    def _read(self, parts: list[bytes]) -> None:
        self._parts = parts
        # The last of several counts (RFC 6265bis section 5.7).
        self.attributes = {
            key.strip().lower(): value.strip() for key, _, value in (part.partition(b"=") for part in parts)
        }

    def add(self, attribute: bytes) -> None:
        """Append an attribute, such as `Secure` or `SameSite=Lax`, if there is none of its name."""
        key, _, value = attribute.partition(b"=")
        if key.lower() not in self.attributes:
            self.attributes[key.lower()] = value
            self._parts.append(b" " + attribute)

    def keep_prefix_rules(self) -> None:
        """Give a cookie with a prefix, such as `__Host-`, what browsers demand of it."""
        prefix = self.name.lower()
        if prefix.startswith(SECURE_PREFIXES):
            self.add(b"Secure")
        if prefix.startswith(HOST_PREFIX):
            self._read([part for part in self._parts if not _breaks_host_prefix(part)])
            self.add(b"Path=/")
        if prefix.startswith(HTTP_PREFIXES):
            self.add(b"HttpOnly")

    @property
    def deletes(self) -> bool:
        """Whether this ends a cookie, as frameworks write it: no age left, or an end in 1970."""
        age = self.attributes.get(b"max-age")
        if age:
            # Max-Age has precedence over Expires (RFC 6265bis section 4.1.2.2).
            return age.startswith((b"0", b"-"))
        return b"1970" in self.attributes.get(b"expires", b"")

    def render(self) -> bytes:
        """The attributes, from the first semicolon on."""
        return b";".join(self._parts)


def parted(line: bytes) -> tuple[bytes, bytes, bytes]:
    """A Set-Cookie value as the cookie's name, the pair of name and value, and its attributes.

    A pair without `=` is a value without a name (RFC 6265bis section 5.6).

    Args:
        line: the header's value.
    """
    pair = line.partition(b";")[0]
    name, equals, _ = pair.partition(b"=")
    return name.strip() if equals else b"", pair, line[len(pair) :]


def is_session(name: bytes) -> bool:
    """Whether a cookie's name says that it holds a session."""
    return SESSION.search(name.lower()) is not None


def is_csrf(name: bytes) -> bool:
    """Whether a cookie's name says that scripts have to read it, to send it back as a header."""
    lowered = name.lower()
    return b"csrf" in lowered or b"xsrf" in lowered


def _breaks_host_prefix(part: bytes) -> bool:
    key, _, value = part.partition(b"=")
    key = key.strip().lower()
    return key == b"domain" or (key == b"path" and value.strip() != b"/")
