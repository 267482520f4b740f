"""Makes numbers and texts that a schema allows, another one each turn."""

from __future__ import annotations

import math
from base64 import b64encode
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from garrison_harness.load.requests.fitting import fits
from garrison_harness.load.requests.patterns import NotSimpleError, text_for
from garrison_harness.load.requests.spec import FRESH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SPREAD: Final = 50
"""How far from its bound a number is looked for: small ones are what apps expect."""

_MORE: Final = (0, 1, 2, 5, 11, 23, 47)

_FORMATS: Final[Mapping[str, Callable[[int], str]]] = {
    "date": lambda turn: f"2026-{turn % 12 + 1:02}-{turn % 28 + 1:02}",
    "date-time": lambda turn: f"2026-{turn % 12 + 1:02}-{turn % 28 + 1:02}T12:00:{turn % 60:02}Z",
    "time": lambda turn: f"12:00:{turn % 60:02}Z",
    "duration": lambda turn: f"PT{turn % 24 + 1}H",
    "email": lambda _turn: f"user{FRESH}@example.com",
    "idn-email": lambda _turn: f"user{FRESH}@example.com",
    "hostname": lambda _turn: f"host{FRESH}.example.com",
    "idn-hostname": lambda _turn: f"host{FRESH}.example.com",
    "ipv4": lambda turn: f"192.0.2.{turn % 254 + 1}",
    "ipv6": lambda turn: f"2001:db8::{turn % 9999 + 1}",
    "uri": lambda _turn: f"https://example.com/{FRESH}",
    "url": lambda _turn: f"https://example.com/{FRESH}",
    "iri": lambda _turn: f"https://example.com/{FRESH}",
    "uri-reference": lambda _turn: f"/{FRESH}",
    "iri-reference": lambda _turn: f"/{FRESH}",
    "uri-template": lambda _turn: f"/{FRESH}/{{id}}",
    "uuid": lambda _turn: f"{FRESH}-e89b-42d3-a456-426614174000",
    "uuid4": lambda _turn: f"{FRESH}-e89b-42d3-a456-426614174000",
    "json-pointer": lambda turn: f"/name{turn}",
    "relative-json-pointer": lambda turn: f"{turn}/name",
    "regex": lambda turn: f"^a{turn}$",
    "byte": lambda turn: b64encode(f"text {turn}".encode()).decode(),
    "base64": lambda turn: b64encode(f"text {turn}".encode()).decode(),
    "base64url": lambda turn: b64encode(f"text {turn}".encode()).decode(),
    "ipvanyaddress": lambda turn: f"192.0.2.{turn % 254 + 1}",
    "json-string": lambda turn: f'{{"number": {turn}}}',
}
"""Texts by format, from names that are reserved for documentation (RFC 2606, RFC 5737, RFC 3849)."""


def number(schema: Mapping[str, Any], turn: int, *, whole: bool) -> float | None:
    """A number in the bounds; None where none is found.

    Args:
        schema: Its bounds.
        turn: Different ones give different numbers, where the bounds leave room.
        whole: Whether it is an integer.
    """
    low, high = _bounds(schema)
    step: Any = schema.get("multipleOf")
    size = Fraction(str(step)) if _is_number(step) and step > 0 else Fraction(1)
    # From 1 upwards where that is allowed, else from the bound that is nearest to it.
    if high < 1:
        multiples = [math.floor(high / size) - offset for offset in range(_SPREAD)]
    else:
        multiples = [math.ceil(max(low, Fraction(1)) / size) + offset for offset in range(_SPREAD)]
    candidates = [multiple * size for multiple in multiples[turn % 8 :] + multiples[: turn % 8]]
    if low > -math.inf and high < math.inf:
        candidates += [Fraction(low), Fraction(high), Fraction(low + high) / 2]
    bounded = {name: value for name, value in schema.items() if name in _BOUNDS}
    for candidate in candidates:
        value = int(candidate) if candidate.denominator == 1 else float(candidate)
        if fits(value, {**bounded, "type": "integer" if whole else "number"}, {}):
            return value
    return None


_BOUNDS: Final = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")


def _bounds(schema: Mapping[str, Any]) -> tuple[Any, Any]:
    lows = [schema.get(name) for name in ("minimum", "exclusiveMinimum")]
    highs = [schema.get(name) for name in ("maximum", "exclusiveMaximum")]
    low = max((Fraction(str(value)) for value in lows if _is_finite(value)), default=-math.inf)
    high = min((Fraction(str(value)) for value in highs if _is_finite(value)), default=math.inf)
    return low, high


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_finite(value: Any) -> bool:
    return _is_number(value) and math.isfinite(value)


def text(schema: Mapping[str, Any], turn: int) -> str | None:
    """A text of the format, the pattern and the length; None where none is made.

    Args:
        schema: What the text is to be.
        turn: Different ones give different texts, where the schema leaves room.
    """
    bounds = {name: schema[name] for name in ("minLength", "maxLength", "pattern") if name in schema}
    candidates = list(_texts(schema, turn))
    return next((candidate for candidate in candidates if fits(candidate, bounds, {})), None)


def _texts(schema: Mapping[str, Any], turn: int) -> list[str]:
    form = _FORMATS.get(str(schema.get("format")))
    if form is not None:
        return [form(turn)]
    least, most = schema.get("minLength", 0), schema.get("maxLength", math.inf)
    if not isinstance(schema.get("pattern"), str):
        words = [f"text {FRESH}", FRESH, chr(97 + turn % 26) * int(min(most, 8))]
        return [word.ljust(min(least, 100_000), "x") for word in words]
    made = [f"text {FRESH}", f"text{FRESH}", FRESH]
    for more in _MORE:
        try:
            made.append(text_for(schema["pattern"], turn, more))
        except NotSimpleError:
            break
    return made
