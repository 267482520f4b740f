"""A worker class for gunicorn: `gunicorn -k garrison.server.gunicorn_worker.GarrisonWorker shop.main:app`."""

from __future__ import annotations

import signal
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.workers.base import Worker  # type: ignore[import-untyped]

from garrison.server.environment import load_serving_settings
from garrison.server.loading import is_wsgi
from garrison.server.logs import keep_speaking
from garrison.server.served import Served, set_up_logging
from garrison.server.serving import check, configured
from garrison.server.stopping import Server
from garrison.server.telemetry import set_up_telemetry
from garrison.server.wsgi import FromWSGI
from garrison.settings import SettingsError

if TYPE_CHECKING:
    from garrison.stack import Settings


class GarrisonWorker(Worker):  # type: ignore[misc]  # gunicorn has no types
    """Serves the app that gunicorn has loaded, as `garrison run` would.

    Gunicorn says where to listen, how many workers there are, and which certificate is used; everything
    else comes from the `GARRISON_…` variables. Its `graceful_timeout` has to be longer than the grace.
    """

    def init_signals(self) -> None:
        """Leave the signals to the server, but for the one that has log files opened anew."""
        for number in self.SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGUSR1, self.handle_usr1)
        signal.siginterrupt(signal.SIGUSR1, False)  # noqa: FBT003 - as gunicorn's own workers have it

    def run(self) -> None:
        """Serve until told to stop."""
        try:
            settings = self._settings()
            check(settings)
        except SettingsError as error:
            self._give_up(str(error))
        set_up_logging(settings)
        set_up_telemetry()
        app: Any = self.wsgi
        if is_wsgi(app):
            app = FromWSGI(app, settings.server.wsgi_threads)
        keep_speaking()
        served = Served(app, settings)
        config = configured(settings, served)
        config.callback_notify = self._notify
        config.timeout_notify = max(1, self.timeout // 2)
        config.limit_max_requests = self.max_requests if self.max_requests < sys.maxsize else None
        server = Server(config, parent=self.ppid, leaves=True)
        try:
            server.run(sockets=[each.sock for each in self.sockets])
        except SystemExit:
            self._give_up(f"the app did not start: {served.reason}")

    def _settings(self) -> Settings:
        settings = load_serving_settings().value
        cfg = cast("Any", self.cfg)
        section = replace(
            settings.server,
            workers=cfg.workers,
            tls_certificate=cfg.certfile or "",
            tls_key=cfg.keyfile or "",
            reload=False,
        )
        return replace(settings, server=section)

    def _give_up(self, reason: str) -> None:
        self.log.error("garrison: %s", reason)
        sys.exit(Arbiter.WORKER_BOOT_ERROR)

    async def _notify(self) -> None:
        self.notify()
