"""What the contract suite runs over: every middleware class that there is, and the whole stack."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk.trace import TracerProvider

import garrison.middleware
from garrison import (
    Contract,
    CrossOrigin,
    CspReports,
    Exposure,
    Hosts,
    Overload,
    Proxy,
    RateLimit,
    RateLimitMiddleware,
    RequestId,
    RequestLimits,
    Settings,
    Timeouts,
    harden,
)
from garrison.asgi import ASGIApp
from garrison.events import event_log
from garrison.units import Secret

if TYPE_CHECKING:
    from types import ModuleType


# The proxies whose word counts in every subject.
PROXIES: Final = "198.51.100.0/24"


@dataclass(frozen=True)
class Subject:
    """Something that wraps an app and owes it the contract.

    Attributes:
        name: how the tests call it.
        build: puts a fresh one around an app; its log lines go to the stream.
    """

    name: str
    build: Callable[[ASGIApp, io.TextIOWrapper], ASGIApp]

    def around(self, app: ASGIApp) -> ASGIApp:
        """A fresh one around the app, with a log that nobody reads."""
        return self.build(app, sink())


def sink() -> io.TextIOWrapper:
    """A stream for log lines, with bytes behind it as standard output has."""
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8")


def logged(stream: io.TextIOWrapper) -> list[bytes]:
    """The lines that a sink has taken."""
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().splitlines()


def modules() -> list[ModuleType]:
    """Every module of `garrison.middleware`, so that a new one cannot be forgotten."""
    found = pkgutil.iter_modules(garrison.middleware.__path__, "garrison.middleware.")
    return [importlib.import_module(module.name) for module in found]


def middleware_of(module: ModuleType) -> type[Any]:
    """The one middleware class of a module."""
    (found,) = (
        value
        for name, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == module.__name__ and name.endswith("Middleware")
    )
    return found


# What makes a layer act that is idle, or does less, with its defaults.
ACTIVE: Final[dict[str, object]] = {
    "proxy": Proxy(
        trusted=(ip_network(PROXIES),),
        accept=("for", "proto", "host", "port", "prefix"),
        strip=("X-User-ID",),
    ),
    "request_id": RequestId(accept="always"),
    "cross_origin": CrossOrigin(
        allowed=("https://app.example",), posting=("https://app.example",), always=True, isolation=True
    ),
    "hosts": Hosts(allowed=("shop.example",), https="redirect", plain="/*"),
    "exposure": Exposure(closed="docs; metrics; dotfiles; /admin/*"),
    "csp_reports": CspReports(path="/csp-reports"),
    "overload": Overload(
        limit="adaptive",
        priorities="GET /never/*: high; /nor/*: low",
        exempt="GET /metrics*",
        endless="/feed",
    ),
    "rate_limit": RateLimit(limits="1000000/hour"),
    "timeouts": Timeouts(handler=60.0, rules="/never: off", websocket_idle=60.0),
    "request_limits": RequestLimits(
        max_upload=10_000_000, max_file=10_000_000, rules="POST /never/*: max_body=1; /nor/*: json=strict"
    ),
    "contract": Contract(document=str(Path(__file__).with_name("document.yaml")), replies=1.0),
}


# Whatever a section can ask for beside quotas of addresses, which are decided by a shorter way.
WHOLE_RATE_LIMIT: Final = RateLimit(
    limits="1000000/hour; 1000000/hour by header:x-api-key; 1000000/hour by address+principal",
    messages="1000000/hour",
    costs="/free/*: 0; /*: 2",
    refunds="5xx",
    penalty=60.0,
    exempt="GET /static/*",
    partition_key=True,
)


def _whole_rate_limit(app: ASGIApp, stream: io.TextIOWrapper) -> ASGIApp:
    secret = Secret("the same for all subjects")
    return RateLimitMiddleware(app, WHOLE_RATE_LIMIT, secret=secret, log=event_log("json", stream))


def _alone(module: ModuleType, app: ASGIApp, stream: io.TextIOWrapper) -> ASGIApp:
    middleware = middleware_of(module)
    layer = module.__name__.rpartition(".")[2]
    options: dict[str, object] = {}
    if layer in ACTIVE:
        options["settings"] = ACTIVE[layer]
    parameters = inspect.signature(middleware).parameters
    if "log" in parameters:
        options["log"] = event_log("json", stream)
    if "tracer_provider" in parameters:
        options["tracer_provider"] = TracerProvider()
    layered: ASGIApp = middleware(app, **options)
    return layered


def _stack(app: ASGIApp, stream: io.TextIOWrapper) -> ASGIApp:
    with contextlib.redirect_stdout(stream):
        stack = harden(app, Settings(**ACTIVE))  # type: ignore[arg-type]
    layers = {field.name for field in fields(Settings)} & {
        module.__name__.rpartition(".")[2] for module in modules()
    }
    assert set(stack.layers) == layers, "a layer is missing from the stack under test"
    return stack


SUBJECTS: Final = [
    *(Subject(middleware_of(module).__name__, partial(_alone, module)) for module in modules()),
    Subject("RateLimitMiddleware with everything", _whole_rate_limit),
    Subject("harden", _stack),
]
