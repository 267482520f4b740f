"""In which order variants take their turns."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEED = 9  # the order is the same in every run, and no pattern of a machine's own


def orders(variants: int, rounds: int) -> Iterator[tuple[int, ...]]:
    """The variants by number, in the order of each round.

    Every second round goes backwards through the one before it (A B B A), so that a machine that becomes
    slower all the time is as unkind to one as to the other; who begins is drawn by lot.

    Args:
        variants: How many there are.
        rounds: How many rounds there are.
    """
    lot = random.Random(_SEED)  # noqa: S311 - an order, no secret
    order = list(range(variants))
    for number in range(rounds):
        if number % 2:
            order.reverse()
        else:
            lot.shuffle(order)
        yield tuple(order)
