"""The X-Forwarded headers, which no standard describes: lists in which every proxy appends its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.forwarding.addresses import MOST_HOPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from garrison.forwarding.addresses import Trust

NAMES: Final = {
    "for": b"x-forwarded-for",
    "proto": b"x-forwarded-proto",
    "host": b"x-forwarded-host",
    "port": b"x-forwarded-port",
    "prefix": b"x-forwarded-prefix",
}

# RFC 9110 section 5.6.3; other white space is part of a value.
BLANKS: Final = " \t"


class XForwarded:
    """Reads the facts that the proxy wrote who vouches for the client.

    Args:
        trust: which entries of the chain count.
        accept: the facts that are believed.
    """

    __slots__ = ("_accepts_for", "_most", "_others", "_trust")

    def __init__(self, trust: Trust, accept: Iterable[str]) -> None:
        self._trust = trust
        self._accepts_for = "for" in accept
        self._others = tuple((fact, NAMES[fact]) for fact in accept if fact != "for")
        self._most = trust.hops or MOST_HOPS

    def facts(self, lines: Mapping[bytes, Sequence[bytes]]) -> dict[str, str] | None:
        """What is believed: `for` as an address, the others as they were written.

        Args:
            lines: the header lines by name, in their order.

        Returns:
            The facts; None where there are fewer entries than proxies, so that the request came around one.
        """
        nodes = items_from_right(lines.get(NAMES["for"], ()), self._most)
        if len(nodes) < self._trust.hops:
            return None
        client, depth = self._trust.client(nodes)
        found: dict[str, str] = {}
        if client is not None and self._accepts_for:
            found["for"] = client
        for fact, name in self._others:
            if name in lines:
                value = item_at(items_from_right(lines[name], MOST_HOPS), depth)
                if value:
                    found[fact] = value
        return found


def items_from_right(lines: Sequence[bytes], most: int) -> list[str]:
    """The items of all lines as one list, from the last to the first.

    Args:
        lines: the values of the header.
        most: how many items are wanted.
    """
    if not lines:
        return []
    text = (lines[0] if len(lines) == 1 else b",".join(lines)).decode("latin-1")
    if "," not in text:
        return [text.strip(BLANKS)]
    items = text.rsplit(",", most)
    if len(items) > most:
        del items[0]  # what was not split
    items.reverse()
    return [item.strip(BLANKS) for item in items]


def item_at(items: Sequence[str], depth: int) -> str | None:
    """The item of the proxy at this place in the chain; None where the lists do not match.

    Many proxies replace the header instead of appending to it, so that one item alone is everybody's.

    Args:
        items: from the right.
        depth: the place, 0 for the nearest proxy.
    """
    if len(items) == 1:
        return items[0]
    return items[depth] if depth < len(items) else None
