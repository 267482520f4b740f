"""The same app with many routes, observed by nobody, by single layers of Garrison, and by its peers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import FastAPI
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from starlette.applications import Starlette
from starlette.requests import Request  # noqa: TC002 - FastAPI reads annotations when the module runs
from starlette.responses import JSONResponse
from starlette.routing import Route, Router

from garrison.events import event_log
from garrison.middleware.access_log import AccessLogMiddleware
from garrison.middleware.errors import ErrorsMiddleware
from garrison.middleware.request_id import RequestIdMiddleware
from garrison.middleware.tracing import TracingMiddleware
from loadtests.bench import recipe
from loadtests.bench.measure import Variant
from loadtests.bench.names import BARE

if TYPE_CHECKING:
    from typing import TextIO

    from starlette.types import ASGIApp

    from loadtests.bench.names import Group

ID_AND_LOG: Final = "Garrison, id and log"
SPAN: Final = "Garrison, tracing"
SPAN_TOO: Final = "  on top of id and log"
ERRORS: Final = "Garrison, errors"
ERRORS_TOO: Final = "  below id and log"
CORRELATION_ID: Final = "asgi-correlation-id"
STRUCTLOG: Final = "structlog, BaseHTTPMiddleware"
BOTH: Final = "the two together"
OTEL_ASGI: Final = "OTel's ASGI middleware"
OTEL_ASGI_ONE: Final = "OTel's, without child spans"
BARE_FASTAPI: Final = "FastAPI, observed by nobody"
OTEL_FASTAPI: Final = "OTel's for FastAPI"
OWN_FASTAPI: Final = "FastAPI's own telemetry"

# What a variant is compared with, if that is not the bare app.
OVER: Final = {
    SPAN_TOO: ID_AND_LOG,
    ERRORS_TOO: ID_AND_LOG,
    OTEL_FASTAPI: BARE_FASTAPI,
    OWN_FASTAPI: BARE_FASTAPI,
}

ASKED: Final = "/items/{item_id}"


def variants(group: Group, routes: int, log: TextIO) -> list[Variant]:
    """Everything that is compared, the bare app first.

    Args:
        group: which SDK this process has; logs and errors are the same with any.
        routes: how many the app has; the last one is asked for.
        log: where lines go.
    """
    bare = app(routes)
    lines = event_log(stream=log)
    logged = AccessLogMiddleware(bare, log=lines)
    found: dict[str, ASGIApp] = {
        BARE: bare,
        ID_AND_LOG: RequestIdMiddleware(logged),
        SPAN: TracingMiddleware(bare),
        SPAN_TOO: RequestIdMiddleware(TracingMiddleware(logged)),
    }
    if group == "no SDK":
        found[ERRORS] = ErrorsMiddleware(bare, log=lines)
        found[ERRORS_TOO] = RequestIdMiddleware(AccessLogMiddleware(found[ERRORS], log=lines))
        structured = recipe.access_logger(log.buffer)
        found[CORRELATION_ID] = CorrelationIdMiddleware(bare)
        found[STRUCTLOG] = recipe.AccessLogMiddleware(bare, structured)
        found[BOTH] = CorrelationIdMiddleware(recipe.AccessLogMiddleware(bare, structured))
    found[OTEL_ASGI] = OpenTelemetryMiddleware(bare)
    found[OTEL_ASGI_ONE] = OpenTelemetryMiddleware(bare, exclude_spans=["receive", "send"])
    found[BARE_FASTAPI] = fastapi_app(routes, {"tracing": False, "metrics": False, "logs": False})
    instrumented = fastapi_app(routes, {"tracing": False, "metrics": False, "logs": False})
    FastAPIInstrumentor.instrument_app(instrumented)
    found[OTEL_FASTAPI] = instrumented
    found[OWN_FASTAPI] = fastapi_app(routes, {})
    return [Variant(name=name, app=each) for name, each in found.items()]


def app(routes: int) -> Starlette:
    """A Starlette app with many routes that finds the last one at once.

    Its own router takes 0.3 ms to get through 500, in which what a layer adds could not be seen. Layers that
    go through the routes of an app themselves find all of them.

    Args:
        routes: how many there are.
    """
    found = Starlette(routes=[Route(path, item) for path in paths(routes)])
    found.router.middleware_stack = Router(found.routes[-1:]).app
    return found


def fastapi_app(routes: int, telemetry: dict[str, Any]) -> FastAPI:
    """The same in FastAPI, which goes through all of them.

    Args:
        routes: how many there are.
        telemetry: its own settings of that name.
    """
    found = FastAPI(openapi_url=None, telemetry=telemetry)  # type: ignore[arg-type]
    for path in paths(routes):
        found.get(path)(item)
    return found


def paths(routes: int) -> list[str]:
    """So many templates, the one that is asked for at the end."""
    return [*(f"/shelf{number}/{{item_id}}" for number in range(routes - 1)), ASKED]


async def item(request: Request) -> JSONResponse:
    """Reply with a small JSON document."""
    return JSONResponse({"id": request.path_params["item_id"], "name": "lantern"})
