"""One Set-Cookie line: reading its attributes, and adding what is missing without touching the rest."""

from __future__ import annotations

from typing import Final

# RFC 6265bis section 4.1.3: browsers drop such a cookie unless its attributes are these.
HOST_PREFIX: Final = b"__host-"
SECURE_PREFIX: Final = b"__secure-"


class SetCookie:
    """The value of one Set-Cookie header, as the app wrote it.

    What is not asked for stays byte for byte: the value, the order, and attributes that nobody here knows,
    such as Partitioned.

    Args:
        value: the header's value.
    """

    __slots__ = ("_parts", "attributes", "name")

    def __init__(self, value: bytes) -> None:
        self._parts = value.split(b";")
        self.name = self._parts[0].partition(b"=")[0].strip()
        self.attributes = {part.partition(b"=")[0].strip().lower() for part in self._parts[1:]}

    def add(self, attribute: bytes) -> None:
        """Append an attribute, such as `Secure` or `SameSite=Lax`, if there is none of its name."""
        name = attribute.partition(b"=")[0].lower()
        if name not in self.attributes:
            self.attributes.add(name)
            self._parts.append(b" " + attribute)

    def keep_prefix_rules(self) -> None:
        """Give a `__Host-` or `__Secure-` cookie what browsers demand of it; they drop it otherwise."""
        prefix = self.name.lower()
        if prefix.startswith((HOST_PREFIX, SECURE_PREFIX)):
            self.add(b"Secure")
        if prefix.startswith(HOST_PREFIX):
            self._parts[1:] = [part for part in self._parts[1:] if not _breaks_host_prefix(part)]
            self.attributes = {part.partition(b"=")[0].strip().lower() for part in self._parts[1:]}
            self.add(b"Path=/")

    def render(self) -> bytes:
        """The header's value."""
        return b";".join(self._parts)


def _breaks_host_prefix(part: bytes) -> bool:
    name, _, value = part.partition(b"=")
    name = name.strip().lower()
    return name == b"domain" or (name == b"path" and value.strip() != b"/")


def is_session(name: bytes) -> bool:
    """Whether a cookie's name says that it holds a session, as MDN Observatory reads names."""
    lowered = name.lower()
    return b"sess" in lowered or b"login" in lowered


def is_csrf(name: bytes) -> bool:
    """Whether a cookie's name says that scripts have to read it, to send it back as a header."""
    lowered = name.lower()
    return b"csrf" in lowered or b"xsrf" in lowered
