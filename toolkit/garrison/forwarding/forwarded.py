"""The Forwarded header (RFC 7239), read from its end, where the nearest proxy wrote."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Final

from garrison.forwarding.addresses import MOST_HOPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from garrison.forwarding.addresses import Trust

NAME: Final = b"forwarded"

# Where an element begins is looked for from its end, in the text turned round. Read from the front, a
# quote that a client leaves open would take in what the proxies wrote behind it. A quote in a quoted string
# has a backslash in front (RFC 9110 section 5.6.4), which turned round is behind it, and the quote that
# begins one has not. Every repetition is possessive, so that no text takes more than one pass.
TURNED_ELEMENT: Final = re.compile(r'(?:[^",]++|"(?:[^"]++|"(?=\\))*+")*+')

# RFC 7239 section 4, and blanks around the semicolons, which some proxies write.
PAIR: Final = re.compile(
    r"[ \t]*+([A-Za-z0-9!#$%&'*+.^_`|~-]++)="
    r"(?:([A-Za-z0-9!#$%&'*+.^_`|~-]++)"
    r'|"((?:[^"\\]++|\\.)*+)")[ \t]*+(?:;|$)'
)
# `[ forwarded-pair ]`: there may be nothing between two semicolons.
NOTHING: Final = re.compile(r"[ \t]*+;?")
ESCAPE: Final = re.compile(r"\\(.)")


class Forwarded:
    """Reads the facts of the element that the proxy wrote who vouches for the client.

    Args:
        trust: which entries of the chain count.
        accept: the facts that are believed.
    """

    __slots__ = ("_accept", "_most", "_trust")

    def __init__(self, trust: Trust, accept: Iterable[str]) -> None:
        self._trust = trust
        self._accept = frozenset(accept)
        self._most = trust.hops or MOST_HOPS

    def facts(self, lines: Mapping[bytes, Sequence[bytes]]) -> dict[str, str] | None:
        """What is believed: `for` as an address, the others as they were written.

        Args:
            lines: the header lines by name, in their order.

        Returns:
            The facts; None where there are fewer entries than proxies, so that the request came around one.
        """
        elements = list(islice(elements_from_right(lines.get(NAME, ())), self._most))
        if len(elements) < self._trust.hops:
            return None
        client, depth = self._trust.client([element.get("for", "") for element in elements])
        if not elements:
            return {}
        found = {fact: text for fact, text in elements[depth].items() if fact in self._accept}
        found.pop("for", None)
        if client is not None and "for" in self._accept:
            found["for"] = client
        return found


def hosts_in(line: bytes) -> list[bytes]:
    """The hosts for which proxies took a request, from the nearest proxy's to the client's.

    Args:
        line: the value of the header.
    """
    elements = islice(elements_from_right([line]), MOST_HOPS)
    return [element["host"].encode("latin-1") for element in elements if "host" in element]


def elements_from_right(lines: Sequence[bytes]) -> Iterator[dict[str, str]]:
    """The elements of all lines, from the last to the first; none of those before a malformed one.

    Args:
        lines: the values of the header. Several are one list (RFC 9110 section 5.2), but no quoted string
            goes on from one to the next.

    Yields:
        Parameters by their names in lower case, with quotes and escapes taken off.
    """
    for line in reversed(lines):
        turned = line.decode("latin-1")[::-1]
        start = 0
        while True:
            match = TURNED_ELEMENT.match(turned, start)
            end = match.end() if match else start
            if turned[end : end + 1] == '"':
                return  # nobody opened this quoted string
            element = read_element(turned[start:end][::-1])
            if element is None:
                return
            yield element
            if end == len(turned):
                break
            start = end + 1


def read_element(text: str) -> dict[str, str] | None:
    """The parameters of one element such as `for=192.0.2.1;proto=https`; None where it is malformed.

    Args:
        text: without the commas around it.
    """
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = PAIR.match(text, position)
        if match is None:
            nothing = NOTHING.match(text, position)
            if nothing is None or nothing.end() == position:
                return None
            position = nothing.end()
            continue
        name = match[1].lower()
        # RFC 7239 section 4: no parameter twice in one element.
        if name in found:
            return None
        found[name] = match[2] if match[3] is None else ESCAPE.sub(r"\1", match[3])
        position = match.end()
    return found
