"""What a serving process calls: the hardened app, and what only the server around it can tell."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from uvicorn.config import STARTUP_FAILURE

from garrison.server.departures import Departures
from garrison.server.loading import TargetError, is_wsgi, load_app
from garrison.server.logs import configure_logging, keep_speaking
from garrison.server.startup import StartupReport
from garrison.server.telemetry import set_up_telemetry
from garrison.stack import Hardened, Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from garrison.asgi import ASGIApp, Receive, Scope, Send
    from garrison.server_section import Server


class Served:
    """An ASGI app for one server: hardened, with a startup that reports, and clients whose leaving is told.

    Args:
        app: the app as it was given.
        settings: what the layers are made from.

    Attributes:
        hardened: the app with its layers on.
        lifecycle: where this process is between its start and its end.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.hardened = Hardened(app, settings)
        self.lifecycle = self.hardened.lifecycle
        self._requests = Departures(self.hardened, self.lifecycle)
        self._startup = StartupReport(self.hardened, settings.redaction)

    @property
    def reason(self) -> str | None:
        """Why the startup failed, on one line; None unless it did."""
        return self._startup.reason

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle every scope."""
        if scope["type"] == "lifespan":
            return self._startup(scope, receive, send)
        return self._requests(scope, receive, send)


@dataclass(frozen=True, slots=True)
class Loader:
    """Makes the app of a worker process, which gets it as a pickle.

    Args:
        settings: those of the parent, with the target in the server section.
    """

    settings: Settings

    def __call__(self) -> Served:
        """Load the target; each worker process calls it once."""
        set_up_logging(self.settings)
        set_up_telemetry()
        try:
            app = load(self.settings.server)
        except TargetError as error:
            # It could be loaded a moment ago. This status tells the parent not to try again and again.
            logging.getLogger("garrison").error("not_loaded", extra={"reason": str(error)})  # noqa: TRY400 - one line
            sys.exit(STARTUP_FAILURE)
        return Served(app, self.settings)


def load(section: Server) -> ASGIApp:
    """The app that the settings name, as an ASGI app.

    Args:
        section: with the target.

    Raises:
        TargetUsageError: the target is not written as it should be.
        TargetError: there is no such app.
    """
    app = load_app(section.target, factory=section.factory)
    if is_wsgi(app):
        from garrison.server.wsgi import FromWSGI  # noqa: PLC0415 - most apps do without

        app = FromWSGI(cast("Any", app), section.wsgi_threads)
    keep_speaking()
    return app


def set_up_logging(settings: Settings) -> None:
    """Send whatever this process logs to standard error, in the form of the access log."""
    form = settings.access_log.format if settings.access_log else "json"
    configure_logging(form, settings.redaction, settings.server.log_level)


def served_by(app: Any) -> Served:
    """Our app below whatever uvicorn has put around it, such as its log of messages.

    Args:
        app: what uvicorn has loaded.
    """
    while not isinstance(app, Served):
        app = app.app
    return app
