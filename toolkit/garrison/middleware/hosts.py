"""Refuses requests for hosts that are not ours, and then those that did not come over https."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from string import ascii_letters, digits, punctuation
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote, unquote

from garrison.asgi import header, send_reply
from garrison.context import enter
from garrison.forwarding.claims import claims_https
from garrison.host_names import LONGEST, HostList, advice_on, is_listable, is_local, read_host
from garrison.problems import Problem, reject
from garrison.rules import NotationError, is_unambiguous, parse_paths, routed_path
from garrison.security_events import INPUT_FAIL
from garrison.settings import Problem as SettingProblem
from garrison.settings import SettingsError, validate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.asgi import ASGIApp, Headers, Receive, Scope, Send
    from garrison.context import RequestContext

# RFC 9112 section 3.2: a request without exactly one Host is answered with 400.
NOT_ONE: Final = Problem(status=400, detail="The request has not exactly one Host header.")
NO_HOST: Final = Problem(status=400, detail="The Host header is not a host.")
ANOTHER: Final = Problem(status=421, detail="This host is not served here.")

PLAIN: Final = Problem(status=403, detail="This is served over https only: send the request there.")
UNTRUSTED: Final = Problem(
    status=400,
    detail="A proxy in front of this app took the request over https, and the app does not trust its word."
    " Name its address in GARRISON_PROXY_TRUSTED, or lower GARRISON_PROXY_HOPS if that counts the proxies.",
)
SILENT: Final = Problem(
    status=400,
    detail="The proxy in front of this app took the request over https and does not say so. Let it send"
    " X-Forwarded-Proto, or what else the app reads of the proxies in GARRISON_PROXY_TRUSTED.",
)

# A 308 may be kept for ever (RFC 9110 section 15.4.9), and whoever takes the setting back could not
# take it back. Remembering https is the business of HSTS, which says for how long.
NO_STORE: Final = (b"cache-control", b"no-store")
# What decides between the redirect and the refusal, for caches that keep either all the same.
VARY: Final = (b"vary", b"Accept, Authorization, Upgrade-Insecure-Requests")

SECURE: Final = frozenset({"https", "wss"})

# Escaped already, by whoever sent it; everything else that is no visible ASCII gets escaped.
VISIBLE: Final = ascii_letters + digits + punctuation
# RFC 3986 section 3.3.
IN_PATHS: Final = "/:@!$&'()*+,;="


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """Which hosts this app answers for, and whether it does so over plain http.

    Attributes:
        allowed: names such as `shop.example`, addresses, or `*.shop.example` for every name below; any port
            goes. Another Host is a 421, none or a malformed one a 400. Empty: every host is answered.
        https: what becomes of requests over plain http. `redirect` sends pages that a person opens to https,
            which needs `allowed`, and answers all else with 403, credentials first of all; `refuse` answers
            everything with 403. Whether a request came over https is what trusted proxies say.
        https_port: where `redirect` sends people.
        plain: paths that are served over plain http too, such as `GET /.well-known/acme-challenge/*; /ping`.
    """

    allowed: tuple[str, ...] = ()
    https: Literal["redirect", "refuse"] | None = None
    https_port: int = 443
    plain: str = "/.well-known/acme-challenge/*"

    def __post_init__(self) -> None:
        validate(self)
        problems = list(self._problems())
        if problems:
            raise SettingsError(problems)

    def _problems(self) -> Iterator[SettingProblem]:
        for name in self.allowed:
            if not is_listable(name):
                expected = "host names without scheme and port, such as shop.example"
                hint = advice_on(name)
                yield SettingProblem(name="Hosts.allowed", expected=expected, found=name, hint=hint)
        if self.https == "redirect" and not self.allowed:
            yield SettingProblem(
                name="Hosts.https",
                expected="refuse or off while GARRISON_HOSTS_ALLOWED is empty",
                found=self.https,
                hint="Name your hosts there: a redirect to any Host is a redirect to wherever a link says.",
            )
        if not 1 <= self.https_port <= 65535:
            expected, found = "a port from 1 to 65535", str(self.https_port)
            yield SettingProblem(name="Hosts.https_port", expected=expected, found=found)
        try:
            parse_paths(self.plain, "/.well-known/acme-challenge/*; /ping")
        except NotationError as error:
            yield SettingProblem(name="Hosts.plain", expected=error.expected, found=error.found)


class HostsMiddleware:
    """Compares the Host header with the list, for WebSocket handshakes too, and then insists on https.

    Args:
        app: the app below.
        settings: the section.
    """

    def __init__(self, app: ASGIApp, settings: Hosts = Hosts()) -> None:
        self.app = app
        self._listed = bool(settings.allowed)
        self._insists = settings.https is not None
        self._redirects = settings.https == "redirect"
        self._port = "" if settings.https_port == 443 else f":{settings.https_port}"
        self._plain = parse_paths(settings.plain, "/ping")
        ours = HostList(settings.allowed)

        @lru_cache(maxsize=1024)
        def judge(value: bytes) -> str | Problem:
            host = read_host(value)
            if host is None:
                return NO_HOST
            return host if host in ours or not settings.allowed else ANOTHER

        self._judge = judge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and `websocket`; `lifespan` and scopes of an unknown type pass through."""
        if scope["type"] not in {"http", "websocket"} or not (self._listed or self._insists):
            await self.app(scope, receive, send)
            return
        scope, context = enter(scope)
        # Probes ask for an address, over plain http.
        if context.mount("hosts", self) and not context.probe:
            hosts = [value for name, value in scope["headers"] if name == b"host"]
            # What is too long is not remembered whole.
            host = self._judge(hosts[0][: LONGEST + 1]) if len(hosts) == 1 else NOT_ONE
            if self._listed and isinstance(host, Problem):
                context.note(INPUT_FAIL)
                await reject(scope, receive, send, context, "hosts", host)
                return
            if self._insists and scope.get("scheme") not in SECURE and not self._is_plain(scope, context):
                await self._insist(scope, receive, send, context, host if isinstance(host, str) else "")
                return
        await self.app(scope, receive, send)

    def _is_plain(self, scope: Scope, context: RequestContext) -> bool:
        """Whether the path is one that is served over plain http too."""
        path = routed_path(scope)
        listed = any(rule.applies(context.method, path) for rule in self._plain)
        return listed and is_unambiguous(path)

    async def _insist(
        self, scope: Scope, receive: Receive, send: Send, context: RequestContext, host: str
    ) -> None:
        """Answer a request over plain http, whose host is known to be ours where there is a list."""
        problem = lost_https(scope, context, host)
        if problem is None and self._redirects and is_navigation(scope):
            context.rejected_by = "hosts"
            headers: Headers = [(b"location", location(scope, host + self._port)), NO_STORE, VARY]
            await send_reply(scope, receive, send, 308, headers, b"")
            return
        await reject(scope, receive, send, context, "hosts", problem or PLAIN, [VARY])


