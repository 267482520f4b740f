"""The proof for people, a line a layer, and for programs, by `proof.schema.json` among the reports.

`SCHEMA_VERSION` grows when a member changes its meaning or goes, not when one is added.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from importlib.metadata import version
from importlib.resources import files
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from garrison_harness.finding import printable
from garrison_harness.proving.matrix import exit_status
from garrison_harness.report.console import ReportConsole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from garrison_harness.proving.matrix import Row
    from garrison_harness.proving.proof import Proof

SCHEMA_VERSION: Final = 1
_STYLES: Final = {
    "proven": "green",
    "not missed": "bold red",
    "not exact": "bold red",
    "idle": "dim",
    "not started": "yellow",
    "not reached": "yellow",
}
_LONGEST_REASON: Final = 300
_NARROWEST: Final = 20  # columns; narrower is for nobody to read


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the document."""
    text = files("garrison_harness.report").joinpath("proof.schema.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def write(proof: Proof, form: str, stream: TextIO) -> None:
    """Write the proof.

    Args:
        proof: What was found out.
        form: `text`, in colour where the stream is a terminal and NO_COLOR is not set, or `json`.
        stream: Where to.
    """
    if form == "json":
        json.dump(_record(proof), stream, indent=2)
        stream.write("\n")
        return
    console = ReportConsole(stream)
    console.print(Text.assemble(("garrison prove ", "bold"), printable(proof.target)))
    console.print()
    layers = max(len(row.layer) for row in proof.rows) + 2
    statuses = max(len(row.status) for row in proof.rows) + 2
    for row in proof.rows:
        # What is longer than the rest of the line goes on below itself.
        width = max(_NARROWEST, console.width - layers - statuses)
        first, *others = [line for saying in _sayings(row) for line in wrap(saying, width)] or [""]
        line = Text(row.layer.lower().ljust(layers))
        line.append(row.status.ljust(statuses), _STYLES[row.status])
        line.append(first, "dim" if row.status == "idle" else "")
        for text in (line, *(Text(" " * (layers + statuses) + other) for other in others)):
            text.rstrip()
            console.print(text, soft_wrap=True)
    console.print()
    console.print(_summary(proof))


def _sayings(row: Row) -> Iterator[str]:
    """What there is to say of a layer, the checks that missed it first."""
    if row.reason:
        yield printable(row.reason, _LONGEST_REASON)
    if row.missed:
        yield " ".join(row.missed)
    elif row.status == "not missed":
        named = bool(row.blind or row.spoiled or row.unseen)
        yield "no check turned red" if named else "no check names this layer"
    if row.blind:
        yield f"passed without it: {' '.join(row.blind)}"
    if row.strays:
        yield f"red without it, and do not name it: {' '.join(row.strays)}"
    if row.spoiled:
        yield f"red with it already: {' '.join(row.spoiled)}"
    if row.unseen:
        yield f"not run: {' '.join(row.unseen)}"


def _summary(proof: Proof) -> Text:
    count = Counter[str](row.status for row in proof.rows)
    parts = [f"{count[status]} {status}" for status in _STYLES if count[status]]
    verdict = {0: "proven", 1: "not proven"}.get(exit_status(proof.rows), "inconclusive")
    style = {"proven": "bold green", "not proven": "bold red"}.get(verdict, "bold yellow")
    return Text.assemble((verdict, style), f": {', '.join(parts)} in {proof.duration:.0f} s")


def _record(proof: Proof) -> dict[str, object]:
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "garrison", "version": version("garrison")},
        "target": proof.target,
        "exit_status": exit_status(proof.rows),
        "duration": round(proof.duration, 3),
        "layers": [asdict(row) for row in proof.rows],
        "checks": [
            {
                "id": check.id,
                "title": check.title,
                "layers": list(check.layers),
                "status": proof.whole[check.id],
                "reason": proof.reasons.get(check.id, ""),
            }
            for check in proof.checks
        ],
    }
