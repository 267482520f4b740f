"""What the guide about an app's own log lines promises."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import structlog

from tests.integration.documents import DOCS, EXAMPLES, blocks
from tests.toolkit.server.conftest import environment, running, wait_for
from tests.toolkit.server.wire import ask

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

GUIDE = DOCS / "how-to" / "application-logs.md"
LOGS = EXAMPLES / "logs"


def without_what_changes(line: dict[str, Any]) -> dict[str, Any]:
    """A line without its time and id."""
    return {name: value for name, value in line.items() if name not in {"timestamp", "request_id"}}


def test_the_snippets_are_those_of_the_examples() -> None:
    """What the page shows of the two apps is in them."""
    shown = [block.text for block in blocks(GUIDE, "py")]
    ours, theirs, *_ = (text for text in shown if "loguru" not in text and "structlog.configure" not in text)
    assert ours in (LOGS / "app.py").read_text("utf-8")
    assert theirs in (LOGS / "logged.py").read_text("utf-8")


def test_structlog_events_become_records(caplog: pytest.LogCaptureFixture) -> None:
    """What the page configures hands them, with their fields, to whatever handler exports records."""
    (snippet,) = (block.text for block in blocks(GUIDE, "py") if "structlog.configure" in block.text)
    try:
        exec(snippet, {"structlog": structlog})  # noqa: S102 - what the page shows
        structlog.get_logger("shop.stock").warning("stock is low", article="tea")
    finally:
        structlog.reset_defaults()
    (record,) = caplog.records
    assert (record.name, record.levelname, record.getMessage()) == ("shop.stock", "WARNING", "stock is low")
    assert vars(record)["article"] == "tea"


def test_the_lines_are_those_of_the_page(tmp_path: Path) -> None:
    """The first example writes what the page shows, with the id of the reply."""
    (block,) = blocks(GUIDE, "json")
    promised = [json.loads(line) for line in block.text.splitlines()]
    with running(tmp_path, "app:app", directory=LOGS) as up:
        request_id = ask(up.port)["x-request-id"]
        wait_for(lambda: up.stderr.count(request_id) == 2)
        found = [record for record in up.records if record.get("request_id") == request_id]
    assert [list(line) for line in found] == [list(line) for line in promised]
    assert [*map(without_what_changes, found)] == [*map(without_what_changes, promised)]


def test_own_handlers_name_the_id_under_another_server() -> None:
    """The second example runs under plain uvicorn, and its line has the id of the reply."""
    words = ["-m", "uvicorn", "logged:app", "--port", "0", "--lifespan", "off"]
    process = subprocess.Popen(
        [sys.executable, *words], cwd=LOGS, env=environment({}), stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    written: list[str] = []
    assert process.stderr is not None
    reader = threading.Thread(target=written.extend, args=(process.stderr,))
    reader.start()
    try:
        wait_for(lambda: re.search(r"running on http://127.0.0.1:(\d+)", "".join(written)))
        port = re.search(r"running on http://127.0.0.1:(\d+)", "".join(written))
        assert port is not None
        reply = ask(int(port[1]))
        assert reply.body.decode() == reply["x-request-id"]
        wait_for(lambda: f"INFO [{reply['x-request-id']} -] at /\n" in written)
    finally:
        process.terminate()
        process.wait(10)
        reader.join()
        process.stderr.close()
