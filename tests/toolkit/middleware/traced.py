"""An app behind the tracing layer, with an OpenTelemetry SDK of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from garrison import Tracing, TracingMiddleware

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import ReadableSpan

    from garrison.asgi import ASGIApp


class Traced:
    """An app behind the layer, with an SDK of its own."""

    def __init__(
        self, app: Any, settings: Tracing = Tracing(), *, clock: Callable[[], float] = lambda: 0.0, **sdk: Any
    ) -> None:
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        spans = TracerProvider(**sdk)
        spans.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.app: ASGIApp = TracingMiddleware(
            app,
            settings,
            tracer_provider=spans,
            meter_provider=MeterProvider([self.reader]),
            clock=clock,
        )

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """The spans that have ended."""
        return self.exporter.get_finished_spans()

    @property
    def span(self) -> ReadableSpan:
        """The one span that there is."""
        (span,) = self.spans
        return span

    @property
    def points(self) -> list[HistogramDataPoint]:
        """What the duration histogram holds."""
        data = self.reader.get_metrics_data()
        assert data is not None
        (metric,) = data.resource_metrics[0].scope_metrics[0].metrics
        assert (metric.name, metric.unit) == ("http.server.request.duration", "s")
        return [point for point in metric.data.data_points if isinstance(point, HistogramDataPoint)]
