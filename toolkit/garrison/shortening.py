"""Cuts texts that are too long, and never a secret in two: half of one has no shape any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

# Longer than any secret but an encrypted document.
MARGIN: Final = 4096


def beginning(text: str, longest: int, masked: Callable[[str], str]) -> str:
    """The beginning of a text, masked before it is cut.

    Args:
        text: any.
        longest: characters that are kept.
        masked: takes off what nobody may see.
    """
    if len(text) <= longest:
        return masked(text)[:longest]
    head = masked(text[: longest + MARGIN])
    if len(text) > longest + MARGIN:
        # The margin may end with half a secret, and so it goes, wherever masks have moved it.
        head = head[: max(0, len(head) - MARGIN)]
    return head[:longest]


def shortened(text: str, longest: int, masked: Callable[[str], str]) -> str:
    """A masked text, without its middle where it is longer than that: both ends of a traceback say most.

    Args:
        text: any.
        longest: characters that are kept.
        masked: takes off what nobody may see.
    """
    if len(text) <= longest:
        return masked(text)
    half = longest // 2
    margin = min(MARGIN, len(text) - half)
    tail = masked(text[-half - margin :])[margin:]
    return f"{beginning(text, half, masked)}\n[{len(text) - 2 * half} characters left out]\n{tail}"
