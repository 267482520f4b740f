"""A Flask app: as it is, and in ten threads as a2wsgi has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import flask
from a2wsgi import WSGIMiddleware

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp

site = flask.Flask(__name__)


@site.get("/")
def item() -> dict[str, object]:
    """What an ordinary client asks for."""
    return {"name": "lantern"}


@site.post("/")
def note() -> dict[str, object]:
    """Read a form."""
    return {"fields": len(flask.request.form)}


adapted = cast("ASGIApp", WSGIMiddleware(cast("Any", site), workers=10))
