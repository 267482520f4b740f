"""What OpenTelemetry counts of a contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from garrison import Contract, ContractMiddleware
from garrison.contracting.metrics import ViolationCounter
from garrison.events import event_log
from tests.toolkit.contract.subjects import sink
from tests.toolkit.contracting.shop import DOCUMENT, JSON, KEY, echo
from tests.toolkit.contracting.test_replies import BROKEN, Judge
from tests.toolkit.driver import call, http_scope, replies_with

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def reader() -> Iterator[InMemoryMetricReader]:
    """Collects what is counted."""
    made = InMemoryMetricReader()
    yield made
    made.shutdown()


def counted(reader: InMemoryMetricReader) -> dict[tuple[Any, ...], int]:
    """What the counter has, by kind, mode and operation."""
    data = reader.get_metrics_data()
    assert data is not None
    found: dict[tuple[Any, ...], int] = {}
    for metric in data.resource_metrics[0].scope_metrics[0].metrics:
        assert metric.name == "garrison.contract.violations"
        for point in metric.data.data_points:
            attributes = point.attributes or {}
            names = ("kind", "mode", "operation")
            key = tuple(attributes.get(f"garrison.contract.{name}") for name in names)
            found[key] = int(getattr(point, "value", 0))
    return found


def test_every_violation_is_counted(tmp_path: Path, reader: InMemoryMetricReader) -> None:
    """By kind, operation and mode, also those that the log leaves out; clients choose no attribute."""
    path = tmp_path / "openapi.yaml"
    path.write_text(yaml.safe_dump(DOCUMENT), encoding="utf-8")
    provider = MeterProvider([reader], shutdown_on_exit=False)
    section = Contract(document=str(path), security="presence", mode="report")
    app = ContractMiddleware(echo, section, log=event_log(stream=sink()), meter_provider=provider)
    for query in (b"limit=x", b"limit=y", b"limit=1"):
        call(app, http_scope("/orders", query=query))
    call(app, http_scope("/canary-8c1f"))
    lines = [JSON, (b"content-length", b"1")]
    call(app, http_scope("/orders", method="POST", headers=lines), b"{")
    call(app, http_scope("/orders", method="POST", headers=[*lines, KEY]), b"{")
    assert counted(reader) == {
        ("request", "report", "listOrders"): 2,
        ("undocumented", "report", None): 1,
        ("denied", "report", "order"): 1,
        ("request", "report", "order"): 2,
    }


def test_replies_are_counted(tmp_path: Path, reader: InMemoryMetricReader) -> None:
    """One for each reply that does not keep the document."""
    provider = MeterProvider([reader], shutdown_on_exit=False)
    judge = Judge(tmp_path, replies_with(200, [JSON], BROKEN), meter_provider=provider)
    judge.ask()
    judge.ask()
    assert counted(reader) == {("reply", "enforce", "readOrder"): 2}


def test_a_provider_that_fails_does_not_fail_the_request(tmp_path: Path) -> None:
    """What it raises is counted, and the request goes on."""

    class Failing:
        def add(self, *_arguments: object) -> None:
            raise RuntimeError

    judge = Judge(tmp_path, replies_with(200, [JSON], BROKEN), meter_provider=NoOpMeterProvider())
    assert judge.app._judging is not None
    judge.app._judging._teller._counter._counter = Failing()  # type: ignore[assignment]
    before = ViolationCounter.dropped
    assert judge.ask().body == BROKEN
    assert before + 1 == ViolationCounter.dropped
