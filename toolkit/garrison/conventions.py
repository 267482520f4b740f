"""OpenTelemetry's semantic conventions for HTTP servers: what a span and a measurement say of a request."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from garrison.host_names import read_host
from garrison.shortening import MARGIN, beginning
from garrison.token_shapes import MASK

if TYPE_CHECKING:
    from garrison.asgi import Scope
    from garrison.context import RequestContext
    from garrison.redaction import Redactor

Value = str | int | tuple[str, ...]

SCHEMA: Final = "https://opentelemetry.io/schemas/1.44.0"

# HTTP metrics, `http.server.request.duration`, in seconds.
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)

# HTTP spans, `http.request.method`, and the variable that the conventions demand for another list.
METHODS: Final = ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE")
METHODS_VARIABLE: Final = "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS"
OTHER: Final = "_OTHER"

# `error.type` of a request whose client went away, which no exception told of.
GONE: Final = "client_disconnected"

# HTTP spans, `url.query`: what stands in place of a value that is not to be shown.
REDACTED: Final = "=REDACTED"

# What a client may write at any length, long before anything has bounded the request.
LONGEST_TEXT: Final = 4096
LONGEST_HEADER: Final = LONGEST_TEXT + MARGIN

Attribute = Literal[
    "client.port",
    "network.local.address",
    "network.local.port",
    "network.transport",
    "http.request.body.size",
    "http.response.body.size",
]
"""Attributes of a span that the conventions leave to be asked for; headers are asked for by name."""


def known_method(method: str, known: frozenset[str] = frozenset(METHODS)) -> str:
    """A method that is known, or `_OTHER`, so that nobody outside decides how many there are.

    Args:
        method: as the client sent it; methods are case-sensitive (RFC 9110 section 9.1).
        known: those that have their own name; the conventions' unless given.
    """
    return method if method in known else OTHER


@lru_cache(1024)
def span_name(method: str, route: str | None = None) -> str:
    """The name of a server span; never with the path, which would make as many names as there are paths.

    Args:
        method: one that is known, or `_OTHER`.
        route: the template; None before it is known.
    """
    name = method if method != OTHER else "HTTP"
    return name if route is None else f"{name} {route}"


def error_type(error: BaseException) -> str:
    """What `error.type` says of an exception: its class with its module, which a builtin has none of."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def request_attributes(
    scope: Scope,
    lines: Mapping[bytes, bytes],
    context: RequestContext,
    common: Mapping[str, Value],
    redactor: Redactor,
    caller: Callable[[bytes, bytes], Mapping[str, Value]],
) -> dict[str, Value]:
    """The attributes that the conventions want at a span's creation, where samplers see them.

    Args:
        scope: of the request.
        lines: its headers by their names in lower case.
        context: of the request.
        common: its `exchange_attributes`.
        redactor: masks what is not to be shown.
        caller: the `caller_attributes` of a Host and a User-Agent.
    """
    host, agent = lines.get(b"host", b"")[:LONGEST_HEADER], lines.get(b"user-agent", b"")[:LONGEST_HEADER]
    path = context.path
    path = redactor.path(path) if len(path) <= LONGEST_TEXT else beginning(path, LONGEST_TEXT, redactor.path)
    attributes: dict[str, Value] = {**common, "url.path": encodable(path), **caller(host, agent)}
    if common["http.request.method"] == OTHER:
        attributes["http.request.method_original"] = encodable(context.method)
    if scope.get("query_string"):
        raw = scope["query_string"].decode("latin-1")
        query = beginning(raw, LONGEST_TEXT, redactor.parameters)
        attributes["url.query"] = query.replace(f"={MASK}", REDACTED)
    if context.client is not None:
        attributes["client.address"] = context.client
    if context.peer:
        attributes["network.peer.address"], port = context.peer
        if port:
            attributes["network.peer.port"] = port
    return attributes


def caller_attributes(host: bytes, agent: bytes, masked: Callable[[str], str]) -> Mapping[str, Value]:
    """What a client says in the same words with each of its requests: whom it asks, and what it is.

    Args:
        host: its Host header, or nothing.
        agent: its User-Agent header, or nothing.
        masked: takes off what nobody may see.
    """
    attributes: dict[str, Value] = {}
    if host:
        attributes |= server_attributes(host)
    if agent:
        attributes["user_agent.original"] = beginning(agent.decode("latin-1"), LONGEST_TEXT, masked)
    return attributes


