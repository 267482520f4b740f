"""Text to typed values and back: what a setting's annotation accepts, and how it is said."""

from __future__ import annotations

import enum
import re
import types
import typing
from fractions import Fraction
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, Final, Literal, TypeAlias, Union, get_args, get_origin


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
DURATIONS: Final[dict[str, int | Fraction]] = {
    "d": 86400,
    "h": 3600,
    "m": 60,
    "s": 1,
    "ms": Fraction(1, 1000),
}
TRUE: Final = frozenset({"1", "on", "true", "yes"})
FALSE: Final = frozenset({"0", "off", "false", "no"})
NOTHING: Final = frozenset({"", "none", "off"})

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
# Up to the last @ that can be meant: people forget to escape the / and @ of a password, and hiding
# too much of a URL is the smaller harm.
_URL_CREDENTIALS = re.compile(r"(?<=://)(?:[^\s/?#@:]*:\S+|[^\s/?#]+)(?=@)")


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
    if origin in {Union, types.UnionType}:
        kept = _without_none(annotation)
        # An empty secret is a variable that somebody meant to fill in.
        if text.lower() in NOTHING and not (kept is Secret and not text):
            return None
        return _parse(kept, text)
    return _scalar(annotation, text)


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
    size = Fraction(match[1]) * SIZES[match[2]]
    if size.denominator != 1:
        raise ValueError(describe(Size))
    return size.numerator


def _duration(text: str) -> float:
    compact = text.lower().replace(" ", "")
    parts: list[tuple[str, str]] = _DURATION_PART.findall(compact)
    try:
        if parts and "".join(number + unit for number, unit in parts) == compact:
            seconds = float(sum((Fraction(number) * DURATIONS[unit] for number, unit in parts), Fraction(0)))
        else:
            seconds = float(text)
    except (ValueError, OverflowError):
        raise ValueError(describe(Duration)) from None
    if not 0 <= seconds < float("inf"):
        raise ValueError(describe(Duration))
    return seconds


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError(describe(Network)) from None


def _without_none(annotation: Any) -> Any:
    kept = [item for item in get_args(annotation) if item is not type(None)]
    return kept[0] if len(kept) == 1 else Union[tuple(kept)]  # noqa: UP007 - built at run time


def fits(annotation: Any, value: object) -> bool:
    """Whether a value that was given in code is of the annotated type.

    Args:
        annotation: the field's type.
        value: whatever was given.
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return value in arguments
    if origin in {Union, types.UnionType}:
        return any(fits(argument, value) for argument in arguments)
    if origin is tuple:
        return isinstance(value, tuple) and all(fits(arguments[0], item) for item in value)
    plain = arguments[0] if origin is Annotated else annotation
    if isinstance(value, bool) or plain is bool:
        return isinstance(value, bool) and plain is bool
    return isinstance(value, int | float if plain is float else plain)


def hint_for_code(annotation: Any, value: object) -> str:
    """The Python type of a setting, for the person who gave a value of another one.

    Args:
        annotation: the field's type.
        value: what does not fit it. A wrong word for a choice is no matter of types, and gets no hint.
    """
    kind = _without_none(annotation) if get_origin(annotation) in {Union, types.UnionType} else annotation
    if get_origin(kind) is Literal and isinstance(value, str):
        return ""
    return f"In code this is {_in_code(annotation)}."


def _in_code(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        unit = "bytes" if Unit.BYTES in arguments else "seconds"
        return f"{arguments[0].__name__}, a number of {unit}"
    if origin is Literal:
        return "str"
    if annotation == Network:
        return "ip_network() of the module ipaddress"
    if origin in {Union, types.UnionType}:
        return f"{_in_code(_without_none(annotation))}, or None"
    if origin is tuple:
        return f"a tuple, each {_in_code(arguments[0])}"
    return str(annotation.__name__)


def describe(annotation: Any) -> str:
    """What an annotation accepts, as a noun phrase with an example.

    Args:
        annotation: the field's type.
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        if Unit.BYTES in arguments:
            return "a size such as 512, 64KiB or 10MB"
        return "a duration such as 250ms, 30s or 1h30m"
    if origin is Literal:
        return "one of " + ", ".join(str(item) for item in arguments)
    if origin is tuple:
        return f"a comma-separated list, each {describe(arguments[0])}"
    if annotation == Network:
        return "an address or a block without host bits such as 192.0.2.7, 10.0.0.0/8 or fd00::/8"
    if origin in {Union, types.UnionType}:
        return f"{describe(_without_none(annotation))}, or off"
    names: dict[Any, str] = {
        bool: "one of on, off, true, false, yes, no, 1, 0",
        int: "a whole number",
        float: "a number",
        str: "a text",
        Secret: "a secret text that is not empty",
    }
    return names[annotation]


def render(value: object, annotation: Any = str) -> str:
    """Write a value in the notation that `parse` reads, with every secret masked.

    Args:
        value: of the annotated type.
        annotation: the field's type; it tells a number of bytes from a plain one.
    """
    if value is None:
        return "off"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, Secret):
        return "***"
    if isinstance(value, tuple):
        (item, *_) = get_args(annotation) or (str,)
        return ",".join(render(member, item) for member in value)
    if isinstance(value, int | float) and _is_measure(annotation, Unit.BYTES):
        return _render_size(int(value))
    if isinstance(value, int | float) and _is_measure(annotation, Unit.SECONDS):
        return _render_duration(float(value))
    if isinstance(value, IPv4Network | IPv6Network) and value.prefixlen == value.max_prefixlen:
        return str(value.network_address)
    return mask_credentials(str(value))


def _is_measure(annotation: Any, unit: Unit) -> bool:
    if get_origin(annotation) in {Union, types.UnionType}:
        return any(_is_measure(item, unit) for item in get_args(annotation))
    return unit in typing.get_args(annotation)


def _render_size(size: int) -> str:
    for suffix, factor in (
        ("GiB", 2**30),
        ("GB", 10**9),
        ("MiB", 2**20),
        ("MB", 10**6),
        ("KiB", 2**10),
        ("kB", 10**3),
    ):
        if size >= factor and size % factor == 0:
            return f"{size // factor}{suffix}"
    return str(size)


def _render_duration(seconds: float) -> str:
    if seconds < 1:
        found = f"{seconds * 1000:.15g}ms" if seconds else "0s"
    elif seconds != int(seconds):
        found = f"{seconds!r}s"
    else:
        found, rest = "", int(seconds)
        for unit in ("d", "h", "m", "s"):
            count, rest = divmod(rest, int(DURATIONS[unit]))
            found += f"{count}{unit}" if count else ""
    try:
        exact = _duration(found) == seconds
    except ValueError:
        exact = False
    # A number without a unit is seconds too, with all of its digits.
    return found if exact else repr(seconds)


def mask_credentials(text: str) -> str:
    """Hide the user and password part of every URL in a text (RFC 3986 section 3.2.1)."""
    return _URL_CREDENTIALS.sub("***", text)
