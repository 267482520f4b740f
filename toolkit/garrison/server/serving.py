"""Serves a hardened app on uvicorn, with one worker or several."""

from __future__ import annotations

import signal
from contextlib import suppress
from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING, Final

import uvicorn

from garrison.preflight import examine
from garrison.server.announcing import announce, listening
from garrison.server.listening import Listener, listen_on, listen_on_path
from garrison.server.reloading import reload_on_changes
from garrison.server.served import Loader, Served, load, set_up_logging
from garrison.server.stopping import Server
from garrison.server.telemetry import set_up_telemetry
from garrison.server.tls import Certificate
from garrison.server.workers import Workers
from garrison.settings import Problem as SettingProblem
from garrison.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from garrison.asgi import ASGIApp
    from garrison.preflight import Advice
    from garrison.server_section import Server as Section
    from garrison.stack import Settings


# uvicorn's own bound on a message of a WebSocket.
LARGEST_MESSAGE: Final = 16 * 1024 * 1024

WORKER_ANSWERS: Final = 60  # seconds


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


def serve(settings: Settings, app: ASGIApp | None = None, *, leaves: bool = False) -> None:
    """Serve until told to stop.

    Args:
        settings: with the target in its server section.
        app: what is served in place of the target; by this process alone.
        leaves: whether this process has nothing else to do, and ends soon after the grace whatever threads
            the app has left.

    Raises:
        PortTakenError: the address cannot be listened on.
        TargetError: there is no such app.
        NotStartedError: the app's own startup failed.
        SettingsError: the settings contradict themselves, are unsafe, or name what is not there.
    """
    check(settings)
    # A signal may come before the server is there to handle it.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with suppress(KeyboardInterrupt):
            _serve(settings, app, leaves=leaves)
    finally:
        signal.signal(signal.SIGTERM, before)


def check(settings: Settings) -> None:
    """Refuse what must not be served.

    Raises:
        SettingsError: the settings are unsafe, or a certificate cannot be used.
    """
    errors = [advice for advice in examine(settings) if advice.level == "error"]
    if errors:
        raise UnsafeSettingsError(errors)
    Certificate(settings.server).context()


def configured(settings: Settings, app: Served | Callable[[], Served]) -> uvicorn.Config:
    """What uvicorn is told.

    Args:
        settings: of the app.
        app: the app, or what makes it in the process that serves it.
    """
    section = settings.server
    certificate = Certificate(section)
    return uvicorn.Config(
        app,
        factory=not isinstance(app, Served),
        interface="asgi3",
        http="garrison.server.protocol.auto:AutoProtocol",
        timeout_keep_alive=ceil(section.keep_alive),
        ws_max_size=_largest_message(settings),
        workers=section.workers,
        # uvicorn kills a worker that does not answer in 5 s, and imports take longer on a busy machine.
        timeout_worker_healthcheck=WORKER_ANSWERS,
        ssl_context_factory=certificate if certificate.is_given else None,
        # The layers do what these would do: one parser of proxy headers, one access log, no banner.
        proxy_headers=False,
        access_log=False,
        server_header=False,
        log_config=None,
    )


def _largest_message(settings: Settings) -> int:
    """Bytes of a message of a WebSocket, which only the server can refuse before it holds all of them."""
    bound = settings.timeouts.websocket_message if settings.timeouts else None
    return LARGEST_MESSAGE if bound is None else bound


async def serve_in_loop(settings: Settings, app: ASGIApp) -> None:
    """Serve in the running event loop until told to stop, by this process alone.

    Args:
        settings: with where to listen in its server section.
        app: what is served.

    Raises:
        PortTakenError: the address cannot be listened on.
        NotStartedError: the app's own startup failed.
        SettingsError: the settings contradict themselves, are unsafe, or name what is not there.
    """
    check(settings)
    listener = _listen(settings)
    served = Served(app, settings)
    try:
        await _server(settings, listener, served).serve(sockets=[listener.socket])
    except SystemExit as error:
        raise _why_not_started(settings, served, error) from error
    finally:
        listener.close()


def _serve(settings: Settings, app: ASGIApp | None, *, leaves: bool) -> None:
    section = settings.server
    set_up_logging(settings)
    if section.workers == 1 and not section.reload:
        set_up_telemetry()
    if app is None and not section.reload:
        # A target that cannot be loaded is to be one clear line, not a traceback of every worker.
        app = load(section)
    listener = _listen(settings)
    try:
        if section.reload:
            _run_and_reload(settings, listener)
        elif section.workers > 1 or app is None:
            _run_workers(settings, listener)
        else:
            _run_here(settings, listener, Served(app, settings), leaves=leaves)
    finally:
        listener.close()


def _listen(settings: Settings) -> Listener:
    section = settings.server
    bound = (
        listen_on_path(section.unix_socket) if section.unix_socket else listen_on(section.host, section.port)
    )
    announce(settings)
    return Listener(bound)


def _server(settings: Settings, listener: Listener, served: Served, *, leaves: bool = False) -> Server:
    ready = listening(settings, listener.socket)
    return Server(configured(settings, served), listener=listener, leaves=leaves, ready=ready)


def _why_not_started(settings: Settings, served: Served, error: SystemExit) -> NotStartedError:
    if served.reason is None:
        raise error
    return NotStartedError(f"{_name(settings.server)} did not start: {served.reason}")


def _run_here(settings: Settings, listener: Listener, served: Served, *, leaves: bool) -> None:
    try:
        _server(settings, listener, served, leaves=leaves).run(sockets=[listener.socket])
    except SystemExit as error:
        raise _why_not_started(settings, served, error) from error


def _run_workers(settings: Settings, listener: Listener) -> None:
    workers = Workers(
        configured(settings, Loader(settings)),
        listener,
        settings.server.drain_delay,
        listening(settings, listener.socket),
    )
    workers.run()
    if workers.failed:
        raise NotStartedError(f"{_name(settings.server)} did not start in a worker; the event above says why")


def _run_and_reload(settings: Settings, listener: Listener) -> None:
    config = configured(settings, Loader(settings))
    server = Server(config, in_a_hurry=True, leaves=True, ready=listening(settings, listener.socket))
    reload_on_changes(config, server.run, listener.socket)


def _name(section: Section) -> str:
    return section.target or "the app"


def with_flags(settings: Settings, **flags: object) -> Settings:
    """The settings with what the command line says instead.

    Args:
        settings: of the environment.
        flags: fields of the server section; None where the command line does not say.

    Raises:
        SettingsError: a flag does not fit.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return replace(settings, server=replace(settings.server, **given))  # type: ignore[arg-type]
    except SettingsError as error:
        raise SettingsError(
            replace(problem, name=_flag(problem.name)) for problem in error.problems
        ) from None


def _flag(field: str) -> str:
    return "--" + field.removeprefix("Server.").replace("_", "-")
