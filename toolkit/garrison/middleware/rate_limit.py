"""Refuses what goes over a client's quota, and tells every client where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from random import random as random_number
from time import monotonic
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from garrison.context import enter
from garrison.events import event_log
from garrison.headers.cors_preflight import preflight_method
from garrison.limiting.counting import Counting
from garrison.limiting.fields import Fields, QuotaUnit, Style, refusal, standing_line
from garrison.limiting.judging import Judging
from garrison.limiting.limiter import Limiter
from garrison.limiting.messages import MessageLimit
from garrison.limiting.metrics import watch
from garrison.limiting.rulebook import Rulebook, Stage
from garrison.limiting.section import check_notations, check_store, reason_for_secret
from garrison.limiting.telling import telling, telling_below
from garrison.limiting.who import hash_key
from garrison.problems import reject
from garrison.ratelimit.costs import parse_costs, parse_refunds
from garrison.ratelimit.memory import MEMORY, MemoryStore
from garrison.ratelimit.penalties import Penalties
from garrison.ratelimit.quota import Algorithm
from garrison.ratelimit.refusals import Refusals
from garrison.ratelimit.resilient import OnError
from garrison.ratelimit.storage import open_storage
from garrison.ratelimit.targets import parse_targets
from garrison.rules import parse_paths, routed_path
from garrison.security_events import EXCESS
from garrison.settings import validate
from garrison.units import Duration, Network, Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.metrics import MeterProvider

    from garrison.asgi import ASGIApp, Headers, Message, Receive, Scope, Send
    from garrison.context import RequestContext
    from garrison.events import EventLog
    from garrison.ratelimit.quota import Store

# Whoever waits longer for a quota than for the reply has no use for it.
LONGEST_WAIT: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """Quotas for every client.

    Attributes:
        limits: quotas such as `100/minute, 1000/hour`, each for one client address (an IPv6 client is its
            /64). A target in front restricts them, and `;` begins the next rule:
            `POST /login: 5/minute; /api/*: 50/second, 1000/hour; 100/minute`; GET stands for HEAD too,
            and a path for whatever a router may take for it, such as `//login` or `/login/`. The quotas of
            the first target that fits a request count, all of them at once.
            `by IDENTITY` behind a quota counts somebody else than the address: `by header:x-api-key` (only
            beside a quota by address, because values of headers can be made up), `by principal` for who is
            authenticated, `by shop.limits:tenant` for what a callable of yours says of the request, or
            several as `by address+principal`. `as NAME` gives a quota the name that clients are told. Instead
            of a quota an import string such as `shop.limits:quotas` names a callable that takes the identity
            and returns the quotas of that tenant; they are kept for a minute. What browsers ask in a CORS
            preflight before a request is not counted; a flood of it ends at ten times the quotas by address,
            or for each address at ten times the first quotas where there are none by address. Callables run
            on the event loop, so that one which waits for something has to be a coroutine function. Empty:
            nothing is limited.
        exempt: what is not counted, such as `/livez; GET /static/*`.
        exempt_clients: addresses and blocks of clients that are not counted, behind the proxies that are
            trusted.
        costs: what requests take that take more or less than one unit: `POST /export: 10; /free/*: 0`, or
            `/graphql: shop.limits:cost` for a callable that takes the request and returns units. What costs
            more than a quota has is never served.
        refunds: replies that give back what their request took, so that only failures count:
            `POST /login: 2xx|303`. An exception of the app is a 500.
        messages: quotas such as `/ws/*: 60/minute` for what one client sends over WebSockets, in the notation
            of `limits`. Who goes beyond is closed with 1008.
        penalty: for how long a client address is refused whatever its quotas say, at least 1s, once it went
            on after refusals; off where it is not set. Where its quotas take longer, so does Retry-After.
        penalty_after: how many refusals within a minute, as one process sees them, a client may ask for
            before it is a penalty, at least 1; who waits as long as it is told asks for none.
        algorithm: how quotas are counted. A `token-bucket` gives units back one by one, at an even pace; a
            `sliding-window` weighs in what was used in the period before; a `fixed-window` begins with a
            client's first request and gives everything back at its end, so that twice the quota can pass
            around an end.
        storage: where the counts are: `memory://` of each process, a Valkey or Redis server as
            `valkey://host:6379/0` (`valkeys://` for TLS, `unix:///path`, `valkey+sentinel://host:26379/name`
            or `valkey+cluster://host:6379`; `redis` will do for `valkey`), or another async storage of the
            package `limits` by its URI, such as `memcached://host:11211` (with the package `memcachio`; it
            keeps nothing for more than 30 days). That one tests all quotas and then hits them, which is not
            atomic: requests at the same moment may take a few more than the limit.
        on_storage_error: what is decided when a shared storage does not answer: `memory` counts in the
            process, with an equal part of each quota for each worker; `open` allows; `closed` answers 503.
        deadline: how long a request waits for a shared storage, at most 10s; what holds up the process itself
            does not count. After a few failures in a row it is not asked until it answers again, which is
            looked for every second, whether or not there are requests.
        max_clients: how many clients are remembered in memory, at least 1; beyond it those that are far from
            their quota are forgotten first, and new ones share one quota where there are none.
        headers: what clients are told: `standard` for RateLimit and RateLimit-Policy of the IETF's draft,
            `legacy` for X-RateLimit-Limit, -Remaining and -Reset, `both`, or `off`; Retry-After in any case.
        partition_key: whether the standard headers also tell whose quota is meant, as a keyed hash (`pk`).
        unit: what one unit is, as clients are told (`qu`), and no more than a label: what a request takes is
            for `costs` to say, also where units are bytes.
    """

    limits: str = ""
    exempt: str = "/livez; /readyz; /startupz"
    exempt_clients: tuple[Network, ...] = ()
    costs: str = ""
    refunds: str = ""
    messages: str = ""
    penalty: Duration | None = None
    penalty_after: int = 10
    algorithm: Algorithm = "token-bucket"
    storage: str = MEMORY
    on_storage_error: OnError = "memory"
    deadline: Duration = 0.025
    max_clients: int = 1_000_000
    headers: Style = "standard"
    partition_key: bool = False
    unit: QuotaUnit = "requests"

    def __post_init__(self) -> None:
        validate(self)
        validate(
            self,
            ("max_clients", self.max_clients >= 1, "at least 1"),
            ("deadline", 0 < self.deadline <= LONGEST_WAIT, f"more than 0s, at most {LONGEST_WAIT:.0f}s"),
            ("penalty", self.penalty is None or self.penalty >= 1, "at least 1s, or nothing"),
            ("penalty_after", self.penalty_after >= 1, "at least 1"),
        )
        check_notations(
            self,
            limits=parse_targets,
            messages=parse_targets,
            costs=parse_costs,
            refunds=parse_refunds,
            exempt=partial(parse_paths, example="/livez; GET /static/*"),
        )
        check_store(
            "RateLimit",
            self.storage,
            self.algorithm,
            refunds=bool(self.refunds),
            penalty=self.penalty,
            quotas={
                name: [quota for target in parse_targets(text) for quota in target.quotas]
                for name, text in (("limits", self.limits), ("messages", self.messages))
            },
        )

    @property
    def is_shared(self) -> bool:
        """Whether other processes count in the same place."""
        # The package `limits` has a memory too, of one process as well.
        return urlsplit(self.storage).scheme.removeprefix("async+") != urlsplit(MEMORY).scheme

    @property
    def reason_for_secret(self) -> str:
        """Why processes that count in the same place must share a secret; empty where they need none."""
        targets = [*parse_targets(self.limits), *parse_targets(self.messages)]
        return reason_for_secret(targets, partition_key=self.partition_key)

    @property
    def needs_secret(self) -> str:
        """Why `GARRISON_SECRET` must be set; empty where it need not be."""
        return self.reason_for_secret if self.is_shared else ""


class RateLimitMiddleware:
    """Asks the store once for each limited request, handshakes of WebSockets included.

    Args:
        app: the app below.
        settings: the section.
        store: keeps the counts; that of the section unless given.
        closes: whether the store is closed when the app shuts down; so is that of the section.
        secret: keys the hashes of whatever is counted that is not an address.
        workers: how many processes share the quotas, for when a shared storage does not answer.
        stage: which rules are judged: `client` for those that need nobody to be authenticated, `principal`
            for those that do, or `all`.
        log: where the events `rate_limit_store` and `rate_limit_block` go; standard output as JSON unless
            given.
        meter_provider: of metrics; the global one unless given.
        random: a number from 0 to 1, for what refused clients are told to wait longer than they must.
        clock: seconds that never go back, for what is remembered of refusals; a store has its own.

    Raises:
        SettingsError: a callable cannot be imported, or a shared storage needs a secret.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: RateLimit = RateLimit(),
        *,
        store: Store | None = None,
        closes: bool = False,
        secret: Secret | None = None,
        workers: int = 1,
        stage: Stage = "all",
        log: EventLog | None = None,
        meter_provider: MeterProvider | None = None,
        random: Callable[[], float] = random_number,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.app = app
        # An empty store is false.
        self._closes = closes or store is None
        self._store = opened(settings, workers, log) if store is None else store
        memory = self._store if isinstance(self._store, MemoryStore) else None
        key = hash_key(secret, settings.reason_for_secret if memory is None else "")
        self._fields = Fields(
            settings.headers,
            unit=settings.unit,
            partition_key=key if settings.partition_key else None,
            random=random,
        )
        self._limiter = Limiter(
            self._store,
            refusals=Refusals(clock) if memory is None else None,
            penalties=Penalties(settings.penalty, settings.penalty_after, clock=clock)
            if settings.penalty
            else None,
            log=log or event_log(),
        )
        watch(self._limiter, meter_provider)
        # Hashes of a random key are the same in one process only.
        agreed = memory is not None or secret is not None
        self._counting = Counting(
            limiter=self._limiter,
            key=key if agreed else None,
            fields=self._fields,
            algorithm=settings.algorithm,
        )
        # Memory has nothing to wait for, and most people need nothing else than quotas.
        plain = self._fields.is_plain and not (settings.costs or settings.refunds or settings.penalty)
        self._rules = Rulebook(
            limits=settings.limits,
            messages=settings.messages,
            costs=settings.costs,
            refunds=settings.refunds,
            exempt=settings.exempt,
            exempt_clients=settings.exempt_clients,
            algorithm=settings.algorithm,
            stage=stage,
            key=key,
            policy=self._fields.policy,
            desk=memory.desk if memory is not None and plain else None,
        )
        self._judging = Judging(app, self._rules, self._limiter, self._fields)
        self._tells = settings.headers != "off"
        # The same quotas twice on one request would count it twice; other quotas on a route are meant.
        rules = f"{settings.algorithm} {settings.limits} {settings.messages}"
        self._mount = f"rate_limit {self._rules.stage} {rules}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and `websocket`; `lifespan` and scopes of an unknown type pass through."""
        if scope["type"] not in {"http", "websocket"}:
            closes = scope["type"] == "lifespan" and self._closes
            await self.app(scope, receive, self._closing(send) if closes else send)
            return
        scope, context = enter(scope)
        if context.counting is None:
            context.counting = self._counting
        rules = self._rules
        path = routed_path(scope)
        if (
            rules.is_empty
            or path in rules.exempt_paths
            or (rules.has_exemptions and rules.exempts(context.client, context.method, path))
            or context.probe
            or not context.mount(self._mount, self)
        ):
            await self.app(scope, receive, telling_below(context, send))
            return
        asked = preflight_method(scope) if context.method == "OPTIONS" else None
        if asked is None:
            kept = rules.everything or rules.find(context.method, path)
        else:
            kept = rules.find_preflights(asked, path)
        if scope["type"] == "websocket":
            receive, send = self._limited_messages(scope, context, path, receive, send)
        if kept is None:
            await self.app(scope, receive, telling_below(context, send))
        elif kept.decide is None:
            await self._judging.run(scope, receive, send, context, kept.plan, path, tells=asked is None)
        else:
            decision = kept.decide(kept.key(context.client))
            lines: Headers = []
            if self._tells:
                lines = [(b"ratelimit-policy", kept.policy), standing_line(kept.standing, decision.standings)]
            if not decision.allowed:
                self._limiter.outcomes.refused += 1
                lines.append(self._fields.retry_after(decision.retry_after))
                problem = refusal(decision.refused_by)
                context.note(EXCESS)
                await reject(scope, receive, send, context, "rate_limit", problem, lines)
                return
            self._limiter.outcomes.allowed += 1
            # Where a client stands with its requests is another matter than its preflights.
            await self.app(scope, receive, send if asked is not None else telling(context, send, lines))

    def _limited_messages(
        self, scope: Scope, context: RequestContext, path: str, receive: Receive, send: Send
    ) -> tuple[Receive, Send]:
        plan = self._rules.messages(context.method, path)
        if plan is None:
            return receive, send
        limit = MessageLimit(plan, self._limiter, scope, context, receive=receive, send=send)
        return limit.receive, limit.send

    def _closing(self, send: Send) -> Send:
        """A `send` that closes the store when the app has shut down."""

        async def send_and_close(message: Message) -> None:
            if message["type"] in {"lifespan.shutdown.complete", "lifespan.shutdown.failed"}:
                await self._store.aclose()
            await send(message)

        return send_and_close


def opened(settings: RateLimit, workers: int, log: EventLog | None) -> Store:
    """The store that a section names.

    Args:
        settings: the section.
        workers: how many processes share the quotas.
        log: where the event `rate_limit_store` goes.
    """
    return open_storage(
        settings.storage,
        settings.algorithm,
        bound=settings.max_clients,
        deadline=settings.deadline,
        on_error=settings.on_storage_error,
        workers=workers,
        log=log,
    )
