"""What the pages about errors and redaction say is so."""

from __future__ import annotations

import ast
import io
import json
import re
from typing import Any, Final

import pytest
from fastapi import FastAPI, HTTPException

from garrison import ErrorsMiddleware
from garrison.events import event_log
from garrison.limiting.fields import ABNORMAL, UNAVAILABLE
from garrison.problems import QUOTA_EXCEEDED
from tests.integration.documents import DOCS, blocks
from tests.integration.problem_sources import SOURCE, statuses
from tests.toolkit.driver import call, http_scope, raises

ERRORS: Final = DOCS / "how-to" / "errors.md"
PROBLEMS: Final = DOCS / "reference" / "problems.md"


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading of the reference."""
    chapter = PROBLEMS.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in chapter.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_mapping_of_the_page() -> None:
    """The snippet maps exceptions to the documents that are shown."""
    namespace: dict[str, Any] = {}
    (snippet,) = blocks(ERRORS, "python")
    exec(compile(snippet.text, snippet.name, "exec"), namespace)  # noqa: S102 - our own documentation
    fault, _, out = (json.loads(block.text) for block in blocks(ERRORS, "json"))
    for error, shown in ((LookupError(), fault), (namespace["OutOfStock"]("tea"), out)):
        app = ErrorsMiddleware(
            raises(error), mapping=namespace["problem_of"], log=event_log("json", io.StringIO())
        )
        assert {**call(app).json, "request_id": shown["request_id"]} == shown
    reply = call(
        ErrorsMiddleware(
            raises(namespace["PaymentDown"]()),
            mapping=namespace["problem_of"],
            log=event_log("json", io.StringIO()),
        )
    )
    assert (reply.status, reply.header("retry-after")) == (503, "30")


def test_the_replaced_reply_of_the_page() -> None:
    """The exception that the page names has the event that it shows."""
    app, stream = FastAPI(), io.StringIO()

    @app.post("/orders")
    async def order() -> None:
        raise HTTPException(500, "db at postgresql://shop:hunter2@db/shop failed")

    assert 'HTTPException(500, "db at postgresql://shop:hunter2@db/shop failed")' in ERRORS.read_text("utf-8")
    _, shown, _ = (json.loads(block.text) for block in blocks(ERRORS, "json"))
    call(ErrorsMiddleware(app, log=event_log("json", stream)), http_scope("/orders", method="POST"))
    event = json.loads(stream.getvalue())
    first, _, rest = event.pop("exception.stacktrace").partition("\n")
    assert shown.pop("exception.stacktrace") == f"{first} …"
    assert "in order" in rest
    del event["timestamp"]
    assert {**event, "request_id": shown["request_id"]} == shown
    assert list(event) == list(shown)


def test_every_type_is_in_the_reference() -> None:
    """The types of the table are those of the source, with their statuses."""
    table = {re.sub("`", "", row[0]): row[1] for row in rows("Types")}
    assert table == {
        "about:blank": "any",
        QUOTA_EXCEEDED: "429",
        ABNORMAL: "429",
        UNAVAILABLE.type: str(UNAVAILABLE.status),
    }
    given = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Problem":
                given |= {ast.unparse(keyword.value) for keyword in node.keywords if keyword.arg == "type"}
    assert given == {"QUOTA_EXCEEDED", "ABNORMAL", "REDUCED_CAPACITY"}


def test_every_member_is_in_the_reference() -> None:
    """The members of the table are those of a document, and what the source adds to one."""
    added = {"type", "title", "status", "detail", "request_id", "traceback"}
    for path in SOURCE.rglob("*.py"):
        found = re.findall(r'extensions=\{"([\w-]+)":', path.read_text(encoding="utf-8"))
        added |= set(found)
    assert {row[0].strip("`") for row in rows("Members")} == added


@pytest.mark.parametrize("section", [row[0] for row in rows("Statuses")])
def test_every_status_is_in_the_reference(section: str) -> None:
    """What a section's layer is written to answer stands in its row."""
    (told,) = [row[1] for row in rows("Statuses") if row[0] == section]
    made = statuses()
    assert made.keys() <= {row[0] for row in rows("Statuses")}
    assert {str(status) for status in made.get(section, set())} <= set(re.findall(r"\d{3}", told))
