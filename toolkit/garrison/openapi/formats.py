"""The formats that values are held to: JSON Schema's own, and those that OpenAPI adds."""

from __future__ import annotations

import re
from binascii import Error as NotBase64
from binascii import a2b_base64
from typing import TYPE_CHECKING, Final

import jsonschema_rs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from garrison.openapi.schemas import Schema

# Bounds of numbers (OpenAPI format registry), which the validator checks faster than a function of ours.
BOUNDS: Final[Mapping[str, tuple[int | float, int | float]]] = {
    "int8": (-(2**7), 2**7 - 1),
    "int16": (-(2**15), 2**15 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint8": (0, 2**8 - 1),
    "uint16": (0, 2**16 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
    # The largest finite one of IEEE 754 binary32.
    "float": (-3.4028234663852886e38, 3.4028234663852886e38),
}

# What jsonschema-rs checks by itself (JSON Schema 2020-12 validation section 7.3).
_NATIVE: Final = frozenset({
    "date", "date-time", "duration", "email", "hostname", "idn-email", "idn-hostname", "ipv4", "ipv6", "iri",
    "iri-reference", "json-pointer", "regex", "relative-json-pointer", "time", "uri", "uri-reference",
    "uri-template", "uuid",
})  # fmt: skip

_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]*={0,2}")

# RFC 3339 section 5.6. jsonschema-rs 0.60 takes `//26-01-31` for a date, with whose year an app fails.
_YEAR: Final = re.compile(r"[0-9]{4}-")
_DATE, _DATE_TIME = (
    jsonschema_rs.validator_for({"format": name}, validate_formats=True) for name in ("date", "date-time")
)


def is_date(text: str) -> bool:
    """Whether a text is a day, such as 2026-01-31."""
    return _YEAR.match(text) is not None and _DATE.is_valid(text)


def is_date_time(text: str) -> bool:
    """Whether a text is a moment, such as 2026-01-31T12:00:00Z."""
    return _YEAR.match(text) is not None and _DATE_TIME.is_valid(text)


def is_byte(text: str) -> bool:
    """Whether a text is base64 with padding (RFC 4648 section 4), as OpenAPI's `byte`."""
    try:
        a2b_base64(text.encode("ascii"), strict_mode=True)
    except (NotBase64, ValueError):
        return False
    return True


def is_base64url(text: str) -> bool:
    """Whether a text is base64url, with or without padding (RFC 4648 section 5)."""
    return _BASE64URL.fullmatch(text) is not None and len(text.rstrip("=")) % 4 != 1


# Called from native code, which passes an exception on as it is: none of them raises.
FUNCTIONS: Final[Mapping[str, Callable[[str], bool]]] = {
    "base64url": is_base64url,
    "byte": is_byte,
    "date": is_date,
    "date-time": is_date_time,
}

CHECKED: Final = _NATIVE | FUNCTIONS.keys()


def formatted(name: str, schema: Schema) -> Schema:
    """The keywords that say what a format says; none for one that nobody checks.

    Args:
        name: of the format.
        schema: what is known so far, bounds of its own among it.
    """
    if name in CHECKED:
        return {"format": name}
    if name not in BOUNDS:
        return {}
    least, most = BOUNDS[name]
    return {
        "minimum": stricter("minimum", least, schema),
        "maximum": stricter("maximum", most, schema),
    }


def stricter(keyword: str, bound: float, schema: Schema) -> int | float:
    """A bound, or the one that a schema has already if that is the narrower one.

    Args:
        keyword: `minimum` or `maximum`.
        bound: of a number.
        schema: with or without such a bound.
    """
    known = schema.get(keyword)
    if not isinstance(known, int | float):
        return bound
    return max(bound, known) if keyword == "minimum" else min(bound, known)
