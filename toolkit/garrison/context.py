"""What one request has learned so far, for the layers and the log lines that come later."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any, Final

from garrison.nearest import nearest_to
from garrison.security_events import VOCABULARY

if TYPE_CHECKING:
    from garrison.asgi import Headers, Scope, Send

# Plain stdlib logging reaches whatever handlers the program has, and stderr where it has none.
_log = logging.getLogger("garrison")

# Names may come from anywhere; what is longer is none, and so many say enough.
LONGEST_NAME: Final = 64
MOST_UNKNOWN: Final = 100


class RequestContext:
    """The facts of one request, in `scope["garrison"]` from the outermost layer on.

    Attributes:
        client: the address of the client, behind trusted proxies where there are any; None for a
            peer without an address, such as a Unix socket.
        peer: address and port of the direct peer, which may be a proxy.
        trusted: whether the direct peer is a proxy whose word counts.
        forwarded: whether the request came with header lines of proxies that are no longer on it.
        gone: whether the client went away before its reply was complete.
        drained: whether it was told to end because the process ends.
        closing: whether its connection ends with its reply because the process ends.
        probe: whether a probe of the process was answered in place of the app.
        security_events: what happened that matters to security, by the names of the OWASP Logging
            Vocabulary, such as `excess_rate_limit_exceeded`; each once, in the order of their happening.
        request_id: the id of this request; None where no layer gave it one.
        trace_id: the W3C trace id in hex; None where nothing is traced.
        span_id: the W3C id of the server span in hex; None where nothing is traced.
        exception: what the app raised and nobody handled.
        principal: who is asking, as whoever verified it says; None for nobody in particular.
        counting: where the quotas of this request are counted; None where no layer counts any.
        quota_lines: header lines about quotas that a layer will add to the reply; None where no layer does.
        rejected_by: the name of the layer that answered in place of the app.
        replaced: whether the app's error reply lost its body to a problem document.
        nonce: what `csp_nonce` gave out for the inline scripts of this reply; None until somebody asked.
        reply_policy: what a handler wants of the security headers of its reply; None if nobody asked.
        claims_https: whether a peer that is not trusted says that its client came over https.
        logged: the exception whose traceback a log line of the app has already shown.
        over: whether every layer is done with the request.
        wire: the server's own `send`, for whoever has to cut the connection; None where no `harden()` is.
        method: as the client sent it; a WebSocket handshake is a GET (RFC 6455 section 4.1).
        path: as the server gave it, before mounts move it.
        root_path: as the server gave it, before mounts extend it.
    """

    __slots__ = (
        "_mounts",
        "_route",
        "claims_https",
        "client",
        "closing",
        "counting",
        "drained",
        "exception",
        "forwarded",
        "gone",
        "logged",
        "method",
        "nonce",
        "over",
        "path",
        "peer",
        "principal",
        "probe",
        "quota_lines",
        "rejected_by",
        "replaced",
        "reply_policy",
        "request_id",
        "root_path",
        "security_events",
        "span_id",
        "trace_id",
        "trusted",
        "wire",
    )

    def __init__(self, scope: Scope) -> None:
        self.peer: tuple[str, int] | None = scope.get("client")
        self.client: str | None = self.peer[0] if self.peer else None
        self.trusted = False
        self.forwarded = False
        self.gone = False
        self.drained = False
        self.closing = False
        self.probe = False
        self.logged: BaseException | None = None
        self.over = False
        self.security_events: tuple[str, ...] = ()
        self.request_id: str | None = None
        self.trace_id: str | None = None
        self.span_id: str | None = None
        self.exception: BaseException | None = None
        self.principal: str | None = None
        self.counting: object | None = None
        self.quota_lines: Headers | None = None
        self.rejected_by: str | None = None
        self.replaced = False
        self.nonce: str | None = None
        self.reply_policy: object | None = None
        self.claims_https = False
        self.wire: Send | None = None
        self.method: str = scope.get("method", "GET")
        self.path: str = scope["path"]
        self.root_path: str = scope.get("root_path", "")
        self._mounts: dict[str, object] = {}
        self._route: str | None = None

    def mount(self, name: str, layer: object) -> bool:
        """Whether this layer is the first of its name on the request; a second one steps aside.

        It happens where an app calls `harden()` itself and runs under `garrison run` too: every
        quota would be counted twice. It is logged once, for the first layer: the others follow.

        Args:
            name: what may be there only once, for most layers the name of their section.
            layer: the middleware that asks.
        """
        first = self._mounts.setdefault(name, layer)
        if first is layer:
            return True
        if not _warned:
            _warned.add(name)
            _log.warning(
                "the layer %r is mounted twice on one request; the inner one steps aside, as does every other"
                " that is there twice",
                name,
            )
        return False

    def note(self, event: str) -> None:
        """Remember something that matters to security, for the log.

        An event that the vocabulary does not have is remembered too, for to lose it were worse; a warning
        says so once, unless its name has a dot.

        Args:
            event: its name in the OWASP Logging Vocabulary, or one of your own with a dot in it, such as
                `shop.voucher_guessed`.
        """
        if event not in self.security_events:
            self.security_events = (*self.security_events, event)
            # Whatever an app hands over, its request goes on.
            if type(event) is not str or event not in VOCABULARY:
                _warn_of_name(event)

    def route(self, scope: Scope) -> str | None:
        """The template of the route that the framework chose, such as `/items/{id}`; None if unknown.

        Read it when the app has run: only the framework knows, and what it leaves in the scope is
        the answer. A template that could hold a value of the request is no template.

        Args:
            scope: of this request.
        """
        if self._route is None:
            template = scope.get("path_template")  # Litestar
            route = scope.get("route")
            if isinstance(template, str):
                self._route = template
            elif route is not None:
                if "fastapi" in scope:
                    route = _with_prefix(scope, route)
                self._route = self._template(scope, route)
            elif "endpoint" in scope:
                route = _by_endpoint(scope)
                self._route = None if route is None else self._template(scope, route)
        return self._route

    def _template(self, scope: Scope, route: Any) -> str | None:
        template = getattr(route, "path_format", None) or getattr(route, "path", None)
        if not isinstance(template, str):
            return None
        # Starlette's mounts extend root_path in place, with the values of their parameters filled in.
        prefix: str = scope.get("root_path", "")[len(self.root_path) :]
        if not prefix:
            return template
        own = getattr(route, "param_convertors", {})
        if any(name not in own for name in scope.get("path_params", {})):
            return None
        if hasattr(route, "routes") and prefix.endswith(template.removesuffix("/{path}")):
            return f"{prefix}/{{path}}"  # a mounted app that set no route of its own
        return prefix + template


def _warn_of_name(event: object) -> None:
    """Say once that nobody who watches for the vocabulary's names will see this one."""
    name = str(event)[:LONGEST_NAME]
    if "." in name or name in _unknown or len(_unknown) >= MOST_UNKNOWN:
        return
    _unknown.add(name)
    near = nearest_to(name, sorted(VOCABULARY))
    advice = f"did you mean {near!r}?" if near else "a name of your own has a dot, such as 'shop.fraud'"
    _log.warning("note(%r): not in the OWASP Logging Vocabulary; %s", name, advice)


