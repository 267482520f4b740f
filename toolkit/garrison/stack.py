"""Which layers there are, in which order, and the one call that puts them on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, cast

from garrison.buffer_budget import BufferBudget
from garrison.context import enter
from garrison.draining.work import closing
from garrison.events import event_log
from garrison.lifecycle import Lifecycle
from garrison.middleware.access_log import AccessLog, AccessLogMiddleware
from garrison.middleware.contract import Contract, ContractMiddleware
from garrison.middleware.cookies import Cookies, CookiesMiddleware
from garrison.middleware.cross_origin import CrossOrigin, CrossOriginMiddleware
from garrison.middleware.csp_reports import CspReports, CspReportsMiddleware
from garrison.middleware.errors import Errors, ErrorsMiddleware
from garrison.middleware.exposure import Exposure, ExposureMiddleware
from garrison.middleware.health import Health, HealthMiddleware
from garrison.middleware.hosts import Hosts, HostsMiddleware
from garrison.middleware.overload import Overload, OverloadMiddleware
from garrison.middleware.proxy import Proxy, ProxyMiddleware
from garrison.middleware.rate_limit import RateLimit, RateLimitMiddleware, opened
from garrison.middleware.request_id import RequestId, RequestIdMiddleware
from garrison.middleware.request_limits import RequestLimits, RequestLimitsMiddleware
from garrison.middleware.security_headers import SecurityHeaders, SecurityHeadersMiddleware
from garrison.middleware.timeouts import Timeouts, TimeoutsMiddleware
from garrison.middleware.tracing import Tracing, TracingMiddleware
from garrison.ratelimit.targets import of_stage, parse_targets
from garrison.redaction import Redaction
from garrison.rules import root_path_of
from garrison.server_section import Server
from garrison.settings import Problem, SettingsError, load, validate
from garrison.units import Secret

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from garrison.asgi import ASGIApp, Receive, Scope, Send
    from garrison.events import EventLog

    Layer = Callable[[ASGIApp], ASGIApp]


# Layers that do nothing, and are left out, unless one of these settings of theirs is set.
NEED_ONE_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "hosts": ("allowed", "https"),
    "exposure": ("closed",),
    "csp_reports": ("path",),
    "rate_limit": ("limits", "messages", "is_shared"),
    "contract": ("document",),
}


# Whoever has one hash can try what is shorter.
SHORTEST_SECRET: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set: one section for each layer, outermost first, and three beside them.

    A layer whose section is None is left out.

    Attributes:
        profile: `production`, or `development` with other defaults in some sections.
        secret: keys every hash that processes must agree on, such as those of clients in a shared storage;
            the same for all of them, at least 16 characters.
        proxy: whose word counts about the client.
        request_id: the id of a request.
        tracing: the server span and the request metrics.
        access_log: one event a request.
        security_headers: the policy that browsers are told.
        cookies: what protects the app's cookies.
        cross_origin: who may read or act from other origins.
        errors: what a client learns of a failure.
        health: the probes, and what readiness depends on.
        hosts: which hosts this app answers for, and whether over plain http.
        exposure: what is closed to strangers.
        csp_reports: where browsers report what policies block.
        overload: when work is refused so that the rest is served in time.
        rate_limit: quotas for every client.
        timeouts: how long clients and handlers may take.
        request_limits: how large a request may be.
        contract: the OpenAPI document that requests have to keep.
        redaction: what is masked wherever something is written down.
        server: what `garrison run` serves.
    """

    profile: Literal["production", "development"] = "production"
    secret: Secret | None = None
    proxy: Proxy | None = Proxy()
    request_id: RequestId | None = RequestId()
    tracing: Tracing | None = Tracing()
    access_log: AccessLog | None = AccessLog()
    security_headers: SecurityHeaders | None = SecurityHeaders()
    cookies: Cookies | None = Cookies()
    cross_origin: CrossOrigin | None = CrossOrigin()
    errors: Errors | None = Errors()
    health: Health | None = Health()
    hosts: Hosts | None = Hosts()
    exposure: Exposure | None = Exposure()
    csp_reports: CspReports | None = CspReports()
    overload: Overload | None = Overload()
    rate_limit: RateLimit | None = RateLimit()
    timeouts: Timeouts | None = Timeouts()
    request_limits: RequestLimits | None = RequestLimits()
    contract: Contract | None = Contract()
    redaction: Redaction = Redaction()
    server: Server = Server()

    def __post_init__(self) -> None:
        weak = self.secret is not None and len(self.secret.reveal()) < SHORTEST_SECRET
        validate(self, ("secret", not weak, f"at least {SHORTEST_SECRET} characters"))
        limits, contract = self.request_limits, self.contract
        if limits and contract and contract.document and contract.max_body > limits.max_buffered:
            expected = f"at most RequestLimits.max_buffered, which is {limits.max_buffered}"
            raise SettingsError(
                [Problem(name="Contract.max_body", expected=expected, found=str(contract.max_body))]
            )

    @classmethod
    def from_environment(cls, **overrides: object) -> Settings:
        """The settings of the `GARRISON_…` variables, and of the code where it gives a field.

        Args:
            overrides: sections by name, such as `rate_limit=RateLimit(limits="10/second")`.

        Raises:
            SettingsError: with every problem at once.
            TypeError: an override is no field of the settings.
        """
        return load(cls, overrides=overrides).value


