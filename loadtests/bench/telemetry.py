"""OpenTelemetry SDKs for the groups that have one; a process can have only one, and only once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from loadtests.bench.names import Group


class Discard(SpanExporter):
    """An exporter that takes every span, as a collector next door would, and keeps none."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002 - theirs
        """Say that all is well."""
        return SpanExportResult.SUCCESS


def install(group: Group) -> Callable[[], None]:
    """Give this process the SDK of its group.

    Returns:
        What empties the queue of the batch processor, to be called before it is full (2,048 spans
        by default): what a full queue drops costs less than it should.
    """
    if group == "no SDK":
        return lambda: None
    processor = BatchSpanProcessor(Discard())
    tracers = TracerProvider()
    tracers.add_span_processor(processor)
    trace.set_tracer_provider(tracers)
    if group == "traces and histogram":
        metrics.set_meter_provider(MeterProvider([InMemoryMetricReader()]))

    def settle() -> None:
        processor.force_flush()

    return settle
