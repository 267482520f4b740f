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
from garrison.ratelimit.memory import MEMORY, MemoryStore
from garrison.ratelimit.quota import Algorithm
from garrison.ratelimit.resilient import OnError
from garrison.ratelimit.targets import parse_targets
from garrison.ratelimit.unavailable import StoreUnavailableError
from garrison.rules import NotationError, routed_path
from garrison.settings import Problem as SettingProblem
from garrison.settings import SettingsError, validate
from garrison.units import Duration

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send
    from garrison.events import EventLog
    from garrison.ratelimit.quota import Decision, Quota, Store
    from garrison.ratelimit.targets import Target

# Whoever waits longer for a quota than for the reply has no use for it.
LONGEST_WAIT: Final = 10.0

# draft-ietf-httpapi-ratelimit-headers, "temporary-reduced-capacity".
UNAVAILABLE: Final = Problem(
    status=503,
    type="https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
    title="Request cannot be satisfied due to temporary server capacity constraints",
)
SOON: Final = (b"retry-after", b"1")

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
        algorithm: how they are counted. A `token-bucket` gives units back one by one, at an even pace; a
            `sliding-window` weighs in what was used in the period before; a `fixed-window` begins with a
            client's first request and gives everything back at its end, so that twice the quota can pass
            around an end.
        storage: where the counts are: `memory://` of each process, a Valkey or Redis server as
            `valkey://host:6379/0` (`valkeys://` for TLS, `unix:///path`, `valkey+sentinel://host:26379/name`
            or `valkey+cluster://host:6379`; `redis` will do for `valkey`), or another async storage of the
            package `limits` by its URI, such as `memcached://host:11211`. That one tests all quotas and then
            hits them, which is not atomic: requests at the same moment may take a few more than the limit.
        on_storage_error: what is decided when a shared storage does not answer: `memory` counts in the
            process, with an equal part of each quota for each worker; `open` allows; `closed` answers 503.
        deadline: how long a request waits for a shared storage; what holds up the process itself does not
            count. After a few failures in a row it is not asked until it answers again, which is looked for
            every second.
        max_clients: how many clients are remembered in memory; beyond it those that are far from their
            quota are forgotten first, and new ones share one quota where there are none.
    """

    limits: str = ""
    algorithm: Algorithm = "token-bucket"
    storage: str = MEMORY
    on_storage_error: OnError = "memory"
    deadline: Duration = 0.025
    max_clients: int = 1_000_000

    def __post_init__(self) -> None:
        validate(self)
        validate(
            self,
            ("max_clients", self.max_clients >= 1, "at least 1"),
            ("deadline", 0 < self.deadline <= LONGEST_WAIT, f"more than 0s, at most {LONGEST_WAIT:.0f}s"),
        )
        try:
            parse_targets(self.limits)
        except NotationError as error:
            problem = SettingProblem(name="RateLimit.limits", expected=error.expected, found=error.found)
            raise SettingsError([problem]) from None
        if self.storage != MEMORY:
            check_storage(self.storage, self.algorithm)


class RateLimitMiddleware:
    """Asks the store once for each limited request, handshakes of WebSockets included.

    Args:
        app: the app below.
        settings: the section.
        store: keeps the counts; that of the section unless given, and then closed when the app shuts down.
        workers: how many processes share the quotas, for when a shared storage does not answer.
        log: where the event `rate_limit_store` goes; standard output as JSON unless given.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: RateLimit = RateLimit(),
        *,
        store: Store | None = None,
        workers: int = 1,
        log: EventLog | None = None,
    ) -> None:
        self.app = app
        self._targets = [
            (target.rule, (label_of(target), target.quotas, policy(target.quotas)))
            for target in parse_targets(settings.limits, settings.algorithm)
        ]
        # Most people limit everything alike, and then nothing has to be looked for.
        first = self._targets[0] if self._targets else None
        self._everything = first[1] if first and first[0].target == (frozenset(), "") else None
        # Anybody can make a request look like a preflight, so that these have quotas of their own.
        self._preflights = {found[0]: preflights(*found[:2]) for _, found in self._targets}
        # An empty store is false.
        self._closes = store is None
        self._store = made(settings, workers, log) if store is None else store
        # Memory has nothing to wait for.
        self._decide = self._store.decide if isinstance(self._store, MemoryStore) else None
        # The same quotas twice on one request would count it twice; other quotas on a route are meant.
        self._mount = f"rate_limit {settings.algorithm} {settings.limits}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and `websocket`; `lifespan` and scopes of an unknown type pass through."""
        if scope["type"] not in {"http", "websocket"} or not self._targets:
            closes = scope["type"] == "lifespan" and self._closes
            await self.app(scope, receive, self._closing(send) if closes else send)
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

        label, quotas, policy_line = found
        key = f"{label} {network_of(context.client)}"
        decide = self._decide
        try:
            decision = decide(key, quotas) if decide is not None else await self._store.acquire(key, quotas)
        except StoreUnavailableError:
            # What a client has used is not known, so that nothing is said of quotas.
            await reject(scope, receive, send, context, "rate_limit", UNAVAILABLE, [SOON])
            return
        if not decision.standings:
            await self.app(scope, receive, send)
            return
        lines = [policy_line, (b"ratelimit", standing(decision))]
        if not decision.allowed:
            lines.append((b"retry-after", b"%d" % max(1, whole_seconds(decision.retry_after))))
            await reject(scope, receive, send, context, "rate_limit", refusal(decision), lines)
            return
        if asked is not None:
            # Where a client stands with its requests is another matter.
            await self.app(scope, receive, send)
            return

        # Not a coroutine itself: one less for every message.
        def send_with_standing(message: Message) -> Awaitable[None]:
            if message["type"] in STARTS:
                message = {**message, "headers": [*message.get("headers", ()), *lines]}
            return send(message)

        await self.app(scope, receive, send_with_standing)

    def _closing(self, send: Send) -> Send:
        """A `send` that closes the store when the app has shut down."""

        async def send_and_close(message: Message) -> None:
            if message["type"] in {"lifespan.shutdown.complete", "lifespan.shutdown.failed"}:
                await self._store.aclose()
            await send(message)

        return send_and_close

    def _find(self, scope: Scope, method: str) -> tuple[str, tuple[Quota, ...], tuple[bytes, bytes]] | None:
        """The label of the first target that the request fits, its quotas and its policy line."""
        path = routed_path(scope)
        for rule, found in self._targets:
            if rule.applies(method, path):
                return found
        return None


