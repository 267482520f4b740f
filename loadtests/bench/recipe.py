"""The usual recipe: what people assemble today, each part as its own documentation recommends it.

- slowapi with a default limit, as `SlowAPIMiddleware` of its examples.
- secure with its default headers, as the ASGI middleware of its README.
- asgi-correlation-id as it comes.
- An access log with structlog on `BaseHTTPMiddleware`, in the fastest configuration that the
  "Performance" chapter of structlog has (orjson, bytes, cached and filtering loggers).
- opentelemetry-instrumentation-asgi around the whole app, as it comes.
"""

from __future__ import annotations

import logging
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import orjson
import structlog
from asgi_correlation_id import CorrelationIdMiddleware
from asgi_correlation_id.context import correlation_id
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from secure import Secure
from secure.middleware import SecureASGIMiddleware
from slowapi import Limiter, _rate_limit_exceeded_handler
from slowapi.errors import RateLimitExceeded
from slowapi.middleware import SlowAPIASGIMiddleware, SlowAPIMiddleware
from slowapi.util import get_remote_address
from starlette.middleware.base import BaseHTTPMiddleware

if TYPE_CHECKING:
    from typing import BinaryIO

    from starlette.applications import Starlette
    from starlette.middleware.base import RequestResponseEndpoint
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

# High enough that no request of a run is refused: what is measured is the price of letting one through.
REQUESTS_PER_MINUTE: Final = 100_000_000


def usual_recipe(app: Starlette, *, log: BinaryIO | None = None, asgi_limiter: bool = False) -> ASGIApp:
    """Put the five on an app, the access log and the request id outside of what may refuse.

    Args:
        app: is changed.
        log: where the lines go; standard output unless given.
        asgi_limiter: take slowapi's other middleware, which is not built on `BaseHTTPMiddleware`.
    """
    app.state.limiter = Limiter(key_func=get_remote_address, default_limits=[f"{REQUESTS_PER_MINUTE}/minute"])
    # Starlette's type has every handler take any Exception; slowapi's examples ignore it too.
    app.add_exception_handler(RateLimitExceeded, _rate_limit_exceeded_handler)  # type: ignore[arg-type]
    app.add_middleware(SlowAPIASGIMiddleware if asgi_limiter else SlowAPIMiddleware)
    app.add_middleware(SecureASGIMiddleware, secure=Secure.with_default_headers())
    app.add_middleware(AccessLogMiddleware, logger=access_logger(log))
    app.add_middleware(CorrelationIdMiddleware)
    instrumented: ASGIApp = OpenTelemetryMiddleware(app)
    return instrumented


class AccessLogMiddleware(BaseHTTPMiddleware):
    """One JSON event per request, with the request id bound for every other event of the request.

    Args:
        app: the app below.
        logger: a structlog logger.
    """

    def __init__(self, app: ASGIApp, logger: Any) -> None:
        super().__init__(app)
        self.logger = logger

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Time the request and write its line, whether it succeeded or not."""
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=correlation_id.get())
        started = time.perf_counter()
        status = 500
        try:
            response = await call_next(request)
            status = response.status_code
        finally:
            self.logger.info(
                "request",
                method=request.method,
                path=request.url.path,
                query=request.url.query,
                status=status,
                duration_ms=round((time.perf_counter() - started) * 1000, 3),
                client=request.client.host if request.client else None,
                user_agent=request.headers.get("user-agent"),
                http_version=request.scope["http_version"],
            )
        return response


def access_logger(stream: BinaryIO | None = None) -> Any:
    """The logger of the access log.

    Args:
        stream: where the lines go; standard output unless given.
    """
    return structlog.wrap_logger(
        structlog.BytesLogger(stream or sys.stdout.buffer),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
