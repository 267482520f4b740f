"""The word that somebody may have meant, for whoever has to mend a setting."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest_to(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The word that is most like another one; None where none is near.

    Args:
        word: what was found.
        known: what would do.
        cutoff: how alike they have to be, from 0 to 1 (`difflib.get_close_matches`).
    """
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    found = get_close_matches(word, list(known), n=1, cutoff=cutoff)
    return found[0] if found else None
