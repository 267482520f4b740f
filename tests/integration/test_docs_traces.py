"""What the pages about traces say is so: the tables are what is recorded, and the commands ship it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.collector import attributes, collecting
from tests.integration.documents import DOCS, ROOT, blocks
from tests.toolkit.middleware.conventions import METRICS, NOT_OFFERED, SPAN
from tests.toolkit.server.conftest import environment, wait_for
from tests.toolkit.server.wire import ask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.documents import Block

GUIDE = DOCS / "how-to" / "traces.md"
REFERENCE = DOCS / "reference" / "spans.md"
OWN = {"garrison.request_id", "garrison.websocket.close_code"}
COMMANDS = [block for block in blocks(GUIDE, "sh") if "garrison run" in block.text]


def rows(heading: str) -> list[list[str]]:
    """The table below a heading, without its head."""
    section = REFERENCE.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_table_of_attributes_is_what_a_span_has() -> None:
    """Each attribute that the tests have seen is in the table, and nothing else is."""
    seen = {re.sub(r"(header)\..+", r"\1.<key>", row.attribute) for row in SPAN}
    assert [cells[0].strip("`") for cells in rows("Attributes of a span")] == list(
        dict.fromkeys(re.sub(r"(header)\..+", r"\1.<key>", row.attribute) for row in SPAN)
    ) + sorted(OWN)
    assert not seen & NOT_OFFERED


def test_what_is_on_demand_is_what_the_conventions_leave_to_be_asked_for() -> None:
    """The levels of the table are those of the conventions."""
    levels = {cells[0].strip("`"): cells[1] for cells in rows("Attributes of a span")}
    for row in SPAN:
        level = levels[re.sub(r"(header)\..+", r"\1.<key>", row.attribute)]
        assert (level == "on demand") is (row.level == "Opt-In")
        assert (level == row.level.lower()) is (row.level in {"Required", "Recommended"})


def test_the_table_of_metrics_is_what_is_measured() -> None:
    """Each metric of the conventions is there with its attributes."""
    table = {cells[0].strip("`"): re.findall(r"`([^`]+)`", cells[3]) for cells in rows("Metrics")}
    duration = table["http.server.request.duration"]
    for row in METRICS:
        kept = table[row.signal] or duration
        assert (row.attribute in kept) is (row.level != "Opt-In"), row


def test_what_is_not_offered_is_said() -> None:
    """Whoever looks for an attribute of the conventions finds why it is not there."""
    text = REFERENCE.read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in NOT_OFFERED)


@contextmanager
def typed(script: str, logs: Path) -> Iterator[int]:
    """A shell that runs a script which becomes a server, and the port that it tells."""
    with (logs / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            ["sh", "-ec", re.sub("^(?=.*garrison run)", "exec ", script, flags=re.MULTILINE)],
            cwd=ROOT,
            env=environment(
                {
                    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
                    "OTEL_BSP_SCHEDULE_DELAY": "50",
                    "OTEL_METRIC_EXPORT_INTERVAL": "200",
                    "OTEL_LOGS_EXPORTER": "none",
                }
            ),
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )

    def told() -> re.Match[str] | None:
        assert process.poll() is None
        return re.search(r"listening on http://\S+:(\d+) ", (logs / "stderr").read_text(encoding="utf-8"))

    try:
        wait_for(told)
        found = told()
        assert found is not None
        yield int(found[1])
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.parametrize("block", COMMANDS, ids=lambda block: block.name)
def test_the_commands_ship_spans_and_metrics(block: Block, tmp_path: Path) -> None:
    """What a reader types sends spans and the histogram to a collector."""
    with collecting() as collector:
        lines = [line for line in block.text.splitlines() if not line.startswith("pip ")]
        script = "\n".join(lines).replace("4318", str(collector.server_port)).replace("8000", "0")
        with typed(script, tmp_path) as port:
            wait_for(lambda: answers(port))
            wait_for(lambda: collector.spans)
        wait_for(lambda: ("garrison", "http.server.request.duration") in collector.metrics)
        assert {(maker, span.name) for maker, span in collector.spans} == {
            ("garrison", "GET /items/{number}")
        }
        resource = collector.traces[0].resource_spans[0].resource
        assert attributes(resource.attributes)["service.name"] == "shop"


def answers(port: int) -> bool:
    """Whether the server is there and answers."""
    try:
        return ask(port, "/items/7").status == 200
    except OSError:
        return False