def check_storage(url: str, algorithm: Algorithm) -> None:
    """Refuse a storage that cannot be used, without connecting to it.

    Raises:
        SettingsError: its URL is none, its client is missing, or it lacks the algorithm.
    """
    # Only who shares counts pays for the clients.
    from garrison.ratelimit.stores import shared_store  # noqa: PLC0415 - for the reason above

    try:
        shared_store(url, algorithm)
    except NotationError as error:
        name = "algorithm" if error.found == algorithm else "storage"
        problem = SettingProblem(name=f"RateLimit.{name}", expected=error.expected, found=error.found)
    except ModuleNotFoundError as error:
        problem = SettingProblem(
            name="RateLimit.storage", expected="a storage whose client is installed", hint=f"{error}."
        )
    else:
        return
    raise SettingsError([problem])


def made(settings: RateLimit, workers: int, log: EventLog | None) -> Store:
    """The store that a section names."""
    if settings.storage == MEMORY:
        return MemoryStore(bound=settings.max_clients)
    # Only who shares counts pays for the clients.
    from garrison.ratelimit.stores import store_of  # noqa: PLC0415 - for the reason above

    return store_of(
        settings.storage,
        settings.algorithm,
        bound=settings.max_clients,
        deadline=settings.deadline,
        on_error=settings.on_storage_error,
        workers=workers,
        log=log,
    )


def label_of(target: Target) -> str:
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
    items = [
        f'"{quota.name}";r={left};t={whole_seconds(more)}' for quota, left, more, _ in decision.standings
    ]
    return ", ".join(items).encode("ascii")


def refusal(decision: Decision) -> Problem:
    """The draft's problem type, with the quotas that had no room."""
    return Problem(
        status=429,
        type=QUOTA_EXCEEDED,
        title="Request cannot be satisfied as assigned quota has been exceeded",
        extensions={"violated-policies": [quota.name for quota in decision.refused_by]},
    )
