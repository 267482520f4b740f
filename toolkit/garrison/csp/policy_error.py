"""What is said about a policy that browsers would not read as it was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.nearest import nearest_to

if TYPE_CHECKING:
    from collections.abc import Iterable


class PolicyError(ValueError):
    """A policy that browsers would ignore or read otherwise; the message is one line for whoever wrote it."""


def did_you_mean(word: str, known: Iterable[str], *, otherwise: str, cutoff: float = 0.7) -> str:
    """The end of a message about a word that nobody knows: the nearest that is known, else what to do.

    Args:
        word: what was found.
        known: the words that would do.
        otherwise: what to say where none of them is near.
        cutoff: how alike a word has to be, from 0 to 1.
    """
    near = nearest_to(word.lower(), known, cutoff=cutoff)
    return f"did you mean {near}?" if near else otherwise
