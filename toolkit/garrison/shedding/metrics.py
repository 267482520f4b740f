"""What is shed and why, as OpenTelemetry instruments."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from opentelemetry import metrics
from opentelemetry.metrics import Observation

from garrison.conventions import SCHEMA
from garrison.per_provider import PerProvider

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.metrics import CallbackOptions, MeterProvider

    from garrison.shedding.gate import Gate
    from garrison.shedding.outcomes import Outcomes


class OverloadMetrics:
    """The instruments of one meter provider, which all layers of a process share.

    Args:
        provider: makes the instruments; None for the global one, also if it is set later.
    """

    def __init__(self, provider: MeterProvider | None) -> None:
        # A counter never goes back, though layers come and go.
        self._outcomes: list[Outcomes] = []
        self._gates: WeakSet[Gate] = WeakSet()
        meter = metrics.get_meter("garrison", meter_provider=provider, schema_url=SCHEMA)
        meter.create_observable_counter(
            "garrison.overload.refused",
            [self._refused],
            unit="{request}",
            description="Requests that were refused for lack of capacity, or of time before the end.",
        )
        meter.create_observable_up_down_counter(
            "garrison.overload.shedding",
            [self._shedding],
            unit="{layer}",
            description="Layers that refuse work for lack of capacity.",
        )
        meter.create_observable_up_down_counter(
            "garrison.overload.in_flight",
            [self._in_flight],
            unit="{request}",
            description="Requests that count towards the limit, or are under way where there is none.",
        )
        meter.create_observable_gauge(
            "garrison.overload.limit",
            [self._limit],
            unit="{request}",
            description="How many requests may be in flight, while there is a limit.",
        )

    def watch(self, gate: Gate) -> None:
        """Have a layer in the sums."""
        self._outcomes.append(gate.outcomes)
        self._gates.add(gate)

    # An SDK calls these in a thread of its own.

    def _refused(self, _: CallbackOptions) -> Iterable[Observation]:
        outcomes = tuple(self._outcomes)
        for reason in ("lag", "limit", "drain"):
            number = sum(each.refused[reason] for each in outcomes)
            yield Observation(number, {"garrison.overload.reason": reason})

    def _shedding(self, _: CallbackOptions) -> Iterable[Observation]:
        yield Observation(sum(each.shedding for each in tuple(self._outcomes)))

    def _in_flight(self, _: CallbackOptions) -> Iterable[Observation]:
        yield Observation(sum(gate.in_flight for gate in tuple(self._gates)))

    def _limit(self, _: CallbackOptions) -> Iterable[Observation]:
        limits = [gate.limit.limit for gate in tuple(self._gates) if gate.limit is not None]
        known = [limit for limit in limits if limit < inf]
        if known:
            yield Observation(min(known))


_metrics: Final = PerProvider(OverloadMetrics)


def watch(gate: Gate, provider: MeterProvider | None = None) -> None:
    """Measure what a layer sheds.

    Args:
        gate: of the layer.
        provider: the global one unless given.
    """
    _metrics.of(provider).watch(gate)
