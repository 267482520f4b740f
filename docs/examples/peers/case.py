"""What one comparison says."""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """One condition, and what both make of it.

    Attributes:
        condition: what is sent, or what the app does.
        peer: the other package, by the name that it is installed by.
        theirs: what it does.
        ours: what Garrison does.
    """

    condition: str
    peer: str
    theirs: str
    ours: str
