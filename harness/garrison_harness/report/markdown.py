"""The audit as Markdown, for the summary page of a CI job, a comment, or a wiki."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from garrison_harness.checks.family import FAMILIES
from garrison_harness.observatory.rating import signed
from garrison_harness.report.report import STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.report.report import Found, Report

_MARKS: Final = {"PASS": "✅", "FAIL": "❌", "INCONCLUSIVE": "⚠️"}
# GitHub drops a summary of a step that is larger than 1 MiB, all of it.
_BYTES: Final = 900_000
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>#|~@&!$])")
_FENCES: Final = re.compile(r"`{3,}")


def render(report: Report) -> str:
    """The document, with a line break at the end, and never larger than a summary on GitHub may be."""
    outcome = report.outcome
    asked = f"{outcome.requests} requests in {outcome.duration:.1f} s"
    head = [
        f"## {_MARKS[report.verdict]} garrison check: {report.verdict.lower()}",
        f"{_escaped(report.reason)[:1].upper()}{_escaped(report.reason)[1:]}.",
        f"Target {_code(str(report.target))}: {report.counts()}; {asked}.",
        *(f"> {_escaped(note)}" for note in report.asides()),
    ]
    tail = ["### By family", _families(report), *_rating(report), *_tail(report)]
    blocks = list(head)
    size = sum(len(block.encode()) + 2 for block in (*head, *tail))
    found = report.worst_first()
    if found:
        blocks.append("### Findings")
    for number, one in enumerate(found):
        block = _finding(one, report)
        size += len(block.encode()) + 2
        if size > _BYTES:
            blocks.append(f"… and {len(found) - number} more findings: this page has no room for them.")
            break
        blocks.append(block)
    return "\n\n".join((*blocks, *tail)) + "\n"


def _families(report: Report) -> str:
    families = report.by_family()
    shown = [status for status in STATUSES if status != "accepted" or report.count(status)]
    rows = [
        f"| {letter}: {FAMILIES[letter]} | {' | '.join(str(counts[status]) for status in shown)} |"
        for letter, counts in families.items()
    ]
    return "\n".join(
        (f"| family | {' | '.join(shown)} |", f"|---|{'---:|' * len(shown)}", *rows),
    )


def _rating(report: Report) -> Iterator[str]:
    """The score of the page, with what each rule gives or takes folded."""
    rating = report.rating
    if rating is None:
        return
    yield f"{_escaped(rating.sentence())}."
    if rating.score is not None:
        rows = [
            f"| {name} | {signed(points, counts=counts)} |" for name, points, counts in rating.contributions()
        ]
        yield "<details><summary>What each rule gives or takes, from 100</summary>"
        yield "\n".join(("| rule | points |", "|---|---:|", *rows))
        if rating.note:
            yield f"{rating.note.capitalize()}."
        yield "</details>"


def _finding(found: Found, report: Report) -> str:
    finding, check = found.finding, found.check
    mark = "❌" if found.failing else "ℹ️"
    heading = (
        f"<details><summary>{mark} <b>{check.id}</b> {found.severity.word}, {finding.confidence.value}:"
        f" {_html(finding.message)}</summary>"
    )
    place = f"{found.place.file}:{found.place.line}" if found.place.exact else found.place.file
    page = report.page_of(check)
    lines = [
        heading,
        f"{_code(found.where)} in {_code(place)}",
        _fenced("\n".join(finding.evidence)),
        *([f"Why: {_escaped(check.why)}"] if check.why else []),
        f"Fix: {_escaped(check.fix)}",
        *([f"With Garrison: {_escaped(check.garrison)}"] if check.garrison else []),
        f"More: {f'[{check.id}](<{page}>), ' if page else ''}`garrison explain {check.id}`",
        "</details>",
    ]
    return "\n\n".join(lines)


def _tail(report: Report) -> Iterator[str]:
    unjudged = [result for result in report.outcome.results if result.verdict.status == "not run"]
    if unjudged:
        rows = [
            f"- {result.check.id} {_escaped(result.check.title)}: {_escaped(result.verdict.reason)}"
            for result in unjudged
        ]
        yield f"<details><summary>{len(unjudged)} not run</summary>"
        yield "\n".join(rows)
        yield "</details>"


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is, on one line; nobody is mentioned by it."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split())).replace("\\@", "@\u200b").replace("://", ":\u200b//")


def _html(text: str) -> str:
    """The same in an element, where Markdown is not read but mentions and links are found."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("@", "@\u200b").replace("://", ":\u200b//")


def _code(text: str) -> str:
    """A code span, whatever ticks the text has (CommonMark section 6.1)."""
    ticks = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _fenced(text: str) -> str:
    """A code block, whatever fences the text has."""
    fence = "`" * (max((len(run) for run in _FENCES.findall(text)), default=2) + 1)
    return f"{fence}text\n{text}\n{fence}"
