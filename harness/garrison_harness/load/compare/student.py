"""Student's t distribution, which says how far a mean of a few rounds may be off."""

from __future__ import annotations

import math

_STEPS = 200  # of the continued fraction and of the bisection: more than double precision needs
_TINY = 1e-300


def probability(t: float, freedom: float) -> float:
    """How likely a value of Student's distribution is below `t`.

    Args:
        t: The value.
        freedom: Degrees of freedom, above 0; any number, as Welch's test asks for fractions.
    """
    # Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.1.
    outside = _incomplete_beta(freedom / (freedom + t * t), freedom / 2, 0.5) / 2
    return 1 - outside if t > 0 else outside


def quantile(share: float, freedom: float) -> float:
    """The value that `share` of Student's distribution is below.

    Args:
        share: Above 0 and below 1.
        freedom: Degrees of freedom, above 0.

    Raises:
        ValueError: An argument is out of its range.
    """
    if not 0 < share < 1 or not freedom > 0:
        raise ValueError(f"expected a share between 0 and 1 and freedom above 0, not {share} and {freedom}")
    if share < 0.5:
        return -quantile(1 - share, freedom)
    low, high = 0.0, 1.0
    while probability(high, freedom) < share:
        low, high = high, high * 2
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if middle in {low, high}:
            break
        if probability(middle, freedom) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function (Abramowitz and Stegun 26.5)."""
    if x <= 0 or x >= 1:
        return min(1.0, max(0.0, x))
    # The fraction converges fast on one side of the mean, and 26.5.2 mirrors the other side to it.
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(1 - x, b, a)
    logarithm = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(logarithm) / (a * _fraction(x, a, b))


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction 26.5.8, from the top down after Lentz."""
    value = upper = 1.0
    lower = 0.0
    for step in range(1, _STEPS):
        m = step // 2
        if step % 2:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        lower = 1 / (_away_from_zero(1 + term * lower))
        upper = _away_from_zero(1 + term / upper)
        value *= upper * lower
        if abs(upper * lower - 1) < 1e-15:
            break
    return value


def _away_from_zero(number: float) -> float:
    return number if abs(number) > _TINY else _TINY
