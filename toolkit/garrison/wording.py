"""How settings and their values are said to people: what is expected, and what was found."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network
from math import isfinite
from typing import Annotated, Any, Literal, get_args, get_origin

from garrison.units import DURATIONS, Network, Secret, Unit, is_optional, read_duration, without_none

# Up to the last @ that can be meant: people forget to escape the / and @ of a password, and hiding
# too much of a URL is the smaller harm.
_URL_CREDENTIALS = re.compile(r"(?<=://)(?:[^\s/?#@:]*:\S+|[^\s/?#]+)(?=@)")


def hint_for_code(annotation: Any, value: object) -> str:
    """The Python type of a setting, for the person who gave a value of another one.

    Args:
        annotation: the field's type.
        value: what does not fit it. A wrong word for a choice is no matter of types, and gets no hint.
    """
    kind = without_none(annotation) if is_optional(annotation) else annotation
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
    if is_optional(annotation):
        kept = without_none(annotation)
        if is_optional(kept) and kept != Network:
            return " or ".join(_in_code(item) for item in arguments if item is not type(None)) + ", or None"
        return f"{_in_code(kept)}, or None"
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
    if origin is Literal and len(arguments) == 1:
        return str(arguments[0])
    if origin is Literal:
        return "one of " + ", ".join(str(item) for item in arguments)
    if origin is tuple:
        return f"a comma-separated list, each {describe(arguments[0])}"
    if annotation == Network:
        return "an address or a block without host bits such as 192.0.2.7, 10.0.0.0/8 or fd00::/8"
    if is_optional(annotation):
        kept = without_none(annotation)
        if is_optional(kept) and kept != Network:
            return " or ".join(describe(item) for item in arguments if item is not type(None)) + ", or off"
        return f"{describe(kept)}, or off"
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
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    if isinstance(value, int | float) and _is_measure(annotation, Unit.BYTES):
        return _render_size(int(value))
    if isinstance(value, int | float) and _is_measure(annotation, Unit.SECONDS):
        return _render_duration(float(value))
    if isinstance(value, IPv4Network | IPv6Network) and value.prefixlen == value.max_prefixlen:
        return str(value.network_address)
    return mask_credentials(str(value))


def render_given(value: object, annotation: Any) -> str:
    """Write a value that was given in code as `render` does, or as Python does where its type is another.

    Args:
        value: whatever was given.
        annotation: the field's type.
    """
    kind = without_none(annotation) if is_optional(annotation) else annotation
    if isinstance(value, tuple) and get_origin(kind) is not tuple:
        return mask_credentials(repr(value))
    return render(value, annotation)


def _is_measure(annotation: Any, unit: Unit) -> bool:
    if is_optional(annotation):
        return any(_is_measure(item, unit) for item in get_args(annotation))
    return unit in get_args(annotation)


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
            count, rest = divmod(rest, DURATIONS[unit] // 1000)
            found += f"{count}{unit}" if count else ""
    # A number without a unit is seconds too, with all of its digits.
    return found if read_duration(found) == seconds else repr(seconds)


def mask_credentials(text: str) -> str:
    """Hide the user and password part of every URL in a text (RFC 3986 section 3.2.1)."""
    return _URL_CREDENTIALS.sub("***", text)
