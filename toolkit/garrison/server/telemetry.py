"""Sets OpenTelemetry's SDK up for a serving process as the `OTEL_…` variables say, where it is installed."""

from __future__ import annotations

import logging
import uuid
from typing import Any, Final

from opentelemetry import metrics, trace

from garrison.settings import foreign

# What says where telemetry goes. Without one of these there is nothing to set up.
WHERE: Final = (
    "OTEL_CONFIG_FILE",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_LOGS_EXPORTER",
    "OTEL_METRICS_EXPORTER",
    "OTEL_TRACES_EXPORTER",
)
SIGNALS: Final = ("traces", "metrics")

_log = logging.getLogger("garrison")


def set_up_telemetry() -> None:
    """Have what the layers measure exported; each serving process does it once, before the app is imported.

    Whoever has set the SDK up already, as `opentelemetry-instrument` does, is left alone. What does not
    work is a line in the log: telemetry fails open.
    """
    if (foreign("OTEL_SDK_DISABLED") or "").strip().lower() == "true" or not any(map(foreign, WHERE)):
        return
    if _is_set_up():
        return
    try:
        from opentelemetry.sdk import _configuration  # noqa: PLC0415 - an SDK is no dependency
    except ModuleNotFoundError:
        _log.warning(
            "telemetry_off",
            extra={"reason": "OTEL_ variables are set, and opentelemetry-sdk is not installed"},
        )
        return
    try:
        # Its own documentation has distributions build on this class.
        configurator: Any = _configuration._OTelSDKConfigurator  # noqa: SLF001
        configurator().configure(**_choices())
    except Exception as error:  # noqa: BLE001 - exporters are plug-ins
        _log.warning("telemetry_off", extra={"reason": f"{type(error).__name__}: {error}"})


def _is_set_up() -> bool:
    return not (
        type(trace.get_tracer_provider()).__module__.startswith("opentelemetry.trace")
        and type(metrics.get_meter_provider()).__module__.startswith("opentelemetry.metrics")
    )


def _choices() -> dict[str, Any]:
    """What the SDK does not find in the environment by itself."""
    if foreign("OTEL_CONFIG_FILE"):
        return {}
    found: dict[str, Any] = {}
    # The specification's default exporter is OTLP, and this SDK's is none.
    for signal in SIGNALS:
        if not foreign(f"OTEL_{signal.upper()}_EXPORTER") and _endpoint(signal):
            found[f"{signal.removesuffix('s')}_exporter_names"] = [_otlp(signal)]
    # Workers of one service are told apart by it, or their metrics overwrite one another.
    if "service.instance.id" not in (foreign("OTEL_RESOURCE_ATTRIBUTES") or ""):
        found["resource_attributes"] = {"service.instance.id": str(uuid.uuid4())}
    return found


def _endpoint(signal: str) -> str | None:
    return foreign(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT") or foreign("OTEL_EXPORTER_OTLP_ENDPOINT")


def _otlp(signal: str) -> str:
    protocol = foreign(f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL") or foreign(
        "OTEL_EXPORTER_OTLP_PROTOCOL"
    )
    # The specification's default since 1.9, and the one that needs no compiled dependency.
    return "otlp_proto_grpc" if protocol == "grpc" else "otlp_proto_http"
