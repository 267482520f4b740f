"""OpenTelemetry's semantic conventions for HTTP servers: what a span and a measurement say of a request."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from garrison.asgi import Scope
    from garrison.context import RequestContext
    from garrison.redaction import Redactor

Value = str | int

SCHEMA: Final = "https://opentelemetry.io/schemas/1.44.0"

# HTTP metrics, `http.server.request.duration`, in seconds.
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)

# HTTP spans, `http.request.method`.
METHODS: Final = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"}
)
OTHER: Final = "_OTHER"

# Masking takes time in proportion, and this is long before anything has bounded the request.
LONGEST_QUERY: Final = 4096


def known_method(method: str) -> str:
    """A method of the conventions, or `_OTHER`, so that nobody outside decides how many there are."""
    return method if method in METHODS else OTHER


def span_name(method: str, route: str | None = None) -> str:
    """The name of a server span; never with the path, which would make as many names as there are paths.

    Args:
        method: as `known_method` gives it.
        route: the template; None before it is known.
    """
    name = method if method != OTHER else "HTTP"
    return name if route is None else f"{name} {route}"


def request_attributes(
    scope: Scope, context: RequestContext, method: str, redactor: Redactor
) -> dict[str, Value]:
    """The attributes that the conventions want at a span's creation, where samplers see them."""
    attributes = _exchange(scope, method)
    attributes["url.path"] = context.path
    if method == OTHER:
        attributes["http.request.method_original"] = context.method
    if scope.get("query_string"):
        attributes["url.query"] = redactor.query(scope["query_string"][:LONGEST_QUERY])
    if context.client is not None:
        attributes["client.address"] = context.client
    if context.peer:
        attributes["network.peer.address"], attributes["network.peer.port"] = context.peer
    for name, value in scope["headers"]:
        if name == b"user-agent":
            attributes["user_agent.original"] = value.decode("latin-1")
        elif name == b"host":
            attributes.update(_server(value.decode("latin-1"), scope))
    return attributes


def reply_attributes(scope: Scope, context: RequestContext, status: int | None) -> dict[str, Value]:
    """What is known once the app has answered: status, route and error."""
    attributes: dict[str, Value] = {}
    if status is not None:
        attributes["http.response.status_code"] = status
    route = context.route(scope)
    if route is not None:
        attributes["http.route"] = route
    if context.exception is not None:
        attributes["error.type"] = type(context.exception).__qualname__
    elif status is not None and status >= 500:
        attributes["error.type"] = str(status)
    return attributes


def measurement_attributes(
    scope: Scope, context: RequestContext, method: str, status: int | None
) -> dict[str, Value]:
    """The attributes of `http.server.request.duration`: nothing that a client can vary at will."""
    return _exchange(scope, method) | reply_attributes(scope, context, status)


def _exchange(scope: Scope, method: str) -> dict[str, Value]:
    attributes: dict[str, Value] = {
        "http.request.method": method,
        "url.scheme": scope.get("scheme", "http"),
        "network.protocol.version": scope.get("http_version", "1.1"),
    }
    if scope["type"] == "websocket":
        attributes["network.protocol.name"] = "websocket"
    return attributes


def _server(host: str, scope: Scope) -> dict[str, Value]:
    """`server.address` and `server.port` from the Host header, without a scheme's own port."""
    name, colon, port = host.rpartition(":")
    if not colon or not port.isdecimal() or len(port) > 5:
        return {"server.address": host}
    if int(port) == (443 if scope.get("scheme") in {"https", "wss"} else 80):
        return {"server.address": name}
    return {"server.address": name, "server.port": int(port)}


class Deferred(Mapping[str, Value]):
    """Attributes that are built when somebody reads them, which a tracer that records nothing never does.

    Args:
        build: makes the attributes.
    """

    __slots__ = ("_build", "_built")

    def __init__(self, build: Callable[[], dict[str, Value]]) -> None:
        self._build = build
        self._built: dict[str, Value] | None = None

    def _all(self) -> dict[str, Value]:
        if self._built is None:
            self._built = self._build()
        return self._built

    def __getitem__(self, key: str) -> Value:
        return self._all()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def items(self) -> ItemsView[str, Value]:
        """All of them at once; SDKs copy attributes by this, and going one by one costs much more."""
        return self._all().items()
