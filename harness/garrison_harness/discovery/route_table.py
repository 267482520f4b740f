"""Prints the routes of an app as JSON; run as a process of its own, since it imports the app.

`python -m garrison_harness.discovery.route_table module:attribute [--factory]`
"""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from garrison_harness.loading import FactoryFound, load_app
from garrison_harness.target import TargetFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK: Final = "garrison-routes: "
"""What the line begins with that holds the table; an app may print whatever it likes before."""

FACTORY: Final = 4
"""The exit status where the app that was named is a function that makes it."""

_DEEPEST: Final = 20


def main(arguments: list[str]) -> int:
    """Print the table; 3 where the app cannot be loaded, 4 where what makes it was named in its place."""
    try:
        app = load_app(arguments[0], factory="--factory" in arguments)
    except FactoryFound as found:
        sys.stderr.write(f"{found}\n")
        return FACTORY
    except TargetFailed as failure:
        sys.stderr.write(f"{failure}\n")
        return 3
    rows = [row for row in table(app) if row["template"].startswith("/")]
    sys.stdout.write(f"{MARK}{json.dumps(rows)}\n")
    return 0


def table(app: object) -> list[dict[str, Any]]:
    """Method, template, file and line of every route, of the frameworks that are known here.

    Args:
        app: Of Starlette, FastAPI, Litestar, Quart or Flask, or something that wraps one in `app`.
    """
    found: Any = app
    for _ in range(_DEEPEST):
        if hasattr(found, "url_map"):
            return list(_werkzeug(found))
        if isinstance(getattr(found, "routes", None), (list, tuple)):
            return list(_routes(found.routes, ""))
        if not hasattr(found, "app"):
            break
        found = found.app
    return []


def _routes(routes: Any, prefix: str) -> Iterator[dict[str, Any]]:
    for listed in routes:
        # What FastAPI includes that is no route of its own, such as a WebSocket, it puts into one of these.
        route = getattr(listed, "starlette_route", None) or listed
        effective = getattr(route, "effective_route_contexts", None)
        if callable(effective):  # a router that FastAPI includes, with its prefixes
            yield from _routes(effective(), prefix)
        path = getattr(route, "path", None)
        if not isinstance(path, str):
            continue
        template = prefix + (getattr(route, "path_format", None) or path)
        inner = getattr(route, "routes", None)
        if inner and not hasattr(route, "endpoint"):
            yield from _routes(inner, prefix + path.rstrip("/"))
        elif hasattr(route, "route_handlers"):  # Litestar
            for handler in route.route_handlers:
                for method in sorted(getattr(handler, "http_methods", ())):
                    yield _row(str(method), template, getattr(handler, "fn", None))
        else:
            methods = getattr(route, "methods", None)
            if methods is None and "WebSocket" in type(route).__name__:
                methods = ("WEBSOCKET",)
            for method in sorted(methods or ()):
                yield _row(method, template, getattr(route, "endpoint", None))


def _werkzeug(app: Any) -> Iterator[dict[str, Any]]:
    for rule in app.url_map.iter_rules():
        # `/items/<int:id>` is what others write as `/items/{id}`.
        template = "".join(
            f"{{{part[1:-1].rpartition(':')[2]}}}" if part.startswith("<") else part
            for part in _parts(rule.rule)
        )
        for method in sorted(rule.methods or ()):
            yield _row(method, template, app.view_functions.get(rule.endpoint))


def _parts(rule: str) -> Iterator[str]:
    while rule:
        before, opening, rest = rule.partition("<")
        yield before
        if not opening:
            return
        inside, _, rule = rest.partition(">")
        yield f"<{inside}>"


def _row(method: str, template: str, handler: Any) -> dict[str, Any]:
    file, line = _place(handler)
    return {"method": method, "template": template, "file": file, "line": line}


def _place(handler: Any) -> tuple[str, int]:
    """The file below the working directory and the line that a handler begins at; nothing for others."""
    try:
        function = inspect.unwrap(getattr(handler, "value", handler))
        path = Path(inspect.getsourcefile(function) or "").resolve()
        _, line = inspect.getsourcelines(function)
        below = path.relative_to(Path.cwd().resolve())
        # An environment may be below it too, and nobody mends what is in there.
        return ("", 0) if "site-packages" in below.parts else (below.as_posix(), line)
    except (TypeError, OSError, ValueError):
        return "", 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
