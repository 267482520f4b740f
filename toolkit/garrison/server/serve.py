"""Serves a hardened app on uvicorn, with one worker or several."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING, Final

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from garrison.preflight import examine
from garrison.server.departures import Departures
from garrison.server.environment import load_serving_settings
from garrison.server.loading import TargetError, load_app
from garrison.server.logs import configure_logging, keep_speaking
from garrison.server.startup import StartupReport
from garrison.settings import Problem as SettingProblem
from garrison.settings import SettingsError
from garrison.stack import Hardened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.preflight import Advice
    from garrison.stack import Settings

WORKER_ANSWERS: Final = 10  # seconds


class PortTakenError(Exception):
    """The address cannot be listened on; the message says why, on one line."""


class NotStartedError(Exception):
    """The app was loaded and then refused to start; the message says why, on one line."""


class UnsafeSettingsError(SettingsError):
    """Settings that are each fine, and not all of them together; told as `garrison config --check` does.

    Args:
        errors: at least one.
    """

    def __init__(self, errors: Sequence[Advice]) -> None:
        super().__init__(SettingProblem(name=advice.variable, expected=advice.text) for advice in errors)
        self.args = ("\n".join(f"{advice.variable}: {advice.text}" for advice in errors),)


def application() -> StartupReport:
    """The hardened app that the environment describes; each worker process calls it once."""
    settings = load_serving_settings().value
    _configure_logging(settings)
    try:
        app = load_app(settings.server.target, factory=settings.server.factory)
    except TargetError as error:
        # It could be loaded a moment ago. This status tells the parent not to try again and again.
        logging.getLogger("garrison").error("not_loaded", extra={"reason": str(error)})  # noqa: TRY400 - one line
        sys.exit(STARTUP_FAILURE)
    keep_speaking()
    return StartupReport(Departures(Hardened(app, settings)), settings.redaction)


def serve(settings: Settings) -> None:
    """Serve until told to stop by SIGINT or SIGTERM.

    Args:
        settings: with the target in its server section.

    Raises:
        PortTakenError: the address cannot be listened on.
        TargetError: there is no such app.
        NotStartedError: the app's own startup failed.
        SettingsError: the settings contradict themselves, are unsafe, or name what is not there.
    """
    errors = [advice for advice in examine(settings) if advice.level == "error"]
    if errors:
        raise UnsafeSettingsError(errors)
    # uvicorn raises the signal again that stopped it, and a signal may come before uvicorn is there.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        _serve(settings)


def _serve(settings: Settings) -> None:
    section = settings.server
    _configure_logging(settings)
    # A target that cannot be loaded is to be one clear line, not a traceback of every worker.
    app = load_app(section.target, factory=section.factory)
    keep_speaking()
    listener = _listen(section.host, section.port)
    report = StartupReport(Departures(Hardened(app, settings)), settings.redaction)
    config = uvicorn.Config(
        report if section.workers == 1 else "garrison.server.serve:application",
        factory=section.workers > 1,
        workers=section.workers,
        timeout_graceful_shutdown=ceil(section.grace),
        # uvicorn kills a worker that does not answer in 5 s, and imports take longer on a busy machine.
        timeout_worker_healthcheck=WORKER_ANSWERS,
        # The layers do what these would do: one parser of proxy headers, one access log, no banner.
        proxy_headers=False,
        access_log=False,
        server_header=False,
        log_config=None,
    )
    host, port = listener.getsockname()[:2]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    logging.getLogger("garrison").info("listening on %s for %s", url, section.target)
    if section.workers == 1:
        _run_here(config, listener, report, section.target)
    else:
        _hand_down(settings)
        _run_workers(config, listener, section.target)


def _run_here(config: uvicorn.Config, listener: socket.socket, report: StartupReport, target: str) -> None:
    try:
        uvicorn.Server(config).run(sockets=[listener])
    except SystemExit as error:
        if report.reason is None:
            raise
        raise NotStartedError(f"{target} did not start: {report.reason}") from error


def _run_workers(config: uvicorn.Config, listener: socket.socket, target: str) -> None:
    supervisor = Multiprocess(config, sockets=[listener])
    supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        raise NotStartedError(f"{target} did not start in a worker; the event above says why")


def with_flags(
    settings: Settings,
    *,
    target: str | None,
    host: str | None,
    port: int | None,
    workers: int | None,
    factory: bool,
) -> Settings:
    """The settings with what the command line says instead.

    Raises:
        SettingsError: a flag does not fit.
    """
    section = settings.server
    try:
        section = replace(
            section,
            target=section.target if target is None else target,
            host=section.host if host is None else host,
            port=section.port if port is None else port,
            workers=section.workers if workers is None else workers,
            factory=section.factory or factory,
        )
    except SettingsError as error:
        raise SettingsError(
            replace(problem, name=problem.name.replace("Server.", "--")) for problem in error.problems
        ) from None
    return replace(settings, server=section)


def _configure_logging(settings: Settings) -> None:
    form = settings.access_log.format if settings.access_log else "json"
    configure_logging(form, settings.redaction, settings.server.log_level)


def _hand_down(settings: Settings) -> None:
    """Tell the worker processes, which read the environment, what the command line said."""
    section = settings.server
    for name, text in {
        "GARRISON_SERVER_TARGET": section.target,
        "GARRISON_SERVER_FACTORY": "on" if section.factory else "off",
        "GARRISON_SERVER_WORKERS": str(section.workers),
    }.items():
        os.environ[name] = text
        os.environ.pop(f"{name}_FILE", None)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's algorithm off only for sockets that say they are TCP; with it, every reply on
    # a kept connection waits for the client's delayed acknowledgement (cpython, asyncio/base_events.py).
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, UnicodeError) as error:  # a host name may be no host name at all
        listener.close()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise PortTakenError(
            f"cannot listen on {host} port {port}: {reason}. Choose another with --host and --port"
            " (--port 0 takes a free one), or stop what listens there."
        ) from None
    listener.set_inheritable(True)
    return listener