class Hardened:
    """An app with its layers on; an ASGI app itself.

    Attributes:
        app: the app as it was given.
        settings: what the layers were made from.
        layers: the names of the layers that are on, outermost first.
        lifecycle: where this process is between its start and its end.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.lifecycle = Lifecycle(settings.server.drain_delay, settings.server.grace)
        outer, names = app, []
        for name, layer in reversed(_layers(settings, app, self.lifecycle)):
            outer = layer(outer)
            names.append(name)
        self.layers = tuple(reversed(names))
        self._outer = outer
        self._root = root_path_of(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand everything to the outermost layer, or to the app where no layer is on.

        An app with a prefix of its own, as `FastAPI(root_path=…)` has, routes paths with it and without it.
        It puts it into the scope; that is done here already, so that rules by path see what the app routes.
        """
        if scope["type"] in {"http", "websocket"}:
            if self._root:
                scope = {**scope, "root_path": self._root}
            scope, context = enter(scope)
            if context.wire is None:
                context.wire = send
        if self.lifecycle.phase == "ending":
            send = closing(scope, send)
        await self._outer(scope, receive, send)


def harden(app: Callable[..., Awaitable[object]], settings: Settings | None = None) -> Hardened:
    """Put every layer that the settings ask for around a finished app.

    Wrap the app when all of its routes and middlewares are on it, so that the framework's own error
    pages, its 404s and its WebSocket denials are covered too.

    Args:
        app: any ASGI 3 app; frameworks type theirs in different ways, hence the wide annotation.
        settings: the environment's unless given.

    Raises:
        SettingsError: with every problem of the environment at once.
        TypeError: the app cannot be called.
    """
    if not callable(app):
        raise TypeError(f"harden() takes an ASGI app, and {type(app).__name__} cannot be called")
    return Hardened(cast("ASGIApp", app), Settings.from_environment() if settings is None else settings)


def is_on(settings: Settings, name: str) -> bool:
    """Whether a layer has something to do.

    Args:
        settings: of the app.
        name: of the layer's section.
    """
    section = getattr(settings, name)
    needed = NEED_ONE_OF.get(name)
    return section is not None and (needed is None or any(getattr(section, field) for field in needed))


def _layers(settings: Settings, app: ASGIApp, lifecycle: Lifecycle) -> list[tuple[str, Layer]]:
    """The layers that have something to do, outermost first."""
    redaction = settings.redaction
    log = event_log(settings.access_log.format if settings.access_log else "json")
    preset = settings.security_headers.preset if settings.security_headers else "auto"
    reports = settings.csp_reports.path if settings.csp_reports else ""
    by_client, by_principal = _rate_limits(settings, log)
    limits = settings.request_limits
    # One for all layers that hold bodies, because they hold them in one memory.
    budget = None if limits is None else BufferBudget(limits.max_buffered)
    # What each is made with beside its section; in the order of the sections.
    classes: dict[str, Callable[..., ASGIApp]] = {
        "proxy": partial(ProxyMiddleware, log=log),
        "request_id": RequestIdMiddleware,
        "tracing": partial(
            TracingMiddleware,
            redaction=redaction,
            probes=settings.health.paths.values() if settings.health else (),
        ),
        "access_log": partial(AccessLogMiddleware, redaction=redaction, log=log),
        "security_headers": partial(SecurityHeadersMiddleware, reports=reports),
        "cookies": partial(CookiesMiddleware, preset=preset),
        "cross_origin": partial(CrossOriginMiddleware, log=log),
        "errors": partial(ErrorsMiddleware, redaction=redaction, log=log),
        "health": partial(HealthMiddleware, lifecycle=lifecycle, redaction=redaction, log=log, own=app),
        "hosts": HostsMiddleware,
        "exposure": ExposureMiddleware,
        "csp_reports": partial(CspReportsMiddleware, redaction=redaction, log=log),
        "overload": partial(OverloadMiddleware, lifecycle=lifecycle, log=log),
        "rate_limit": by_client,
        "timeouts": TimeoutsMiddleware,
        "request_limits": partial(RequestLimitsMiddleware, budget=budget),
        "contract": partial(ContractMiddleware, own=app, secret=settings.secret, budget=budget, log=log),
    }
    found: list[tuple[str, Layer]] = []
    for name, middleware in classes.items():
        if is_on(settings, name):
            found.append((name, partial(middleware, settings=getattr(settings, name))))
    if by_principal is not None:
        found.append(("rate_limit_by_principal", by_principal))
    return found


def _rate_limits(settings: Settings, log: EventLog) -> tuple[Callable[..., ASGIApp], Layer | None]:
    """The layer for quotas that need nobody to be authenticated, and the one for those that do, if any."""
    section = settings.rate_limit
    make = partial(
        RateLimitMiddleware, secret=settings.secret, workers=settings.server.workers, log=log, stage="client"
    )
    targets = () if section is None else (*parse_targets(section.limits), *parse_targets(section.messages))
    if section is None or not of_stage(targets, "principal"):
        return make, None
    # One store for both: what is closed with the app is closed once.
    store = opened(section, settings.server.workers, log)
    later = partial(make, settings=section, store=store, stage="principal")
    return partial(make, store=store, closes=True), later
