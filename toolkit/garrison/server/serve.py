"""Serves a hardened app on uvicorn, with one worker or several."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.supervisors import Multiprocess

from garrison.preflight import examine
from garrison.server.loading import load_app
from garrison.server.logs import configure_logging
from garrison.settings import Problem as SettingProblem
from garrison.settings import SettingsError, foreign, load
from garrison.stack import Hardened, Settings

if TYPE_CHECKING:
    from garrison.settings import Loaded


class PortTakenError(Exception):
    """The address cannot be listened on; the message says why, on one line."""


def load_settings() -> Loaded[Settings]:
    """The settings of a serving process: as everywhere, with what uvicorn's users are used to.

    The proxies that are trusted are those of `FORWARDED_ALLOW_IPS`, and without it those on this machine;
    `WEB_CONCURRENCY` says how many workers.

    Raises:
        SettingsError: with every problem at once.
    """
    trusted = foreign("FORWARDED_ALLOW_IPS") or "127.0.0.1,::1"
    return load(
        Settings,
        defaults={
            "GARRISON_PROXY_TRUSTED": "0.0.0.0/0,::/0" if trusted.strip() == "*" else trusted,
            "GARRISON_SERVER_WORKERS": foreign("WEB_CONCURRENCY") or "1",
        },
    )


def application() -> Hardened:
    """The hardened app that the environment describes; each worker process calls it once."""
    settings = load_settings().value
    configure_logging(settings.access_log.format if settings.access_log else "json")
    return Hardened(load_app(settings.server.target, factory=settings.server.factory), settings)


def serve(settings: Settings) -> int:
    """Serve until told to stop.

    Args:
        settings: with the target in its server section.

    Returns:
        The exit status: 0, or 3 where the app's own startup failed.

    Raises:
        PortTakenError: the address cannot be listened on.
        TargetError: there is no such app.
        SettingsError: the settings contradict themselves.
    """
    errors = [advice for advice in examine(settings) if advice.level == "error"]
    if errors:
        raise SettingsError(
            SettingProblem(name=advice.variable, expected="a value that fits the rest", hint=advice.text)
            for advice in errors
        )
    section = settings.server
    # A target that cannot be loaded is to be one clear line, not a traceback of every worker.
    app = load_app(section.target, factory=section.factory)
    listener = _listen(section.host, section.port)
    configure_logging(settings.access_log.format if settings.access_log else "json")
    config = uvicorn.Config(
        Hardened(app, settings) if section.workers == 1 else "garrison.server.serve:application",
        factory=section.workers > 1,
        workers=section.workers,
        # The layers do what these would do: one parser of proxy headers, one access log, no banner.
        proxy_headers=False,
        access_log=False,
        server_header=False,
        log_config=None,
    )
    server = uvicorn.Server(config)
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    sys.stderr.write(f"garrison: serving {section.target} on http://{shown}:{port}\n")
    sys.stderr.flush()
    if section.workers > 1:
        _hand_down(settings)
        Multiprocess(config, sockets=[listener]).run()
        return 0
    server.run(sockets=[listener])
    return 0 if server.started else 3


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
    section = replace(
        section,
        target=section.target if target is None else target,
        host=section.host if host is None else host,
        port=section.port if port is None else port,
        workers=section.workers if workers is None else workers,
        factory=section.factory or factory,
    )
    return replace(settings, server=section)


def _hand_down(settings: Settings) -> None:
    """Tell the worker processes, which read the environment, what the command line said."""
    section = settings.server
    os.environ["GARRISON_SERVER_TARGET"] = section.target
    os.environ["GARRISON_SERVER_FACTORY"] = "on" if section.factory else "off"
    os.environ["GARRISON_SERVER_WORKERS"] = str(section.workers)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise PortTakenError(
            f"cannot listen on {host} port {port}: {reason}. Choose another with --host and --port"
            " (--port 0 takes a free one), or stop what listens there."
        ) from None
    listener.set_inheritable(True)
    return listener
