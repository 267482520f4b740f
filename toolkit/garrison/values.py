"""Text to typed values: what a setting's annotation accepts."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Annotated, Any, Final, Literal, get_args, get_origin

from garrison.units import (
    SIZES,
    Duration,
    Network,
    Secret,
    Size,
    Unit,
    is_optional,
    read_duration,
    without_none,
)
from garrison.wording import describe

TRUE: Final = frozenset({"1", "on", "true", "yes"})
FALSE: Final = frozenset({"0", "off", "false", "no"})
NOTHING: Final = frozenset({"", "none", "off"})

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")


def parse(annotation: Any, text: str) -> Any:
    """Turn the text of a setting into the value that its annotation asks for.

    Args:
        annotation: the field's type, with `Annotated` units kept.
        text: what was written, surrounding blanks included.

    Returns:
        A value of the annotated type.

    Raises:
        ValueError: the text does not fit. The message says what is expected; what was found is for
            the caller to say, who knows whether it is secret.
    """
    try:
        return _parse(annotation, text.strip())
    except ValueError:
        # The whole of it: an item of a list does not know that the list would take several, or `off`.
        raise ValueError(describe(annotation)) from None


def _parse(annotation: Any, text: str) -> Any:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _size(text) if Unit.BYTES in arguments else _duration(text)
    if origin is Literal:
        if text not in arguments:
            raise ValueError(describe(annotation))
        return text
    if origin is tuple:
        items = [item.strip() for item in text.split(",")]
        return tuple(_parse(arguments[0], item) for item in items if item)
    if annotation == Network:
        return _network(text)
    if is_optional(annotation):
        kept = without_none(annotation)
        # An empty secret is a variable that somebody meant to fill in, and `None` is a word in some choices
        # elsewhere, such as SameSite, where it does not mean that nothing is said.
        meant = (kept is Secret and not text) or (get_origin(kept) is Literal and text.lower() == "none")
        if text.lower() in NOTHING and not meant and kept != annotation:
            return None
        return _either(get_args(kept), text) if is_optional(kept) and kept != Network else _parse(kept, text)
    return _scalar(annotation, text)


def _either(annotations: tuple[Any, ...], text: str) -> Any:
    """What the first of several types makes of a text, such as a word or a number."""
    for annotation in annotations:
        try:
            return _parse(annotation, text)
        except ValueError:
            continue
    raise ValueError(text)


def _scalar(annotation: Any, text: str) -> Any:
    if annotation is bool:
        if text.lower() not in TRUE | FALSE:
            raise ValueError(describe(bool))
        return text.lower() in TRUE
    if annotation in {int, float}:
        try:
            number = annotation(text)
        except ValueError:
            raise ValueError(describe(annotation)) from None
        if number != number or abs(number) == float("inf"):  # noqa: PLR0124 - only NaN differs from itself
            raise ValueError(describe(annotation))
        return number
    if annotation is Secret:
        if not text:
            raise ValueError(describe(Secret))
        return Secret(text)
    if annotation is str:
        return text
    raise TypeError(f"no notation for the annotation {annotation!r}")


def _size(text: str) -> int:
    match = _SIZE.fullmatch(text.lower())
    if match is None or match[2] not in SIZES:
        raise ValueError(describe(Size))
    whole, _, decimals = str(match[1]).partition(".")
    size, rest = divmod(int(whole + decimals) * SIZES[match[2]], int(10 ** len(decimals)))
    if rest:
        raise ValueError(describe(Size))
    return size


def _duration(text: str) -> float:
    seconds = read_duration(text)
    if seconds is None:
        raise ValueError(describe(Duration))
    return seconds


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError(describe(Network)) from None


def fits(annotation: Any, value: object) -> bool:
    """Whether a value that was given in code is of the annotated type.

    Args:
        annotation: the field's type.
        value: whatever was given.
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return value in arguments
    if is_optional(annotation):
        return any(fits(argument, value) for argument in arguments)
    if origin is tuple:
        return isinstance(value, tuple) and all(fits(arguments[0], item) for item in value)
    plain = arguments[0] if origin is Annotated else annotation
    if isinstance(value, bool) or plain is bool:
        return isinstance(value, bool) and plain is bool
    return isinstance(value, int | float if plain is float else plain)
