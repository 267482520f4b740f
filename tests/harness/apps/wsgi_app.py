"""A WSGI app, as Flask and Django make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def app(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Say hello at one path."""
    found = environ["PATH_INFO"] == "/"
    start_response("200 OK" if found else "404 Not Found", [("Content-Type", "text/html; charset=utf-8")])
    return [b"<p>hello</p>" if found else b"<p>nothing here</p>"]
