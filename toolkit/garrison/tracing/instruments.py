"""The request metrics, as OpenTelemetry instruments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from opentelemetry import metrics

from garrison.conventions import BUCKETS, SCHEMA

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider

Metric = Literal[
    "http.server.active_requests", "http.server.request.body.size", "http.server.response.body.size"
]
"""Metrics that the conventions leave to be asked for."""

REJECTING_LAYER: Final = "garrison.layer"


class Instruments:
    """The instruments of one layer; those that nobody asked for are None.

    Args:
        provider: makes them; None for the global one, also if it is set later.
        wanted: those that are to be there beside the duration and the rejections.
    """

    def __init__(self, provider: MeterProvider | None, wanted: frozenset[Metric]) -> None:
        meter = metrics.get_meter("garrison", meter_provider=provider, schema_url=SCHEMA)
        self.duration = meter.create_histogram(
            "http.server.request.duration",
            unit="s",
            description="Duration of HTTP server requests.",
            explicit_bucket_boundaries_advisory=BUCKETS,
        )
        self.rejections = meter.create_counter(
            "garrison.rejections",
            unit="{request}",
            description="Requests that a layer answered in place of the app.",
        )
        self.active = None
        if "http.server.active_requests" in wanted:
            self.active = meter.create_up_down_counter(
                "http.server.active_requests",
                unit="{request}",
                description="Number of active HTTP server requests.",
            )
        self.request_size = None
        if "http.server.request.body.size" in wanted:
            self.request_size = meter.create_histogram(
                "http.server.request.body.size",
                unit="By",
                description="Size of HTTP server request bodies.",
            )
        self.response_size = None
        if "http.server.response.body.size" in wanted:
            self.response_size = meter.create_histogram(
                "http.server.response.body.size",
                unit="By",
                description="Size of HTTP server response bodies.",
            )
