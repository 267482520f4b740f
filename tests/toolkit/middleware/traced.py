"""An app behind the tracing layer, with an OpenTelemetry SDK of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, Metric
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from garrison import Tracing, TracingMiddleware
from garrison.redaction import Redaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import ReadableSpan

    from garrison.asgi import ASGIApp


class Traced:
    """An app behind the layer, with an SDK of its own."""

    def __init__(
        self,
        app: Any,
        settings: Tracing = Tracing(),
        *,
        clock: Callable[[], float] = lambda: 0.0,
        redaction: Redaction = Redaction(),
        **sdk: Any,
    ) -> None:
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        spans = TracerProvider(**sdk)
        spans.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.provider = spans
        self.meters = MeterProvider([self.reader])
        self.tracer = spans.get_tracer("app")
        self.app: ASGIApp = TracingMiddleware(
            app,
            settings,
            redaction=redaction,
            tracer_provider=spans,
            meter_provider=self.meters,
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
        return [
            point
            for point in self.measured("http.server.request.duration")
            if isinstance(point, HistogramDataPoint)
        ]

    @property
    def metrics(self) -> dict[str, Metric]:
        """What has been measured so far, by name."""
        data = self.reader.get_metrics_data()
        if data is None:
            return {}
        return {metric.name: metric for metric in data.resource_metrics[0].scope_metrics[0].metrics}

    def measured(self, name: str) -> list[Any]:
        """The data points of one metric."""
        metric = self.metrics.get(name)
        return [] if metric is None else list(metric.data.data_points)
