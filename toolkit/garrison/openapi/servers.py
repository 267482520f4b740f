"""Under which paths the operations of a document are found."""

from __future__ import annotations

import re
from itertools import islice, product
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.openapi.document import Document
    from garrison.openapi.places import Place

# Paths that one server may have by the values of its variables.
MAX_PATHS: Final = 64

_VARIABLE: Final = re.compile(r"\{([^{}]*)\}")


def read_servers(document: Document) -> tuple[str, ...]:
    """The path prefixes of a document's servers, without a slash at the end (OpenAPI 3.1 section 4.8.5).

    Raises:
        DocumentError: a server has no URL, or a variable without a value.
    """
    servers = document.root.get("servers")
    found = [] if servers is None else [path for place in servers.entries() for path in _paths(place)]
    return tuple(dict.fromkeys(found)) or ("",)


def _paths(place: Place) -> Iterator[str]:
    url = place.text("url")
    names = list(dict.fromkeys(_VARIABLE.findall(url)))
    values = [_values(place, name) for name in names]
    for chosen in islice(product(*values), MAX_PATHS):
        value_of = dict(zip(names, chosen, strict=True))
        written = _VARIABLE.sub(lambda variable: value_of[variable[1]], url)  # noqa: B023 - called right here
        try:
            path = urlsplit(written).path
        except ValueError:
            raise place.child("url").wrong("a URL") from None
        # A relative one is relative to where the document is served, which is the app.
        path = path.rstrip("/")
        yield path if path.startswith("/") or not path else f"/{path}"


def _values(place: Place, name: str) -> list[str]:
    variables = place.get("variables")
    variable = None if variables is None else variables.get(name)
    if variable is None:
        raise place.child("url").wrong("a URL of which each variable is declared", repr(name[:120]))
    allowed = variable.get("enum")
    return list(
        dict.fromkeys(
            [
                variable.text("default"),
                *(str(member.value) for member in (() if allowed is None else allowed.entries())),
            ]
        )
    )
