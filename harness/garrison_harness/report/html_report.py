"""The audit as one HTML page that needs nothing else: no server, no network, and no script to be read."""

from __future__ import annotations

import base64
import hashlib
import re
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from garrison_harness.checks.family import FAMILIES, letter
from garrison_harness.explanation import explanation
from garrison_harness.finding import Confidence, Severity
from garrison_harness.observatory.rating import signed
from garrison_harness.report.replay import command
from garrison_harness.report.report import STATUSES
from garrison_harness.report.shown import shown_reply, shown_request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.checks.check import Check
    from garrison_harness.report.report import Found, Report

# Where an app that was started for the audit, and has ended with it, is expected when a request is repeated.
_AGAIN: Final = "http://127.0.0.1:8000"
_STARTED_HERE: Final = re.compile(r"127\.0\.0\.1(:\d+)?|garrison\.test")
_CWE: Final = "https://cwe.mitre.org/data/definitions"


def render(report: Report) -> str:
    """The page, with a line break at the end."""
    style, script = _file("page.css"), _file("page.js")
    policy = (
        f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)};"
        " base-uri 'none'; form-action 'none'"
    )
    found = report.worst_first()
    title = f"garrison check {report.target}"
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{_text(title)}</title>",
        f"<style>{style}</style></head>",
        "<body>",
        *_head(report),
        *_filters(report),
        "<h2>Findings</h2>",
        *(["<p>Nothing was found.</p>"] if not found else []),
        *(_finding(one, report) for one in found),
        *_families(report),
        *_rating(report),
        *_checks(report),
        f"<script>{script}</script>",
        "</body></html>",
    ]
    return "\n".join(lines) + "\n"


def _file(name: str) -> str:
    return files("garrison_harness.report").joinpath(name).read_text(encoding="utf-8")


