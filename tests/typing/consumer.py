"""A program that uses every public name as users do; type checkers read it, and a test runs it."""

from __future__ import annotations

import logging
from typing import Any, assert_type

import structlog
from fastapi import Depends, FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request  # noqa: TC002 - FastAPI and others read annotations
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from garrison import (
    AccessLog,
    AccessLogMiddleware,
    Attempt,
    Contract,
    ContractMiddleware,
    Cookies,
    CookiesMiddleware,
    CrossOrigin,
    CrossOriginMiddleware,
    CspReports,
    CspReportsMiddleware,
    Errors,
    ErrorsMiddleware,
    Exposure,
    ExposureMiddleware,
    Hardened,
    Health,
    HealthMiddleware,
    Hosts,
    HostsMiddleware,
    Limit,
    LoginLimit,
    Overload,
    OverloadMiddleware,
    Proxy,
    ProxyMiddleware,
    QuotaExceededError,
    RateLimit,
    RateLimitMiddleware,
    Redaction,
    ReplyViolations,
    RequestFilter,
    RequestId,
    RequestIdMiddleware,
    RequestLimits,
    RequestLimitsMiddleware,
    SecurityHeaders,
    SecurityHeadersMiddleware,
    Server,
    Settings,
    SettingsError,
    Timeouts,
    TimeoutsMiddleware,
    Tracing,
    TracingMiddleware,
    add_request_fields,
    csp_hash,
    csp_nonce,
    current_request,
    harden,
    problem_handler,
    set_policy,
)

SCRIPT = "document.title = 'Shop'"
logging.getLogger().addFilter(RequestFilter(missing="none"))
structlog.configure(processors=[add_request_fields, structlog.processors.JSONRenderer()])

login_limit = LoginLimit(account="username", attempts="5/minute")
search_limit = Limit("10/minute; 100/hour", by="address", cost=2)


async def home(request: Request) -> HTMLResponse:
    """A page with its own policy."""
    assert_type(csp_nonce(request), str)
    assert_type(csp_hash(SCRIPT), str)
    set_policy(request, preset="strict", directives={"img-src": "'self'"})
    context = current_request()
    if context is not None:
        assert_type(context.request_id, str | None)
    return HTMLResponse("<!doctype html><title>Shop</title>")


async def search(request: Request) -> PlainTextResponse:
    """What takes a quota of its own."""
    await search_limit(request)
    return PlainTextResponse("nothing")


async def login(request: Request) -> PlainTextResponse:
    """A login that cannot be guessed."""
    attempt = await login_limit(request)
    assert_type(attempt, Attempt)
    await attempt.succeeded()
    return PlainTextResponse("welcome")


async def too_many(request: Request, error: Exception) -> Response:
    """The app's own handler, which hands on what it does not know."""
    if isinstance(error, QuotaExceededError):
        return PlainTextResponse("later", status_code=429)
    return await problem_handler(request, error)


def told(violations: ReplyViolations) -> None:
    """What a reply had that its document has not."""
    assert_type(violations.status, int)
    assert_type(violations.template, str)


site = Starlette(
    routes=[Route("/", home), Route("/search", search), Route("/login", login, methods=["POST"])],
    middleware=[Middleware(RateLimitMiddleware, settings=RateLimit(limits="100/minute"))],
    exception_handlers={QuotaExceededError: too_many},
)
api = FastAPI(dependencies=[Depends(Limit("100/minute"))])
api.add_middleware(RequestIdMiddleware, settings=RequestId(accept="always"))


def alone(app: Any) -> list[object]:
    """Each middleware as an app around an app."""
    return [
        AccessLogMiddleware(app, AccessLog(format="console"), redaction=Redaction(names=("pin",))),
        ContractMiddleware(app, Contract(mode="report"), on_reply=told),
        CookiesMiddleware(app, Cookies(secure=True)),
        CrossOriginMiddleware(app, CrossOrigin(allowed=("https://shop.example",))),
        CspReportsMiddleware(app, CspReports(path="/reports")),
        ErrorsMiddleware(app, Errors(replace="all")),
        ExposureMiddleware(app, Exposure(closed="/metrics")),
        HealthMiddleware(app, Health(timeout=0.5)),
        HostsMiddleware(app, Hosts(allowed=("shop.example",))),
        OverloadMiddleware(app, Overload(limit="adaptive")),
        ProxyMiddleware(app, Proxy(hops=1)),
        RequestLimitsMiddleware(app, RequestLimits(max_body=1_000)),
        SecurityHeadersMiddleware(app, SecurityHeaders(preset="web")),
        TimeoutsMiddleware(app, Timeouts(handler=10.0)),
        TracingMiddleware(app, Tracing(continue_="always")),
    ]


def whole() -> Hardened:
    """The app with all layers, and with some."""
    try:
        settings = Settings.from_environment(rate_limit=RateLimit(limits="100/minute"), health=None)
    except SettingsError as error:
        raise SystemExit(str(error)) from error
    assert_type(settings, Settings)
    assert_type(settings.server, Server)
    hardened = harden(site, settings)
    assert_type(hardened, Hardened)
    assert_type(hardened.settings.rate_limit, RateLimit | None)
    return hardened


app = whole()
