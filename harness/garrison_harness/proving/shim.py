"""Wraps an app in planted routes, so that every layer has something to do.

Only `prove` serves it, on a loopback port and inside the toolkit; it imports nothing of that.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, cast

from garrison_harness.extras import needs
from garrison_harness.loading import is_wsgi, load_app
from garrison_harness.proving.faulty import handler_of
from garrison_harness.target import TargetFailed

if TYPE_CHECKING:
    from garrison_harness.asgi_call import App, Scope

TARGET: Final = "HARNESS_SHIM_TARGET"
"""The variable that names the app inside, as `module:attribute`."""

FACTORY: Final = "HARNESS_SHIM_FACTORY"
"""The variable that is `1` where the attribute is called for the app."""


class Shim:
    """An ASGI app that answers the planted routes itself and leaves all else to the app inside."""

    def __init__(self, app: App) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Answer what is planted; lifespan and every other path are the app's."""
        await (handler_of(scope) or self._app)(scope, receive, send)


def make() -> Shim:
    """The shim around the app that the environment names.

    Raises:
        TargetFailed: The app cannot be loaded.
    """
    app = load_app(os.environ[TARGET], factory=os.environ.get(FACTORY) == "1")
    return Shim(_from_wsgi(app) if is_wsgi(app) else app)


def _from_wsgi(app: object) -> App:
    """The same app for an ASGI server.

    Raises:
        TargetFailed: What it takes is not installed.
    """
    try:
        from a2wsgi import WSGIMiddleware  # noqa: PLC0415 - only WSGI apps need it
    except ModuleNotFoundError as error:
        raise TargetFailed(needs("a WSGI app", error.name, "server")) from error
    return cast("App", WSGIMiddleware(cast("Any", app)))
