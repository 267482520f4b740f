"""`garrison run` sets OpenTelemetry's SDK up by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.collector import collecting
from tests.toolkit.server.conftest import APPS, running, wait_for
from tests.toolkit.server.wire import ask

if TYPE_CHECKING:
    from pathlib import Path


def test_an_endpoint_is_all_it_takes(tmp_path: Path) -> None:
    """Spans and metrics arrive, those of the last request too, with two workers that can be told apart."""
    with collecting() as collector:
        endpoint = collector.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]
        with running(
            tmp_path,
            "waits:app",
            "--workers",
            "2",
            OTEL_EXPORTER_OTLP_ENDPOINT=endpoint,
            OTEL_SERVICE_NAME="shop",
        ) as up:
            wait_for(lambda: up.stderr.count("Application startup complete") == 2)
            replies = [ask(up.port, f"/items/{number}") for number in range(20)]
            assert up.stop() == 0
            wait_for(lambda: not up.left())
        assert len({reply.body for reply in replies}) == 2
        assert len(collector.spans) == 20
        instances = {
            next(
                each.value.string_value
                for each in resource.resource.attributes
                if each.key == "service.instance.id"
            )
            for request in collector.traces
            for resource in request.resource_spans
        }
        assert len(instances) == 2
        assert ("garrison", "http.server.request.duration") in collector.metrics


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    """The SDK is switched off by its own variable."""
    with collecting() as collector:
        endpoint = collector.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]
        off = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_SDK_DISABLED": "true"}
        with running(tmp_path, "waits:app", directory=APPS, **off) as up:
            ask(up.port)
            assert up.stop() == 0
        assert collector.spans == []


def test_what_does_not_work_is_said_once(tmp_path: Path) -> None:
    """An exporter that is not installed is a line in the log, and the app is served."""
    with running(tmp_path, "waits:app", OTEL_TRACES_EXPORTER="carrier-pigeon") as up:
        assert ask(up.port).status == 200
        (line,) = [record for record in up.records if record["event"] == "telemetry_off"]
        assert "carrier-pigeon" in line["reason"]
