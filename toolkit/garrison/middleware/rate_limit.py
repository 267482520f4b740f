"""Refuses what goes over a client's quota, and tells every client where it stands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, Final

from garrison.asgi import STARTS
from garrison.context import enter
from garrison.headers.cors_preflight import preflight_method
from garrison.problems import QUOTA_EXCEEDED, Problem, reject
from garrison.ratelimit.client import network_of
from garrison.ratelimit.memory import MemoryStore
from garrison.ratelimit.targets import parse_targets
from garrison.rules import NotationError, routed_path
from garrison.settings import Problem as SettingProblem
from garrison.settings import SettingsError, validate

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send
    from garrison.ratelimit.quota import Decision, Quota, Store
    from garrison.ratelimit.targets import Target

# A page sends one preflight for a request at most, and other clients behind its address send some too.
PREFLIGHTS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """Quotas for every client.

    Attributes:
        limits: quotas such as `100/minute; 1000/hour`, each for one client address (an IPv6 client is its
            /64). A target in front restricts them: `POST /login: 5/minute; /api/*: 1000/hour`; GET stands for
            HEAD too. The quotas of the first target that fits a request count, all of them at once. What
            browsers ask in a CORS preflight before a request is not counted; a flood of it ends at ten times
            the quotas. Empty: nothing is limited.
        max_clients: how many clients are remembered; beyond it new ones share one quota.
    """

    limits: str = ""
    max_clients: int = 1_000_000

    def __post_init__(self) -> None:
        validate(self)
        validate(self, ("max_clients", self.max_clients >= 1, "at least 1"))
        try:
            parse_targets(self.limits)
        except NotationError as error:
            problem = SettingProblem(name="RateLimit.limits", expected=error.expected, found=error.found)
            raise SettingsError([problem]) from None


class RateLimitMiddleware:
    """Asks the store once for each limited request, handshakes of WebSockets included.

    Args:
        app: the app below.
        settings: the section.
        store: keeps the counts; the memory of this process unless given.
    """

    def __init__(
        self, app: ASGIApp, settings: RateLimit = RateLimit(), *, store: Store | None = None
    ) -> None:
        self.app = app
        self._targets = [
            (target.rule, (label(target), target.quotas, policy(target.quotas)))
            for target in parse_targets(settings.limits)
        ]
        # Most people limit everything alike, and then nothing has to be looked for.
        first = self._targets[0] if self._targets else None
        self._everything = first[1] if first and first[0].target == (frozenset(), "") else None
        # Anybody can make a request look like a preflight, so that these have quotas of their own.
        self._preflights = {found[0]: preflights(*found[:2]) for _, found in self._targets}
        # An empty store is false.
        self._store = MemoryStore(bound=settings.max_clients) if store is None else store
        # The same quotas twice on one request would count it twice; other quotas on a route are meant.
        self._mount = f"rate_limit {settings.limits}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and `websocket`; `lifespan` and scopes of an unknown type pass through."""
        if scope["type"] not in {"http", "websocket"} or not self._targets:
            await self.app(scope, receive, send)
            return
        scope, context = enter(scope)
        asked = preflight_method(scope)
        found = self._everything or self._find(scope, asked or context.method)
        if asked is not None:
            # A rule that names OPTIONS itself holds too, whichever method somebody claims to ask for.
            found = found or self._find(scope, context.method)
            found = found and self._preflights[found[0]]
        if found is None or not context.mount(self._mount, self):
            await self.app(scope, receive, send)
            return

        key, quotas, policy_line = found
        decision = await self._store.acquire(f"{key} {network_of(context.client)}", quotas)
        lines = [policy_line, (b"ratelimit", standing(decision))]
        if not decision.allowed:
            lines.append((b"retry-after", b"%d" % max(1, whole_seconds(decision.retry_after))))
            await reject(scope, receive, send, context, "rate_limit", refusal(decision), lines)
            return
        if asked is not None:
            # Where a client stands with its requests is another matter.
            await self.app(scope, receive, send)
            return

        async def send_with_standing(message: Message) -> None:
            if message["type"] in STARTS:
                message = {**message, "headers": [*message.get("headers", ()), *lines]}
            await send(message)

        await self.app(scope, receive, send_with_standing)

    def _find(self, scope: Scope, method: str) -> tuple[str, tuple[Quota, ...], tuple[bytes, bytes]] | None:
        """The label of the first target that the request fits, its quotas and its policy line."""
        path = routed_path(scope)
        for rule, found in self._targets:
            if rule.applies(method, path):
                return found
        return None


def label(target: Target) -> str:
    """What a target's keys begin with, so that layers with other quotas can share a store."""
    return " ".join(
        [*sorted(target.rule.methods), target.rule.path, *(quota.name for quota in target.quotas)]
    )


def preflights(key: str, quotas: tuple[Quota, ...]) -> tuple[str, tuple[Quota, ...], tuple[bytes, bytes]]:
    """Label, quotas and policy line for what browsers ask before the requests of a target.

    Args:
        key: the label of the target.
        quotas: of the target.
    """
    larger = tuple(
        replace(quota, name=f"preflights-{PREFLIGHTS}x-{quota.name}", limit=quota.limit * PREFLIGHTS)
        for quota in quotas
    )
    return f"preflights {key}", larger, policy(larger)


def policy(quotas: tuple[Quota, ...]) -> tuple[bytes, bytes]:
    """The RateLimit-Policy line (draft-ietf-httpapi-ratelimit-headers, section 3)."""
    items = (f'"{quota.name}";q={quota.limit};w={ceil(quota.period)}' for quota in quotas)
    return b"ratelimit-policy", ", ".join(items).encode("ascii")


def whole_seconds(seconds: float) -> int:
    """Whole seconds that are not too few; a microsecond over is rounding and not a second more."""
    return ceil(seconds - 1e-6)


def standing(decision: Decision) -> bytes:
    """The RateLimit field of the same draft, section 4: what remains, and when there is more."""
    items = [f'"{quota.name}";r={left};t={whole_seconds(more)}' for quota, left, more in decision.standings]
    return ", ".join(items).encode("ascii")


def refusal(decision: Decision) -> Problem:
    """The draft's problem type, with the quotas that had no room."""
    return Problem(
        status=429,
        type=QUOTA_EXCEEDED,
        title="Request cannot be satisfied as assigned quota has been exceeded",
        extensions={"violated-policies": [quota.name for quota in decision.refused_by]},
    )
