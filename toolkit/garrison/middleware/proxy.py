"""Believes forwarded headers from trusted proxies only, and strips what a stranger sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote

from garrison.context import enter
from garrison.events import EventLog, event_log
from garrison.forwarding import forwarded, x_forwarded
from garrison.forwarding.addresses import MOST_HOPS, Trust
from garrison.forwarding.claims import claims_https
from garrison.forwarding.facts import UNQUOTED, authority_of, read_host, read_port, read_prefix, read_scheme
from garrison.forwarding.names import FAMILIES, FORWARDING, MOST_DASHES, is_guardable, spellings
from garrison.forwarding.suspects import Suspects
from garrison.settings import validate
from garrison.units import Network

if TYPE_CHECKING:
    from collections.abc import Mapping

    from garrison.asgi import ASGIApp, Receive, Scope, Send
    from garrison.context import RequestContext

Fact = Literal["for", "proto", "host", "port", "prefix"]

# While nobody is trusted, a proxy in front shows itself on the first request or never.
LOOKS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """Whose word counts about the client.

    Once `trusted`, `hops` or `unix` is set, forwarding headers from anybody else are removed, and so are
    those of the family that was not chosen, whoever sends them. Until then nobody is believed and nothing is
    removed, but a private peer that sends such headers among the first 1,000 requests is named in the log,
    as the event `untrusted_proxy`.

    Attributes:
        trusted: addresses and blocks of the proxies in front of this app. The chain is read from right to
            left, up to the first address that is none of theirs: that is the client.
        hops: how many proxies stand in front where their addresses are not known, as in many clouds. The
            client is the entry of the chain with this number from the right; a request with fewer entries
            came around a proxy, and is a stranger's. Whoever can reach the app directly can send as many
            entries as it takes, so let only the proxies reach it. Not together with `trusted`.
        unix: whether a peer without an address, on a Unix socket, is a trusted proxy.
        family: the headers that the proxies write: `x-forwarded` for X-Forwarded-For and the like,
            `forwarded` for Forwarded (RFC 7239).
        accept: the facts that are believed. `for` is the client's address and `proto` the scheme. `host`
            replaces the Host header, `port` is added to a host that has none, and `prefix` is put in front
            of path and root_path; many proxies pass on what a client wrote there, so list only what yours
            set. Forwarded has no `port` and no `prefix`. What is not listed stays in the headers as a
            trusted proxy sent it.
        strip: more headers that only a trusted proxy may send, such as `X-User-ID`; anybody else's are
            removed.
    """

    trusted: tuple[Network, ...] = ()
    hops: int = 0
    unix: bool = False
    family: Literal["x-forwarded", "forwarded"] = "x-forwarded"
    accept: tuple[Fact, ...] = ("for", "proto")
    strip: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        validate(self)
        validate(
            self,
            ("hops", 0 <= self.hops <= MOST_HOPS, f"a number from 0 to {MOST_HOPS}"),
            ("hops", not (self.hops and self.trusted), "0 where `trusted` names the proxies"),
            (
                "accept",
                self.family != "forwarded" or {"port", "prefix"}.isdisjoint(self.accept),
                "for, proto and host only, since the family `forwarded` has no other facts",
            ),
            (
                "strip",
                all(map(is_guardable, self.strip)),
                f"names of headers with at most {MOST_DASHES} dashes, and none that frames a message",
            ),
        )

    @property
    def trusts_somebody(self) -> bool:
        """Whether there is any proxy whose word counts."""
        return bool(self.trusted or self.hops or self.unix)


class ProxyMiddleware:
    """Sets client, scheme, host and prefix of the scope to what the trusted proxies vouch for.

    Args:
        app: the app below.
        settings: the section.
        log: where the event `untrusted_proxy` goes; standard output as JSON unless given.
    """

    def __init__(self, app: ASGIApp, settings: Proxy = Proxy(), *, log: EventLog | None = None) -> None:
        self.app = app
        self._active = settings.trusts_somebody or bool(settings.strip)
        self._looks = 0 if settings.trusts_somebody else LOOKS
        self._suspects = Suspects(log or event_log(), settings.hops)
        self._trust = Trust(settings.trusted, settings.hops)
        self._unix = settings.unix
        family = forwarded.Forwarded if settings.family == "forwarded" else x_forwarded.XForwarded
        self._facts = family(self._trust, settings.accept).facts
        # Those of a request without any such line.
        self._none = self._facts({})

        stripped = frozenset(name.lower().encode("ascii") for name in settings.strip)
        guarded = stripped | (FORWARDING if settings.trusts_somebody else frozenset())
        # A proxy that overwrites a header lets another spelling of it pass.
        lookalikes = spellings(guarded) - guarded
        own = FAMILIES[settings.family]
        self._strangers = guarded | lookalikes
        self._foreign = spellings(FORWARDING - own) | lookalikes
        self._looked_at = own | self._foreign

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and `websocket`; `lifespan` and scopes of an unknown type pass through."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        if self._looks:
            self._look(scope)
        if self._active:
            scope, context = enter(scope)
            if context.mount("proxy", self):
                self._judge(scope, context)
        await self.app(scope, receive, send)

    def _look(self, scope: Scope) -> None:
        """Name a proxy that nobody told us of."""
        self._looks -= 1
        for name, _ in scope["headers"]:
            if name in FORWARDING:
                context = scope.get("garrison")
                # Where an outer layer was told of it, these headers are its own.
                if context is None or context.mount("proxy", self):
                    self._suspects.tell(scope.get("client"), scope["headers"])
                return

    def _judge(self, scope: Scope, context: RequestContext) -> None:
        peer = scope.get("client")
        if not (self._trust.knows(peer[0]) if peer and peer[0] else self._unix):
            self._strip(scope, context)
            return
        lines: dict[bytes, list[bytes]] = {}
        foreign = False
        looked_at = self._looked_at
        for name, value in scope["headers"]:
            if name in looked_at:
                if name in self._foreign:
                    foreign = True
                elif name in lines:
                    lines[name].append(value)
                else:
                    lines[name] = [value]
        facts = self._facts(lines) if lines else self._none
        if facts is None:
            self._strip(scope, context)
            return
        context.trusted = True
        if foreign:
            context.forwarded = True
            scope["headers"] = [line for line in scope["headers"] if line[0] not in self._foreign]
        if facts:
            believe(facts, scope, context)

    def _strip(self, scope: Scope, context: RequestContext) -> None:
        """Take from a stranger what only a proxy may say."""
        stripped = [line for line in scope["headers"] if line[0] in self._strangers]
        if not stripped:
            return
        self._suspects.tell(scope.get("client"), stripped)
        context.forwarded = True
        context.claims_https = claims_https(stripped)
        scope["headers"] = [line for line in scope["headers"] if line[0] not in self._strangers]


def believe(facts: Mapping[str, str], scope: Scope, context: RequestContext) -> None:
    """Write into the scope what a trusted proxy says; what is malformed stays as the server gave it.

    Args:
        facts: `for` as an address, the others as the proxy wrote them.
        scope: of the request, whose layers below see what is written.
        context: of the same request.
    """
    client = facts.get("for")
    if client is not None:
        context.client = client
        # The port of a forwarded client is not known, and 0 is how ASGI servers say so.
        scope["client"] = (client, 0)
    scheme = scope.get("scheme") or ("ws" if scope["type"] == "websocket" else "http")
    if "proto" in facts:
        scope["scheme"] = scheme = read_scheme(facts["proto"], scheme)
    if "host" in facts or "port" in facts:
        _rehost(facts, scope, scheme)
    if "prefix" in facts:
        _extend(facts["prefix"], scope, context)


def _rehost(facts: Mapping[str, str], scope: Scope, scheme: str) -> None:
    """Make the host and port that the client asked for those of the request, in exactly one Host line."""
    lines = scope["headers"]
    host, port = read_host(facts.get("host", "")), read_port(facts.get("port", ""))
    if host is None and port is not None:
        given = [value for name, value in lines if name == b"host"]
        host = read_host(given[0].decode("latin-1")) if len(given) == 1 else None
    if host is None:
        return
    authority, server = authority_of(host, port, scheme)
    others = (line for line in lines if line[0] != b"host")
    scope["headers"] = [(b"host", authority.encode("ascii")), *others]
    scope["server"] = server


def _extend(text: str, scope: Scope, context: RequestContext) -> None:
    """Put back the front of the path, which `path` has as well as `root_path` (ASGI 3.0, HTTP scope)."""
    prefix = read_prefix(text)
    path: str = scope["path"]
    if prefix is None or not path.startswith("/"):  # such as the `*` of OPTIONS
        return
    root: str = scope.get("root_path", "").rstrip("/")
    # Not every server has its own root_path in the path.
    front = prefix if f"{path}/".startswith(f"{root}/") else prefix + root
    raw_path = scope.get("raw_path")
    if raw_path is not None:
        scope["raw_path"] = quote(front, safe=UNQUOTED).encode("ascii") + raw_path
    scope["path"] = context.path = front + path
    scope["root_path"] = context.root_path = prefix + root
