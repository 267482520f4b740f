"""Makes an existing ASGI app fit for production."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from garrison.contracting.replies import ReplyViolations
    from garrison.csp.hashes import csp_hash
    from garrison.current import RequestFilter, add_request_fields, current_request
    from garrison.headers.override import set_policy
    from garrison.limiting.attempt import Attempt
    from garrison.limiting.dependency import Limit
    from garrison.limiting.login import LoginLimit
    from garrison.limiting.refused import QuotaExceededError, problem_handler
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
    from garrison.middleware.rate_limit import RateLimit, RateLimitMiddleware
    from garrison.middleware.request_id import RequestId, RequestIdMiddleware
    from garrison.middleware.request_limits import RequestLimits, RequestLimitsMiddleware
    from garrison.middleware.security_headers import SecurityHeaders, SecurityHeadersMiddleware
    from garrison.middleware.timeouts import Timeouts, TimeoutsMiddleware
    from garrison.middleware.tracing import Tracing, TracingMiddleware
    from garrison.nonce import csp_nonce
    from garrison.redaction import Redaction
    from garrison.server_section import Server
    from garrison.settings import SettingsError
    from garrison.stack import Hardened, Settings, harden

__all__ = [
    "AccessLog",
    "AccessLogMiddleware",
    "Attempt",
    "Contract",
    "ContractMiddleware",
    "Cookies",
    "CookiesMiddleware",
    "CrossOrigin",
    "CrossOriginMiddleware",
    "CspReports",
    "CspReportsMiddleware",
    "Errors",
    "ErrorsMiddleware",
    "Exposure",
    "ExposureMiddleware",
    "Hardened",
    "Health",
    "HealthMiddleware",
    "Hosts",
    "HostsMiddleware",
    "Limit",
    "LoginLimit",
    "Overload",
    "OverloadMiddleware",
    "Proxy",
    "ProxyMiddleware",
    "QuotaExceededError",
    "RateLimit",
    "RateLimitMiddleware",
    "Redaction",
    "ReplyViolations",
    "RequestFilter",
    "RequestId",
    "RequestIdMiddleware",
    "RequestLimits",
    "RequestLimitsMiddleware",
    "SecurityHeaders",
    "SecurityHeadersMiddleware",
    "Server",
    "Settings",
    "SettingsError",
    "Timeouts",
    "TimeoutsMiddleware",
    "Tracing",
    "TracingMiddleware",
    "add_request_fields",
    "csp_hash",
    "csp_nonce",
    "current_request",
    "harden",
    "problem_handler",
    "set_policy",
]

__version__ = "0.1.0"

# Each name is imported when it is first asked for (PEP 562), so that `garrison --help`, or an app that takes
# one middleware, does not wait for all the others. The same as what type checkers read above.
_HOMES: Final = {
    "garrison.contracting.replies": ("ReplyViolations",),
    "garrison.csp.hashes": ("csp_hash",),
    "garrison.current": ("RequestFilter", "add_request_fields", "current_request"),
    "garrison.headers.override": ("set_policy",),
    "garrison.limiting.attempt": ("Attempt",),
    "garrison.limiting.dependency": ("Limit",),
    "garrison.limiting.login": ("LoginLimit",),
    "garrison.limiting.refused": ("QuotaExceededError", "problem_handler"),
    "garrison.middleware.access_log": ("AccessLog", "AccessLogMiddleware"),
    "garrison.middleware.contract": ("Contract", "ContractMiddleware"),
    "garrison.middleware.cookies": ("Cookies", "CookiesMiddleware"),
    "garrison.middleware.cross_origin": ("CrossOrigin", "CrossOriginMiddleware"),
    "garrison.middleware.csp_reports": ("CspReports", "CspReportsMiddleware"),
    "garrison.middleware.errors": ("Errors", "ErrorsMiddleware"),
    "garrison.middleware.exposure": ("Exposure", "ExposureMiddleware"),
    "garrison.middleware.health": ("Health", "HealthMiddleware"),
    "garrison.middleware.hosts": ("Hosts", "HostsMiddleware"),
    "garrison.middleware.overload": ("Overload", "OverloadMiddleware"),
    "garrison.middleware.proxy": ("Proxy", "ProxyMiddleware"),
    "garrison.middleware.rate_limit": ("RateLimit", "RateLimitMiddleware"),
    "garrison.middleware.request_id": ("RequestId", "RequestIdMiddleware"),
    "garrison.middleware.request_limits": ("RequestLimits", "RequestLimitsMiddleware"),
    "garrison.middleware.security_headers": ("SecurityHeaders", "SecurityHeadersMiddleware"),
    "garrison.middleware.timeouts": ("Timeouts", "TimeoutsMiddleware"),
    "garrison.middleware.tracing": ("Tracing", "TracingMiddleware"),
    "garrison.nonce": ("csp_nonce",),
    "garrison.redaction": ("Redaction",),
    "garrison.server_section": ("Server",),
    "garrison.settings": ("SettingsError",),
    "garrison.stack": ("Hardened", "Settings", "harden"),
}

if not TYPE_CHECKING:  # or every misspelt name would have a type
    _home_of = {name: home for home, names in _HOMES.items() for name in names}

    def __getattr__(name: str) -> object:
        """A public name on its first use; from then on it is an attribute like any other."""
        if name not in _home_of:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_home_of[name]), name)
        return value

    def __dir__() -> list[str]:
        """All public names, asked for or not."""
        return sorted({*globals(), *__all__})
