"""Under which paths the operations of a document are found."""

from __future__ import annotations

import re
from itertools import count, product
from math import prod
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.openapi.places import Place

# Paths that one server may have by the values of its variables.
MAX_PATHS: Final = 64

# Stands for a value that may be any, while a URL is taken apart.
_ANY: Final = "\ue000"

_VARIABLE: Final = re.compile(r"\{([^{}]*)\}")
_AUTHORITY: Final = re.compile(r"(?:[^/?#]*:)?//[^/?#]*")


def read_servers(place: Place) -> tuple[str, ...]:
    """The path prefixes of the servers that an object declares, without a slash at the end.

    A variable that may have any value, which is one without `enum`, is a variable of the prefix, such as that
    of `/{*0}/v1` (OpenAPI 3.2 sections 4.6 and 4.7).

    Args:
        place: of the document, a path item or an operation.

    Returns:
        None of them where it declares no servers.

    Raises:
        DocumentError: a server has no URL, a variable without a value, or more than 64 paths.
    """
    servers = place.get("servers")
    found = [] if servers is None else [path for each in servers.entries() for path in _paths(each)]
    return tuple(dict.fromkeys(found))


def _paths(place: Place) -> Iterator[str]:
    url = place.text("url")
    names = list(dict.fromkeys(_VARIABLE.findall(url)))
    values = {name: _values(place, name) for name in names}
    authority = _AUTHORITY.match(url)
    if authority is not None:
        # What the host is called changes no path.
        for name in {*names} - {*_VARIABLE.findall(url[authority.end() :])}:
            values[name] = _telling(values[name])
    if prod(map(len, values.values())) > MAX_PATHS:
        values = {name: _any_of(found) for name, found in values.items()}
    if prod(map(len, values.values())) > MAX_PATHS:
        raise place.child("url").wrong(f"a URL with at most {MAX_PATHS} paths by its variables", "more")
    for chosen in product(*values.values()):
        value_of = dict(zip(values, chosen, strict=True))
        written = _VARIABLE.sub(lambda variable: value_of[variable[1]], url)  # noqa: B023 - called right here
        try:
            # A relative one is relative to where the document is served, which is the root of the app.
            path = urlsplit(urljoin("http://app/", f"/{urlsplit(written).path.lstrip('/')}")).path
        except ValueError:
            raise place.child("url").wrong("a URL") from None
        numbers = count()
        yield re.sub(_ANY, lambda _: f"{{*{next(numbers)}}}", path.rstrip("/"))  # noqa: B023 - as above


def _values(place: Place, name: str) -> list[str]:
    variables = place.get("variables")
    variable = None if variables is None else variables.get(name)
    if variable is None:
        raise place.child("url").wrong("a URL of which each variable is declared", repr(name[:120]))
    default, allowed = variable.text("default"), variable.get("enum")
    if allowed is not None:
        return list(dict.fromkeys([default, *(str(member.value) for member in allowed.entries())]))
    # A segment may be any; several, or a URL, are those that are meant.
    return [_ANY] if default and "/" not in default else [default]


def _telling(values: list[str]) -> list[str]:
    """One of the values that have no path in them, and those that have."""
    plain = [value for value in values if "/" not in value]
    return [*plain[:1], *(value for value in values if "/" in value)]


def _any_of(values: list[str]) -> list[str]:
    """Values of which there are too many: any in place of those that are one segment at most."""
    if len(values) == 1:
        return values
    return list(dict.fromkeys(value if "/" in value else _ANY for value in values))
