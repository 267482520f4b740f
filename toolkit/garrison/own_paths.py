"""Whether an app has a route of its own on a path, as far as it can be read."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

# Middlewares nest and mounts nest, but not endlessly.
DEEPEST: Final = 100


def has_route(app: object, path: str) -> bool:
    """Whether a GET on a path has a route of exactly that name; one with a variable in it is none.

    Starlette, FastAPI, Litestar and Quart can be read; of other apps nothing is known.

    Args:
        app: with any number of middlewares around it that keep it as `app`.
        path: without `root_path`.
    """
    for _ in range(DEEPEST):
        routes = getattr(app, "routes", None)
        if isinstance(routes, list | tuple):
            return _has(_flat(app, routes), path, DEEPEST)
        rules = getattr(getattr(app, "url_map", None), "iter_rules", None)  # Quart
        if rules is not None:
            return any(rule.rule == path and "GET" in (rule.methods or ()) for rule in rules())
        app = getattr(app, "app", None)
    return False


def _flat(app: Any, routes: Iterable[Any]) -> Iterable[Any]:
    # Whoever has made such an app has imported it; what routers are in it, only it can tell.
    fastapi = sys.modules.get("fastapi")
    if fastapi is not None and isinstance(app, fastapi.FastAPI):
        return getattr(sys.modules["fastapi.routing"], "iter_route_contexts", iter)(routes)
    return routes


def _has(routes: Iterable[Any], path: str, depth: int) -> bool:
    for route in routes:
        own = getattr(route, "path", None)
        if not isinstance(own, str):
            continue
        below = getattr(route, "routes", None)
        if below is not None and isinstance(below, list | tuple) and depth:
            inner = _flat(getattr(route, "app", None), below)
            if path.startswith(f"{own}/") and _has(inner, path[len(own) :], depth - 1):
                return True
        elif own == path and _takes_get(route):
            return True
    return False


def _takes_get(route: Any) -> bool:
    methods = getattr(route, "methods", None)
    return methods is None or "GET" in methods
