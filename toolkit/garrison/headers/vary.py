"""The Vary header: which request headers a reply depends on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def with_vary(lines: Iterable[tuple[bytes, bytes]], names: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """The header lines of a reply, with a Vary line for those of the names that it does not list yet.

    Several lines are one list (RFC 9110 section 5.3), so that what is there stays as it is.

    Args:
        lines: of the reply.
        names: request headers.
    """
    kept = list(lines)
    for name, value in kept:
        if len(name) == 4 and name.lower() == b"vary":
            listed = {item.strip().lower() for item in value.split(b",")}
            names = [] if b"*" in listed else [name for name in names if name.lower() not in listed]
    if names:
        kept.append((b"vary", b", ".join(names)))
    return kept
