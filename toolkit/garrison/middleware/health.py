"""Answers the probes of a process: does it run, has it started, may requests come."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from functools import partial
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, Final

import orjson

from garrison.asgi import header, send_reply
from garrison.context import enter
from garrison.draining.chained_signal import ChainedSignal
from garrison.draining.drain_file import DrainFile
from garrison.events import EventLog, event_log
from garrison.lifecycle import Lifecycle
from garrison.own_paths import has_route
from garrison.probes.check import Check, imported_check
from garrison.probes.checks import Checks
from garrison.probes.notation import parse_checks
from garrison.problems import Problem, reject
from garrison.redaction import Redaction, Redactor
from garrison.rules import NotationError, routed_path
from garrison.settings import Problem as SettingProblem
from garrison.settings import SettingsError, validate
from garrison.units import Duration, Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send

PROBES: Final = ("liveness", "readiness", "startup")
PATH: Final = re.compile(r"/[A-Za-z0-9._~/-]*")
# RFC 6750 section 2.1; nobody guesses 16 characters at any speed that a network allows.
TOKEN: Final = re.compile(r"(?=.{16})[A-Za-z0-9._~+/-]+=*")

JSON: Final = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What a process says of itself to whoever starts, stops and balances it.

    Where the app has a route of its own on one of the paths, and its routes can be read (Starlette, FastAPI,
    Litestar, Quart), that route answers, as long as nothing here is against it: that the process starts or
    stops, or a check.

    Attributes:
        liveness: the path where a GET says that the process runs, whatever becomes of all else; empty: none.
        readiness: the path that says whether requests should be sent here: 200, or 503 while the process
            starts, while it stops, and while a check fails; empty: none.
        startup: the path that says whether the process has started: 503, and then 200; empty: none.
        checks: what readiness depends on: functions without arguments, sync or async, each with a name, such
            as `database=shop.health:database, search=shop.health:search within 2s`. One fails that raises,
            returns False or takes too long.
        startup_checks: the same for what must have passed once; readiness waits for it.
        timeout: how long a check may take, unless it says otherwise. Kubernetes waits 1s for the reply.
        remembered: how long the result of a check counts, however often somebody asks.
        token: whoever sends it as `Authorization: Bearer …` is told what fails, and why; nobody else is. At
            least 16 letters, digits and `-._~+/`.
        signals: whether SIGTERM drains under plain uvicorn, too: readiness is refused and work goes on for
            the drain delay, and then uvicorn is told. `garrison run` does it in any case.
        drain_file: a file that is made or touched to begin the drain, as a preStop hook can, for servers
            such as hypercorn and granian; looked for twice a second. Empty: none.
    """

    liveness: str = "/livez"
    readiness: str = "/readyz"
    startup: str = "/startupz"
    checks: tuple[str, ...] = ()
    startup_checks: tuple[str, ...] = ()
    timeout: Duration = 0.8
    remembered: Duration = 1.0
    token: Secret | None = None
    signals: bool = False
    drain_file: str = ""

    @property
    def paths(self) -> dict[str, str]:
        """The path of each probe that has one, by its name."""
        return {name: path for name in PROBES if (path := getattr(self, name))}

    def __post_init__(self) -> None:
        validate(self)
        paths = self.paths
        validate(
            self,
            *((name, PATH.fullmatch(path) is not None, "a path such as /readyz")
              for name, path in paths.items()),
            *((name, False, f"another path than {', '.join(others)} has")
              for name, others in self._clashes().items()),
            ("timeout", self.timeout > 0, "more than 0"),
            ("token", self.token is None or TOKEN.fullmatch(self.token.reveal()) is not None,
             "at least 16 letters, digits and -._~+/"),
        )  # fmt: skip
        problems = []
        for field in ("checks", "startup_checks"):
            try:
                parse_checks(getattr(self, field))
            except NotationError as error:
                problems.append(
                    SettingProblem(name=f"Health.{field}", expected=error.expected, found=error.found)
                )
        if problems:
            raise SettingsError(problems)

    def _clashes(self) -> dict[str, list[str]]:
        """The probes whose path another one has already, with the others; blamed is what somebody has set."""
        usual = {field.name: field.default for field in fields(self)}
        owners: dict[str, list[str]] = {}
        for name, path in sorted(self.paths.items(), key=lambda item: item[1] != usual[item[0]]):
            owners.setdefault(path, []).append(name)
        return {name: names[:place] for names in owners.values() for place, name in enumerate(names) if place}