def _with_prefix(scope: Scope, route: Any) -> Any:
    """FastAPI keeps the prefixes of included routers beside the route that it puts into the scope."""
    included = (scope["fastapi"] or {}).get("effective_route_context")
    if getattr(included, "original_route", None) is not route:
        return route
    return getattr(included, "starlette_route", None) or included


def _by_endpoint(scope: Scope) -> Any:
    """FastAPI tells of plain Starlette routes, such as that of /docs, no more than their endpoint."""
    endpoint, app = scope["endpoint"], scope.get("app")
    found = [one for one in getattr(app, "routes", ()) if getattr(one, "endpoint", None) is endpoint]
    return found[0] if len(found) == 1 else None


# Once for each layer and process; it says nothing about any request.
_warned: set[str] = set()
# The same of names of security events.
_unknown: set[str] = set()

# Ids that nobody has got yet: to ask the kernel for each of them would cost more than all else about it.
_ids: list[str] = []
AHEAD: Final = 256

# A child must not give out what its parent gives out too.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_ids.clear)


def enter(scope: Scope) -> tuple[Scope, RequestContext]:
    """The request's context, and the scope that carries it to the layers and the app below.

    The outermost layer makes the one shallow copy of the scope; below it everybody shares that copy,
    so that what the framework writes stays visible above.

    Args:
        scope: of type `http` or `websocket`.
    """
    context = scope.get("garrison")
    if context is None:
        context = RequestContext(scope)
        scope = dict(scope)
        scope["garrison"] = context
    return scope, context


def new_id() -> str:
    """A request id that nobody can guess or meet twice: 128 random bits in hex."""
    try:
        return _ids.pop()
    except IndexError:
        digits = os.urandom(16 * AHEAD).hex()
        first, *others = (digits[at : at + 32] for at in range(0, len(digits), 32))
        _ids.extend(others)
        return first
