"""What is recorded of every request, made once: tracer, instruments, and what a span is to hold."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from opentelemetry import metrics, trace

from garrison.conventions import SCHEMA, caller_attributes
from garrison.tracing.instruments import Instruments, Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from garrison.conventions import Attribute
    from garrison.redaction import Redactor

# How long an SDK that is set up late goes unnoticed, in seconds.
LOOK_AGAIN: Final = 1.0

# Agents are few and long, and looking for secrets in one costs as much as the rest of the attributes.
CALLERS: Final = 256

# The API's own providers record nothing; every SDK brings classes of its own.
SILENT: Final = ("opentelemetry.trace", "opentelemetry.metrics")


class Recorder:
    """Everything that requests share.

    Args:
        redactor: masks what a span quotes.
        tracer_provider: the global one where it is None.
        meter_provider: the global one where it is None.
        methods: those that are known by name.
        always: whether anybody's trace is continued.
        metrics: those that are wanted beside the duration.
        attributes: those of a span that are wanted beside the usual.
        request_headers: names, in any case.
        response_headers: names, in any case.
        clock: seconds that never go back.
        now: nanoseconds since 1970.
        drop: told of everything that could not be recorded.

    Attributes:
        measures: whether there was an SDK for metrics when last asked.
        samples: whether the last span was recorded, as then the next one will mostly be.
    """

    def __init__(
        self,
        redactor: Redactor,
        *,
        tracer_provider: trace.TracerProvider | None,
        meter_provider: metrics.MeterProvider | None,
        methods: frozenset[str],
        always: bool,
        metrics: frozenset[Metric],
        attributes: frozenset[Attribute],
        request_headers: Iterable[str],
        response_headers: Iterable[str],
        clock: Callable[[], float],
        now: Callable[[], int],
        drop: Callable[[], None],
    ) -> None:
        self.redactor = redactor
        self.caller = lru_cache(CALLERS)(lambda host, agent: caller_attributes(host, agent, redactor.text))
        self.tracer = trace.get_tracer("garrison", tracer_provider=tracer_provider, schema_url=SCHEMA)
        self.instruments = Instruments(meter_provider, metrics)
        self.methods = methods
        self.always = always
        self.attributes = attributes
        self.request_headers = _lowered(request_headers)
        self.asks = bool(attributes or self.request_headers)
        self.response_headers = _lowered(response_headers)
        self.counts_request = (
            self.instruments.request_size is not None or "http.request.body.size" in attributes
        )
        self.clock = clock
        self.now = now
        self.drop = drop
        self._tracer_provider = tracer_provider
        self._meter_provider = meter_provider
        self.measures = False
        self.samples = False
        self._spans = False
        self._ask_again = float("-inf")

    def is_heard(self, now: float) -> bool:
        """Whether there is an SDK that would see a span or a measurement.

        An SDK is set up when a process starts, if ever, and asking for it costs more than the rest of
        this layer does without one; so it is asked for once a second.

        Args:
            now: of the clock.
        """
        if now >= self._ask_again:
            self._spans = not _is_silent(self._tracer_provider or trace.get_tracer_provider())
            self.measures = not _is_silent(self._meter_provider or metrics.get_meter_provider())
            self._ask_again = now + LOOK_AGAIN
        return self._spans or self.measures


def _lowered(names: Iterable[str]) -> frozenset[bytes]:
    return frozenset(name.lower().encode("ascii") for name in names)


def _is_silent(provider: object) -> bool:
    return type(provider).__module__.startswith(SILENT)