def _source(text: str) -> str:
    """What allows this text, and no other, in a Content-Security-Policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _text(text: str) -> str:
    """Text in an element or in an attribute; words of a command may hold bytes that are no text."""
    return escape(text.encode("utf-8", "backslashreplace").decode())


def _head(report: Report) -> Iterator[str]:
    outcome = report.outcome
    yield f"<header><h1>garrison check <code>{_text(str(report.target))}</code></h1>"
    yield (
        f'<p><span class="verdict {report.verdict}">{report.verdict}</span>: {_text(report.reason)}</p>'
        f'<p class="soft">{_text(outcome.url)}, {outcome.started:%Y-%m-%d %H:%M} UTC: {report.counts()};'
        f" {outcome.requests} requests in {outcome.duration:.1f} s; Garrison"
        f" {_text(report.tool_version)}</p>"
    )
    if notes := list(report.asides()):
        yield f'<div class="notes">{"".join(f"<p>{_text(note)}</p>" for note in notes)}</div>'
    yield "</header>"


def _families(report: Report) -> Iterator[str]:
    statuses = [status for status in STATUSES if status != "accepted" or report.count(status)]
    heads = "".join(f'<th class="number" scope="col">{status}</th>' for status in statuses)
    yield "<h2>By family</h2>"
    yield f'<table id="families"><thead><tr><th scope="col">family</th>{heads}</tr></thead><tbody>'
    for family, counts in report.by_family().items():
        cells = "".join(
            f'<td class="number {_shade(counts[status])}">{counts[status]}</td>' for status in statuses
        )
        yield f"<tr><td>{family}: {FAMILIES[family]}</td>{cells}</tr>"
    yield "</tbody></table>"


def _shade(number: int) -> str:
    """What lets the numbers stand out among zeros."""
    return "" if number else "none"


def _rating(report: Report) -> Iterator[str]:
    rating = report.rating
    if rating is None:
        return
    yield f'<section id="observatory"><h2>Score</h2><p>{_text(rating.sentence())}.</p>'
    if rating.score is not None:
        yield "<details><summary>What each rule gives or takes, from 100</summary>"
        yield '<table><thead><tr><th scope="col">rule</th><th class="number" scope="col">points</th></tr>'
        yield "</thead><tbody>"
        for name, points, counts in rating.contributions():
            shown = signed(points, counts=counts)
            yield f'<tr><td>{name}</td><td class="number">{shown}</td></tr>'
        note = f'<p class="soft">{rating.note.capitalize()}.</p>' if rating.note else ""
        yield f"</tbody></table>{note}</details>"
    yield "</section>"


def _filters(report: Report) -> Iterator[str]:
    """Hidden until the script shows them: without it they would do nothing."""
    families = {name: f"{name}: {FAMILIES[name]}" for name in report.by_family()}
    yield '<form id="filters" hidden>'
    yield '<label>search <input type="search" name="words"></label>'
    yield _choice("severity", {one.word: one.word for one in reversed(Severity)})
    yield _choice("confidence", {one.value: one.value for one in Confidence})
    yield _choice("status", {status: status for status in STATUSES})
    yield _choice("family", families)
    yield '<button type="reset">Reset</button><span id="count" role="status"></span></form>'


def _choice(name: str, values: Mapping[str, str]) -> str:
    options = "".join(f'<option value="{value}">{_text(text)}</option>' for value, text in values.items())
    return f'<label>{name} <select name="{name}"><option value="">any</option>{options}</select></label>'


def _finding(found: Found, report: Report) -> str:
    finding, check = found.finding, found.check
    severity = found.severity.word
    place = f"{found.place.file}:{found.place.line}" if found.place.exact else found.place.file
    sure = finding.confidence.value
    notes = sure if found.failing or finding.confidence is Confidence.INFO else f"{sure}, does not fail"
    # What is mere information may belong to a check that passed.
    status = "" if finding.confidence is Confidence.INFO else ' data-status="failed"'
    data = f'data-family="{letter(check.id)}" data-severity="{severity}" data-confidence="{sure}"{status}'
    lines = [
        f'<article class="{severity}" {data}><details><summary>',
        f'<span class="tag {severity}">{severity}</span> <b>{check.id}</b> {_text(finding.message)}',
        f'<span class="soft">({notes})</span>',
        '</summary><div class="body">',
        f"<p><code>{_text(found.where)}</code> in <code>{_text(place)}</code></p>",
        f"<h3>Evidence</h3>{_pre(chr(10).join(finding.evidence))}",
        *_exchange(found, report),
        *_advice(check, report),
        "</div></details></article>",
    ]
    return "\n".join(lines)


def _exchange(found: Found, report: Report) -> Iterator[str]:
    exchange = found.finding.exchange
    if exchange is None:
        return
    request, reply = shown_request(exchange.request), shown_reply(exchange.reply)
    yield (
        f'<div class="exchange"><section><h3>Request</h3>{_pre(request)}</section>'
        f"<section><h3>Reply</h3>{_pre(reply)}</section></div>"
    )
    url = report.target.kind == "url"
    own = re.compile(re.escape(urlsplit(report.outcome.url).netloc)) if url else _STARTED_HERE
    again = command(exchange.request, report.outcome.url if url else _AGAIN, own)
    if again:
        where = "" if url else f" (with the app at {_AGAIN})"
        yield (
            f'<h3>Send it again{where}</h3><div class="command">{_pre(again)}'
            '<button type="button" class="copy" hidden>Copy</button></div>'
        )


def _advice(check: Check, report: Report) -> Iterator[str]:
    parts = {"Why": check.why, "Fix": check.fix, "With Garrison": check.garrison}
    for name, text in parts.items():
        if text:
            yield f"<h3>{name}</h3><p>{_text(text)}</p>"
    about = f'<a href="#{_anchor(check)}">what {check.id} is about and how it is judged</a>'
    yield f"<h3>More</h3><p>{about}{_in_reference(check, report)}</p>"


def _checks(report: Report) -> Iterator[str]:
    yield "<h2>All checks</h2>"
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("check", "what holds", "severity", "status"))
    yield f'<table id="checks"><thead><tr>{heads}</tr></thead><tbody>'
    for result in report.outcome.results:
        check, verdict = result.check, result.verdict
        reason = f'<p class="soft">{_text(verdict.reason)}</p>' if verdict.reason else ""
        yield (
            f'<tr data-family="{letter(check.id)}"'
            f' data-severity="{check.severity.word}" data-status="{verdict.status}">'
            f'<td class="id">{check.id}</td>'
            f"<td><details><summary>{_text(check.title)}</summary>{_about(check, report)}</details>"
            f"{reason}</td>"
            f'<td>{check.severity.word}</td><td class="status {verdict.status}">{verdict.status}</td></tr>'
        )
    yield "</tbody></table>"


def _about(check: Check, report: Report) -> str:
    """All that is known of a check; a browser that goes to the anchor inside of it unfolds it."""
    told = "".join(f"<h3>{name}</h3><p>{_text(text)}</p>" for name, text in explanation(check))
    weakness = f', <a href="{_CWE}/{check.cwe}.html">CWE-{check.cwe}</a>' if check.cwe else ""
    more = f"<code>garrison explain {check.id}</code>{weakness}{_in_reference(check, report)}"
    return f'<div class="about" id="{_anchor(check)}">{told}<h3>More</h3><p>{more}</p></div>'


def _in_reference(check: Check, report: Report) -> str:
    page = report.page_of(check)
    return f', <a href="{_text(page)}">{check.id} in the reference</a>' if page else ""


def _anchor(check: Check) -> str:
    return check.id.lower()


def _pre(text: str) -> str:
    return f'<pre tabindex="0">{_text(text)}</pre>'
