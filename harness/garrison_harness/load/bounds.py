"""The values that thresholds compare with: `200ms`, `0.1%`, `500`, `100`."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from garrison_harness.load.units import NUMBER, parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from garrison_harness.load.metrics import Dimension, Metric

BYTES: Final = {"KB": 1000, "MB": 1000**2, "GB": 1000**3}
"""Bytes per unit, as in the options of an audit."""

_PLAIN: Final = re.compile(NUMBER)
_SIZE: Final = re.compile(rf"({NUMBER})\s*([KMG]B)", re.IGNORECASE)


def read_bound(metric: Metric, value: str) -> tuple[Dimension, float]:
    """What a bound measures, and how much it is.

    Args:
        metric: What is bounded.
        value: As it is written.

    Raises:
        ValueError: It is no bound for this metric; the message is what was expected and what was found.

    Returns:
        Its dimension, and seconds, a share of 0 to 1, requests per second, a count, or bytes. Only a
        difference may be below nought, and its share above 1, as may that of a growth.
    """
    if metric.name == "memory_growth":
        return "share", _percentage(value)
    if metric.source != "comparison":
        dimension = _dimension(metric, value)
        return dimension, _READERS[dimension](value)
    sign, size = (-1, value[1:].lstrip()) if value.startswith("-") else (1, value)
    dimension = _dimension(metric, size)
    return dimension, sign * (_percentage(size) if dimension == "share" else _time(size))


def _dimension(metric: Metric, value: str) -> Dimension:
    """A percentage is a share, where that is one of the choices."""
    if value.endswith("%") and "share" in metric.dimensions:
        return "share"
    return metric.dimensions[0]


def _time(value: str) -> float:
    try:
        return parse_duration(value)
    except ValueError as error:
        found = value or "nothing"
        hint = f": did you mean {value}ms or {value}s?" if _PLAIN.fullmatch(value) else ""
        raise ValueError(f"{error}, found {found}{hint}") from None


def _share(value: str) -> float:
    share = _percentage(value)
    if share > 1:
        raise ValueError(f"expected a percentage up to 100%, found {value}")
    return share


def _percentage(value: str) -> float:
    number = value.removesuffix("%").rstrip()
    # Without the sign, 1 could be one percent or all of them; nought is nought.
    if not _PLAIN.fullmatch(number) or (number == value and float(number)):
        hint = f": did you mean {value}%?" if _PLAIN.fullmatch(value) else ""
        raise ValueError(f"expected a percentage such as 0.1%, found {value or 'nothing'}{hint}")
    return float(Decimal(number) / 100)


def _rate(value: str) -> float:
    number = value.removesuffix("/s").rstrip()
    if not _PLAIN.fullmatch(number):
        raise ValueError(f"expected requests per second such as 50, found {value or 'nothing'}")
    return float(number)


def _count(value: str) -> float:
    if not value.isascii() or not value.isdigit():
        raise ValueError(f"expected a whole number such as 100, found {value or 'nothing'}")
    return float(value)


def _size(value: str) -> float:
    match = _SIZE.fullmatch(value)
    if match is None:
        hint = f": did you mean {value}MB?" if _PLAIN.fullmatch(value) else ""
        raise ValueError(f"expected a size such as 300MB, found {value or 'nothing'}{hint}")
    return float(Decimal(match[1]) * BYTES[match[2].upper()])


_READERS: Final[Mapping[Dimension, Callable[[str], float]]] = {
    "time": _time,
    "share": _share,
    "rate": _rate,
    "count": _count,
    "size": _size,
}
