"""Variants take their turns in an order that favours nobody."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from garrison_harness.load.compare.order import orders


@given(st.integers(1, 5), st.integers(1, 50))
def test_each_variant_has_one_turn_in_each_round(variants: int, rounds: int) -> None:
    """Nobody is left out, and nobody comes twice."""
    found = list(orders(variants, rounds))
    assert len(found) == rounds
    assert all(sorted(order) == list(range(variants)) for order in found)


@given(st.integers(2, 5), st.integers(1, 25))
def test_a_machine_that_slows_down_is_unkind_to_all_alike(variants: int, pairs: int) -> None:
    """After every two rounds, the moments of each variant's turns add up to the same."""
    moments: Counter[int] = Counter()
    for number, order in enumerate(orders(variants, 2 * pairs)):
        for place, variant in enumerate(order):
            moments[variant] += number * variants + place
    assert len(set(moments.values())) == 1


def test_who_begins_is_drawn_by_lot() -> None:
    """Neither variant always comes first, so that what happens every other round meets both."""
    begins = [order[0] for order in orders(2, 40)]
    assert all(begins != (begins[:period] * 40)[:40] for period in range(1, 11))
    assert Counter(begins) == {0: 20, 1: 20}
