"""What became of drills as one JSON document, for programs; `drill.schema.json` says what is in it.

`SCHEMA_VERSION` grows when a member changes its meaning or goes, not when one is added.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from garrison_harness.drills.drill import Result
    from garrison_harness.drills.performing import Outcome

SCHEMA_VERSION: Final = 1


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the document."""
    text = files("garrison_harness.drills.report").joinpath("drill.schema.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def render(outcome: Outcome) -> str:
    """The document, indented, with a line break at the end."""
    asked = outcome.asked
    document = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "garrison", "version": version("garrison")},
        "target": outcome.target.to_record(outcome.url),
        "started": outcome.started.isoformat(timespec="seconds"),
        "duration": round(outcome.duration, 3),
        "load": {"rate": asked.rate, "paths": list(asked.paths), "window": asked.window},
        "verdict": outcome.verdict,
        "exit_status": outcome.exit_status,
        "complete": outcome.complete,
        "drills": [_record(result) for result in outcome.results],
    }
    return f"{json.dumps(document, indent=2)}\n"


def _record(result: Result) -> dict[str, Any]:
    return {
        "name": result.drill.name,
        "title": result.drill.title,
        "expectation": result.drill.expectation,
        "verdict": result.verdict,
        "reason": result.reason,
        "duration": round(result.duration, 3),
        "requests": result.requests,
        "points": [
            {"expectation": point.expectation, "verdict": point.verdict, "detail": point.detail}
            for point in result.points
        ],
    }
