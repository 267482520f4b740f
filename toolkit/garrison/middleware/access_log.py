"""Writes one structured event for every request, when its last byte is sent or it ends otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from random import random
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from garrison.asgi import header
from garrison.context import RequestContext, enter
from garrison.conventions import error_type
from garrison.events import EventLog, event_log
from garrison.exchange import Exchange
from garrison.log_shares import Shares
from garrison.redaction import Redaction, Redactor
from garrison.rules import NotationError, routed_path
from garrison.settings import Problem, SettingsError, validate
from garrison.shortening import MARGIN, beginning
from garrison.units import Duration

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send

# Longer than any browser's, and short enough that a line stays a line.
LONGEST_TEXT: Final = 1024

# Agents are few and long, and looking for secrets in one costs as much as the rest of the fields.
AGENTS: Final = 256

# RFC 9110 has no status for a client that went away; this is what proxies write since nginx.
CLIENT_GONE: Final = 499

SHUTDOWN_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLog:
    """The access log.

    Attributes:
        format: `json` for one JSON object a line, `console` for people; `console` in development.
        query: whether the query string is written, with sensitive values masked.
        slow: a request that takes longer is written with `slow` and the level `warning`, whatever the next
            two say; WebSockets and streams of events, which are meant to last, never are; `off` for none.
        quiet: paths whose requests are written only when they fail, such as `/ping; GET /metrics`. Probes
            that this app or Garrison answers are quiet wherever they are.
        sample: which part of the requests is written, such as `GET /static/*: 1%; /search: 10% of 2xx|404`,
            where the first rule that fits decides; a path is that of the request or the template of its
            route, with or without converters. A rule without statuses is about those below 400. What failed
            with a 5xx or without a reply is always written. Each event says its part in `sample`.
    """

    format: Literal["json", "console"] = "json"
    query: bool = True
    slow: Duration | None = 5.0
    quiet: str = "/livez; /readyz; /startupz"
    sample: str = ""

    DEVELOPMENT: ClassVar[Mapping[str, object]] = {"format": "console"}

    def __post_init__(self) -> None:
        validate(self)
        problems = []
        for field, quiet, sample in (("quiet", self.quiet, ""), ("sample", "", self.sample)):
            try:
                Shares(quiet, sample)
            except NotationError as error:
                problems.append(
                    Problem(name=f"AccessLog.{field}", expected=error.expected, found=error.found)
                )
        if problems:
            raise SettingsError(problems)


class AccessLogMiddleware:
    """Writes the event `http.request` with OpenTelemetry's attribute names.

    Args:
        app: the app below.
        settings: the section.
        redaction: what is masked.
        log: where events go; standard output in the section's format unless given.
        clock: seconds that never go back.
        chance: a number from 0 up to 1 for each request of which only a part is written.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: AccessLog = AccessLog(),
        *,
        redaction: Redaction = Redaction(),
        log: EventLog | None = None,
        clock: Callable[[], float] = perf_counter,
        chance: Callable[[], float] = random,
    ) -> None:
        self.app = app
        self._query = settings.query
        self._slow = float("inf") if settings.slow is None else settings.slow
        self._shares = Shares(settings.quiet, settings.sample) if settings.quiet or settings.sample else None
        self._redactor = Redactor(redaction)
        self._agent = lru_cache(AGENTS)(self._agent_text)
        self._log = log or event_log(settings.format)
        self._clock = clock
        self._chance = chance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and `websocket`; `lifespan` and scopes of an unknown type pass through."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, self._flushing(send) if scope["type"] == "lifespan" else send)
            return
        scope, context = enter(scope)
        if not context.mount("access_log", self):
            await self.app(scope, receive, send)
            return

        exchange = Exchange(scope, context, receive, send, self._clock, self._tell)
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except BaseException as error:
            exchange.failed(error)
            raise
        finally:
            exchange.end()

    def _tell(self, exchange: Exchange) -> None:
        """Write the event of a request that has ended, unless it is left out."""
        try:
            self._write(exchange, exchange.scope, exchange.context)
        except Exception:  # noqa: BLE001 - telemetry fails open, whatever it was
            EventLog.dropped += 1

    def _write(self, exchange: Exchange, scope: Scope, context: RequestContext) -> None:
        status, outcome = exchange.status, exchange.outcome
        if context.probe and (context.rejected_by == "health" or (status or 500) < 500):
            return  # what changes is told by events of its own
        if outcome == "client_gone" and (status is None or exchange.in_vain):
            status = CLIENT_GONE
        slow = exchange.duration > self._slow and not exchange.lasts
        level = "warning" if slow else "info"
        if status is None or status >= 500 or outcome == "failed":
            level = "error"
        route = context.route(scope)
        part = 1.0
        if self._shares is not None and level == "info":
            part = self._shares.of(context.method, _routed(context), route, status or 0)
            if part < 1 and self._chance() >= part:
                return
        fields: dict[str, Any] = {
            "timestamp": datetime.now(UTC),
            "level": level,
            "event": "http.request",
            "http.request.method": context.method[:LONGEST_TEXT],
            "url.path": beginning(context.path, LONGEST_TEXT, self._redactor.path),
            "http.response.status_code": status,
            "outcome": outcome,
            "http.server.request.duration": _microseconds(exchange.duration),
            "client.address": context.client,
            "request_id": context.request_id,
        }
        if exchange.first_byte is not None:
            fields["time_to_first_byte"] = _microseconds(exchange.first_byte)
        if scope["type"] == "websocket":
            fields["network.protocol.name"] = "websocket"
            if exchange.close_code is not None:
                fields["close_code"] = exchange.close_code
        else:
            fields["http.request.body.size"] = exchange.received
            fields["http.response.body.size"] = exchange.size
        if route is not None:
            fields["http.route"] = route
        self._add_request(fields, scope)
        _add_facts(fields, context)
        if slow:
            fields["slow"] = True
        if part < 1:
            fields["sample"] = part
        self._log.write(level, fields)

    def _add_request(self, fields: dict[str, Any], scope: Scope) -> None:
        query = scope.get("query_string")
        if query and self._query:
            raw = query.decode("latin-1")
            fields["url.query"] = beginning(raw, LONGEST_TEXT, self._redactor.parameters)
        agent = header(scope["headers"], b"user-agent")
        if agent:
            fields["user_agent.original"] = self._agent(agent[: LONGEST_TEXT + MARGIN])

    def _agent_text(self, agent: bytes) -> str:
        return beginning(agent.decode("latin-1"), LONGEST_TEXT, self._redactor.text)

    def _flushing(self, send: Send) -> Send:
        """A `send` that has the last events written, in a bounded time, before the app has shut down."""

        async def send_and_flush(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown.") and self._log.waits:
                await asyncio.to_thread(self._log.flush, SHUTDOWN_SECONDS)
            await send(message)

        return send_and_flush


def _add_facts(fields: dict[str, Any], context: RequestContext) -> None:
    """What the layers and the app have found out."""
    if context.trace_id is not None:
        fields["trace_id"] = context.trace_id
        fields["span_id"] = context.span_id
    if context.principal is not None:
        fields["enduser.id"] = str(context.principal)[:LONGEST_TEXT]
    if context.rejected_by is not None:
        fields["rejected_by"] = context.rejected_by
    if context.replaced:
        fields["replaced"] = True
    if context.security_events:
        fields["security_events"] = context.security_events
    if context.exception is not None:
        fields["error.type"] = error_type(context.exception)


def _microseconds(seconds: float) -> float:
    """Seconds without what no clock knows; twice as fast as `round`."""
    return int(seconds * 1e6 + 0.5) / 1e6


def _routed(context: RequestContext) -> str:
    """The path as the router saw it; mounts have moved it in the scope since then."""
    if not context.root_path:
        return context.path
    return routed_path({"path": context.path, "root_path": context.root_path})
