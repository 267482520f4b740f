"""What the routes of an app say that its document does not."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRoute:
    """One route.

    Attributes:
        template: its path as the document has it.
        methods: in lower case.
        is_greedy: whether its last variable takes slashes too, as `{path:path}` does.
        optional: the names of security schemes without which its handler is called all the same
            (`auto_error=False`).
    """

    template: str
    methods: frozenset[str]
    is_greedy: bool
    optional: frozenset[str]


def routes_of(app: Any) -> tuple[OwnRoute, ...]:
    """The routes of a FastAPI or Litestar app, as far as they have paths and methods.

    Args:
        app: that has made its document.
    """
    every = getattr(app, "routes", None) or ()
    # Whoever has made such an app has imported it; what routers are in it, only it can tell.
    fastapi = sys.modules.get("fastapi")
    if fastapi is not None and isinstance(app, fastapi.FastAPI):
        every = getattr(sys.modules["fastapi.routing"], "iter_route_contexts", iter)(every)
    return tuple(_read(route) for route in every if getattr(route, "path_format", None))


def _read(route: Any) -> OwnRoute:
    return OwnRoute(
        template=str(route.path_format),
        methods=frozenset(method.lower() for method in getattr(route, "methods", None) or ()),
        is_greedy=":path}" in str(getattr(route, "path", "")),
        optional=frozenset(_optional(getattr(route, "dependant", None))),
    )


def _optional(dependant: Any) -> Iterator[str]:
    if dependant is None:
        return
    call = getattr(dependant, "call", None)
    name = getattr(call, "scheme_name", None)
    if isinstance(name, str) and getattr(call, "auto_error", True) is False:
        yield name
    for below in dependant.dependencies:
        yield from _optional(below)
