"""What quotas decided and how their store is, as OpenTelemetry instruments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal
from weakref import ref

from opentelemetry import metrics
from opentelemetry.metrics import Observation

from garrison.conventions import SCHEMA
from garrison.per_provider import PerProvider
from garrison.ratelimit.resilient import ResilientStore

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.metrics import CallbackOptions, MeterProvider

    from garrison.limiting.limiter import Limiter
    from garrison.ratelimit.outcomes import Outcomes
    from garrison.ratelimit.resilient import StoreCounts

OUTCOMES: Final = ("allowed", "refused", "blocked", "unavailable")
# Made once: a measurement is taken for every request.
ANSWERED: Final = {"garrison.rate_limit.store.outcome": "answered"}
FAILED: Final = {"garrison.rate_limit.store.outcome": "failed"}

# Seconds: from a store on the same machine to the longest deadline.
BUCKETS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 10.0)


class LimiterMetrics:
    """The instruments of one meter provider, which all layers and stores of a process share.

    An SDK knows an instrument by its name, and takes the callbacks of the first one only. Layers and stores
    come and go; what they counted stays in the sums, because a counter never goes back.

    What a provider raises is counted in `LimiterMetrics.dropped`, and the request goes on.

    Args:
        provider: makes the instruments; None for the global one, also if it is set later.
    """

    dropped = 0

    def __init__(self, provider: MeterProvider | None) -> None:
        self._outcomes: list[Outcomes] = []
        self._counts: list[StoreCounts] = []
        self._stores: list[ref[ResilientStore]] = []
        meter = metrics.get_meter("garrison", meter_provider=provider, schema_url=SCHEMA)
        self._duration = meter.create_histogram(
            "garrison.rate_limit.store.duration",
            unit="s",
            description="How long requests waited for a shared store.",
            explicit_bucket_boundaries_advisory=BUCKETS,
        )
        meter.create_observable_counter(
            "garrison.rate_limit.requests",
            [self._requests],
            unit="{request}",
            description="Requests, and messages over WebSockets, that quotas are about.",
        )
        meter.create_observable_up_down_counter(
            "garrison.rate_limit.store.failing",
            [self._failing],
            unit="{store}",
            description="Shared stores that are not asked, because they are known to fail.",
        )
        meter.create_observable_counter(
            "garrison.rate_limit.store.opened",
            [self._opened],
            unit="{change}",
            description="How often a shared store was found to fail.",
        )
        meter.create_observable_counter(
            "garrison.rate_limit.store.bypassed",
            [self._bypassed],
            unit="{decision}",
            description="Decisions made without the shared store, because it is known to fail.",
        )

    def watch(self, limiter: Limiter) -> None:
        """Have a layer and its store in the sums; a store of several layers is there once."""
        self._outcomes.append(limiter.outcomes)
        store = limiter.store
        if not isinstance(store, ResilientStore) or any(known() is store for known in self._stores):
            return
        self._stores = [*(known for known in self._stores if known() is not None), ref(store)]
        self._counts.append(store.counts)
        store.observe = self._observe

    def _observe(self, seconds: float, outcome: Literal["answered", "failed"]) -> None:
        try:
            self._duration.record(seconds, ANSWERED if outcome == "answered" else FAILED)
        except Exception:  # noqa: BLE001 - telemetry fails open, whatever it was
            LimiterMetrics.dropped += 1

    # An SDK calls these in a thread of its own.

    def _requests(self, _: CallbackOptions) -> Iterable[Observation]:
        outcomes = tuple(self._outcomes)
        for name in OUTCOMES:
            number = sum(getattr(each, name) for each in outcomes)
            yield Observation(number, {"garrison.rate_limit.outcome": name})

    def _failing(self, _: CallbackOptions) -> Iterable[Observation]:
        stores = [store for known in self._stores if (store := known()) is not None]
        if self._counts:
            yield Observation(sum(store.failing for store in stores))

    def _opened(self, _: CallbackOptions) -> Iterable[Observation]:
        if self._counts:
            yield Observation(sum(counts.opened for counts in tuple(self._counts)))

    def _bypassed(self, _: CallbackOptions) -> Iterable[Observation]:
        if self._counts:
            yield Observation(sum(counts.bypassed for counts in tuple(self._counts)))


_metrics: Final = PerProvider(LimiterMetrics)


def watch(limiter: Limiter, provider: MeterProvider | None = None) -> None:
    """Measure what a layer decides, and how its store is.

    Args:
        limiter: of the layer.
        provider: the global one unless given.
    """
    _metrics.of(provider).watch(limiter)
