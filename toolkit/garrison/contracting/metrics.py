"""What does not keep the contract, as an OpenTelemetry instrument."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from opentelemetry import metrics

from garrison.conventions import SCHEMA

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider

    from garrison.openapi.model import Operation


class ViolationCounter:
    """Counts requests and replies; what a provider raises is counted in `ViolationCounter.dropped`.

    Args:
        provider: makes the instrument; None for the global one, also if it is set later.
    """

    dropped = 0

    def __init__(self, provider: MeterProvider | None = None) -> None:
        meter = metrics.get_meter("garrison", meter_provider=provider, schema_url=SCHEMA)
        self._counter = meter.create_counter(
            "garrison.contract.violations",
            unit="{violation}",
            description="Requests and replies that do not keep the OpenAPI document, each counted once.",
        )

    def count(
        self,
        kind: Literal["request", "reply", "denied", "undocumented", "unchecked"],
        mode: str,
        operation: Operation | None = None,
    ) -> None:
        """One more.

        Args:
            kind: what does not keep the document.
            mode: of the layer, `enforce` or `report`.
            operation: that it is about; None where there is none. Strangers choose no names.
        """
        attributes = {"garrison.contract.kind": kind, "garrison.contract.mode": mode}
        if operation is not None:
            attributes["garrison.contract.operation"] = operation.name
        try:
            self._counter.add(1, attributes)
        except Exception:  # noqa: BLE001 - telemetry fails open, whatever it was
            ViolationCounter.dropped += 1