class HealthMiddleware:
    """Answers GET and HEAD on the paths of the probes in place of the app; every other request passes.

    Args:
        app: the app below.
        settings: the section.
        lifecycle: of the process; one of its own unless given.
        redaction: what is masked in what checks raise.
        log: where events go; standard output as JSON unless given.
        own: the app whose routes are looked at; the one below unless given.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Health = Health(),
        *,
        lifecycle: Lifecycle | None = None,
        redaction: Redaction = Redaction(),
        log: EventLog | None = None,
        own: ASGIApp | None = None,
    ) -> None:
        self.app = app
        self._own = app if own is None else own
        self._lifecycle = Lifecycle() if lifecycle is None else lifecycle
        log = log or event_log()
        self._probes = {path: name for name, path in settings.paths.items()}
        self._is_own: dict[str, bool] = {}
        make = partial(_checks, settings, Redactor(redaction), log)
        self._checks, self._startup_checks = make("checks"), make("startup_checks")
        self._token = settings.token.reveal().encode("ascii") if settings.token is not None else None
        self._signal = ChainedSignal(self._lifecycle, log) if settings.signals else None
        self._file = DrainFile(settings.drain_file, self._lifecycle, log) if settings.drain_file else None
        self._has_started = not self._startup_checks
        self._in_lifespan = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and listen to `lifespan`; `websocket` and scopes of an unknown type pass through."""
        kind = scope["type"]
        if kind == "http":
            # Nearly every request passes here, before its path is worked out.
            if scope["path"] in self._probes or (
                scope.get("root_path") and routed_path(scope) in self._probes
            ):
                await self._answer(scope, receive, send)
            else:
                await self.app(scope, receive, send)
        elif kind == "lifespan":
            self._in_lifespan = True
            try:
                await self.app(scope, receive, self._listening(send))
            finally:
                self._in_lifespan = False
        else:
            await self.app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request whose path may be that of a probe."""
        path = routed_path(scope)
        probe = self._probes.get(path)
        if probe is None or scope["method"] not in {"GET", "HEAD"}:
            await self.app(scope, receive, send)
            return
        scope, context = enter(scope)
        if not context.mount("health", self):
            await self.app(scope, receive, send)
            return
        context.probe = True
        fine = await self._judge(probe)
        if fine and self._has_own(path):
            await self.app(scope, receive, send)
            return
        details = self._details(scope, probe)
        if fine:
            await send_reply(scope, receive, send, 200, JSON, orjson.dumps({"status": "ok", **details}))
        else:
            await reject(scope, receive, send, context, "health", Problem(status=503, extensions=details))

    async def _judge(self, probe: str) -> bool:
        """Whether the answer to a probe is yes."""
        if probe == "liveness":
            return True
        lifecycle = self._lifecycle
        if lifecycle.phase == "starting" and not self._in_lifespan:
            # No server sends requests before the start, so that this app has no lifespan to speak of.
            lifecycle.enter("ready")
        if lifecycle.phase == "starting":
            return False
        if not self._has_started:
            self._has_started = await self._startup_checks.pass_all()
        if probe == "startup":
            return self._has_started
        return lifecycle.phase == "ready" and self._has_started and await self._checks.pass_all()

    def _has_own(self, path: str) -> bool:
        if path not in self._is_own:
            self._is_own[path] = has_route(self._own, path)
        return self._is_own[path]

    def _details(self, scope: Scope, probe: str) -> dict[str, Any]:
        """What only the holder of the token is told."""
        if self._token is None or probe == "liveness":
            return {}
        scheme, _, token = (header(scope["headers"], b"authorization") or b"").partition(b" ")
        if scheme.lower() != b"bearer" or not compare_digest(token.strip(), self._token):
            return {}
        checks = self._startup_checks.details()
        if probe == "readiness":
            checks |= self._checks.details()
        return {"phase": self._lifecycle.phase, "checks": checks}

    def _listening(self, send: Send) -> Send:
        """A `send` that takes note of the app's start and end."""

        async def send_and_listen(message: Message) -> None:
            kind = message["type"]
            if kind == "lifespan.startup.complete":
                self._start()
            elif kind.startswith("lifespan.shutdown.") and self._file is not None:
                self._file.stop()
            await send(message)

        return send_and_listen

    def _start(self) -> None:
        self._lifecycle.enter("ready")
        if self._signal is not None:
            self._signal.install()
        if self._file is not None:
            self._file.watch()


def _checks(settings: Health, redactor: Redactor, log: EventLog, field: str) -> Checks:
    """The checks that a field names, imported."""
    setting = f"GARRISON_HEALTH_{field.upper()} (Health.{field})"

    def check(name: str, function: Callable[[], object], timeout: float | None) -> Check:
        return Check(name, function, settings.timeout if timeout is None else timeout, settings.remembered)

    named = parse_checks(getattr(settings, field))
    return Checks(
        [check(one.name, imported_check(one.target, setting), one.timeout) for one in named], redactor, log
    )
