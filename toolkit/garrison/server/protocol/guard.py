"""What all connections of one server share: the bounds, the deadlines, and who is told of a refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol
from weakref import WeakKeyDictionary

from opentelemetry import metrics

from garrison.conventions import SCHEMA
from garrison.events import EventLog, event_log
from garrison.security_events import INPUT_FAIL
from garrison.server.protocol.deadlines import Deadlines
from garrison.server.protocol.joined_writes import Turn
from garrison.stack import Hardened, Settings

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from opentelemetry.metrics import MeterProvider
    from uvicorn.config import Config
    from uvicorn.server import ServerState

    from garrison.server.protocol.flaws import Flaw
    from garrison.server_section import Server

# How long a refused client may go on sending before it is cut off, so that it reads why it was refused:
# a socket that is closed while there is something to read takes the answer back (RFC 9112 section 9.6).
LINGER: Final = 2.0


class Guarded(Protocol):
    """A connection, as its guard sees it."""

    def keep_waiting(self) -> None:
        """Its client has not sent in time what it began."""

    def stall(self) -> None:
        """It is time to see whether its client still reads."""

    def cut_off(self) -> None:
        """Its client has had time to read the answer."""

    def timeout_keep_alive_handler(self) -> None:
        """Its client has asked for nothing for as long as that is waited for."""


class Guard:
    """The guard of one server.

    Args:
        section: the bounds.
        reader: seconds that a client may take nothing of a reply; None for any time.
        log: where events go.
        loop: of the server.
        provider: makes the instrument; None for the global one, also if it is set later.

    Attributes:
        max_bytes: of a head.
        max_lines: of a head.
        keep_alive: seconds for which a connection without requests is kept.
        cancels: whether handlers are cancelled whose clients have left.
        waiting: connections whose client has begun a head, or has yet to.
        idle: connections without a request.
        host: the last Host header that was sound; most requests have the same.
        stalled: connections with something to send that their client does not read; None where it may take
            any time.
        lingering: connections that have been refused.
        turn: in which heads of replies wait for their bodies.
    """

    def __init__(
        self,
        section: Server,
        reader: float | None,
        log: EventLog,
        loop: AbstractEventLoop,
        provider: MeterProvider | None = None,
    ) -> None:
        self.max_bytes = section.header_bytes
        self.max_lines = section.header_lines
        self.keep_alive = section.keep_alive
        self.cancels = section.cancel_on_disconnect
        self.waiting: Deadlines[Guarded] = Deadlines(
            loop, section.header_timeout, lambda one: one.keep_waiting()
        )
        self.stalled: Deadlines[Guarded] | None = None
        if reader is not None:
            self.stalled = Deadlines(loop, reader, lambda one: one.stall())
        self.lingering: Deadlines[Guarded] = Deadlines(loop, LINGER, lambda one: one.cut_off())
        self.idle: Deadlines[Guarded] = Deadlines(
            loop, section.keep_alive, lambda one: one.timeout_keep_alive_handler()
        )
        self.turn = Turn(loop)
        self.host = b""
        self._log = log
        meter = metrics.get_meter("garrison", meter_provider=provider, schema_url=SCHEMA)
        self._counter = meter.create_counter(
            "garrison.server.refusals",
            unit="{connection}",
            description="Connections that the server ended before or beside a request of the app's.",
        )

    def forget(self, one: Guarded) -> None:
        """Let a connection go."""
        self.waiting.end(one)
        self.idle.end(one)
        if self.stalled is not None:
            self.stalled.end(one)
        self.lingering.end(one)

    def tell(self, flaw: Flaw, client: tuple[str, int] | None, *, logged: bool = True) -> None:
        """Log and count a connection that is ended.

        Args:
            flaw: why.
            client: address and port of whoever is connected, which may be a proxy.
            logged: whether there is an event, too; browsers open connections that they do not use.
        """
        try:
            self._counter.add(1, {"garrison.reason": flaw.reason})
        except Exception:  # noqa: BLE001 - telemetry fails open, whatever it was
            EventLog.dropped += 1
        if not logged:
            return
        fields: dict[str, Any] = {"reason": flaw.reason}
        if flaw.status is not None:
            fields["http.response.status_code"] = flaw.status
        if client is not None:
            fields["network.peer.address"], fields["network.peer.port"] = client
        fields["rejected_by"] = "server"
        if flaw.is_attack:
            fields["security_events"] = [INPUT_FAIL]
        self._log.emit("warning", "connection.refused", fields)


_guards: WeakKeyDictionary[ServerState, Guard] = WeakKeyDictionary()


def guard_of(config: Config, state: ServerState, loop: AbstractEventLoop) -> Guard:
    """The guard of a server, made of the settings of the hardened app that it serves.

    Worker processes import a protocol by its name, so that nobody could hand the settings over.

    Args:
        config: of the server, loaded.
        state: of the server.
        loop: of the server.
    """
    guard = _guards.get(state)
    if guard is None:
        settings = _settings_of(config.loaded_app) or Settings()
        form = settings.access_log.format if settings.access_log else "json"
        reader = settings.timeouts.reader if settings.timeouts else None
        guard = _guards[state] = Guard(settings.server, reader, event_log(form), loop)
    return guard


def _settings_of(app: object) -> Settings | None:
    while app is not None:
        if isinstance(app, Hardened):
            return app.settings
        app = getattr(app, "hardened", None) or getattr(app, "app", None)
    return None