def lost_https(scope: Scope, context: RequestContext, host: str) -> Problem | None:
    """What to tell an operator whose proxy takes the https off and is not heard, or None.

    A redirect would send the browser round for ever.

    Args:
        scope: of a request that seems to have come over plain http.
        context: of the same request.
        host: that was asked for, or nothing.
    """
    headers = scope["headers"]
    if context.claims_https or (not context.trusted and claims_https(headers)):
        return UNTRUSTED
    # Browsers send it to secure origins only (Fetch Metadata, section 2), and their own machine is one.
    if host and not is_local(host) and header(headers, b"sec-fetch-mode") is not None:
        return SILENT if context.trusted else UNTRUSTED
    return None


def is_navigation(scope: Scope) -> bool:
    """Whether a person opens a page, who loses nothing by being sent elsewhere.

    Whatever a program sends is refused, so that its author learns of it: a redirect that is followed
    hides that the credentials in the first request could be read on the way (ASVS 5.0, 4.1.2). Over
    plain http browsers send no Sec-Fetch-Mode that would tell the two apart.

    Args:
        scope: of a request over plain http.
    """
    # A target in another form than a path, of a proxy's request or of `OPTIONS *`, could end up as part
    # of the host (RFC 9112 section 3.2).
    if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"} or scope["path"][:1] != "/":
        return False
    opened = False
    for name, value in scope["headers"]:
        if name == b"authorization":
            return False
        if name == b"upgrade-insecure-requests":
            opened = opened or value.strip() == b"1"
        elif name == b"accept":
            types = [item.partition(b";")[0].strip().lower() for item in value.split(b",")]
            opened = opened or b"text/html" in types
    return opened


def location(scope: Scope, authority: str) -> bytes:
    """The same URL over https, its path and query escaped byte for byte as the client did.

    Args:
        scope: of a request whose path begins with a slash.
        authority: host and port in ASCII.
    """
    path: str = scope["path"]
    root: str = scope.get("root_path", "").rstrip("/")
    raw: bytes | None = scope.get("raw_path")
    # A layer above may have changed the path, and servers disagree about what belongs into raw_path. Behind
    # the host only a real slash ends it: `%2F@evil.example` would make our host a user name.
    if raw and raw.startswith(b"/") and unquote(raw.decode("latin-1")) == path:
        escaped = quote(raw, safe=VISIBLE)
    else:
        escaped = quote(path, safe=IN_PATHS, errors="replace")
    if root and not f"{path}/".startswith(f"{root}/"):
        # A proxy has taken the prefix away that the client has to ask for.
        escaped = quote(root, safe=IN_PATHS, errors="replace") + escaped
    query = quote(scope.get("query_string", b""), safe=VISIBLE)
    return f"https://{authority}{escaped}{'?' if query else ''}{query}".encode("ascii")