@lru_cache(256)
def exchange_attributes(method: str, scheme: str, version: str, kind: str) -> Mapping[str, Value]:
    """What spans and measurements say alike, before there is a reply.

    Args:
        method: one that is known, or `_OTHER`.
        scheme: of the URL.
        version: of HTTP.
        kind: the type of the scope.
    """
    attributes: dict[str, Value] = {
        "http.request.method": method,
        "url.scheme": scheme,
        "network.protocol.version": version,
    }
    if kind == "websocket":
        attributes["network.protocol.name"] = "websocket"
    return attributes


def reply_attributes(scope: Scope, context: RequestContext, status: int | None) -> dict[str, Value]:
    """What is known once the app has answered: status, route and error.

    Args:
        scope: of the request.
        context: of the request.
        status: the HTTP status code; None where none was sent.
    """
    route = context.route(scope)
    attributes: dict[str, Value] = {} if route is None else {"http.route": _route(route)}
    if status is not None:
        attributes["http.response.status_code"] = status
        # Most requests end well.
        if status < 500 and not context.gone and context.exception is None:
            return attributes
    error = _error(context, status, is_http=scope["type"] == "http")
    if error is not None:
        attributes["error.type"] = error
    return attributes


def _error(context: RequestContext, status: int | None, *, is_http: bool) -> str | None:
    if context.exception is not None:
        return error_type(context.exception)
    if context.gone:
        return GONE
    if status is None:
        # An app that returned without a word; but of a WebSocket it is the client that may leave first.
        return OTHER if is_http else None
    return str(status) if status >= 500 else None


@lru_cache(256)
def server_attributes(host: bytes) -> Mapping[str, Value]:
    """`server.address` and `server.port` from a Host header; nothing from one that is malformed.

    A trusted proxy's word about the host is in the Host header already.

    Args:
        host: the value of the header.
    """
    address = read_host(host)
    if address is None:
        return {}
    attributes: dict[str, Value] = {"server.address": address.strip("[]")}
    port = host.rpartition(b":")[2]
    if port.isdigit() and port != host and 0 < int(port) < 65536:
        attributes["server.port"] = int(port)
    return attributes


def opt_in_attributes(
    scope: Scope, context: RequestContext, wanted: frozenset[Attribute]
) -> dict[str, Value]:
    """Those of the wanted attributes that are about the connection, as far as the server tells.

    Args:
        scope: of the request.
        context: of the request.
        wanted: by name.
    """
    found: dict[str, Value] = {}
    client, server = scope.get("client"), scope.get("server")
    if client and client[1]:
        found["client.port"] = client[1]
    # A proxy's word about the host has taken the place of the server's own address.
    if server and not context.trusted:
        found["network.local.address"] = server[0]
        if server[1]:
            found["network.local.port"] = server[1]
    if server and server[1] is None:
        found["network.transport"] = "unix"
    else:
        found["network.transport"] = "udp" if str(scope.get("http_version")).startswith("3") else "tcp"
    return {name: value for name, value in found.items() if name in wanted}


def header_attributes(
    side: Literal["request", "response"],
    lines: Iterable[tuple[bytes, bytes]],
    names: frozenset[bytes],
    redactor: Redactor,
) -> dict[str, Value]:
    """The values of the headers that somebody asked for.

    Args:
        side: whose headers they are.
        lines: raw header lines.
        names: which ones, in lower case.
        redactor: masks what is not to be shown.
    """
    found = redactor.headers(lines, names)
    return {f"http.{side}.header.{name}": tuple(values) for name, values in found.items()}


def encodable(text: str) -> str:
    """A text that exporters take: not endless, and without surrogates, for which a whole batch is lost."""
    short = text[:LONGEST_TEXT]
    return short if short.isascii() else short.encode("utf-8", "backslashreplace").decode()


# An app has so many of them and no more.
_route: Final = lru_cache(1024)(encodable)


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
        # The first that SDKs ask, of every span.
        if self._built is None:
            self._built = self._build()
        return len(self._built)

    def items(self) -> ItemsView[str, Value]:
        """All of them at once; SDKs copy attributes by this, and going one by one costs much more."""
        return self._all().items()

    def copy(self) -> dict[str, Value]:
        """A dictionary of them, which SDKs before 1.43 ask for."""
        return self._all().copy()
