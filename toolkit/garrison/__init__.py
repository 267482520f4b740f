"""Makes an existing ASGI app fit for production."""

from garrison.contracting.replies import ReplyViolations
from garrison.csp.hashes import csp_hash
from garrison.current_request import RequestFilter, add_request_fields, current_request
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
from garrison.middleware.hosts import Hosts, HostsMiddleware
from garrison.middleware.proxy import Proxy, ProxyMiddleware
from garrison.middleware.rate_limit import RateLimit, RateLimitMiddleware
from garrison.middleware.request_id import RequestId, RequestIdMiddleware
from garrison.middleware.request_limits import RequestLimits, RequestLimitsMiddleware
from garrison.middleware.security_headers import SecurityHeaders, SecurityHeadersMiddleware
from garrison.middleware.tracing import Tracing, TracingMiddleware
from garrison.nonce import csp_nonce
from garrison.redaction import Redaction
from garrison.settings import SettingsError
from garrison.stack import Hardened, Server, Settings, harden

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
    "Hosts",
    "HostsMiddleware",
    "Limit",
    "LoginLimit",
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
