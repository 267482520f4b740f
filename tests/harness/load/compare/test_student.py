"""Student's t: the tables of textbooks, and the forms that can be written down."""

from __future__ import annotations

import math
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison_harness.load.compare.student import probability, quantile

# NIST/SEMATECH e-Handbook of Statistical Methods, section 1.3.6.7.2.
TABLE = {
    1: (6.314, 12.706, 63.657), 2: (2.920, 4.303, 9.925), 3: (2.353, 3.182, 5.841), 4: (2.132, 2.776, 4.604),
    5: (2.015, 2.571, 4.032), 9: (1.833, 2.262, 3.250), 10: (1.812, 2.228, 3.169), 19: (1.729, 2.093, 2.861),
    30: (1.697, 2.042, 2.750), 60: (1.671, 2.000, 2.660), 100: (1.660, 1.984, 2.626),
}  # fmt: skip


@pytest.mark.parametrize("freedom", TABLE)
def test_quantiles_are_those_of_the_tables(freedom: int) -> None:
    """What is looked up at the back of a textbook comes out, to its last digit."""
    found = tuple(round(quantile(share, freedom), 3) for share in (0.95, 0.975, 0.995))
    assert found == TABLE[freedom]


@given(st.floats(-1e6, 1e6))
def test_one_and_two_degrees_have_a_closed_form(t: float) -> None:
    """The distribution of one degree is Cauchy's, and that of two is a root."""
    assert probability(t, 1) == pytest.approx(0.5 + math.atan(t) / math.pi, abs=1e-9)
    assert probability(t, 2) == pytest.approx(0.5 + t / (2 * math.sqrt(2 + t * t)), abs=1e-9)


@given(st.floats(0.001, 0.999), st.floats(0.7, 500))
def test_quantile_and_probability_undo_each_other(share: float, freedom: float) -> None:
    """That much is below the quantile, for fractions of a degree too, and both sides are alike."""
    found = quantile(share, freedom)
    assert probability(found, freedom) == pytest.approx(share, abs=1e-9)
    assert quantile(1 - share, freedom) == pytest.approx(-found, rel=1e-6, abs=1e-9)


@given(st.floats(0.001, 0.999))
def test_many_degrees_are_the_normal_distribution(share: float) -> None:
    """With a million rounds nothing is left of the uncertainty that few rounds add."""
    assert quantile(share, 1e6) == pytest.approx(NormalDist().inv_cdf(share), abs=1e-4)


@pytest.mark.parametrize(("share", "freedom"), [(0, 5), (1, 5), (0.5, 0), (0.5, -1), (0.5, math.nan)])
def test_what_has_no_quantile_is_refused(share: float, freedom: float) -> None:
    """No share of all or nothing, and no distribution without a degree of freedom."""
    with pytest.raises(ValueError, match="share between 0 and 1"):
        quantile(share, freedom)
