"""The handler that a request went to, as the route table tells it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from garrison_harness.route import Route

_PARAMETER = re.compile(r"\\\{[^/]*?\\\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A line of the project.

    Attributes:
        file: Relative to the directory where the audit was started, with forward slashes.
        line: Its number, from 1.
        exact: Whether this is the handler; otherwise it is where the app is made, for want of a better.
    """

    file: str
    line: int = 1
    exact: bool = False


def handler(routes: Sequence[Route], method: str, target: str) -> Place | None:
    """Where the handler of a request begins; None where it is not known.

    A method that a path does not take goes to whichever handler the path has.

    Args:
        routes: Of the app.
        method: Of the request.
        target: Of the request.
    """
    path = target.partition("?")[0].partition("#")[0]
    known = [route for route in routes if route.file and route.line]
    asked = "GET" if method == "HEAD" else method
    for candidates in ([route for route in known if route.method == asked], known):
        for route in _matching(candidates, path):
            return Place(file=route.file, line=route.line, exact=True)
    return None


def _matching(routes: Iterable[Route], path: str) -> list[Route]:
    """The routes that take a path, the one with the fewest parameters first."""
    found = [route for route in routes if _takes(route, path)]
    return sorted(found, key=lambda route: route.template.count("{"))


def _takes(route: Route, path: str) -> bool:
    if path in {route.template, route.target.partition("?")[0]}:
        return True
    return re.fullmatch(_PARAMETER.sub("[^/]+", re.escape(route.template)), path) is not None
