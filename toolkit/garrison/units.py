"""What a setting can be beside Python's plain types: sizes, durations, networks, secrets."""

from __future__ import annotations

import enum
import re
import types
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any, Final, TypeAlias, Union, get_args, get_origin


class Unit(enum.Enum):
    """What a number stands for when it is written with a unit."""

    BYTES = "bytes"
    SECONDS = "seconds"


Size: TypeAlias = Annotated[int, Unit.BYTES]
"""A number of bytes, written `512`, `64KiB` or `10MB`."""

Duration: TypeAlias = Annotated[float, Unit.SECONDS]
"""A number of seconds, written `0.5`, `250ms`, `30s` or `1h30m`."""

Network: TypeAlias = IPv4Network | IPv6Network
"""An address block, written `10.0.0.0/8`, `::1` or `192.0.2.7`."""


class Secret:
    """A value that no repr, log or error message shows.

    Args:
        value: the secret itself.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself, for the code that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


# SI prefixes are powers of ten and IEC prefixes powers of two (IEC 80000-13).
SIZES: Final = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
}
# In milliseconds.
DURATIONS: Final[dict[str, int]] = {
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}


_DURATION_PART = re.compile(r"(\d+)(?:\.(\d+))?(ms|s|m|h|d)")


def read_duration(text: str) -> float | None:
    """The seconds in a text such as `1h30m`, `250ms` or `0.5`; None where it is no duration."""
    compact = text.lower().replace(" ", "")
    parts: list[tuple[str, str, str]] = _DURATION_PART.findall(compact)
    try:
        if parts and _DURATION_PART.sub("", compact) == "":
            # Whole numbers up to one division, so that `0.1s` is exactly what 0.1 is.
            digits = max(len(decimals) for _, decimals, _ in parts)
            total = sum(
                int(whole + decimals.ljust(digits, "0")) * DURATIONS[unit] for whole, decimals, unit in parts
            )
            seconds = total / (1000 * 10**digits)
        else:
            seconds = float(text)
    except (ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds < float("inf") else None


def is_optional(annotation: Any) -> bool:
    """Whether an annotation is a union, such as that of a type and None."""
    return get_origin(annotation) in {Union, types.UnionType}


def without_none(annotation: Any) -> Any:
    """The union without None; the one type itself where only one is left."""
    kept = [item for item in get_args(annotation) if item is not type(None)]
    return kept[0] if len(kept) == 1 else Union[tuple(kept)]  # noqa: UP007 - built at run time
