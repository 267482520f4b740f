"""Makes an existing ASGI app fit for production."""

from garrison.middleware.access_log import AccessLog, AccessLogMiddleware
from garrison.middleware.cookies import Cookies, CookiesMiddleware
from garrison.middleware.cross_origin import CrossOrigin, CrossOriginMiddleware
from garrison.middleware.errors import Errors, ErrorsMiddleware
from garrison.middleware.hosts import Hosts, HostsMiddleware
from garrison.middleware.proxy import Proxy, ProxyMiddleware
from garrison.middleware.rate_limit import RateLimit, RateLimitMiddleware
from garrison.middleware.request_id import RequestId, RequestIdMiddleware
from garrison.middleware.request_limits import RequestLimits, RequestLimitsMiddleware
from garrison.middleware.security_headers import SecurityHeaders, SecurityHeadersMiddleware
from garrison.middleware.tracing import Tracing, TracingMiddleware
from garrison.redaction import Redaction
from garrison.settings import SettingsError
from garrison.stack import Hardened, Server, Settings, harden

__all__ = [
    "AccessLog",
    "AccessLogMiddleware",
    "Cookies",
    "CookiesMiddleware",
    "CrossOrigin",
    "CrossOriginMiddleware",
    "Errors",
    "ErrorsMiddleware",
    "Hardened",
    "Hosts",
    "HostsMiddleware",
    "Proxy",
    "ProxyMiddleware",
    "RateLimit",
    "RateLimitMiddleware",
    "Redaction",
    "RequestId",
    "RequestIdMiddleware",
    "RequestLimits",
    "RequestLimitsMiddleware",
    "SecurityHeaders",
    "SecurityHeadersMiddleware",
    "Server",
    "Settings",
    "SettingsError",
    "Tracing",
    "TracingMiddleware",
    "harden",
]

__version__ = "0.1.0"
